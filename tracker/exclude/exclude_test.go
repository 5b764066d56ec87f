package exclude

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// crawlers takes the user agents for bots that say so.
type crawlers struct{}

func (crawlers) IsBot(ua string) bool { return strings.Contains(ua, "Googlebot") }

// setting changes what a request is checked with.
type setting func(*request.Origin, *request.Context)

func server(name, value string) setting {
	return func(o *request.Origin, _ *request.Context) { o.Env.Server.Set(name, php.String(value)) }
}

func ip(address string) setting { return server("REMOTE_ADDR", address) }

func ua(agent string) setting { return server("HTTP_USER_AGENT", agent) }

func cookie(name, value string) setting {
	return func(o *request.Origin, _ *request.Context) { o.Env.Cookie.Set(name, php.String(value)) }
}

func site(change func(*matomo.Site)) setting {
	return func(_ *request.Origin, c *request.Context) { change(c.Site) }
}

func config(change func(*matomo.TrackerSettings)) setting {
	return func(_ *request.Origin, c *request.Context) { change(c.Settings) }
}

func unknownSite(_ *request.Origin, c *request.Context) { c.Site = nil }

func allPatterns(_ *request.Origin, c *request.Context) { c.Behaviours.AllUserAgentPatterns = true }

func doNotTrack(_ *request.Origin, c *request.Context) { c.Site.Privacy.DoNotTrack = true }

// read makes a request of parameters in JSON.
func read(t testing.TB, params string, change ...setting) *request.Request {
	t.Helper()
	v, err := php.DecodeJSON(params)
	if err != nil {
		t.Fatal(err)
	}
	s := &matomo.TrackerSettings{
		IgnoreVisitsCookieName: "matomo_ignore", EnableSpamFilter: true, RequireAuthentication: true, CharsetUTF8MB4: true,
		ProxyIPReadLastInList: true,
	}
	c := &request.Context{
		Site: &matomo.Site{ID: 1, Tracker: s}, General: &matomo.General{}, Settings: s,
		Features: matomo.Features{PrivacyManager: true, JsTrackerInstallCheck: true},
	}
	o := &request.Origin{Env: request.Env{Server: &php.Array{}, Cookie: &php.Array{}}}
	o.Env.Server.Set("REMOTE_ADDR", php.String("198.51.100.1"))
	for _, f := range change {
		f(o, c)
	}
	r := request.New(v.Array(), o)
	r.Bind(c)
	return r
}

var spamHosts = []string{"buy-spam.example", "7.ru", "xx", "spam.example"}

func newChecker() *Checker { return New(crawlers{}, spamHosts) }

const tracked = ""

type exclusionTest struct {
	params string
	want   string
	change []setting
}

func run(t *testing.T, tests []exclusionTest) {
	t.Helper()
	for i, test := range tests {
		got, err := newChecker().Check(read(t, test.params, test.change...))
		if got != test.want || err != nil {
			t.Errorf("%d: %s: %q %v, want %q", i, test.params, got, err, test.want)
		}
	}
}

func TestBotsAreExcluded(t *testing.T) {
	run(t, []exclusionTest{
		{`{"rec":"1"}`, tracked, nil},
		{`{"rec":"1"}`, Bot, []setting{ua("Googlebot/2.1")}},
		{`{"rec":"1","ua":"Googlebot"}`, Bot, nil},
		{`{"rec":"1","bots":"1"}`, tracked, []setting{ua("Googlebot/2.1"), ip("66.249.80.1")}},
		{`{"rec":"1","bots":"x"}`, Bot, []setting{ua("Googlebot/2.1")}},
		{`{"rec":"1"}`, BotAddress, []setting{ip("66.249.80.1")}},
	})
}

func TestBotNetworksHaveExactBorders(t *testing.T) {
	for address, want := range map[string]string{
		"216.239.31.255": tracked, "216.239.32.0": BotAddress, "216.239.63.255": BotAddress, "216.239.64.0": tracked,
		"64.3.255.255": tracked, "64.4.0.0": BotAddress, "64.4.63.255": BotAddress, "64.4.64.0": tracked,
		"157.53.255.255": tracked, "157.54.0.0": BotAddress, "157.60.255.255": BotAddress, "157.61.0.0": tracked,
		// A network given by an address inside of it.
		"72.30.191.255": tracked, "72.30.192.0": BotAddress, "72.30.207.255": BotAddress, "72.30.208.0": tracked,
		"131.253.15.255": tracked, "131.253.16.0": BotAddress, "131.253.31.255": BotAddress, "131.253.32.0": tracked,
		"1.202.218.7": tracked, "1.202.218.8": BotAddress, "1.202.218.9": tracked,
		"0.0.0.0": tracked, "255.255.255.255": tracked,
		"::ffff:66.249.80.1": tracked, "2001:4860::1": tracked, "unreadable": tracked,
	} {
		if got, _ := newChecker().Check(read(t, `{"rec":"1"}`, ip(address))); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	if len(googleNetworks) != 10 || len(otherNetworks) != 12 {
		t.Errorf("%d and %d networks", len(googleNetworks), len(otherNetworks))
	}
}

func TestDataSaverAnswerIsThatOfTheFirstRequest(t *testing.T) {
	c := newChecker()
	via := server("HTTP_VIA", "1.1 Chrome-Compression-Proxy")
	for i, step := range []struct {
		address string
		via     bool
		want    string
	}{
		{"66.249.81.5", true, tracked},
		{"66.249.81.6", false, BotAddress},
		{"65.55.2.2", true, BotAddress}, // Microsoft
		{"66.249.81.6", true, BotAddress},
		{"66.249.81.5", false, tracked},
	} {
		change := []setting{ip(step.address)}
		if step.via {
			change = append(change, via)
		}
		if got, _ := c.Check(read(t, `{"rec":"1"}`, change...)); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}

func TestRequestsWithoutRecAreExcluded(t *testing.T) {
	run(t, []exclusionTest{
		{`{}`, NotRecorded, nil},
		{`{"rec":"0"}`, NotRecorded, nil},
		{`{"rec":"abc"}`, NotRecorded, nil},
		{`{"rec":""}`, NotRecorded, nil},
		{`{"rec":"2"}`, tracked, nil},
		{`{"rec":"1.0"}`, tracked, nil},
		{`{"rec":" 1"}`, tracked, nil},
	})
}

func TestDoNotTrackCountsWhenEnabled(t *testing.T) {
	run(t, []exclusionTest{
		{`{"rec":"1"}`, tracked, []setting{server("HTTP_DNT", "1")}},
		{`{"rec":"1"}`, DoNotTrack, []setting{doNotTrack, server("HTTP_DNT", "1")}},
		{`{"rec":"1"}`, DoNotTrack, []setting{doNotTrack, server("HTTP_DNT", "10")}},
		{`{"rec":"1"}`, tracked, []setting{doNotTrack, server("HTTP_DNT", "0")}},
		{`{"rec":"1"}`, tracked, []setting{doNotTrack, server("HTTP_DNT", "")}},
		{`{"rec":"1"}`, DoNotTrack, []setting{doNotTrack, server("HTTP_X_DO_NOT_TRACK", "1")}},
		{`{"rec":"1"}`, tracked, []setting{doNotTrack, server("HTTP_X_DO_NOT_TRACK", "10")}},
	})
}

func TestIgnoreCookie(t *testing.T) {
	run(t, []exclusionTest{
		{`{"rec":"1"}`, IgnoreCookie, []setting{cookie("matomo_ignore", "ignore=Kg==")}},
		{`{"rec":"1"}`, IgnoreCookie, []setting{cookie("matomo_ignore", "a=1:ignore=Kg==")}},
		{`{"rec":"1"}`, tracked, []setting{cookie("matomo_ignore", "*")}},
		{`{"rec":"1"}`, tracked, []setting{cookie("matomo_ignore", "ignore=*")}},
		{`{"rec":"1"}`, tracked, []setting{cookie("matomo_ignore", "ignore=eA==")}},
		{`{"rec":"1"}`, tracked, []setting{cookie("piwik_ignore", "ignore=Kg==")}},
	})
}

func TestExcludedIPs(t *testing.T) {
	list := site(func(s *matomo.Site) {
		for _, text := range []string{"203.0.113.7", "198.51.100.*", "2001:db8:bad::/48"} {
			block, _ := php.ParseIPRange(text)
			s.ExcludedIPs = append(s.ExcludedIPs, block)
		}
	})
	run(t, []exclusionTest{
		{`{"rec":"1"}`, IPAddress, []setting{list, ip("203.0.113.7")}},
		{`{"rec":"1"}`, tracked, []setting{list, ip("203.0.113.8")}},
		{`{"rec":"1"}`, IPAddress, []setting{list, ip("198.51.100.255")}},
		{`{"rec":"1"}`, tracked, []setting{list, ip("::ffff:198.51.100.255")}},
		{`{"rec":"1"}`, IPAddress, []setting{list, ip("2001:db8:bad:ffff::1")}},
		{`{"rec":"1"}`, tracked, []setting{list, ip("203.0.113.7"), unknownSite}},
	})
}

func TestExcludedUserAgents(t *testing.T) {
	agents := func(entries ...string) setting {
		return site(func(s *matomo.Site) { s.ExcludedUserAgents = entries })
	}
	run(t, []exclusionTest{
		{`{"rec":"1"}`, UserAgent, []setting{agents("BadAgent"), ua("Mozilla badAGENT/1")}},
		{`{"rec":"1"}`, tracked, []setting{agents("BadAgent"), ua("Mozilla")}},
		{`{"rec":"1"}`, UserAgent, []setting{agents("a&b"), ua("x A&B")}},
		{`{"rec":"1"}`, UserAgent, []setting{agents(`/monitor\/[0-9]+/`), ua("monitor/7")}},
		{`{"rec":"1"}`, tracked, []setting{agents(`/monitor\/[0-9]+/`), ua("Monitor/7")}},
		// A regular expression ends the search before 5.7.
		{`{"rec":"1"}`, tracked, []setting{agents("/zzz/", "Firefox"), ua("Firefox")}},
		{`{"rec":"1"}`, UserAgent, []setting{agents("/zzz/", "Firefox"), ua("Firefox"), allPatterns}},
		{`{"rec":"1"}`, UserAgent, []setting{agents("/zzz/", "/^Fire/"), ua("Firefox"), allPatterns}},
		{`{"rec":"1"}`, tracked, []setting{agents("/zzz/", "/^fire/", "Opera"), ua("Firefox"), allPatterns}},
		{`{"rec":"1"}`, UserAgent, []setting{agents("Firefox", "/zzz/"), ua("Firefox")}},
		// What cannot be compiled does not.
		{`{"rec":"1"}`, UserAgent, []setting{agents("/(/", "Firefox"), ua("Firefox")}},
		{`{"rec":"1"}`, tracked, []setting{agents("Firefox"), ua("Firefox"), unknownSite}},
	})
}

func TestUnknownURLs(t *testing.T) {
	own := site(func(s *matomo.Site) {
		s.ExcludeUnknownURLs = true
		s.URLs = []string{"https://site.example", "https://cdn.site.example/app"}
		s.OwnURLs = matomo.NewURLIndex([]matomo.SiteURL{{SiteID: 1, URL: s.URLs[0]}, {SiteID: 1, URL: s.URLs[1]}})
	})
	run(t, []exclusionTest{
		{`{"rec":"1","url":"http://www.site.example:8080/x"}`, tracked, []setting{own}},
		{`{"rec":"1","url":"https://cdn.site.example/app/y"}`, tracked, []setting{own}},
		{`{"rec":"1","url":"https://cdn.site.example/other"}`, UnknownURL, []setting{own}},
		{`{"rec":"1","url":"https://other.example/"}`, UnknownURL, []setting{own}},
		{`{"rec":"1","url":"no url"}`, UnknownURL, []setting{own}},
		{`{"rec":"1","url":"http:///n"}`, UnknownURL, []setting{own}},
		{`{"rec":"1"}`, UnknownURL, []setting{own}},
		{`{"rec":"1"}`, tracked, []setting{own, unknownSite}},
		{`{"rec":"1"}`, tracked, []setting{site(func(s *matomo.Site) { s.ExcludeUnknownURLs = true })}},
	})
}

func TestPrefetches(t *testing.T) {
	run(t, []exclusionTest{
		{`{"rec":"1"}`, Prefetch, []setting{server("HTTP_X_PURPOSE", "preview")}},
		{`{"rec":"1"}`, Prefetch, []setting{server("HTTP_X_PURPOSE", "instant")}},
		{`{"rec":"1"}`, tracked, []setting{server("HTTP_X_PURPOSE", "Preview")}},
		{`{"rec":"1"}`, Prefetch, []setting{server("HTTP_X_MOZ", "prefetch")}},
		{`{"rec":"1"}`, tracked, []setting{server("HTTP_X_MOZ", "prefetch2")}},
	})
}

func TestCheckRefusesWhatMatomoRefuses(t *testing.T) {
	array := func(o *request.Origin, _ *request.Context) { o.Env.Cookie.Set("matomo_ignore", php.ArrayValue(nil)) }
	for _, test := range []struct {
		params string
		change []setting
		want   request.Reason
	}{
		{`{"rec":"1","cip":"1.2.3.4"}`, nil, request.NotAuthenticated},
		{`{"rec":"1","cip":"1.2.3.4"}`, []setting{unknownSite}, request.NotAuthenticated},
		{`{"rec":"1"}`, []setting{array}, request.WrongType},
		{`{"rec":"1","tracker_install_check":["x"]}`, nil, request.WrongType},
	} {
		rule, err := newChecker().Check(read(t, test.params, test.change...))
		rejection, ok := err.(*request.Rejection)
		if rule != "" || !ok || rejection.Reason != test.want {
			t.Errorf("%s: %q %v, want %s", test.params, rule, err, test.want)
		}
	}
}
