package plugins

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Overrides of the installation are found by reading and by asking alike, unless only PHP can know.
func TestOverridesOfTheInstallation(t *testing.T) {
	for _, c := range []struct {
		file, text     string
		does, receives string // parts of what is said, "" for nothing
	}{
		{"config/config.php", `return ['path.geoip2' => '/geo'];`, "replaces path.geoip2", ""},
		{"config/config.php", `return ['Piwik\Tracker\VisitorRecognizer' => 1];`, `replaces Piwik\Tracker\VisitorRecognizer`, ""},
		{"config/config.php", `return ['Matomo\Tracker\VisitorRecognizer' => 1];`, `Matomo\Tracker\VisitorRecognizer`, ""},
		{"config/config.php", `return ['Piwik\Tracker\Handler' => 1];`, `Tracker\Handler`, `replaces Piwik\Tracker\Handler`},
		{"config/config.php", `return ["observers.global" => [["Tracker.isExcludedVisit", function () {}]]];`, "listens to Tracker.isExcludedVisit", ""},
		{"config/config.php", `return ['observers.global' => [['Tracker.newHandler', function () {}]]];`, "", "listens to Tracker.newHandler"},
		{"config/config.php", `return ['Piwik\DeviceDetector\DeviceDetectorFactory' => 1];`, "DeviceDetectorFactory", ""},
		{"config/config.php", `return ['Piwik\Config' => \Piwik\DI::decorate(function ($previous) { return $previous; })];`, `replaces Piwik\Config`, `Piwik\Config`},
		{"config/config.php", `return ["Piwik\\Config" => \Piwik\DI::decorate(function ($c) { return $c; })];`, `replaces Piwik\Config`, `Piwik\Config`},
		{"config/config.php", `use Piwik\Config; return [Config::class => \Piwik\DI::decorate(function ($c) { return $c; })];`, `replaces Piwik\Config`, `Piwik\Config`},
		{"config/config.php", `return ['ini.General.proxy_ips' => ['10.0.0.1']];`, "replaces ini.General.proxy_ips", "ini.General.proxy_ips"},
		{"config/config.php", `return ['log.level' => function ($c) { return $c->get('Piwik\Config')->General; }];`, "", ""},
		{"config/config.php", `return ['diagnostics.optional' => [], 'Piwik\Log\LoggerInterface' => 1];`, "", ""},
		{"config/config.php", `return ['advanced_campaign_reporting.uri_parameters.campaign_name' => ['c']];`, "campaign_name", ""},
		{"config/config.php", `return [];`, "", ""},
		{"config/test.php", `return ['Piwik\Tracker\VisitorRecognizer' => 1];`, "", ""},
		{"bootstrap.php", `$GLOBALS['MATOMO_MODIFY_CONFIG_SETTINGS'] = function ($s) { return $s; };`, "sets MATOMO_MODIFY_CONFIG_SETTINGS", "sets"},
		{"bootstrap.php", `$GLOBALS['CONFIG_INI_PATH_RESOLVER'] = 'x';`, "sets CONFIG_INI_PATH_RESOLVER", "sets"},
		{"bootstrap.php", `error_reporting(0);`, "", ""},
	} {
		config := install(t, map[string]string{
			c.file: "<?php " + c.text, "core/bootstrap.php": miniature(t, "Piwik"),
			"plugins/Any/Any.php": main("Any", "Tracker.end")["Any.php"],
		}, "Any")
		for way, j := range map[FoundBy]Judgement{Read: judge(t, config, Options{}), Asked: judgeAsked(t, config)} {
			var does, receives string
			if len(j.Overrides) > 0 {
				does, receives = j.Overrides[0].Does, j.Overrides[0].Receives
				if j.Overrides[0].Name != c.file {
					t.Errorf("%s: found in %s", c.text, j.Overrides[0].Name)
				}
			}
			if !strings.Contains(does, c.does) || (does == "") != (c.does == "") {
				t.Errorf("%s, %s: %q, want %q", way, c.text, does, c.does)
			}
			if !strings.Contains(receives, c.receives) || (receives == "") != (c.receives == "") {
				t.Errorf("%s, %s: at reception %q, want %q", way, c.text, receives, c.receives)
			}
			if got := len(j.NeedPHP()) > 0; got != (c.does != "") {
				t.Errorf("%s, %s: needs PHP %v", way, c.text, got)
			}
		}
	}
}

// PHP tells which settings are not those of the files. Those that plugin EnvironmentVariables replaces are known.
func TestChangedSettingsAreNamed(t *testing.T) {
	const change = `<?php return ['Piwik\Config' => \Piwik\DI::decorate(function ($c) {
		$c->Tracker['visit_standard_length'] = 99; $c->database['password'] = 'new'; return $c; })];`
	ini := iniFile(
		[]string{"EnvironmentVariables", "Any"},
	) + "[Tracker]\nvisit_standard_length = 1800\n[database]\npassword = old\nhost = db\n"
	c := install(t, map[string]string{
		"config/config.ini.php": ini, "core/bootstrap.php": miniature(t, "Piwik"),
		"plugins/EnvironmentVariables/config/config.php": change,
		"plugins/Any/Any.php":                            main("Any", "Tracker.end")["Any.php"],
	})
	env := map[string]string{"MATOMO_DATABASE_PASSWORD": "new"}
	j := judgeAsked(t, load(t, c.Dir(), "5.1.2", env))
	want := []Verdict{{
		Name: "settings", Tracks: PHP, FoundBy: Asked,
		Does:     "are not those of the files: [Tracker] visit_standard_length",
		Receives: "are not those of the files: [Tracker] visit_standard_length",
	}}
	if diff := cmp.Diff(want, j.Overrides); diff != "" {
		t.Error(diff)
	}
	env["MATOMO_TRACKER_VISIT_STANDARD_LENGTH"] = "99"
	if j := judgeAsked(t, load(t, c.Dir(), "5.1.2", env)); j.NeedPHP() != nil {
		t.Errorf("%+v", j.NeedPHP())
	}
}

// An observer may be in a file that is nobody's.
func TestObserversOfOtherFilesAreNamed(t *testing.T) {
	c := install(t, map[string]string{
		"core/bootstrap.php":  miniature(t, "Piwik"),
		"misc/observer.php":   "<?php return function () {};",
		"bootstrap.php":       "<?php function excluded() {}",
		"plugins/Any/Any.php": main("Any", "Tracker.end")["Any.php"],
		"config/config.php": `<?php return ['observers.global' => [
			['Tracker.setVisitorIp', require PIWIK_DOCUMENT_ROOT . '/misc/observer.php'], ['Tracker.isExcludedVisit', 'excluded'],
			['Tracker.newConversionInformation', 'strlen'], ['Login.logout', function () {}]]];`,
	}, "Any")
	got := map[string]string{}
	for _, v := range judgeAsked(t, c).Overrides {
		got[v.Name] = v.Does
	}
	want := map[string]string{
		"bootstrap.php": "listens to Tracker.isExcludedVisit", "misc/observer.php": "listens to Tracker.setVisitorIp",
		"an observer": "listens to Tracker.newConversionInformation",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableFilesAreErrors(t *testing.T) {
	for _, path := range []string{"plugins/Odd/Odd.php", "plugins/Odd/config/tracker.php", "config/config.php"} {
		c := install(t, map[string]string{"plugins/Odd/readme.txt": ""}, "Odd")
		loop(t, c.Dir()+"/"+path)
		if _, err := Judge(t.Context(), c, Options{}); err == nil ||
			!strings.Contains(err.Error(), path[strings.LastIndexByte(path, '/')+1:]) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
