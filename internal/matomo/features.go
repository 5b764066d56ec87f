package matomo

// Features tells which tracker plugins are active, of Matomo's own and of those beside it that are part of this
// program: the columns and the behaviour of an inactive one are left out (spec §15.1). The zero Features is a bare
// core.
type Features struct {
	Actions, Referrers, UserLanguage, DevicesDetection, DevicePlugins, Resolution   bool
	VisitTime, VisitorInterest, UserCountry, GeoIP2, Events, Contents               bool
	Goals, Ecommerce, PagePerformance, CustomDimensions, CustomVariables, Heartbeat bool
	PrivacyManager, SitesManager, IntranetMeasurable, JsTrackerInstallCheck, Login  bool
	AIAgents, BotTracking, TrackingSpamPrevention, Provider, UserID                 bool
	MarketingCampaigns, Bandwidth                                                   bool
}

// FeaturesOf asks active, Plugins.Native for an installation, for each plugin by its Matomo name.
func FeaturesOf(active func(plugin string) bool) Features {
	return Features{
		Actions:               active("Actions"),
		Referrers:             active("Referrers"),
		UserLanguage:          active("UserLanguage"),
		DevicesDetection:      active("DevicesDetection"),
		DevicePlugins:         active("DevicePlugins"),
		Resolution:            active("Resolution"),
		VisitTime:             active("VisitTime"),
		VisitorInterest:       active("VisitorInterest"),
		UserCountry:           active("UserCountry"),
		GeoIP2:                active("GeoIp2"),
		Events:                active("Events"),
		Contents:              active("Contents"),
		Goals:                 active("Goals"),
		Ecommerce:             active("Ecommerce"),
		PagePerformance:       active("PagePerformance"),
		CustomDimensions:      active("CustomDimensions"),
		CustomVariables:       active("CustomVariables"),
		Heartbeat:             active("Heartbeat"),
		PrivacyManager:        active("PrivacyManager"),
		SitesManager:          active("SitesManager"),
		IntranetMeasurable:    active("IntranetMeasurable"),
		JsTrackerInstallCheck: active("JsTrackerInstallCheck"),
		Login:                 active("Login"),

		AIAgents:               active("AIAgents"),
		BotTracking:            active("BotTracking"),
		TrackingSpamPrevention: active("TrackingSpamPrevention"),
		Provider:               active("Provider"),
		UserID:                 active("UserId"),
		MarketingCampaigns:     active(campaignsPlugin),
		Bandwidth:              active(bandwidthPlugin),
	}
}
