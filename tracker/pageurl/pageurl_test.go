package pageurl

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// defaultSettings are those of Matomo's global.ini.php.
func defaultSettings() *matomo.TrackerSettings {
	return &matomo.TrackerSettings{
		PageMaximumLength: 1024,
		ExcludedURLParameters: strings.Split("gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,phpsessid,jsessionid,"+
			"sessionid,aspsessionid,doing_wp_cron,sid,pk_vid", ","),
		CampaignNameParameters: strings.Split("pk_cpn,pk_campaign,piwik_campaign,mtm_campaign,matomo_campaign,utm_campaign,utm_source,"+
			"utm_medium", ","),
		CampaignKeywordParameters: strings.Split("pk_kwd,pk_keyword,piwik_kwd,mtm_kwd,mtm_keyword,matomo_kwd,utm_term", ","),
	}
}

func plainSite() *matomo.Site { return &matomo.Site{ID: 1, Tracker: defaultSettings()} }

// actionURL is what a page view stores for the parameter url (spec §6.2 setActionUrl and normalise).
func actionURL(u string, site *matomo.Site) (string, store.NullInt, bool) {
	excluded, ok := ExcludeParameters(u, ExclusionsOf(site), nil)
	if !ok {
		return "", store.NullInt{}, false
	}
	if excluded, ok = LooksValid(excluded, site.Tracker.PageMaximumLength); !ok {
		return "", store.NullInt{}, false
	}
	name, prefix := Normalize(excluded)
	return name, prefix, true
}

func TestPageURLIsCleanedAndSplit(t *testing.T) {
	none := store.NullInt{}
	tests := []struct {
		in     string
		name   string
		prefix store.NullInt
	}{
		// spec §D.3
		{"http://Example.org/Path;jsessionid=1?x=2", "example.org/Path?x=2", store.Int(0)},
		{"http://example.org/p;a=1;b=2", "example.org/p?a=1&b=2", store.Int(0)},
		{"http://example.org/?a=1#frag", "example.org/?a=1", store.Int(0)},
		{"HTTP://WWW.Example.ORG/X", "example.org/X", store.Int(1)},
		{"https://user:p%40ss@example.org:8080/x?y#z", "user:p%40ss@example.org:8080/x?y", store.Int(2)},
		{`http://example.org/x y?z="1"`, "example.org/x y?z=&quot;1&quot;", store.Int(0)},
		{"http://example.org/?a=%3Cb%3E", "example.org/?a=%3Cb%3E", store.Int(0)},
		{"http://example.org/?0=1&b", "example.org/?b", store.Int(0)},
		{"http://example.org/?0", "example.org/", store.Int(0)},
		{"tel:+123456", "tel:///+123456", none},
		{"android-app://com.x/y", "android-app://com.x/y", none},
		{"http://h/p?&&&a=1", "h/p?a=1", store.Int(0)},
		{
			"http://example.org/Path/?b=2&utm_source=x&a=<b>&PHPSESSID=3#frag", "example.org/Path/?b=2&a=&lt;b&gt;",
			store.Int(0),
		},
		// case of prefixes, hosts and names
		{"https://www.ÄÖ.example/Ä", "äö.example/Ä", store.Int(3)},
		{"http://www.example.org/?IGNORE_referrer=1&Utm_Medium=2", "example.org/", store.Int(1)},
		{"http://h/?a=1&amp;b=2", "h/?a=1&b=2", store.Int(0)}, // parameters arrive with entities
		{"http://h/#a;b", "h/", store.Int(0)},
		{"http://h/p?x;y=1", "h/p?x;y=1", store.Int(0)},
		{"http://us:er@h/", "us:er@h/", store.Int(0)},
		{`http://u\ser:p:w@h/`, "u%5Cser:p%3Aw@h/", store.Int(0)},
	}
	for _, tt := range tests {
		name, prefix, ok := actionURL(tt.in, plainSite())
		if !ok || name != tt.name || prefix != tt.prefix {
			t.Errorf("%q: %q, %v, %v; want %q, %v", tt.in, name, prefix, ok, tt.name, tt.prefix)
		}
	}
}

func TestPageURLThatLooksLikeNoneIsDropped(t *testing.T) {
	for _, in := range []string{
		"//example.org/x", "example.org/x", "/x/y", "javascript://x", "http:///n", "", "http://", "0", "JavaScript://x",
		"data://x",
		"vbscript://x", "1http://h", "mailto://h/x",
	} {
		if name, _, ok := actionURL(in, plainSite()); ok {
			t.Errorf("%q: %q", in, name)
		}
	}
}

func TestLooksLikeURL(t *testing.T) {
	for in, want := range map[string]bool{
		"http://a": true, "a+.-1://a": true, "://a": true, "//a": true, "//": false, "http://": false, "-a://a": false,
		"a b://a": false,
		"http:/a": false, "http://a\nb": false, "datax://a": true, "": false, ":": false, "abc": false,
	} {
		if got := LooksLikeURL(in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestQueryIsFiltered(t *testing.T) {
	site := plainSite()
	site.ExcludedParameters = []string{"gclid", "phpsessid", "pk_cpn", "/^utm_/", "a", `/\D{9}/`, "/broken", "_pat_"}
	tests := []struct{ in, want string }{
		// spec §D.2
		{"=1", ""},
		{"b=1&b=2", "b=2"},
		{"b[]=1&b[]=2", "b[]=1&b[]=2"},
		{"b%5B%5D=x&b%5b%5d=y", "b[]=x&b[]=y"},
		{"b[1]=2", "b[1]=2"},
		{`x=<b>&y="q"&z=it's`, "x=&lt;b&gt;&y=&quot;q&quot;&z=it&#039;s"},
		{"c=1&amp;b=2", "c=1&b=2"}, // the parameter's entities are decoded first
		{"[]=5", "[]=5"},
		{"0=5", ""},
		{"utm_source=x&gclid=1&PHPSESSID=2&pk_cpn=3&foo[]=1&q=é", "foo[]=1&q=é"},
		// names
		{"A=1&B=1", "B=1"},
		{"a[]=1&b", "b"},
		{"a%5B1%5D=1&x", "a[1]=1&x"},
		{"a%5b1%5d=1", "a%5b1%5d=1"},
		{"/broken=1&x=1", "x=1"},
		{"compatible=1&x=1", "x=1"}, // _pat_ is a pattern
		{"UTM_x=1&x=1", "x=1"},
		{"x=1&123456789=1", "x=1"}, // \D was lower-cased to \d
		{strings.Repeat("k", 80) + "=1", strings.Repeat("k", 80) + "=1"},
		// values
		{"b&c=&d=0&0&=&e==", "b&c=&d=0&e=="},
		{"b[]&b[]=1", "b[]&b[]=1"},
		{"b=1&b[]=2&b[]", "b[]=2&b[]"},
		{"b[]=2&b=1", "b=1"},
		{"?b=1", "b=1"},
		{"b=\xe4", "b=ä"},
		{"é[]=1&é=2&f=\"", "é=2&f=&quot;"},
		{"b=1&c&b", "b&c"},
		{
			"b1&b2&b3&b4&b5&b6&b7&b8&b9&b10&b11&b12&b13&b14&b15&b16&b17&a",
			"b1&b2&b3&b4&b5&b6&b7&b8&b9&b10&b11&b12&b13&b14&b15&b16&b17",
		},
	}
	for _, tt := range tests {
		got, ok := ExcludeParameters("http://h/?"+tt.in, ExclusionsOf(site), nil)
		want := "http://h/?" + tt.want
		if tt.want == "" {
			want = "http://h/"
		}
		if !ok || got != want {
			t.Errorf("%q: %q, want %q", tt.in, got, want)
		}
	}
}

func TestExtraParametersAreExcluded(t *testing.T) {
	extra := []string{"e", "PC", "/^x/"}
	got, _ := ExcludeParameters("https://h/?E=1&pc=2&X1=3&y=4&e[]=5", ExclusionsOf(plainSite()), extra)
	if got != "https://h/?y=4" {
		t.Error(got)
	}
	if got := FilterQuery("q=1&Q=2&p=3", []string{"q", ""}); got != "p=3" {
		t.Error(got)
	}
	if got := FilterQuery("", nil); got != "" {
		t.Error(got)
	}
}

func TestFragmentFollowsTheSite(t *testing.T) {
	site := plainSite()
	site.KeepURLFragment = true
	for in, want := range map[string]string{
		"http://h/#a":                "http://h/#a",
		"http://h/#a#":               "http://h/#a",
		"http://h/#a##":              "http://h/#a#",
		"http://h/#":                 "http://h/",
		"http://h/#0":                "http://h/",
		"http://h/?q=1#utm_medium=2": "http://h/?q=1#utm_medium=2",
		"http://h/#x=1&utm_medium=2": "http://h/#x=1",
		"http://h/?0#x=1&gclid=2":    "http://h/#x=1",
		"http://h/#/route":           "http://h/#/route",
	} {
		if got, _ := ExcludeParameters(in, ExclusionsOf(site), nil); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestExclusionsFollowTheSite(t *testing.T) {
	var m Memory
	one, other := plainSite(), plainSite()
	other.ExcludedParameters = []string{"x"}
	for _, site := range []*matomo.Site{one, other, one} {
		want := "http://h/?x=1"
		if site == other {
			want = "http://h/"
		}
		if got, _ := ExcludeParameters("http://h/?x=1", m.ExclusionsOf(site), nil); got != want {
			t.Error(got)
		}
	}
}

func TestURLThatCannotBeParsedIsNotOk(t *testing.T) {
	if got, ok := ExcludeParameters("http://h:99999/", ExclusionsOf(plainSite()), nil); ok {
		t.Error(got)
	}
}

func TestTextIsTrimmedAndCut(t *testing.T) {
	for in, want := range map[string]string{" a\r\nb\x00c\t": "abc", "äöü": "äö\xc3", "abcdefg": "abcde", "\n": ""} {
		if got := CleanString(in, 5); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestMatrixParametersBecomeAQuery(t *testing.T) {
	for in, want := range map[string]string{
		"/p;a=1;b=2": "/p?a=1&b=2", "/p;a=1?b=2;c=3": "/p?a=1&b=2&c=3", "/p?a;b": "/p?a;b", ";?": "?&",
		"/p;a?b?c;d": "/p?a&b?c&d", "x": "x",
	} {
		if got := Clean(in, 100); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestLoginsOfVersions has what 5.1.0 and 5.1.1 make of separators in user and password.
func TestLoginsOfVersions(t *testing.T) {
	const in = `http://u\ser:p:w@h/`
	for plain, want := range map[bool]string{true: `u\ser:p:w@h/`, false: "u%5Cser:p%3Aw@h/"} {
		site := plainSite()
		site.Tracker.PlainLogins = plain
		if got, _, ok := actionURL(in, site); !ok || got != want {
			t.Errorf("plain %v: %q, %v, want %q", plain, got, ok, want)
		}
	}
}

func TestUnparse(t *testing.T) {
	for in, want := range map[string]string{
		"mailto:x@y": "mailto:/x@y", "MAILTO:x": "MAILTO:/x", "a.com:80/x": "a.com:80/x", "//h/x": "h/x", "x": "x",
		"http://h":    "http://h",
		"http://h:0/": "http://h/", "http://@h/?0#0": "http://h/", "tel:1": "tel:1", "tel:+1": "tel:///+1", "0/x": "0/x",
		"": "",
	} {
		p, _ := php.ParseURL(in)
		if got := Unparse(p, false); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestUnchangedURLIsNotCopied(t *testing.T) {
	x := ExclusionsOf(plainSite())
	u := "https://example.org/path/to/page?article=7&Session=abc&view"
	allocs := testing.AllocsPerRun(100, func() {
		if got, _ := ExcludeParameters(u, x, nil); got != u {
			t.Fatal(got)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzPlainFilterEqualsMapFilter(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "a&a=2", "é=1&gclid", "0&b=&=&c==", "a%5b%5d=1", "SID=1&x[]=2", "?a", "a ", "a=1&b&c&d&e"} {
		f.Add(seed)
	}
	x := ExclusionsOf(plainSite())
	f.Fuzz(func(t *testing.T, query string) {
		if got, want := x.filter(query, []string{"x"}), x.filterMap(php.QueryToMap(query), []string{"x"}); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	})
}

func BenchmarkExcludeParameters(b *testing.B) {
	x := ExclusionsOf(plainSite())
	for name, u := range map[string]string{
		"unchanged": "https://example.org/path/to/page?article=7&session=abc&view",
		"changed":   "https://Example.org/path/to/page?article=7&utm_source=abc&gclid=x#top",
		"escaped":   "https://example.org/path?a[]=1&b='x'",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ExcludeParameters(u, x, nil)
			}
		})
	}
}
