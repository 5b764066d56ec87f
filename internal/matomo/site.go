package matomo

import (
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Site is what the tracker knows of one website: the row of table site with its aliases, goals, dimensions and tokens,
// and with the instance-wide options already merged in (spec §13.3, §13.4 "site attributes"). A Site is never
// changed after loading.
type Site struct {
	ID       int64
	MainURL  string
	URLs     []string // main URL, then the aliases of table site_url
	Timezone string   // as stored; "" makes a visit look-up fail (spec §3.4)
	Location *time.Location
	Type     string // "website", "intranet", "mobileapp" …

	ExcludeUnknownURLs bool
	ExcludedIPs        []php.IPRange // the site's, then the global ones (spec §2.5)
	ExcludedParameters []string      // the site's, then the global ones, unique, not trimmed (spec §6.2)
	ExcludedUserAgents []string      // the global ones, then the site's, unique (spec §2.6)
	ExcludedReferrers  []string      // the global ones, then the site's, unique (spec §7.5)
	KeepURLFragment    bool          // the effective answer of the site's and the global setting (spec §6.2)

	Privacy            Privacy
	MaskCampaigns      bool // names and keywords of campaigns are masked, by the site's setting or a policy (spec §V2.2.6)
	UserIDDisabled     bool // likewise: no request has a user id (spec §V1.3.7)
	OnlyMajorVersions  bool // of browsers and operating systems, by a policy (spec §V3.1.3)
	DeviceModelHidden  bool // likewise: only the type of devices is kept
	ResolutionDisabled bool // likewise

	SiteSearch               bool
	SearchKeywordParameters  []string // effective, split on ",", not trimmed (spec §6.4)
	SearchCategoryParameters []string

	CreatedAt time.Time // zero when ts_created is NULL

	Goals      []Goal      // not deleted, ordered by id, texts unsanitized (spec §8)
	Dimensions []Dimension // active ones, ordered by id (spec §5.6)

	TrackingTokens map[string]bool // hex sha1 hashes of tokens that may track with authentication (spec §1.5 step 6)

	Tracker *TrackerSettings // [Tracker] with [Tracker_<idsite>] applied where the setting allows it

	OwnURLs       *URLIndex         // URLs, sorted: what exclude_unknown_urls lets pass (spec §2.8)
	ReferrerIndex *URLIndex         // ExcludedReferrers in their order (spec §7.5)
	Salts         map[string]string // fingerprint salts of tomorrow … the day before yesterday by local date (spec §4)
}

// Goal is one goal of a site (table goal).
type Goal struct {
	ID          int64
	Name        string
	Description string
	// url, title, file, external_website, event_category, event_action, event_name, visit_duration, manually
	MatchAttribute      string
	Pattern             string
	PatternType         string // contains, exact, regex, greater_than
	CaseSensitive       bool
	AllowMultiple       bool
	Revenue             string // as the database prints it
	EventValueAsRevenue bool
}

// Dimension is one active custom dimension of a site (table custom_dimensions).
type Dimension struct {
	ID            int64  // names the parameter dimension<ID>
	Index         int    // names the column custom_dimension_<Index>
	Scope         string // "visit" or "action"
	Extractions   []Extraction
	CaseSensitive bool
}

// Extraction tells where a dimension's value is found when the request does not carry it.
type Extraction struct {
	Source  string // "url", "urlparam", "action_name" or another parameter name
	Pattern string
}

// General holds what is the same for all sites (spec §13.4 "general"). It is never changed after loading.
type General struct {
	Privacy          Privacy // what counts where no site is asked: for locations and cookieless tracking
	LocationProvider string  // option usercountry.location_provider, "" when unset (spec §9.2)
	UserIDSalt       string
	// age beyond which log rows are deleted, incl. the schedule interval; 0: log deletion is off (spec §1.6 step 7)
	DeleteLogsOlder   time.Duration
	GlobalExcludedIPs []php.IPRange
	SiteURLs          *URLIndex // all sites' URLs (spec §7.5)
	SpamReferrers     []string  // option referrer_spam_blacklist, nil when unset (spec §2.7)
	SearchEngines     string    // option SearchEngineDefinitions, "" when unset or not to be used (spec §7.6a)
	Socials           string    // option SocialDefinitions, likewise
	Assistants        string    // option AIAssistantDefinitions, likewise

	Spam *SpamPrevention // nil: plugin TrackingSpamPrevention is not active
}

// TrackerSettings are the typed settings of config.ini.php that tracking reads (spec §13.2), for one site or,
// with the site-specific sections left out, for all.
type TrackerSettings struct {
	RecordStatistics              bool
	UserIDOverwritesVisitorID     bool
	FingerprintAcrossWebsites     bool
	UseThirdPartyIDCookie         bool
	CookieName                    string
	TrustVisitorsCookies          bool
	VisitStandardLength           int64    // seconds
	WindowLookBack                int64    // seconds
	DefaultTimeOnePageVisit       int64    // seconds
	ExcludedURLParameters         []string // url_query_parameter_to_exclude_from_url, trimmed
	EnableDefaultLocationProvider bool
	LanguageToCountryGuess        bool
	IgnoreVisitsCookieName        string
	CampaignNameParameters        []string // trimmed
	CampaignKeywordParameters     []string // trimmed
	// names that were among the two and do not count; page URLs go without them all the same
	DiscardedCampaignParameters []string
	Campaigns                   *CampaignParameters // of plugin MarketingCampaignsReporting, nil without it
	NewVisitWhenCampaignChanges bool
	NewVisitWhenWebsiteChanges  bool
	NewVisitAfterMidnight       bool // for the decision of spec §3.4
	// create_new_visit_after_midnight without the site's override: config_id carries a daily salt (spec §4)
	DailyFingerprint      bool
	NewVisitAfterActions  int64 // 0: never
	PageMaximumLength     int   // bytes
	RequireAuthentication bool  // tracking_requests_require_authentication
	// seconds: tracking_requests_require_authentication_when_custom_timestamp_newer_than
	RequireAuthenticationOlderThan int64
	EnableSpamFilter               bool
	InnodbLockWaitTimeout          int // seconds, 0: leave the server's
	ExcludeRequests                string
	RecordPageViewTimes            bool   // record_accurate_page_view_time (spec §V2.3.1)
	AlwaysNewVisitor               bool   // [Debug] tracker_always_new_visitor
	Salt                           string // [General] salt
	ProxyClientHeaders             []string
	ProxyIPs                       []string
	ProxyIPReadLastInList          bool
	TitleDelimiter                 string // action_category_delimiter, else action_title_category_delimiter
	ReferrerDefinitionSyncs        bool
	InternetFeatures               bool
	OnlySecureAuthTokens           bool
	CharsetUTF8MB4                 bool   // [database] charset is utf8mb4
	PlainLogins                    bool   // user and password of a URL are left as they are when it is put together again
	EmulatedLang                   string // stands for the PHP worker's variable LANG (spec §1.9); "" by default
}
