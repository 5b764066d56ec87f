package matomo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
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
	if c, err = c.For(Found{Version: v}); err != nil {
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

// ofVersion are the files of a plugin.
func ofVersion(plugin, version string) map[string]string {
	return map[string]string{"plugins/" + plugin + "/plugin.json": `{"version": "` + version + `"}`}
}

// A version that Matomo refuses to load is no plugin of the tracker; one that is not known here is active, and not this
// program's.
func TestPluginsInVersionsOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		matomo, version string
		active, native  bool
	}{
		{"5.1.2", "5.0.0", true, true},
		{"5.14.0", "5.0.2", true, true},
		{"5.14.0", "5.1.0", true, false},
		{"5.14.0", "4.1.3", true, false},
		{"6.0.0", "5.0.2", false, false},
		{"6.0.0", "6.0.0", true, false},
	} {
		for _, plugin := range []string{campaignsPlugin, bandwidthPlugin} {
			config := installed(t, c.matomo, ofVersion(plugin, c.version), "Goals "+plugin)
			p := config.Plugins()
			if p.Active(plugin) != c.active || p.Native(plugin) != c.native {
				t.Errorf("%s %s on Matomo %s: active %v, native %v, want %v, %v", plugin, c.version, c.matomo,
					p.Active(plugin), p.Native(plugin), c.active, c.native)
			}
			if got, want := config.Tracker(1).Campaigns != nil, c.native && plugin == campaignsPlugin; got != want {
				t.Errorf("%s %s on Matomo %s: parameters %v, want %v", plugin, c.version, c.matomo, got, want)
			}
			if !p.Native("Goals") {
				t.Error("a plugin of the core is not native")
			}
		}
	}
}

// Where the plugin's files are not there (a container for the worker) the database tells its version.
func TestVersionOfAPluginWithoutFiles(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for version, want := range map[string]bool{"5.0.2": true, "5.1.0": false} {
			const option = "version_" + campaignsPlugin
			mustExec(t, db, "DELETE FROM m_option WHERE option_name = ?", option)
			i := openVersion(t, db, "5.1.2", "[Plugins]\n"+pluginLines(campaignsPlugin), map[string]string{option: version})
			if got := i.Plugins().Native(campaignsPlugin); got != want {
				t.Errorf("version %s: native %v, want %v", version, got, want)
			}
			if got := i.Config().Knows(campaignsPlugin).Standing == Native; got != want {
				t.Errorf("version %s: known %v, want %v", version, got, want)
			}
		}
	})
}

func TestCampaignParametersOfTheFiles(t *testing.T) {
	files := ofVersion(campaignsPlugin, "5.0.2")
	files["config/config.ini.php"] = "[Plugins]\n" + pluginLines(campaignsPlugin) +
		"[MarketingCampaignsReporting]\ncampaign_name = \"own , second\"\ncampaign_keyword = \"\"\ncampaign_source[] = " +
		"\"x\"\n"
	config := installed(t, "5.1.2", files, "")
	got := config.Tracker(1).Campaigns
	if got == nil {
		t.Fatal("no parameters")
	}
	want := [CampaignFields][]string{
		CampaignName: {"own", "second"}, CampaignKeyword: {""}, CampaignSource: {"Array"},
		CampaignMedium:  {"mtm_medium", "pk_medium", "utm_medium"},
		CampaignContent: {"mtm_content", "pk_content", "utm_content"},
		CampaignID:      {"mtm_cid", "pk_cid", "utm_id", "mtm_clid"},
		CampaignGroup:   {"mtm_group", "pk_group"}, CampaignPlacement: {"mtm_placement", "pk_placement"},
	}
	if diff := cmp.Diff(want, got.ByField); diff != "" {
		t.Error(diff)
	}
	if len(got.All) != 18 {
		t.Errorf("all: %q", got.All)
	}
	misfits := config.Misfits()
	if len(misfits) != 1 || misfits[0].Setting != "[MarketingCampaignsReporting] campaign_source" {
		t.Errorf("%+v", misfits)
	}
}
