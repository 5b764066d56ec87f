package plugins

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// surveyed is a plugin as it is out in the world, or made up, in our own words: what it has that matters.
type surveyed struct {
	name, version string
	files         map[string]string
	tracks        Tracks
	foundBy       FoundBy // Named; "": by whichever way it is looked into
	asked         Tracks  // by PHP, where reading cannot know as much; "": the same
	does          string  // a part of what is said of it
	receives      bool    // acts at reception
	note          string
}

// main is the main class of a plugin with observers of events.
func main(name string, events ...string) map[string]string {
	var list strings.Builder
	for _, event := range events {
		fmt.Fprintf(&list, "'%s' => 'handle', ", event)
	}
	return map[string]string{name + ".php": fmt.Sprintf(`<?php
namespace Piwik\Plugins\%[1]s;
class %[1]s extends \Piwik\Plugin
{
    public function registerEvents() { return [%s]; }
    public function handle() {}
}
`, name, list.String())}
}

// class is a file of a plugin with one class; its path tells the class' name.
func class(plugin, path, extends, body string) map[string]string {
	parts := strings.Split(path, "/")
	namespace := strings.Join(append([]string{`Piwik\Plugins\` + plugin}, parts[:len(parts)-1]...), `\`)
	return map[string]string{path + ".php": fmt.Sprintf("<?php\nnamespace %s;\nclass %s extends %s\n{\n%s\n}\n",
		namespace, parts[len(parts)-1], extends, body)}
}

func column(plugin, path, base, hook string) map[string]string {
	body := "protected $columnName = 'column_of_" + strings.ToLower(plugin) + "';"
	if hook != "" {
		body += "\npublic function " + hook + " { return 1; }"
	}
	return class(plugin, path, `\Piwik\Plugin\Dimension\`+base, body)
}

func processor(plugin, path string) map[string]string {
	return class(plugin, path, `\Piwik\Tracker\RequestProcessor`, "")
}

func file(name, text string) map[string]string { return map[string]string{name: text} }

func all(parts ...map[string]string) map[string]string {
	files := map[string]string{}
	for _, part := range parts {
		maps.Copy(files, part)
	}
	return files
}

const (
	newVisit  = "onNewVisit($request, $visitor, $action)"
	newAction = "onNewAction($request, $visitor, $action)"
)

// survey has every plugin that was looked at, and what plugins may do as well.
func survey() []surveyed {
	cases := []surveyed{
		{
			name: "MarketingCampaignsReporting", version: "4.0.0", tracks: PHP, does: "campaign",
			files: all(main("MarketingCampaignsReporting", "Tracker.PageUrl.getQueryParametersToExclude"),
				column("MarketingCampaignsReporting", "Columns/Name", "VisitDimension", newVisit)),
		},
		{
			name: "TrackingSpamPrevention", version: "5.0.4", tracks: Native, foundBy: Named,
			files: main("TrackingSpamPrevention", "Tracker.isExcludedVisit"),
		},
		{
			name: "EnvironmentVariables", version: "5.0.2", tracks: Native, foundBy: Named,
			files: file(
				"config/config.php",
				`<?php return ['Piwik\Config' => \Piwik\DI::decorate(function ($c) { return $c; })];`,
			),
		},
		{
			name: "Bandwidth", version: "4.0.0", tracks: PHP, does: "bandwidth",
			files: column("Bandwidth", "Columns/Bandwidth", "ActionDimension", newAction),
		},
		{
			name: "BotTracker", version: "5.2.18", tracks: PHP, does: "Tracker.isExcludedVisit",
			files: main("BotTracker", "Tracker.isExcludedVisit"),
		},
		{
			name: "BotTracking", version: "0.1.0", tracks: PHP, does: "Columns", asked: PHP,
			files: all(
				main("BotTracking", "Tracker.isExcludedVisit"),
				column("BotTracking", "Columns/BotName", "VisitDimension", newVisit),
			),
			note: "of somebody else, before Matomo had one of that name",
		},
		{
			name: "SimpleABTesting", version: "0.1.94", tracks: PHP, asked: Harmless,
			files: all(main("SimpleABTesting", "Tracker.end"), processor("SimpleABTesting", "Tracker/Experiments"),
				file("plugin.json", `{"version": "0.1.94", "require": {"matomo": ">=5.2.1"}}`)),
			note: "Matomo 5.1 does not load it",
		},
		{
			name: "WeatherReports", version: "5.0.2", tracks: PHP,
			files: column("WeatherReports", "Columns/Temperature", "VisitDimension", newVisit),
		},
		{
			name: "DeviceFeatureWebGL", version: "5.0.0", tracks: PHP, does: "onnewvisit",
			files: all(
				main("DeviceFeatureWebGL"),
				class(
					"DeviceFeatureWebGL",
					"Columns/WebGL",
					`\Piwik\Plugins\DevicePlugins\Columns\DevicePluginColumn`,
					"",
				),
			),
			note: "its column extends one of another plugin",
		},
		{name: "ExcludeByDDNS", tracks: PHP, files: main("ExcludeByDDNS", "Tracker.isExcludedVisit")},
		{name: "ExcludeCountries", tracks: PHP, files: main("ExcludeCountries", "Tracker.isExcludedVisit")},
		{
			name: "ReferrersManager", version: "5.0.1", tracks: PHP, does: "Referrer.addSearchEngineUrls",
			files: main(
				"ReferrersManager",
				"Referrer.addSearchEngineUrls",
				"Referrer.addSocialUrls",
				"Tracker.setTrackerCacheGeneral",
			),
		},
		{
			name: "LocationProviderDBIPApi", version: "4.0.0", tracks: PHP, does: "locates visitors",
			files: all(
				main("LocationProviderDBIPApi", "Tracker.setTrackerCacheGeneral"),
				class(
					"LocationProviderDBIPApi",
					"LocationProvider/DBIP",
					`\Piwik\Plugins\UserCountry\LocationProvider`,
					"",
				),
			),
		},
		{
			name: "DisableTracking", version: "1.5.0", tracks: Harmless, foundBy: Named, receives: true,
			files: main("DisableTracking", "Tracker.initRequestSet"),
		},
		{
			name:    "ForceSSL",
			version: "5.0.1",
			tracks:  Harmless,
			foundBy: Named,
			files:   main("ForceSSL", "Tracker.getDatabaseConfig"),
		},
		{
			name:    "IPReports",
			tracks:  Harmless,
			foundBy: Named,
			files:   column("IPReports", "Columns/IP", "VisitDimension", ""),
		},
		{name: "PerformanceAudit", tracks: Harmless, foundBy: Named},
		{
			name:    "LoginShibboleth",
			tracks:  Harmless,
			foundBy: Named,
			files:   main("LoginShibboleth", "Request.initAuthenticationObject"),
		},
		{
			name:    "LoginHttpAuth",
			tracks:  Harmless,
			foundBy: Named,
			files:   main("LoginHttpAuth", "Request.initAuthenticationObject"),
		},
		{name: "LoginLdap", tracks: Harmless, foundBy: Named},
		{name: "CustomVariables", tracks: Native, foundBy: Named},
		{name: "DeviceDetectorCache", tracks: Harmless, foundBy: Named},
		{name: "QueuedTracking", tracks: Native, foundBy: Named, files: main("QueuedTracking", "Tracker.newHandler")},
	}
	for name, files := range passing() {
		known := FoundBy("")
		switch name {
		case "AnonymousPiwikUsageMeasurement",
			"CustomAlerts",
			"LogViewer",
			"LoginOIDC",
			"RebelOIDC",
			"SecurityInfo",
			"TasksTimetable",
			"TreemapVisualization",
			"VisitorGenerator":
			known = Named
		}
		cases = append(cases, surveyed{name: name, files: files, tracks: Harmless, foundBy: known})
	}
	return append(cases, madeUp()...)
}

// passing are plugins that have nothing to do with tracking, although some have names of its events or services.
func passing() map[string]map[string]string {
	plugins := map[string]map[string]string{}
	for _, name := range strings.Fields(`AdminNotification AnonymousPiwikUsageMeasurement ChatGPT CustomAlerts DiagnosticsExtended
		ExtraTools GoogleAnalyticsImporter GroupPermissions InvalidateReports JsTrackerCustom JsTrackerForceAsync KPIWidgets LogViewer
		LoginOIDC MatomoCustomOptOut Migration OpenTelemetry ProfileAvatar RebelAudit RebelMetrics RebelOIDC SecurityInfo Sentry
		ShortcodeTracker SiteGroups Slack TagManagerExtended TasksTimetable TrackerDomain TreemapVisualization UserConsole
		VisitorGenerator`) {
		plugins[name] = all(main(name, "AssetManager.getJavaScriptFiles", "Template.bodyClass"),
			file("Reports/Base.php", "<?php // Tracker.isExcludedVisit"))
	}
	add := func(name string, files map[string]string) { maps.Copy(plugins[name], files) }
	for _, name := range []string{"JsTrackerCustom", "JsTrackerForceAsync", "TrackerDomain", "ShortcodeTracker"} {
		add(name, main(name, "Tracker.getJavascriptCode", "Tracker.setTrackerCacheGeneral"))
	}
	for name, definition := range map[string]string{
		"DiagnosticsExtended": "'diagnostics.optional' => []", "Sentry": "'log.handlers' => []",
		"OpenTelemetry": `'Piwik\Log\LoggerInterface' => new \stdClass(), 'OpenTelemetry\API\Tracer' => 1`,
		"Slack":         `'Piwik\Plugins\Slack\Client' => new \stdClass()`, "TagManagerExtended": `'Piwik\Plugins\TagManager\Context' => 1`,
	} {
		add(name, file("config/config.php", "<?php return ["+definition+"];"))
	}
	add("RebelAudit", file("RebelAudit.php", `<?php
namespace Piwik\Plugins\RebelAudit;
class RebelAudit extends \Piwik\Plugin
{
    public function registerEvents()
    {
        $events = [];
        foreach (['SitesManager.addSite', 'UsersManager.addUser'] as $event) {
            $events["$event.end"] = 'note';
        }
        return $events;
    }
}`))
	return plugins
}

// madeUp are plugins that nobody has seen, each of which is legal.
func madeUp() []surveyed {
	const header = "<?php\nnamespace Piwik\\Plugins\\%[1]s;\nclass %[1]s extends \\Piwik\\Plugin\n{\n%[2]s\n}\n"
	own := func(name, body string) map[string]string {
		return file(name+".php", fmt.Sprintf(header, name, body))
	}
	definitions := func(list string) map[string]string {
		return file("config/config.php", "<?php\nuse Piwik\\Access;\nreturn ["+list+"];")
	}
	return []surveyed{
		{
			name: "InConstant", tracks: PHP, does: "Tracker.isExcludedVisit",
			files: own(
				"InConstant",
				`const E = "Tracker.isExcludedVisit"; public function registerEvents() { return [self::E => 'x']; }`,
			),
		},
		{
			name:   "InTrait",
			tracks: PHP,
			does:   "Tracker.setVisitorIp",
			files: all(own("InTrait", "use Events;"), file(
				"Events.php",
				`<?php namespace Piwik\Plugins\InTrait; trait Events { public function registerEvents() { return ['Tracker.setVisitorIp' => 'x']; } }`,
			)),
		},
		{
			name: "InParent", tracks: PHP, does: "Tracker.isExcludedVisit",
			files: file(
				"InParent.php",
				`<?php namespace Piwik\Plugins\InParent; class InParent extends \Piwik\Plugins\ExcludeCountries\ExcludeCountries {}`,
			),
			note: "the parent is another plugin's main class",
		},
		{
			name: "AtRunTime", tracks: PHP, does: "listens to Tracker.", files: own(
				"AtRunTime",
				`public function registerEvents() { $e = []; foreach (['isExcludedVisit'] as $n) { $e['Tracker.' . $n] = 'x'; } return $e; }`,
			),
			receives: true, note: "what is put together may be an event of reception; PHP knows that it is not",
		},
		{name: "AddsAction", tracks: PHP, does: "Tracker.setVisitorIp", files: own("AddsAction",
			`public function isTrackerPlugin() { return true; }
			public function __construct() { \Piwik\Piwik::addAction('Tracker.setVisitorIp', function () {}); }`)},
		{
			name: "Observes", tracks: PHP, does: "Tracker.isExcludedVisit",
			files: definitions(`"observers.global" => [["Tracker.isExcludedVisit", function () {}]]`),
		},
		{
			name:   "ExtendsColumn",
			tracks: PHP,
			files:  class("ExtendsColumn", "Columns/Warmth", `\Piwik\Plugins\WeatherReports\Columns\Temperature`, ""),
		},
		{
			name: "ExtendsProcessor", tracks: PHP, does: "processes requests",
			files: all(own("ExtendsProcessor", "public function isTrackerPlugin() { return true; }"),
				class("ExtendsProcessor", "Tracker/Mine", `\Piwik\Plugins\Processes\Tracker\Theirs`, "")),
		},
		{name: "Processes", tracks: PHP, does: "processes requests", files: all(
			own(
				"Processes",
				"public function isTrackerPlugin() { return true; }",
			),
			processor("Processes", "Tracker/Theirs"),
		)},
		{name: "ProcessesBots", tracks: PHP, does: "processes requests of bots", files: all(
			own("ProcessesBots", "public function isTrackerPlugin() { return true; }"),
			class("ProcessesBots", "Tracker/Bots", `\Piwik\Tracker\BotRequestProcessor`, ""))},
		{name: "OwnActions", tracks: PHP, does: "tracks actions", files: all(
			own("OwnActions", "public function isTrackerPlugin() { return true; }"),
			class("OwnActions", "Actions/ActionX", `\Piwik\Tracker\Action`, ""))},
		{name: "HooksInTrait", tracks: PHP, does: "onnewvisit", files: all(
			file(
				"Columns/Deep/A.php",
				`<?php namespace Piwik\Plugins\HooksInTrait\Columns\Deep; use Piwik\Plugins\HooksInTrait\Hooks;
				class A extends \Piwik\Plugin\Dimension\VisitDimension { use Hooks; protected $columnName = 'a'; }`,
			),
			file(
				"Hooks.php",
				`<?php namespace Piwik\Plugins\HooksInTrait; trait Hooks { public function onNewVisit($r, $v, $a) { return 1; } }`,
			),
		)},
		{
			name: "ForcesVisits", tracks: PHP, does: "shouldforcenewvisit",
			files: column(
				"ForcesVisits",
				"Columns/Force",
				"VisitDimension",
				"shouldForceNewVisit($request, $visitor, $action)",
			),
		},
		{
			name:   "Converts",
			tracks: PHP,
			files:  column("Converts", "Columns/Goal", "ConversionDimension", "onGoalConversion($r, $v, $a, $g)"),
		},
		{
			name: "ReplacesConfig", tracks: PHP, does: `\Config`, receives: true,
			files: definitions(
				`'Piwik\Config' => \Piwik\DI::decorate(function ($c) { $c->Tracker['visit_standard_length'] = 99; return $c; })`,
			),
		},
		{
			name:   "ReplacesGeolocator",
			tracks: PHP,
			does:   "VisitorGeolocator",
			files:  definitions(`'Piwik\Plugins\UserCountry\VisitorGeolocator' => 1`),
		},
		{
			name:   "ReplacesPrivacy",
			tracks: PHP,
			does:   "PrivacyManager",
			files:  definitions(`"Piwik\\Plugins\\PrivacyManager\\Config" => 1`),
		},
		{
			name:   "ReplacesAccess",
			tracks: PHP,
			does:   `\Access`,
			files:  definitions(`Access::class => new \stdClass()`),
		},
		{
			name: "ReplacesInTracker", tracks: PHP, does: `Tracker\VisitorRecognizer`,
			files: file("config/tracker.php", `<?php return ['Piwik\Tracker\VisitorRecognizer' => new \stdClass()];`),
		},
		{
			name:     "ReplacesSetting",
			tracks:   PHP,
			does:     "ini.General.proxy_ips",
			receives: true,
			files:    definitions(`'ini.General.proxy_ips' => []`),
		},
		{
			name:     "HandlesRequests",
			tracks:   Harmless,
			receives: true,
			files:    main("HandlesRequests", "Tracker.newHandler", "Tracker.initRequestSet"),
		},
		{name: "ChangesSites", tracks: PHP, receives: true, files: main("ChangesSites", "Tracker.Request.getIdSite")},
		{
			name:     "Answers",
			tracks:   PHP,
			receives: true,
			does:     `Tracker\Response`,
			files:    definitions(`'Piwik\Tracker\Response' => new \stdClass()`),
		},

		{
			name:   "OnlyComments",
			tracks: Harmless,
			files:  own("OnlyComments", "/* 'Tracker.isExcludedVisit' */ // 'Tracker.setVisitorIp' => 'x'"),
		},
		{name: "OnlyTests", tracks: Harmless, files: all(own("OnlyTests", ""),
			file("config/test.php", `<?php return ['Piwik\Tracker\VisitorRecognizer' => 1];`),
			file("tests/Fixtures/A.php", "<?php $e = 'Tracker.isExcludedVisit';"))},
		{name: "OnlyCaches", tracks: Harmless, files: own("OnlyCaches",
			`public function isTrackerPlugin() { return true; }
			public function registerEvents() { return ['Tracker.Cache.getSiteAttributes' => 'x', 'Tracker.setTrackerCacheGeneral' => 'x']; }`)},
		{name: "BareColumn", tracks: Harmless, files: column("BareColumn", "Columns/Report", "VisitDimension", "")},
		{
			name:   "OwnServices",
			tracks: Harmless,
			files:  definitions(`'Piwik\Plugins\OwnServices\Tracker\Model' => 1, 'OwnServices.list' => [1]`),
		},
		{
			name:   "Html",
			tracks: Harmless,
			files:  all(own("Html", ""), file("templates/a.php", "<?php ?><b title='Tracker.isExcludedVisit'>")),
		},
	}
}

// borrowed are plugins of Matomo's from which others are derived.
var borrowed = column("DevicePlugins", "Columns/DevicePluginColumn", "VisitDimension", newVisit)

// surveyInstallation has all plugins of the survey.
func surveyInstallation() (files map[string]string, active []string) {
	files = map[string]string{}
	for name, text := range borrowed {
		files["plugins/DevicePlugins/"+name] = strings.Replace(text, "class ", "abstract class ", 1)
	}
	active = []string{"DevicePlugins"}
	for _, s := range survey() {
		active = append(active, s.name)
		if s.version != "" {
			files["plugins/"+s.name+"/plugin.json"] = fmt.Sprintf(`{"version": %q}`, s.version)
		}
		for name, text := range s.files {
			files["plugins/"+s.name+"/"+name] = text
		}
	}
	return files, active
}

func checkSurvey(t *testing.T, got Judgement, way FoundBy) {
	t.Helper()
	verdicts := map[string]Verdict{}
	for _, v := range got.Plugins {
		verdicts[v.Name] = v
	}
	for _, s := range survey() {
		v, ok := verdicts[s.name]
		if !ok {
			t.Errorf("%s: no verdict", s.name)
			continue
		}
		tracks, receives := s.tracks, s.receives
		if way == Asked && s.asked != "" {
			tracks = s.asked
		}
		if way == Asked && s.name == "AtRunTime" {
			receives = false
		}
		if v.Tracks != tracks {
			t.Errorf("%s: %s, %q, want %s (%s)", s.name, v.Tracks, v.Does, tracks, s.note)
		}
		if s.version != "" && v.Version != s.version {
			t.Errorf("%s: version %q, want %s", s.name, v.Version, s.version)
		}
		does := strings.ToLower(v.Does)
		if way == Asked && strings.Contains(s.does, "Columns") {
			does = strings.ReplaceAll(does, "column", "columns")
		}
		if v.Tracks == PHP && !strings.Contains(does, strings.ToLower(s.does)) {
			t.Errorf("%s: does %q, want %s", s.name, v.Does, s.does)
		}
		if v.Tracks == Harmless && v.Does != "" || v.Tracks == PHP && v.Does == "" {
			t.Errorf("%s: %s, and does %q", s.name, v.Tracks, v.Does)
		}
		if (v.Receives != "") != receives {
			t.Errorf("%s: at reception %q, want %v", s.name, v.Receives, receives)
		}
		if s.foundBy != "" && v.FoundBy != s.foundBy ||
			s.foundBy == "" && v.FoundBy != way && (way == Asked || v.FoundBy != Named) {
			t.Errorf("%s: %s", s.name, v.FoundBy)
		}
	}
}

func TestSurveyIsJudgedByFiles(t *testing.T) {
	files, active := surveyInstallation()
	got := judge(t, install(t, files, active...), Options{})
	if got.AskedPHP || got.Unasked == "" {
		t.Errorf("asked %v, %q", got.AskedPHP, got.Unasked)
	}
	checkSurvey(t, got, Read)
	if len(got.Overrides) > 0 {
		t.Errorf("%+v", got.Overrides)
	}
}

func TestSurveyIsJudgedByAskingPHP(t *testing.T) {
	for _, root := range []string{"Piwik", "Matomo"} {
		for _, plugins := range []string{"Piwik", "Matomo"} {
			t.Run("core "+root+", plugins "+plugins, func(t *testing.T) {
				files, active := surveyInstallation()
				for name, text := range files {
					files[name] = strings.ReplaceAll(text, `Piwik\`, plugins+`\`)
				}
				files["core/bootstrap.php"] = miniature(t, root)
				checkSurvey(t, judgeAsked(t, install(t, files, active...)), Asked)
			})
		}
	}
}
