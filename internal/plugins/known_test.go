package plugins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func names(verdicts []Verdict) (names []string) {
	for _, v := range verdicts {
		names = append(names, v.Name)
	}
	return names
}

// The same plugin belongs to Matomo in one version and is somebody else's, or gone, in another one.
func TestPluginsAreKnownByVersion(t *testing.T) {
	const (
		absent  = "is not known, and its folder plugins/%s is not there to look into"
		columns = "fills columns: Columns/A.php (onnewvisit)"
	)
	own := func(version string) map[string]string {
		return file("plugin.json", `{"version": "`+version+`"}`)
	}
	dimension := func(plugin string) map[string]string {
		return column(plugin, "Columns/A", "VisitDimension", newVisit)
	}
	for _, c := range []struct {
		plugin, version string
		files           map[string]string
		tracks          Tracks
		does            string
	}{
		{"Goals", "5.0.0", nil, Native, "goals and conversions"},
		{"Goals", "6.0.3", nil, Native, "goals and conversions"},
		{"Goals", "", nil, Native, "goals and conversions"},
		{"TagManager", "5.0.0", dimension("TagManager"), Harmless, ""},
		{"SEO", "5.14.0", nil, Harmless, ""},
		{"SEO", "6.0.0", nil, Harmless, ""}, // PHP loads nothing either
		{"SEO", "6.0.0", dimension("SEO"), PHP, columns},
		{"FeatureFlags", "5.1.2", nil, PHP, absent},
		{"FeatureFlags", "5.2.0", nil, Harmless, ""},
		{"AIAgents", "5.5.2", dimension("AIAgents"), PHP, columns},
		{"AIAgents", "5.6.0", dimension("AIAgents"), Native, "names AI agents"},
		{"BotTracking", "5.6.2", dimension("BotTracking"), PHP, columns}, // another plugin of that name
		{"BotTracking", "5.7.0", dimension("BotTracking"), Native, "requests of AI bots"},
		{"AIProviders", "5.12.0", nil, PHP, absent},
		{"AIProviders", "5.13.0", nil, Harmless, ""},
		{"TrackingSpamPrevention", "6.0.0", nil, Native, "excluded visits, bans"},
		{"TrackingSpamPrevention", "5.14.0", own("5.0.4"), Native, "excluded visits, bans"},
		{"TrackingSpamPrevention", "5.1.2", own("5.2.9"), Native, "excluded visits, bans"},
		{
			"TrackingSpamPrevention", "5.14.0", own("5.3.0"), PHP,
			"is known in its versions 5.0 to 5.2; plugins/TrackingSpamPrevention/plugin.json names 5.3.0",
		},
		{
			"TrackingSpamPrevention", "5.14.0", nil, PHP,
			"is known in its versions 5.0 to 5.2; plugins/TrackingSpamPrevention/plugin.json names none",
		},
		{"AbTesting", "5.1.2", nil, PHP, "records experiments in table log_abtesting"},
		{"NextGreatThing", "6.0.0", dimension("NextGreatThing"), PHP, columns},
	} {
		files := map[string]string{}
		for name, text := range c.files {
			files["plugins/"+c.plugin+"/"+name] = text
		}
		config := load(t, install(t, files, c.plugin).Dir(), c.version, nil)
		got := judge(t, config, Options{}).Plugins[0]
		if want := strings.ReplaceAll(c.does, "%s", c.plugin); got.Does != want || got.Tracks != c.tracks {
			t.Errorf(
				"%s on Matomo %s: %s, %q, want %s, %q",
				c.plugin,
				c.version,
				got.Tracks,
				got.Does,
				c.tracks,
				want,
			)
		}
	}
}

// What Provider does in the worker is known; before QueuedTracking 5.2.0 the worker leaves it out.
func TestProviderNeverNeedsPHP(t *testing.T) {
	for version, active := range map[string]bool{"5.1.3": false, "5.2.0": true} {
		c := install(t, map[string]string{
			"plugins/QueuedTracking/plugin.json": `{"version": "` + version + `"}`,
			"plugins/Provider/Provider.php":      main("Provider", "Tracker.setTrackerCacheGeneral")["Provider.php"],
			"plugins/Provider/Columns/Provider.php": column("Provider", "Columns/Provider", "VisitDimension",
				newVisit)["Columns/Provider.php"],
			"core/bootstrap.php": miniature(t, "Piwik"),
		}, "CoreHome", "Provider", "QueuedTracking", "OnlyForTheAnswer")
		write(t, c.Dir()+"/plugins/OnlyForTheAnswer/OnlyForTheAnswer.php",
			main("OnlyForTheAnswer", "Tracker.end")["OnlyForTheAnswer.php"])
		if got := c.Plugins().Active("Provider"); got != active {
			t.Errorf("QueuedTracking %s: Provider active %v, want %v", version, got, active)
		}
		for way, j := range map[FoundBy]Judgement{Read: judge(t, c, Options{}), Asked: judgeAsked(t, c)} {
			if need := j.NeedPHP(); need != nil {
				t.Errorf("QueuedTracking %s, %s: %v", version, way, need)
			}
			if got := strings.Contains(strings.Join(names(j.Plugins), " "), "Provider"); got != active {
				t.Errorf("QueuedTracking %s, %s: Provider judged %v, want %v", version, way, got, active)
			}
		}
	}
}

// What the installation's own global.ini.php lists is judged like all other plugins.
func TestPluginsOfGlobalSettingsAreJudgedByThisProgramsList(t *testing.T) {
	c := install(t, map[string]string{
		"config/global.ini.php": "; <?php exit; ?>\n" + iniFile([]string{
			"CoreHome", "Actions", "AIAgents", "BotTracking", "TrackingSpamPrevention", "AIProviders", "NextGreatThing", "Silent",
		}),
		"config/config.ini.php":                 "",
		"plugins/NextGreatThing/Columns/It.php": column("NextGreatThing", "Columns/It", "ActionDimension", newAction)["Columns/It.php"],
		"plugins/Silent/Silent.php":             main("Silent")["Silent.php"],
	})
	j := judge(t, load(t, c.Dir(), "6.0.0", nil), Options{})
	if got := names(j.NeedPHP()); !cmp.Equal(got, []string{"NextGreatThing"}) || len(j.Plugins) != 8 {
		t.Errorf("%v of %d", got, len(j.Plugins))
	}
}

// The built-in defaults of each version name no plugin that is not known.
func TestBuiltInPluginsAreKnown(t *testing.T) {
	for _, version := range []string{"5.0.0", "5.1.0", "5.2.0", "5.6.0", "5.7.0", "5.13.0", "5.14.0", "6.0.0"} {
		c, err := matomo.ParseConfig(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		v, _ := matomo.ParseVersion(version)
		if c, err = c.For(matomo.Found{Version: v}); err != nil {
			t.Fatal(err)
		}
		j := judge(t, c, Options{})
		if j.NeedPHP() != nil || j.Receiving() != nil || len(j.Plugins) < 60 {
			t.Errorf("%s: %v, %v, %d plugins", version, j.NeedPHP(), j.Receiving(), len(j.Plugins))
		}
	}
}

// The file that stands for 6.0's global.ini.php in tests and in the demo, and the built-in defaults of 6.0, have the
// same plugins, all known.
func TestGlobalSettingsOfSixAreTheBuiltInOnes(t *testing.T) {
	six := matomo.Found{Version: matomo.Version{Major: 6}}
	files, err := matomo.LoadConfig("../../testdata/matomo-6")
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := matomo.ParseConfig(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	var judged [2][]string
	for i, c := range []*matomo.Config{files, builtIn} {
		if c, err = c.For(six); err != nil {
			t.Fatal(err)
		}
		j := judge(t, c, Options{})
		if judged[i] = names(j.Plugins); j.NeedPHP() != nil {
			t.Errorf("%v", j.NeedPHP())
		}
	}
	if diff := cmp.Diff(judged[1], judged[0]); diff != "" {
		t.Error(diff)
	}
}
