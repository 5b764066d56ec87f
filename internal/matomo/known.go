package matomo

import (
	"fmt"
	"strings"
)

// shipped are the plugins that belong to Matomo, with the first version that has them and the first that has them no
// more. Each of them is part of this program (Features) or does nothing while tracking. The list is this program's
// own: an installation's global.ini.php may name plugins of versions that are not known here.
var shipped = []struct{ from, to, names string }{
	{from: "5.0.0", names: `API Actions Annotations BulkTracking Contents CoreAdminHome CoreConsole CoreHome CorePluginsAdmin CoreUpdater
		CoreVisualizations CoreVue CustomDimensions CustomJsTracker DBStats Dashboard DevicePlugins DevicesDetection Diagnostics Ecommerce
		Events Feedback GeoIp2 Goals Heartbeat ImageGraph Insights Installation Intl IntranetMeasurable JsTrackerInstallCheck
		LanguagesManager Live Login Marketplace MobileAppMeasurable MobileMessaging Monolog Morpheus MultiSites Overlay PagePerformance
		PrivacyManager ProfessionalServices Proxy Referrers Resolution RssWidget ScheduledReports SegmentEditor SitesManager TagManager
		TestRunner Tour Transitions TwoFactorAuth UserCountry UserCountryMap UserId UserLanguage UsersManager VisitFrequency VisitTime
		VisitorInterest VisitsSummary WebsiteMeasurable Widgetize`},
	{from: "5.0.0", to: "6.0.0", names: "SEO"},
	{from: "5.2.0", names: "FeatureFlags"},
	{from: "5.6.0", names: "AIAgents"},
	{from: "5.7.0", names: "BotTracking"},
	{from: "5.13.0", names: "AIProviders"},
	{from: "6.0.0", names: "TrackingSpamPrevention"},
}

// tracks tells what plugins that belong to Matomo, or are part of this program in all their versions, do in tracking
// (spec §15.1). The others of them do nothing there.
var tracks = map[string]string{
	"AIAgents":               "names AI agents",
	"Actions":                "actions, their URLs and titles, site searches",
	"BotTracking":            "requests of AI bots",
	"BulkTracking":           "several requests in one",
	"Contents":               "contents and interactions with them",
	"CoreHome":               "visitors, visits and their times",
	"CustomDimensions":       "custom dimensions",
	"CustomVariables":        "custom variables",
	"DevicePlugins":          "plugins of browsers",
	"DevicesDetection":       "devices, browsers and systems",
	"Ecommerce":              "orders, carts and their items",
	"EnvironmentVariables":   "settings from the environment",
	"Events":                 "events",
	"GeoIp2":                 "locations by databases",
	"Goals":                  "goals and conversions",
	"Heartbeat":              "pings",
	"IntranetMeasurable":     "intranet sites",
	"JsTrackerInstallCheck":  "its own test requests",
	"Login":                  "tokens",
	"PagePerformance":        "times of page loads",
	"PrivacyManager":         "anonymity, do not track",
	"Provider":               "internet providers",
	"QueuedTracking":         "the queue",
	"Referrers":              "referrers and campaigns",
	"Resolution":             "sizes of screens",
	"SitesManager":           "excluded visits",
	"TrackingSpamPrevention": "excluded visits, bans",
	"UserCountry":            "locations",
	"UserId":                 "ids of users",
	"UserLanguage":           "languages of browsers",
	"VisitTime":              "local times",
	"VisitorInterest":        "times since earlier visits",
}

// harmless are plugins beside Matomo that write nothing while tracking and change nothing that is written, or are part
// of this program in all their versions.
var harmless = wordSet(`ActivityLog AnonymousPiwikUsageMeasurement CustomAlerts CustomReports CustomVariables Cohorts
	DeviceDetectorCache DisableTracking EnvironmentVariables ForceSSL Funnels IPReports LogViewer LoginHttpAuth
	LoginLdap LoginOIDC LoginSaml LoginShibboleth MultiChannelConversionAttribution PerformanceAudit Provider
	QueuedTracking RebelOIDC RollUpReporting SEOWebVitals SearchEngineKeywordsPerformance SecurityInfo TasksTimetable
	TreemapVisualization UsersFlow VisitorGenerator WhiteLabel WooCommerceAnalytics`)

// receiving are plugins of these that act when a request is received, before it is in the queue.
var receiving = map[string]string{
	"DisableTracking": "may end a request before it is queued",
}

// native are plugins beside Matomo that are part of this program in some of their versions: from the first one on, and
// before the other.
var native = map[string]struct{ from, to, inWords string }{
	"TrackingSpamPrevention": {"5.0.0", "5.3.0", "5.0 to 5.2"},
}

// trackerPlugins are known to take part in tracking.
var trackerPlugins = map[string]string{
	"AbTesting":                   "records experiments in table log_abtesting",
	"AdvertisingConversionExport": "records click ids in table log_clickid",
	"Bandwidth":                   "fills column bandwidth of log_link_visit_action",
	"CrashAnalytics":              "records crashes in tables log_crash and log_crash_event",
	"FormAnalytics":               "records forms in table log_form",
	"HeatmapSessionRecording":     "records sessions in tables log_hsr and log_hsr_event",
	"MarketingCampaignsReporting": "fills the campaign_… columns and changes how campaigns are recognised",
	"MediaAnalytics":              "records media in table log_media",
}

// Standing is what a plugin is to this program, by its name and version.
type Standing int

// A Stranger is told by looking into it.
const (
	Stranger Standing = iota
	Quiet             // does nothing in tracking
	Native            // what it does in tracking is part of this program
	Theirs            // takes part in tracking in ways that are not part of this program
	Gone              // is a part of older Matomos: where it has no folder PHP loads nothing
)

// Knowledge is what this program knows of a plugin.
type Knowledge struct {
	Standing Standing
	Shipped  bool   // belongs to Matomo
	Does     string // in tracking
	Receives string // what it does when requests are received that is not part of this program
}

// Knows tells what this program knows of a plugin of the installation.
func (c *Config) Knows(plugin string) Knowledge {
	isKnown, gone := known(plugin, c.version)
	versions, sometimes := native[plugin]
	does, takesPart := tracks[plugin]
	switch theirs, isTheirs := trackerPlugins[plugin]; {
	case isKnown || harmless[plugin]:
		if takesPart {
			return Knowledge{Native, isKnown, does, receiving[plugin]}
		}
		return Knowledge{Quiet, isKnown, "", receiving[plugin]}
	case sometimes:
		version := c.PluginVersion(plugin)
		if version.Since(versions.from) && !version.Since(versions.to) {
			return Knowledge{Standing: Native, Does: does}
		}
		says := version.String()
		if version == (Version{}) {
			says = "none"
		}
		return Knowledge{Standing: Theirs, Does: fmt.Sprintf(
			"is known in its versions %s; plugins/%s/plugin.json names %s", versions.inWords, plugin, says)}
	case isTheirs:
		return Knowledge{Standing: Theirs, Does: theirs}
	case gone:
		return Knowledge{Standing: Gone}
	}
	return Knowledge{}
}

// known reports whether a Matomo of that version, or some Matomo if the version is not known, has the plugin; gone,
// that only an older one had it.
func known(plugin string, version Version) (isKnown, gone bool) {
	for _, s := range shipped {
		if !wordSet(s.names)[plugin] {
			continue
		}
		gone = s.to != "" && version.Since(s.to)
		return (version.Since(s.from) || version == Version{}) && !gone, gone
	}
	return false, false
}

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
