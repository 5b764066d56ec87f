package matomo

import "strings"

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

// harmless are plugins beside Matomo that write nothing while tracking and change nothing that is written, or are part
// of this program in all their versions.
var harmless = wordSet(`ActivityLog AnonymousPiwikUsageMeasurement CustomAlerts CustomReports CustomVariables Cohorts
	DeviceDetectorCache EnvironmentVariables Funnels LogViewer LoginLdap LoginSaml MultiChannelConversionAttribution Provider
	QueuedTracking RollUpReporting SEOWebVitals SearchEngineKeywordsPerformance SecurityInfo TasksTimetable
	TreemapVisualization UsersFlow VisitorGenerator WhiteLabel WooCommerceAnalytics`)

// trackerPlugins are known to take part in tracking.
var trackerPlugins = map[string]string{
	"AbTesting":                   "records experiments in table log_abtesting",
	"AdvertisingConversionExport": "records click ids in table log_clickid",
	"CrashAnalytics":              "records crashes in tables log_crash and log_crash_event",
	"FormAnalytics":               "records forms in table log_form",
	"HeatmapSessionRecording":     "records sessions in tables log_hsr and log_hsr_event",
	"MediaAnalytics":              "records media in table log_media",
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
