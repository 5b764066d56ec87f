// Package exclude decides which requests are not tracked: bots, excluded addresses and user agents, spam, Do Not
// Track, prefetches, unknown URLs and what else Matomo leaves out (spec §2).
package exclude

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/exclude/needles"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
)

// The rules that exclude a request, in the order in which they are asked.
const (
	Bot          = "bot"
	BotAddress   = "address of a bot"
	NotRecorded  = "rec is not set"
	DoNotTrack   = "do not track"
	InstallCheck = "installation check"
	ConfigRule   = "exclude_requests"
	IgnoreCookie = "ignore cookie"
	IPAddress    = "excluded IP address"
	UserAgent    = "excluded user agent"
	ReferrerSpam = "referrer spam"
	UnknownURL   = "unknown URL"
	Prefetch     = "prefetch"
)

// What is recorded neither as a visit nor as a request of a bot, with the parameter recMode (spec §V1.1.1).
const (
	NoBot          = "recMode asks for bots, but it is none"
	UnlistedBot    = "bot that BotTracking does not record"
	UnfitBot       = "bot request with values that log_bot_request cannot hold"
	UnknownRecMode = "recMode is neither 1 nor 2"
)

// Bots tells whether a user agent, not sanitised, is that of a bot.
type Bots interface{ IsBot(ua string) bool }

// Checker checks requests. It compiles what settings and options hold once and is safe for concurrent use.
type Checker struct {
	bots       Bots
	spammers   *needles.Needles                          // of the vendor files
	listed     lastOf[*matomo.General, *needles.Needles] // of option referrer_spam_blacklist
	rules      cache[string, []rule]                     // by the text of exclude_requests
	userAgents cache[*matomo.Site, []excludedAgent]      // by site
	google     cache[string, bool]                       // by binary address: whether it counts as a bot's
	plugin     *spam.Checker                             // nil: plugin TrackingSpamPrevention is not asked
}

// New returns a Checker. spammers is the referrer spam list of Matomo's vendor files, which counts unless the option
// of the same purpose is set.
func New(bots Bots, spammers []string) *Checker {
	return &Checker{bots: bots, spammers: needles.New(spammers)}
}

// WithSpamPrevention lets plugin TrackingSpamPrevention have its say.
func (c *Checker) WithSpamPrevention(plugin *spam.Checker) *Checker {
	c.plugin = plugin
	return c
}

// Check returns the rule that excludes the request, "" for none. The rules of sites let a request of an unknown site
// pass (spec §12.1). The error is a Rejection when Matomo refuses the request while it checks: for an unknown site that
// means "not excluded".
func (c *Checker) Check(r *request.Request) (rule string, err error) {
	v, err := c.Decide(r)
	return v.Rule, err
}

// Decide is Check for who knows the ranges of plugin TrackingSpamPrevention: where Ranges is set they have to be
// asked, too, and come before the rule or the error.
func (c *Checker) Decide(r *request.Request) (spam.Verdict, error) {
	_, ip, err := r.IP()
	if err != nil {
		return spam.Verdict{}, err
	}
	rule := c.beforePlugins(r, ip)
	if rule == "" && !LeavesDoNotTrack(r) && r.Privacy().DoNotTrack && AsksNotToTrack(r) {
		rule = DoNotTrack
	}
	if rule, err = installCheck(r, rule); rule != "" || err != nil {
		return spam.Verdict{Rule: rule}, err
	}
	var v spam.Verdict
	if c.plugin != nil && r.Features().TrackingSpamPrevention {
		v = c.plugin.Check(r, ip, isDataSaver(ip, r))
	}
	if v.Rule == "" {
		v.Rule, err = c.afterPlugins(r, ip)
	}
	return v, err
}

// beforePlugins asks what Matomo asks before its plugins (spec §2.1, §2.2).
func (c *Checker) beforePlugins(r *request.Request, ip string) string {
	switch bots := r.Int("bots") != 0; {
	case !bots && c.bots.IsBot(r.RawUserAgent()):
		return Bot
	case !bots && c.isBotAddress(ip, r):
		return BotAddress
	case r.Int("rec") == 0:
		return NotRecorded
	}
	return ""
}

// afterPlugins asks spec §2.3 to §2.9.
func (c *Checker) afterPlugins(r *request.Request, ip string) (string, error) {
	if c.matchesRule(r) {
		return ConfigRule, nil
	}
	ignore, _, err := r.CookieField(r.Settings().IgnoreVisitsCookieName, "ignore")
	if err != nil {
		return "", err
	}
	switch {
	case ignore == "*":
		return IgnoreCookie, nil
	case isExcludedIP(r.Site(), ip):
		return IPAddress, nil
	case c.isExcludedAgent(r):
		return UserAgent, nil
	case r.Settings().EnableSpamFilter && c.isSpam(r):
		return ReferrerSpam, nil
	case isUnknownURL(r):
		return UnknownURL, nil
	case isPrefetch(r):
		return Prefetch, nil
	}
	return "", nil
}

// LeavesDoNotTrack reports whether Check does not look at what the request asks for: where each site has a setting of
// its own, Matomo takes that of the site which it was asked for before, when there is no such site as the request
// names (spec §V3.1.1).
func LeavesDoNotTrack(r *request.Request) bool {
	return r.Site() == nil && r.Context().Behaviours.PrivacyPerSite
}

// ComesToDoNotTrack reports whether Matomo comes to look at what a request asks for that Check has excluded by a rule,
// or by none.
func ComesToDoNotTrack(rule string) bool {
	return rule != Bot && rule != BotAddress && rule != NotRecorded
}

// AsksNotToTrack reports whether the browser asks not to be tracked.
func AsksNotToTrack(r *request.Request) bool {
	dnt := r.Server("HTTP_DNT")
	return r.Server("HTTP_X_DO_NOT_TRACK") == "1" || dnt != "" && dnt[0] == '1'
}

func isExcludedIP(site *matomo.Site, ip string) bool {
	if site == nil || len(site.ExcludedIPs) == 0 {
		return false
	}
	binary := []byte(ip)
	for _, block := range site.ExcludedIPs {
		if block.Contains(binary) {
			return true
		}
	}
	return false
}

func isUnknownURL(r *request.Request) bool {
	site := r.Site()
	if site == nil || !site.ExcludeUnknownURLs || len(site.URLs) == 0 {
		return false
	}
	u, ok := php.ParseURL(r.Text("url"))
	if !ok {
		return true
	}
	_, found := site.OwnURLs.Match(u)
	return !found
}

func isPrefetch(r *request.Request) bool {
	purpose := r.Server("HTTP_X_PURPOSE")
	return purpose == "preview" || purpose == "instant" || r.Server("HTTP_X_MOZ") == "prefetch"
}
