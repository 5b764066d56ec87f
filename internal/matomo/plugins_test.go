package matomo

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pluginConfig(t *testing.T, active, installed string) *Config {
	t.Helper()
	var b strings.Builder
	b.WriteString("[Plugins]\n")
	for _, name := range strings.Fields(active) {
		b.WriteString("Plugins[] = " + name + "\n")
	}
	if installed != "" {
		b.WriteString("[PluginsInstalled]\n")
	}
	for _, name := range strings.Fields(installed) {
		b.WriteString("PluginsInstalled[] = " + name + "\n")
	}
	return parseConfig(t, b.String())
}

func TestPluginsAreActiveInLoadOrder(t *testing.T) {
	c := pluginConfig(t, "zeta Goals IP10Location CustomVariables Actions CoreHome IP2Location Provider Goals", "")
	want := []string{"CoreHome", "Actions", "Goals", "CustomVariables", "IP2Location", "IP10Location", "zeta"}
	if diff := cmp.Diff(want, c.Plugins().Names()); diff != "" {
		t.Error(diff)
	}
}

func TestPluginsMustBeInstalled(t *testing.T) {
	p := pluginConfig(t, "Goals Events Contents", "Goals Contents Referrers").Plugins()
	for name, want := range map[string]bool{"Goals": true, "Events": false, "Contents": true, "Referrers": false} {
		if got := p.Active(name); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestNaturalCompare(t *testing.T) {
	sorted := []string{"", "1", "01a", "2", "10", "a", "a1", "a1b", "a02", "a10", "ab", "b"}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortStableFunc(got, naturalCompare)
	if diff := cmp.Diff(sorted, got); diff != "" {
		t.Error(diff)
	}
}

func TestForeignTrackerPlugins(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"plugins/Dimensions/Columns/Deep/A.php":     "<?php class A extends VisitDimension {}",
		"plugins/Processors/Tracker/P.php":          "<?php class P extends \\Piwik\\Tracker\\RequestProcessor {}",
		"plugins/OwnActions/Actions/ActionX.php":    "<?php use Piwik\\Tracker\\Action;",
		"plugins/Locations/LocationProvider/X.php":  "<?php class X extends LocationProvider {}",
		"plugins/Overrides/config/tracker.php":      "<?php return ['Piwik\\Tracker\\VisitorRecognizer' => 1];",
		"plugins/Events1/Events1.php":               "<?php return ['Tracker.isExcludedVisit' => 'x'];",
		"plugins/Events2/Events2.php":               "<?php return [\"Referrer.addSocialUrls\" => 'x'];",
		"plugins/Auth/Auth.php":                     "<?php return ['Request.initAuthenticationObject' => 'x'];",
		"plugins/Reports/Reports.php":               "<?php // about the Tracker.\nreturn ['Tracker.Cache.getSiteAttributes' => 'x'];",
		"plugins/Reports/Columns/Report.php":        "<?php class Report extends Dimension {}",
		"plugins/Reports/Columns/notes.txt":         "VisitDimension",
		"plugins/Reports/config/tracker.php":        "<?php return [];",
		"plugins/Empty/readme.txt":                  "",
		"plugins/TagManager/Columns/A.php":          "VisitDimension",
		"plugins/Goals/Columns/A.php":               "VisitDimension",
		"plugins/TrackingSpamPrevention/plugin.txt": "",
	})
	c := pluginConfig(t, `Goals Dimensions Processors OwnActions Locations Overrides Events1 Events2 Auth Reports Empty TagManager
		CustomVariables QueuedTracking Absent AbTesting TrackingSpamPrevention Provider`, "")
	got, err := ForeignTrackerPlugins(dir, c.Plugins())
	if err != nil {
		t.Fatal(err)
	}
	want := []Foreign{
		{"Absent", "is not known, and its folder plugins/Absent is not there to look into"},
		{"AbTesting", "records experiments in table log_abtesting"},
		{"Auth", "hooks into the tracker (Request.initAuthenticationObject in Auth.php)"},
		{"Dimensions", "fills columns of the log tables (Columns/Deep/A.php)"},
		{"Events1", "hooks into the tracker (Tracker in Events1.php)"},
		{"Events2", "hooks into the tracker (Referrer.add in Events2.php)"},
		{"Locations", "locates visitors (LocationProvider/X.php)"},
		{"Overrides", "replaces parts of the tracker (config/tracker.php)"},
		{"OwnActions", "tracks actions of its own (Actions/ActionX.php)"},
		{"Processors", "processes tracking requests (Tracker/P.php)"},
		{"TrackingSpamPrevention", "excludes visits by rules of its own"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOverridesInTheConfigurationAreForeign(t *testing.T) {
	plugins := pluginConfig(t, "Goals", "").Plugins()
	dir := writeFiles(t, map[string]string{"config/config.php": "<?php return ['path.geoip2' => '/geo'];"})
	got, err := ForeignTrackerPlugins(dir, plugins)
	if err != nil || len(got) != 1 || got[0].Name != "config/config.php" || got[0].Reason != "replaces parts of Matomo (path.geoip2)" {
		t.Errorf("got %v, %v", got, err)
	}
	dir = writeFiles(t, map[string]string{"config/config.php": "<?php return [];"})
	if got, err := ForeignTrackerPlugins(dir, plugins); err != nil || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
	dir = writeFiles(t, map[string]string{"config/config.php/x": "a folder"})
	if _, err := ForeignTrackerPlugins(dir, plugins); err == nil {
		t.Error("no error for a configuration that cannot be read")
	}
}

func TestUnreadablePluginIsAnError(t *testing.T) {
	dir := writeFiles(t, map[string]string{"plugins/Odd/Odd.php/x": "a folder where the main class should be"})
	if _, err := ForeignTrackerPlugins(dir, pluginConfig(t, "Odd", "").Plugins()); err == nil ||
		!strings.HasPrefix(err.Error(), "plugin Odd: ") {
		t.Errorf("got %v", err)
	}
}
