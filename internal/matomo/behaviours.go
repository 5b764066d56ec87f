package matomo

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Behaviours are the ways in which versions of Matomo and of its plugins differ for a tracker, each a fact about the
// installation. They are derived in one place, the table below, and handed to whoever needs them: nobody else compares
// versions. The zero Behaviours is Matomo 5.0.
//
// What an installation's own files and tables say (default settings, plugins, lists, columns) is read from there and
// is no behaviour.
type Behaviours struct {
	CleanLanguageParameter bool // request
	CheckedDecimals        bool // request
	ResolutionFollows      bool // visit
	EscapedLogins          bool // pageurl

	RelativeTime          bool // request
	BearerTokens          bool // request, auth
	IntegerTimeLimit      bool // settings
	StrictBooleans        bool // settings
	OnlyClearFailures     bool // request
	EmptyTokenInEntries   bool // receive
	ConflictingTokens     bool // receive
	UserIDDisabled        bool // sites
	UserIDChangeNewVisit  bool // visit
	SpreadVisitorID       bool // tracker
	AllUserAgentPatterns  bool // exclude
	URLExclusionTypes     bool // sites
	PrivacyPerSite        bool // sites
	RandomConfigID        bool // sites
	Policies              bool // sites
	PoliciesPerSetting    bool // sites
	MaskedCampaigns       bool // referrer
	DiscardedCampaigns    bool // referrer
	IgnoredCampaignLists  bool // referrer
	IgnoredCampaignTypes  bool // referrer
	AIReferrers           bool // referrer
	AIReferrersByCampaign bool // referrer
	TransliteratedRegions bool // location
	IntranetTrustStays    bool // tracker
	AmountLimit           bool // conversion
	BotRequests           bool // tracker
	BotTypeChatbot        bool // tracker
	BotURLExclusions      bool // tracker
	AIAgents              bool // visit
	PageViewTimes         bool // tracker
	ProviderInWorker      bool // location
	ProviderWithoutDNS    bool // location
	SpamHints             bool // spam
	SpamAllowedNotBanned  bool // tracker
	SpamHeadlessByDefault bool // settings
	SpamAddressLists      bool // settings
	SpamOrganisationList  bool // settings
	SpamCloudMode         bool // settings
}

// Found is what was seen of an installation, as far as behaviours depend on it.
type Found struct {
	Version        Version // of Matomo: option version_core, core/Version.php where that is not to be had
	QueuedTracking Version // of the plugin: its plugin.json, else option version_QueuedTracking
	Provider       Version // likewise
	SpamPrevention Version // likewise, of plugin TrackingSpamPrevention; Matomo's from 6.0 on, which brings it

	// Plugins are the versions, by option version_<plugin>, of those that are part of this program in some versions and
	// whose files are not there.
	Plugins map[string]Version

	BotRequestTable   bool // log_bot_request
	PageViewTimeTable bool // log_page_view_time
	AgentColumn       bool // log_visit.ai_agent_name

	BotProcessorFile string // text of plugins/BotTracking/Tracker/BotRequestProcessor.php, "" where it is not there

	IntranetFile string // text of plugins/IntranetMeasurable/Tracker/RequestProcessor.php, "" where it is not there
	ProviderFile string // likewise of plugins/Provider/Configuration.php

	ComplianceFlag bool // [FeatureFlags] PrivacyCompliance_feature
}

// behaviour is a row of the table.
type behaviour struct {
	field   string              // of Behaviours
	what    string              // what a user would say of it
	since   string              // first version of Matomo
	unsure  bool                // the first version is not certain
	told    string              // what tells it beside the version, or in its place; "" for the version alone
	section string              // of the specification: "spec §5.2"
	test    string              // that shows both sides
	holds   func(f *Found) bool // nil: the version tells
}

// behaviours is the one table that knows versions.
var behaviours = []behaviour{
	{
		field: "CleanLanguageParameter", since: "5.1.0", section: "spec §1.9",
		what: "parameter lang is cleaned like the header Accept-Language",
		test: "request.TestLanguageParameterIsTakenAsItComesBefore51",
	},
	{
		field: "CheckedDecimals", since: "5.1.0", section: "spec §A.4",
		test: "php.TestFloatsBefore51, request.TestDecimalsOfVersions",
		what: "amounts are numbers by how they are written; in 5.0 by whether they survive printing with 14 digits",
	},
	{
		field: "ResolutionFollows", since: "5.1.0", section: "spec §5.3", test: "visit.TestUnknownResolution",
		what: "an unknown resolution of a visit is replaced by that of a later request",
	},
	{
		field: "EscapedLogins", since: "5.1.1", section: "spec §6.2", test: "pageurl.TestLoginsOfVersions",
		what: "separators within user and password of a URL are escaped",
	},
	{
		field: "RelativeTime", since: "5.2.0", section: "spec §V1.3.6",
		what: "a cdt in words (yesterday, -2 hours) counts from the request's time, not from the worker's",
		test: "request.TestWordsCountFromTheRequestsTimeFrom52On",
	},
	{
		field: "URLExclusionTypes", since: "5.2.0", section: "spec §V3.5",
		what: "URL parameters are excluded by type: session parameters, the recommended list of personal data, or a list " +
			"of one's own",
		test: "matomo.TestTypesOfExcludedURLParameters",
	},
	{
		field: "TransliteratedRegions", since: "5.3.0", section: "spec §V3.4", test: "TestTransliteratedRegions",
		what: "names of regions are compared after PHP's intl has written them in Latin letters",
	},
	{
		field: "RandomConfigID", since: "5.3.0", section: "spec §V3.1.2",
		what: "the setting for random config ids makes every request a visit of its own",
		test: "matomo.TestRandomConfigIDsFrom53On, visit.TestRandomIDs",
	},
	{
		field: "IgnoredCampaignLists", since: "5.3.2", section: "spec §V2.2.4",
		test: "referrer.TestCampaignsThatAreNoTextOfVersions",
		what: "a list as the last campaign parameter of a page URL is ignored; before, it is refused",
	},
	{
		field: "BearerTokens", since: "5.4.0", section: "spec §V1.3.1, §V1.3.2", test: "TestTokensMayComeAsBearer",
		what: "a token may come in the header Authorization: Bearer, which also serves tokens for secure requests only",
	},
	{
		field: "EmptyTokenInEntries", since: "5.4.0", section: "spec §V1.2", test: "TestTokensOfEntries",
		what: "queue entries without a token say \"\", not false",
	},
	{
		field: "SpreadVisitorID", since: "5.4.0", section: "spec §V1.4", test: "TestChangedVisitorIDsAreSpreadSince5_4",
		what: "a visit's changed visitor id reaches its actions and conversions",
	},
	{
		field: "AIReferrers", since: "5.5.0", section: "spec §V2.2.1", test: "referrer.TestAssistantsOfVersions",
		what: "AI assistants are referrers of type 8",
	},
	{
		field: "AIReferrersByCampaign", since: "5.5.0", unsure: true, section: "spec §V2.2.1",
		test: "referrer.TestAssistantsOfVersions",
		what: "utm_source of the landing page names an AI assistant, too",
	},
	{
		field: "PrivacyPerSite", since: "5.5.0", section: "spec §V3.1.1",
		what: "a site may have privacy settings of its own",
		test: "matomo.TestSitesHavePrivacySettingsOfTheirOwnFrom55On",
	},
	{
		field: "UserIDChangeNewVisit", since: "5.5.0", section: "spec §V3.2",
		what: "another user id begins a new visit, also when user ids replace visitor ids",
		test: "visit.TestAnotherUserIDBeginsANewVisit",
	},
	{
		field: "UserIDDisabled", since: "5.6.0", section: "spec §V1.3.7", told: complianceTold,
		what:  "user ids can be switched off",
		test:  "matomo.TestPolicy, request.TestUserIDIsSwitchedOff",
		holds: compliance,
	},
	{
		field: "AIAgents", since: "5.6.0", told: "column log_visit.ai_agent_name", section: "spec §V1.13",
		test:  "tracker.TestAgentsHaveVisitsOfTheirOwn",
		what:  "AI agents are named, and a change of agent begins a new visit",
		holds: func(f *Found) bool { return f.AgentColumn },
	},
	{
		field: "DiscardedCampaigns", since: "5.6.0", section: "spec §V2.2.6", told: complianceTold,
		what:  "campaigns can be switched off, also by the CNIL policy (from 5.11.0 on their names are masked)",
		test:  "matomo.TestPolicy",
		holds: func(f *Found) bool { return compliance(f) && !f.Version.Since("5.11.0") },
	},
	{
		field: "Policies", since: "5.6.0", section: "spec §V1.5, §V3.1.3", told: complianceTold,
		what:  "the CNIL policy makes privacy settings stricter",
		test:  "matomo.TestPolicy",
		holds: compliance,
	},
	{
		field: "IgnoredCampaignTypes", since: "5.7.0", unsure: true, section: "spec §V2.2.4",
		test: "referrer.TestCampaignsThatAreNoTextOfVersions",
		what: "lists and numbers as campaign parameters of the request are ignored; before, lists are refused and numbers " +
			"are names",
	},
	{
		field: "BotRequests", since: "5.7.0", section: "spec §V1.1", test: "TestRecModeDecidesBetweenVisitsAndBots",
		what: "requests with recMode record bots, those of AI assistants in table log_bot_request",
	},
	{
		field: "OnlyClearFailures", since: "5.7.0", section: "spec §V1.3.3, §V1.3.4",
		test: "TestUnclearSiteIDsAreNoFailures",
		what: "requests with malformed site ids are not listed among the tracking failures",
	},
	{
		field: "AllUserAgentPatterns", since: "5.7.0", unsure: true, section: "spec §V1.4",
		what: "all patterns for excluded user agents are tried, not only those up to the first that does not match",
		test: "exclude.TestExcludedUserAgents",
	},
	{
		field: "BotTypeChatbot", since: "5.8.0", section: "spec §V2.1.2", test: "TestTypesOfBots",
		told: "plugins/BotTracking/BotDetector.php, which has the list of AI bots with their types, where it is there",
		what: "the type of AI bots is ai_chatbot, not ai_assistant",
	},
	{
		field: "ConflictingTokens", since: "5.8.0", section: "spec §V1.0", test: "TestTokensOfEntries",
		what: "requests with two different tokens are refused, not queued",
	},
	{
		field: "IntegerTimeLimit", since: "5.10.0", section: "spec §V1.3.6",
		what: "the age from which a cdt needs a token must be an integer; 86400s counts as 0",
		test: "matomo.TestReadersOfNewerVersionsAreStrict",
	},
	{
		field: "StrictBooleans", since: "5.10.0", section: "spec §V2.6, §V3.2, §V4.11",
		what: "some settings take 0, 1, true and false only: other values are off",
		test: "matomo.TestReadersOfNewerVersionsAreStrict",
	},
	{
		field: "MaskedCampaigns", since: "5.11.0", section: "spec §V2.2.6",
		test: "referrer.TestMaskedCampaigns, matomo.TestPolicy",
		what: "names and keywords of campaigns can be masked",
	},
	{
		field: "BotURLExclusions", since: "5.12.0", section: "spec §V2.1.4", test: "TestURLOfARecord",
		told:  "plugins/BotTracking/Tracker/BotRequestProcessor.php where it is there",
		what:  "excluded parameters are taken off the URLs of bot requests, too",
		holds: botURLExclusions,
	},
	{
		field: "AmountLimit", since: "5.13.0", unsure: true, section: "spec §V2.4, §V4.5, §V4.21",
		test: "conversion.TestRevenueLimitOfVersions",
		what: "amounts of money beyond 1e12 are not recorded",
	},
	{
		field: "IntranetTrustStays", since: "5.13.0", unsure: true, section: "spec §V3.6", test: "TestIntranetTrust",
		told:  "plugins/IntranetMeasurable/Tracker/RequestProcessor.php where it is there",
		what:  "visitor ids of intranet sites are trusted on every request, not on every second one",
		holds: intranetTrustStays,
	},
	{
		field: "PoliciesPerSetting", since: "5.14.0", section: "spec §V3.1.3",
		what: "each setting of a policy can be enforced or not",
		test: "matomo.TestPolicy",
	},
	{
		field: "PageViewTimes", since: "6.0.0", told: "table log_page_view_time", section: "spec §V2.3.1",
		test:  "TestPageViewTimesAreKeptSince6",
		what:  "the time spent on each page view is kept in table log_page_view_time",
		holds: func(f *Found) bool { return f.PageViewTimeTable },
	},
	{
		field: "ProviderInWorker", since: "QueuedTracking 5.2.0", told: "version of plugin QueuedTracking",
		section: "spec §V3.12.2",
		test:    "TestProviderIsLoadedByNewerQueues",
		what:    "plugin Provider fills location_provider in the queue's worker",
		holds:   func(f *Found) bool { return f.QueuedTracking.Since("5.2.0") },
	},
	{
		field: "ProviderWithoutDNS", since: "Provider 6.0.0", section: "spec §V3.4, §V4.23",
		told: "plugins/Provider/Configuration.php where it is there", test: "TestProviderWithoutNameLookUps",
		what: "names of addresses are looked up only where [Provider] skip_reverse_dns_lookup is 0",
		holds: func(f *Found) bool {
			return f.Provider.Since("6.0.0") || strings.Contains(f.ProviderFile, "skip_reverse_dns_lookup")
		},
	},
	spamBehaviour("SpamAllowedNotBanned", "5.0.1", "spec §V3.9.4", "TestAllowedAddressesAreBannedByOldVersions",
		"addresses of the allow list are not banned for too many actions"),
	spamBehaviour("SpamHints", "5.0.5", "spec §V3.9.3", "TestHeadlessBrowsers",
		"headless browsers are told by client hints, too"),
	spamBehaviour("SpamHeadlessByDefault", "5.0.11", "spec §V3.9.1", "TestSpamPreventionSettings",
		"headless browsers are excluded unless that is switched off"),
	spamBehaviour("SpamAddressLists", "5.1.0", "spec §V3.9.1", "TestSpamPreventionSettings",
		"allowed and blocked addresses are settings; before, iprange_allowlist[] in the configuration"),
	spamBehaviour("SpamOrganisationList", "5.2.0", "spec §V3.9.1", "TestSpamPreventionSettings",
		"blocked organisations are a setting; before, block_geoip_organisations[] in the configuration"),
	spamBehaviour("SpamCloudMode", "6.0.0", "spec §V3.9.1", "TestSpamPreventionSettings",
		"the setting cloud_blocking_mode says which organisations are blocked; before, block_clouds whether they are"),
}

// compliance reports whether the tracker looks at what the page for privacy compliance has stored.
func compliance(f *Found) bool {
	return f.Version.Since("5.9.0") || f.Version.Since("5.6.0") && f.ComplianceFlag
}

const complianceTold = "before 5.9.0 only with [FeatureFlags] PrivacyCompliance_feature"

// botURLExclusions looks whether the installed file calls the function that does it.
func botURLExclusions(f *Found) bool {
	if f.BotProcessorFile != "" {
		return strings.Contains(f.BotProcessorFile, "excludeQueryParametersFromUrl")
	}
	return f.Version.Since("5.12.0")
}

// spamBehaviour is a behaviour that plugin TrackingSpamPrevention has since a version of its own.
func spamBehaviour(field, first, section, test, what string) behaviour {
	return behaviour{
		field: field, since: "TrackingSpamPrevention " + first, told: "version of plugin TrackingSpamPrevention",
		section: section,
		what:    what, test: test, holds: func(f *Found) bool { return f.SpamPrevention.Since(first) },
	}
}

// trustByTurns is how the installed file asks for both conditions at once, as it did when trust went on and off by
// turns. Later it asks for the one within the other.
var trustByTurns = regexp.MustCompile(`if\s*\(\s*\$isIntranetSite\s*&&`)

func intranetTrustStays(f *Found) bool {
	if f.IntranetFile != "" {
		return !trustByTurns.MatchString(f.IntranetFile)
	}
	return f.Version.Since("5.13.0")
}

// BehavioursOf derives the behaviours of what was found.
func BehavioursOf(f Found) Behaviours {
	var b Behaviours
	fields := reflect.ValueOf(&b).Elem()
	for _, row := range behaviours {
		holds := row.holds
		if holds == nil {
			holds = func(f *Found) bool { return f.Version.Since(row.since) }
		}
		fields.FieldByName(row.field).SetBool(holds(&f))
	}
	return b
}

// BehavioursIn are those of a version of Matomo, as far as it alone tells them.
func BehavioursIn(version string) Behaviours {
	v, _ := ParseVersion(version)
	return BehavioursOf(Found{Version: v})
}

// Described is a behaviour in words.
type Described struct {
	Name, What, Since, Told, Section, Test string
	Unsure                                 bool
	Holds                                  bool
}

// Describe lists all behaviours in the order of the versions that brought them, and whether they are among b.
func (b Behaviours) Describe() []Described {
	fields := reflect.ValueOf(b)
	list := make([]Described, len(behaviours))
	for i, row := range behaviours {
		list[i] = Described{
			row.field, row.what, row.since, row.told, row.section, row.test, row.unsure,
			fields.FieldByName(row.field).Bool(),
		}
	}
	return list
}

// BehavioursTable is the table of behaviours in Markdown, for docs/versions.md.
func BehavioursTable() string {
	var t strings.Builder
	t.WriteString("| behaviour | since | told by | specification | test |\n| --- | --- | --- | --- | --- |\n")
	for _, d := range (Behaviours{}).Describe() {
		since := d.Since
		if d.Unsure {
			since += " (about)"
		}
		told := d.Told
		if told == "" {
			told = "version"
		}
		test := ""
		if d.Test != "" {
			test = "`" + strings.ReplaceAll(d.Test, ", ", "`, `") + "`"
		}
		fmt.Fprintf(&t, "| **%s**: %s | %s | %s | %s | %s |\n", d.Name, d.What, since, told, d.Section, test)
	}
	return t.String()
}
