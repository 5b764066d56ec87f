package matomo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installed is the configuration of an installation with files, active plugins and a version.
func installed(t *testing.T, version string, files map[string]string, active string) *Config {
	t.Helper()
	all := map[string]string{"config/config.ini.php": "[Plugins]\n" + pluginLines(active)}
	for name, text := range files {
		all[name] = text
	}
	c, err := LoadConfig(writeFiles(t, all))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := ParseVersion(version)
	if c, err = c.For(Found{Version: v, QueuedTracking: c.pluginVersion("QueuedTracking")}); err != nil {
		t.Fatal(err)
	}
	return c
}

func pluginLines(names string) string {
	var b strings.Builder
	for _, name := range strings.Fields(names) {
		b.WriteString("Plugins[] = " + name + "\n")
	}
	return b.String()
}

func TestForeignTrackerPlugins(t *testing.T) {
	c := installed(t, "5.1.2", map[string]string{
		"plugins/Dimensions/Columns/Deep/A.php":    "<?php class A extends VisitDimension {}",
		"plugins/Processors/Tracker/P.php":         "<?php class P extends \\Piwik\\Tracker\\RequestProcessor {}",
		"plugins/Bots/Tracker/P.php":               "<?php class P extends \\Matomo\\Tracker\\BotRequestProcessor {}",
		"plugins/OwnActions/Actions/ActionX.php":   "<?php use Piwik\\Tracker\\Action;",
		"plugins/OwnActions6/Actions/ActionX.php":  "<?php use Matomo\\Tracker\\Action;",
		"plugins/Locations/LocationProvider/X.php": "<?php class X extends LocationProvider {}",
		"plugins/Overrides/config/tracker.php":     "<?php return ['Piwik\\Tracker\\VisitorRecognizer' => 1];",
		"plugins/Overrides6/config/tracker.php":    "<?php return ['Matomo\\Tracker\\VisitorRecognizer' => 1];",
		"plugins/Events1/Events1.php":              "<?php return ['Tracker.isExcludedVisit' => 'x'];",
		"plugins/Events2/Events2.php":              "<?php return [\"Referrer.addSocialUrls\" => 'x'];",
		"plugins/Events3/Events3.php":              "<?php return ['Tracker.isBotRequest' => 'x'];",
		"plugins/Events4/Events4.php":              "<?php return ['Tracker.detectReferrerAIAssistant' => 'x'];",
		"plugins/Events5/Events5.php":              "<?php return ['Referrer.addAIAssistantUrls' => 'x'];",
		"plugins/Auth/Auth.php":                    "<?php return ['Request.initAuthenticationObject' => 'x'];",
		"plugins/Reports/Reports.php":              "<?php // about the Tracker.\nreturn ['Tracker.Cache.getSiteAttributes' => 'x'];",
		"plugins/Reports/Columns/Report.php":       "<?php class Report extends Dimension {}",
		"plugins/Reports/Columns/notes.txt":        "VisitDimension",
		"plugins/Reports/config/tracker.php":       "<?php return [];",
		"plugins/Empty/readme.txt":                 "",
		"plugins/TagManager/Columns/A.php":         "VisitDimension",
		"plugins/Goals/Columns/A.php":              "VisitDimension",
	}, `Goals Dimensions Processors Bots OwnActions OwnActions6 Locations Overrides Overrides6 Events1 Events2 Events3 Events4 Events5 Auth
		Reports Empty TagManager CustomVariables QueuedTracking Absent AbTesting Provider`)
	got, err := c.ForeignTrackerPlugins()
	if err != nil {
		t.Fatal(err)
	}
	want := []Foreign{
		{"Absent", "is not known, and its folder plugins/Absent is not there to look into"},
		{"AbTesting", "records experiments in table log_abtesting"},
		{"Auth", "hooks into the tracker (Request.initAuthenticationObject in Auth.php)"},
		{"Bots", "processes tracking requests (Tracker/P.php)"},
		{"Dimensions", "fills columns of the log tables (Columns/Deep/A.php)"},
		{"Events1", "hooks into the tracker (Tracker in Events1.php)"},
		{"Events2", "hooks into the tracker (Referrer.add in Events2.php)"},
		{"Events3", "hooks into the tracker (Tracker in Events3.php)"},
		{"Events4", "hooks into the tracker (Tracker in Events4.php)"},
		{"Events5", "hooks into the tracker (Referrer.add in Events5.php)"},
		{"Locations", "locates visitors (LocationProvider/X.php)"},
		{"Overrides", "replaces parts of the tracker (config/tracker.php)"},
		{"Overrides6", "replaces parts of the tracker (config/tracker.php)"},
		{"OwnActions", "tracks actions of its own (Actions/ActionX.php)"},
		{"OwnActions6", "tracks actions of its own (Actions/ActionX.php)"},
		{"Processors", "processes tracking requests (Tracker/P.php)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// ofVersion are the files of a plugin.
func ofVersion(plugin, version string) map[string]string {
	return map[string]string{"plugins/" + plugin + "/plugin.json": `{"version": "` + version + `"}`}
}

// The same plugin belongs to Matomo in one version and is somebody else's, or gone, in another one.
func TestPluginsAreKnownByVersion(t *testing.T) {
	const (
		absent  = "is not known, and its folder plugins/%s is not there to look into"
		columns = "fills columns of the log tables (Columns/A.php)"
	)
	own := func(version string) map[string]string { return ofVersion("TrackingSpamPrevention", version) }
	dimension := func(plugin string) map[string]string {
		return map[string]string{"plugins/" + plugin + "/Columns/A.php": "VisitDimension"}
	}
	for _, c := range []struct {
		plugin, version string
		files           map[string]string
		want            string
	}{
		{"Goals", "5.0.0", nil, ""},
		{"Goals", "6.0.3", nil, ""},
		{"Goals", "", nil, ""},
		{"SEO", "5.14.0", nil, ""},
		{"SEO", "6.0.0", nil, ""}, // PHP loads nothing either
		{"SEO", "6.0.0", dimension("SEO"), columns},
		{"FeatureFlags", "5.1.2", nil, absent},
		{"FeatureFlags", "5.2.0", nil, ""},
		{"AIAgents", "5.5.2", dimension("AIAgents"), columns},
		{"AIAgents", "5.6.0", dimension("AIAgents"), ""},
		{"BotTracking", "5.6.2", dimension("BotTracking"), columns}, // another plugin of that name
		{"BotTracking", "5.7.0", dimension("BotTracking"), ""},
		{"AIProviders", "5.12.0", nil, absent},
		{"AIProviders", "5.13.0", nil, ""},
		{"TrackingSpamPrevention", "6.0.0", nil, ""},
		{"TrackingSpamPrevention", "5.14.0", own("5.0.4"), ""},
		{"TrackingSpamPrevention", "5.1.2", own("5.2.9"), ""},
		{
			"TrackingSpamPrevention", "5.14.0", own("5.3.0"),
			"is known in its versions 5.0 to 5.2; plugins/TrackingSpamPrevention/plugin.json names 5.3.0",
		},
		{
			"TrackingSpamPrevention", "5.14.0", nil,
			"is known in its versions 5.0 to 5.2; plugins/TrackingSpamPrevention/plugin.json names none",
		},
		{"MarketingCampaignsReporting", "5.1.2", ofVersion("MarketingCampaignsReporting", "5.0.2"), ""},
		{"MarketingCampaignsReporting", "6.0.0", ofVersion("MarketingCampaignsReporting", "5.0.2"), ""}, // PHP does not load it
		{
			"MarketingCampaignsReporting", "5.14.0", ofVersion("MarketingCampaignsReporting", "5.1.0"),
			"is known in its versions 5.0; plugins/MarketingCampaignsReporting/plugin.json names 5.1.0",
		},
		{
			"MarketingCampaignsReporting", "6.0.0", ofVersion("MarketingCampaignsReporting", "6.0.0"),
			"is known in its versions 5.0; plugins/MarketingCampaignsReporting/plugin.json names 6.0.0",
		},
		{"Bandwidth", "5.1.2", ofVersion("Bandwidth", "5.0.0"), ""},
		{"Bandwidth", "5.1.2", ofVersion("Bandwidth", "4.0.5"), "is known in its versions 5.0; plugins/Bandwidth/plugin.json names 4.0.5"},
		{"NextGreatThing", "6.0.0", dimension("NextGreatThing"), columns},
	} {
		foreign, err := installed(t, c.version, c.files, c.plugin).ForeignTrackerPlugins()
		var got string
		if len(foreign) > 0 {
			got = foreign[0].Reason
		}
		if want := strings.ReplaceAll(c.want, "%s", c.plugin); got != want || err != nil {
			t.Errorf("%s on Matomo %s: %q, %v, want %q", c.plugin, c.version, got, err, want)
		}
	}
}

// What Provider does in the worker is known; before QueuedTracking 5.2.0 the worker leaves it out.
func TestProviderIsNeverForeign(t *testing.T) {
	for version, active := range map[string]bool{"5.1.3": false, "5.2.0": true} {
		c := installed(t, "5.14.0", map[string]string{
			"plugins/QueuedTracking/plugin.json":  `{"version": "` + version + `"}`,
			"plugins/Provider/Columns/Column.php": "VisitDimension",
		}, "CoreHome Provider QueuedTracking")
		if got := c.Plugins().Active("Provider"); got != active {
			t.Errorf("QueuedTracking %s: Provider active %v, want %v", version, got, active)
		}
		if foreign, err := c.ForeignTrackerPlugins(); err != nil || foreign != nil {
			t.Errorf("QueuedTracking %s: %v, %v", version, foreign, err)
		}
	}
}

// What the installation's own global.ini.php lists is judged like all other plugins.
func TestPluginsOfGlobalSettingsAreJudgedByThisProgramsList(t *testing.T) {
	global := "; <?php exit; ?>\n[Plugins]\n" +
		pluginLines("CoreHome Actions AIAgents BotTracking TrackingSpamPrevention AIProviders NextGreatThing Quiet")
	files := map[string]string{
		"config/global.ini.php":                 global,
		"config/config.ini.php":                 "",
		"plugins/NextGreatThing/Columns/It.php": "<?php class It extends ActionDimension {}",
		"plugins/Quiet/Quiet.php":               "<?php class Quiet {}",
	}
	c := installed(t, "6.0.0", files, "")
	got, err := c.ForeignTrackerPlugins()
	if want := []Foreign{{"NextGreatThing", "fills columns of the log tables (Columns/It.php)"}}; err != nil ||
		!cmp.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if names := c.Plugins().Names(); len(names) != 8 {
		t.Errorf("active: %v", names)
	}
}

// The built-in defaults of each version name no plugin that is not known.
func TestBuiltInPluginsAreKnown(t *testing.T) {
	for _, version := range []string{"5.0.0", "5.1.0", "5.2.0", "5.6.0", "5.7.0", "5.13.0", "5.14.0", "6.0.0"} {
		v, _ := ParseVersion(version)
		c, err := parseConfig(t, "").For(Found{Version: v})
		if err != nil {
			t.Fatal(err)
		}
		if foreign, err := c.ForeignTrackerPlugins(); err != nil || foreign != nil {
			t.Errorf("%s: %v, %v", version, foreign, err)
		}
	}
}

// The file that stands for 6.0's global.ini.php in tests and in the demo, and the built-in defaults of 6.0, have the
// same plugins, all known.
func TestGlobalSettingsOfSixAreTheBuiltInOnes(t *testing.T) {
	c, err := LoadConfig("../../testdata/matomo-6")
	if err != nil {
		t.Fatal(err)
	}
	six := Found{Version: Version{Major: 6}}
	if c, err = c.For(six); err != nil {
		t.Fatal(err)
	}
	builtIn, err := parseConfig(t, "").For(six)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(builtIn.Plugins().Names(), c.Plugins().Names()); diff != "" {
		t.Error(diff)
	}
	if foreign, err := c.ForeignTrackerPlugins(); err != nil || foreign != nil {
		t.Errorf("%v, %v", foreign, err)
	}
}

func TestOverridesInTheConfigurationAreForeign(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<?php return ['path.geoip2' => '/geo'];", "replaces parts of Matomo (path.geoip2)"},
		{"<?php return ['Piwik\\Tracker\\Visit' => 1];", `replaces parts of Matomo (Tracker\)`},
		{"<?php return ['Matomo\\Tracker\\Visit' => 1];", `replaces parts of Matomo (Tracker\)`},
		{"<?php return [];", ""},
	} {
		got, err := installed(t, "5.1.2", map[string]string{"config/config.php": c.text}, "Goals").ForeignTrackerPlugins()
		var want []Foreign
		if c.want != "" {
			want = []Foreign{{"config/config.php", c.want}}
		}
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", c.text, got, err, want)
		}
	}
	unreadable := installed(t, "5.1.2", map[string]string{"config/config.php/x": "a folder"}, "Goals")
	if _, err := unreadable.ForeignTrackerPlugins(); err == nil {
		t.Error("no error for a configuration that cannot be read")
	}
}

func TestUnreadablePluginIsAnError(t *testing.T) {
	c := installed(t, "5.1.2", map[string]string{"plugins/Odd/Odd.php/x": "a folder where the main class should be"},
		"Odd")
	if _, err := c.ForeignTrackerPlugins(); err == nil || !strings.HasPrefix(err.Error(), "plugin Odd: ") {
		t.Errorf("got %v", err)
	}
}
