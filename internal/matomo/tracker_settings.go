package matomo

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Tracker returns the settings that tracking reads (spec §13.2), for site 0 without the overrides of
// [Tracker_<idsite>].
func (c *Config) Tracker(siteID int64) *TrackerSettings {
	s := &TrackerSettings{}
	c.perSite(s, siteID)
	c.forAllSites(s)
	s.PlainLogins = !c.behaviours.EscapedLogins
	return s
}

// perSite sets what [Tracker_<idsite>] may override: the rows marked S in spec §13.2.
func (c *Config) perSite(s *TrackerSettings, siteID int64) {
	flag := func(key string) bool { return php.ToBool(c.siteValue(siteID, key)) }
	isOne := func(key string) bool { return php.LooseEqual(c.siteValue(siteID, key), php.Int(1)) }
	number := func(key string) int64 { return php.ToInt(c.siteValue(siteID, key)) }
	text := func(key string) string { return php.ToString(c.siteValue(siteID, key)) }

	s.UserIDOverwritesVisitorID = flag("enable_userid_overwrites_visitorid")
	s.UseThirdPartyIDCookie = flag("use_third_party_id_cookie")
	s.CookieName = text("cookie_name")
	s.NewVisitWhenCampaignChanges = isOne("create_new_visit_when_campaign_changes")
	s.NewVisitWhenWebsiteChanges = isOne("create_new_visit_when_website_referrer_changes")
	s.NewVisitAfterMidnight = c.truth(c.siteValue(siteID, "create_new_visit_after_midnight"))
	s.NewVisitAfterActions = number("create_new_visit_after_x_actions")
	s.RequireAuthentication = flag("tracking_requests_require_authentication")
	s.RequireAuthenticationOlderThan = c.seconds(c.siteValue(siteID,
		"tracking_requests_require_authentication_when_custom_timestamp_newer_than"))
	s.ExcludeRequests = text("exclude_requests")
	recorded := c.siteValue(siteID, "record_accurate_page_view_time")
	s.RecordPageViewTimes = recorded.IsNull() || php.ToInt(recorded) != 0
}

func (c *Config) forAllSites(s *TrackerSettings) {
	const tracker, general = "Tracker", "General"
	s.RecordStatistics = c.Bool(tracker, "record_statistics")
	s.FingerprintAcrossWebsites = c.Bool(tracker, "enable_fingerprinting_across_websites")
	s.TrustVisitorsCookies = c.Bool(tracker, "trust_visitors_cookies")
	s.VisitStandardLength = c.Int(tracker, "visit_standard_length")
	s.WindowLookBack = c.Int(tracker, "window_look_back_for_visitor")
	s.DefaultTimeOnePageVisit = c.Int(tracker, "default_time_one_page_visit")
	s.ExcludedURLParameters = splitTrim(c.String(tracker, "url_query_parameter_to_exclude_from_url"))
	s.EnableDefaultLocationProvider = c.truth(c.Value(tracker, "enable_default_location_provider"))
	s.LanguageToCountryGuess = c.Bool(tracker, "enable_language_to_country_guess")
	s.IgnoreVisitsCookieName = c.String(tracker, "ignore_visits_cookie_name")
	s.CampaignNameParameters = splitTrim(c.String(tracker, "campaign_var_name"))
	s.CampaignKeywordParameters = splitTrim(c.String(tracker, "campaign_keyword_var_name"))
	s.Campaigns = c.campaigns
	s.DailyFingerprint = c.Bool(tracker, "create_new_visit_after_midnight")
	s.PageMaximumLength = int(c.Int(tracker, "page_maximum_length"))
	s.EnableSpamFilter = c.Bool(tracker, "enable_spam_filter")
	s.InnodbLockWaitTimeout = int(c.Int(tracker, "innodb_lock_wait_timeout"))
	s.AlwaysNewVisitor = c.Bool("Debug", "tracker_always_new_visitor")
	s.Salt = c.String(general, "salt")
	s.ProxyClientHeaders = c.List(general, "proxy_client_headers")
	s.ProxyIPs = c.List(general, "proxy_ips")
	s.ProxyIPReadLastInList = php.LooseEqual(c.Value(general, "proxy_ip_read_last_in_list"), php.Int(1))
	s.TitleDelimiter = c.titleDelimiter()
	s.ReferrerDefinitionSyncs = php.LooseEqual(c.Value(general, "enable_referrer_definition_syncs"), php.Int(1))
	s.InternetFeatures = c.Bool(general, "enable_internet_features")
	s.OnlySecureAuthTokens = c.Bool(general, "only_allow_secure_auth_tokens")
	s.CharsetUTF8MB4 = php.ToLower(c.Database().Charset) == "utf8mb4"
}

// titleDelimiter prefers the setting's name of old, which has no default.
func (c *Config) titleDelimiter() string {
	if v := c.Value("General", "action_category_delimiter"); !v.IsNull() {
		return php.ToString(v)
	}
	return c.String("General", "action_title_category_delimiter")
}

// truth is a setting's truth where newer versions understand only 0, 1, true and false: what else there is is off
// (spec §V3.2).
func (c *Config) truth(v php.Value) bool {
	if !c.behaviours.StrictBooleans {
		return php.ToBool(v)
	}
	text := php.ToLower(php.ToString(v))
	return text == "1" || text == "true"
}

// seconds is a setting in seconds. Newer versions take text for 0 that is not exactly an integer: 86400s, and a blank
// before the number (spec §V1.3.6).
func (c *Config) seconds(v php.Value) int64 {
	n := php.ToInt(v)
	if c.behaviours.IntegerTimeLimit && strconv.FormatInt(n, 10) != php.ToString(v) {
		return 0
	}
	return n
}
