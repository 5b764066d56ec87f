package request

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

const (
	salt  = "pepper"
	clock = 1_795_341_600 // 2026-11-22 10:00:00 UTC
)

// option changes what a request is read with.
type option func(*Origin, *Context)

func server(name, value string) option {
	return func(o *Origin, _ *Context) { o.Env.Server.Set(name, php.String(value)) }
}

func cookie(name string, value php.Value) option {
	return func(o *Origin, _ *Context) { o.Env.Cookie.Set(name, value) }
}

func setToken(token string) option { return func(o *Origin, _ *Context) { o.TokenAuth = token } }

func settings(change func(*matomo.TrackerSettings)) option {
	return func(_ *Origin, c *Context) { change(c.Settings) }
}

func general(change func(*matomo.General)) option {
	return func(_ *Origin, c *Context) { change(c.General) }
}

func unknownSite(_ *Origin, c *Context) { c.Site = nil }

func noUTF8MB4(s *matomo.TrackerSettings) { s.CharsetUTF8MB4 = false }

// read makes a request of parameters in JSON, as they stand in the queue.
func read(t testing.TB, params string, options ...option) *Request {
	t.Helper()
	v, err := php.DecodeJSON(params)
	if err != nil {
		t.Fatal(err)
	}
	s := &matomo.TrackerSettings{
		UserIDOverwritesVisitorID: true, RequireAuthentication: true, RequireAuthenticationOlderThan: 86400,
		CookieName: "_pk_uid", Salt: salt, ProxyIPReadLastInList: true, CharsetUTF8MB4: true,
	}
	c := &Context{
		Site:     &matomo.Site{ID: 1, Tracker: s, TrackingTokens: map[string]bool{}},
		General:  &matomo.General{},
		Settings: s, Behaviours: matomo.BehavioursIn("5.1.2"),
		Auth: superusers{matomo.TokenHash("super", salt): true},
		Now:  clock + 86400,
	}
	o := &Origin{Env: Env{Server: &php.Array{}, Cookie: &php.Array{}}, QueuedAt: clock}
	for _, change := range options {
		change(o, c)
	}
	r := New(v.Array(), o)
	r.Bind(c)
	return r
}

// superusers authenticates by the hash of a token.
type superusers map[string]bool

func (s superusers) IsSuperuser(hash string) (bool, error) { return s[hash], nil }

// wantRejection checks that a request is refused for the right reason.
func wantRejection(t *testing.T, err error, want Reason) {
	t.Helper()
	rejection, ok := err.(*Rejection)
	if !ok || rejection.Reason != want {
		t.Errorf("error %v, want a rejection: %s", err, want)
	}
}

func TestRequestWithoutParametersIsEmpty(t *testing.T) {
	if r := read(t, `{}`, server("HTTP_REFERER", "http://a.example/")); !r.IsEmpty() {
		t.Error("not empty")
	}
	if r := read(t, `{"rec":"1"}`); r.IsEmpty() {
		t.Error("empty")
	}
	if !New(nil, &Origin{}).IsEmpty() {
		t.Error("nil is not empty")
	}
}

func TestPageURLComesFromRefererHeader(t *testing.T) {
	header := server("HTTP_REFERER", "http://from.example/?a=1&b")
	for _, test := range []struct{ params, want string }{
		{`{"rec":"1"}`, "http://from.example/?a=1&amp;b"},
		{`{"url":"","urlref":"0"}`, "http://from.example/?a=1&amp;b"},
		{`{"url":"http://a.example/"}`, "http://a.example/"},
		{`{"urlref":"http://a.example/"}`, ""},
	} {
		r := read(t, test.params, header)
		if got := r.Text("url"); got != test.want {
			t.Errorf("%s: url %q, want %q", test.params, got, test.want)
		}
		if raw, _ := r.Raw().Get("url"); raw.Str() == "http://from.example/?a=1&b" {
			t.Errorf("%s: queued parameters changed", test.params)
		}
	}
	if r := read(t, `{"rec":"1"}`); r.Has("url") {
		t.Error("url without a header")
	}
}

func TestSiteIDIsReadAsInteger(t *testing.T) {
	for params, want := range map[string]int64{
		`{"idsite":"1"}`: 1, `{"idsite":"1.0"}`: 1, `{"idsite":" 1"}`: 1, `{"idsite":"01"}`: 1, `{"idsite":"1e0"}`: 1, `{"idsite":"+1"}`: 1,
		`{"idsite":"1abc"}`: 0, `{"idsite":"one"}`: 0, `{"idsite":"-1"}`: -1, `{"idsite":7}`: 7, `{"idsite":["1"]}`: 0, `{}`: 0,
		`{"idsite":null}`: 0, `{"idsite":"99999999999999999999"}`: 0,
	} {
		v, _ := php.DecodeJSON(params)
		if got := New(v.Array(), &Origin{}).SiteID(); got != want {
			t.Errorf("%s: site %d, want %d", params, got, want)
		}
	}
}

func TestUserAgentIsParameterThenHeader(t *testing.T) {
	header := server("HTTP_USER_AGENT", `Header "1"`)
	for _, test := range []struct{ params, sanitized, raw string }{
		{`{}`, "Header &quot;1&quot;", `Header "1"`},
		{`{"ua":""}`, "Header &quot;1&quot;", `Header "1"`},
		{`{"ua":["x"]}`, "Header &quot;1&quot;", `Header "1"`},
		{`{"ua":"A & B"}`, "A &amp; B", "A & B"},
	} {
		r := read(t, test.params, header)
		if r.UserAgent() != test.sanitized || r.RawUserAgent() != test.raw {
			t.Errorf("%s: %q and %q", test.params, r.UserAgent(), r.RawUserAgent())
		}
	}
	if got := read(t, `{}`).UserAgent(); got != "" {
		t.Errorf("without header: %q", got)
	}
}

func TestAccessors(t *testing.T) {
	r := read(t, `{"a":"1"}`, server("REQUEST_METHOD", "GET"))
	c := r.Context()
	if r.Site() != c.Site || r.Settings() != c.Settings || r.General() != c.General || r.Features() != c.Features {
		t.Error("not the context's")
	}
	if r.Params().Len() != 1 || r.Env().Server.Len() != 1 || r.Server("REQUEST_METHOD") != "GET" || r.Server("X") != "" {
		t.Error("not the origin's")
	}
}

func BenchmarkRead(b *testing.B) {
	template := read(b, `{"idsite":"1","rec":"1","_id":"0123456789abcdef","h":"10","m":"5","s":"7","res":"1920x1080","cookie":"1",
		"url":"http://site.example/path?a=1&b=2","urlref":"https://www.google.com/","action_name":"A title","pv_id":"abcdef","uid":""}`,
		server("REMOTE_ADDR", "10.0.0.1"), server(forwarded, "203.0.113.2, 198.18.0.2"), headers(forwarded),
		server("HTTP_ACCEPT_LANGUAGE", "de-AT,de;q=0.9,en;q=0.8"), server("HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64)"))
	b.ReportAllocs()
	for b.Loop() {
		r := New(template.Raw(), template.origin)
		r.Bind(template.Context())
		if _, _, err := r.IP(); err != nil {
			b.Fatal(err)
		}
		_, _ = r.Time()
		_, _, _ = r.VisitorID()
		_, _ = r.LocalTime()
		_ = r.BrowserLanguage(r.Language())
		_ = r.UserAgent()
		_, _, _ = r.Text("url"), r.Text("url"), r.Text("action_name")
		_, _ = r.Int("idsite"), r.Int("rec")
	}
}
