package action

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func newSite(t testing.TB) *matomo.Site {
	t.Helper()
	config, err := matomo.ParseConfig("", "[database]\ncharset = utf8mb4\n")
	if err != nil {
		t.Fatal(err)
	}
	return &matomo.Site{
		ID: 1, SiteSearch: true, Tracker: config.Tracker(1),
		SearchKeywordParameters:  strings.Split("q,query,s,search,searchword,k,keyword,keywords", ","),
		SearchCategoryParameters: []string{"cat", "c2"},
	}
}

func allPlugins() matomo.Features { return matomo.FeaturesOf(func(string) bool { return true }) }

// params turns JSON into request parameters.
func params(t testing.TB, text string) *php.Array {
	t.Helper()
	v, err := php.DecodeJSON(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v.Array()
}

func bind(site *matomo.Site, features matomo.Features, params *php.Array) *request.Request {
	r := request.New(params, &request.Origin{})
	r.Bind(&request.Context{
		Site: site, General: &matomo.General{}, Settings: site.Tracker,
		Behaviours: matomo.BehavioursIn("5.1.2"), Features: features,
	})
	return r
}

func newAction(t testing.TB, text string) *Action {
	t.Helper()
	a, err := New(bind(newSite(t), allPlugins(), params(t, text)))
	if err != nil || a == nil {
		t.Fatalf("%s: %v, %v", text, a, err)
	}
	return a
}

// numbered gives lookup i the id i+1.
func numbered(i int) store.ActionID { return store.ActionID{Valid: true, ID: int64(i) + 1} }

// lookups writes an action's lookups as "column type name prefix".
func lookups(a *Action) []string {
	columns := [...]string{
		"url", "name", "cat1", "cat2", "cat3", "cat4", "cat5", "pname", "sku", "e_c", "e_a", "c_i", "c_n", "c_p", "c_t",
	}
	var list []string
	for _, l := range a.Lookups {
		prefix := ""
		if l.Prefix.Valid {
			prefix = fmt.Sprint(" ", l.Prefix.V)
		}
		list = append(list, fmt.Sprintf("%s %d %s%s", columns[l.Field], l.Type, l.Name, prefix))
	}
	return list
}

func TestLookupsFollowMatomosOrder(t *testing.T) {
	tests := []struct {
		params string
		want   []string
	}{
		// page views
		{
			`{"url":"http://www.example.org/a?b=1&utm_source=x","action_name":" T & U "}`,
			[]string{"name 4 T &amp; U", "url 1 example.org/a?b=1 1"},
		},
		{`{"url":"android-app://com.x/y"}`, []string{"name 4 ", "url 1 android-app://com.x/y"}},
		{`{"url":"/no/url","action_name":"0"}`, []string{"name 4 "}},
		{`{"url":"http://www."}`, []string{"name 4 ", "url 1  1"}},
		// outlinks and downloads: entities stay, nothing is excluded
		{`{"url":"http://h/","link":"http://o/?a=1&b=2;c"}`, []string{"url 2 http://o/?a=1&amp;b=2;c"}},
		{
			`{"url":"http://h/","download":"https://www.o/f.pdf?utm_source=x"}`,
			[]string{"url 3 https://www.o/f.pdf?utm_source=x"},
		},
		{`{"link":"nonsense"}`, []string{"url 2 "}},
		// site search
		{`{"url":"http://h/?q=a","search":" A & <B> "}`, []string{"name 8 A &amp; &lt;B&gt;"}},
		// events
		{
			`{"url":"https://h/e","e_c":" C ","e_a":"A","e_n":" N "}`,
			[]string{"url 10 h/e 2", "e_a 11 A", "e_c 10 C", "name 12 N"},
		},
		{`{"e_c":"0","e_a":"0","e_n":" "}`, []string{"e_a 11 ", "e_c 10 "}},
		// content
		{
			`{"url":"http://h/c","c_n":"N","c_p":"P","c_t":"T","c_i":"click"}`,
			[]string{"url 13 http://h/c", "c_i 16 click", "c_n 13 N", "c_p 14 P", "c_t 15 T"},
		},
		{`{"c_n":"N","c_p":" ","c_t":""}`, []string{"url 13 ", "c_n 13 N"}},
		// products come after the class's own names, on every kind of action
		{
			`{"url":"http://h/","_pkc":"[\"a\",\"\",\"b\",0,\"c\",\"d\",5,\"f\"]","_pkn":"x & y","_pks":"0"}`,
			[]string{
				"name 4 ", "url 1 h/ 0", "cat1 7 a", "cat2 7 b", "cat3 7 c", "cat4 7 d", "cat5 7 5", "pname 6 x & y",
				"sku 5 ",
			},
		},
		{
			`{"url":"http://h/","e_c":"c","e_a":"a","_pkc":" cat "}`,
			[]string{"url 10 h/ 0", "cat1 7  cat ", "e_a 11 a", "e_c 10 c"},
		},
		{`{"url":"http://h/","_pkc":"","_pkn":""}`, []string{"name 4 ", "url 1 h/ 0", "cat1 7 ", "pname 6 "}},
		{`{"url":"http://h/","_pkc":"[\"broken"}`, []string{"name 4 ", "url 1 h/ 0"}},
		{`{"url":"http://h/","_pkc":"[1]"}`, []string{"name 4 ", "url 1 h/ 0", "cat1 7 [1]"}},
		// products in page-scope custom variables of old trackers
		{
			`{"url":"http://h/","cvar":"{\"3\":[\"_pks\",\"S\"],\"4\":[\"_pkn\",\"N\"],\"5\":[\"_pkc\",\"[\\\"A\\\",\\\"B\\\"]\"]}"}`,
			[]string{"name 4 ", "url 1 h/ 0", "cat1 7 A", "cat2 7 B", "pname 6 N", "sku 5 S"},
		},
		{
			`{"url":"http://h/","cvar":"{\"3\":[\"_pkn\",\"wrong slot\"]}","_pks":"P"}`,
			[]string{"name 4 ", "url 1 h/ 0", "sku 5 P"},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, lookups(newAction(t, tt.params))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.params, diff)
		}
	}
}

func TestDownloadWinsThenOutlinkEventContentSearch(t *testing.T) {
	given := []struct {
		kind   int64
		params string
	}{
		{TypeDownload, `"download":"http://h/f"`},
		{TypeOutlink, `"link":"http://h/o"`},
		{TypeEvent, `"e_c":"c","e_a":"a"`},
		{TypeContent, `"c_n":"n"`},
		{TypeSiteSearch, `"search":"s"`},
		{TypePageURL, `"url":"http://h/"`},
	}
	for i := range given {
		var parts []string
		for _, g := range given[i:] {
			parts = append(parts, g.params)
		}
		if a := newAction(t, "{"+strings.Join(parts, ",")+"}"); a.Type != given[i].kind {
			t.Errorf("from %d on: type %d", given[i].kind, a.Type)
		}
	}
}

func TestInactivePluginsTakeNoPart(t *testing.T) {
	site := newSite(t)
	text := `{"url":"http://h/","e_c":"c","e_a":"a","e_v":[1],"c_n":"n","_pks":"s","_pkp":"1","pf_net":"5","idgoal":"3"}`
	a, err := New(bind(site, matomo.Features{Actions: true}, params(t, text)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"name 4 ", "url 1 h/ 0"}, lookups(a)); diff != "" {
		t.Error(diff)
	}
	if row := a.Row(numbered); row.ProductPrice.Valid || row.Performance.Network.Valid {
		t.Errorf("%+v", row)
	}
	if a, err := New(bind(site, matomo.Features{}, params(t, text))); a != nil || err != nil {
		t.Error(a, err)
	}
}

func TestGoalsAndOrdersTakeTheActionsPlace(t *testing.T) {
	for _, text := range []string{
		`{"url":"http://h/","idgoal":"1","e_c":" ","e_a":"a","pf_net":"-5"}`, `{"url":"http://h/","idgoal":"0","c_n":" "}`,
		`{"idgoal":"00"}`,
	} {
		if a, err := New(bind(newSite(t), allPlugins(), params(t, text))); a != nil || err != nil {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	tests := []struct {
		params string
		want   request.Reason
	}{
		{`{"e_c":" ","e_a":"a"}`, request.InvalidParameter},
		{`{"e_c":"c","e_a":"\t"}`, request.InvalidParameter},
		{`{"c_n":" "}`, request.InvalidParameter},
		{`{"url":"http://h/","pf_srv":"-2"}`, request.InvalidParameter},
		{`{"url":"http://h/","ca":"1"}`, request.NotSupported},
		{`{"e_c":"c","e_a":"a","e_v":["1"]}`, request.WrongType},
		{`{"e_c":"c","e_a":"a","e_v":["1"],"download":"http://h/f"}`, request.WrongType},
		{`{"e_c":"c","e_a":"a","e_v":["1"],"idgoal":"1"}`, request.WrongType},
		{`{"url":"http://h/","_pkp":["1"]}`, request.WrongType},
		{`{"e_c":" ","e_a":"a","ping":"1"}`, request.InvalidParameter},
	}
	for _, tt := range tests {
		_, err := New(bind(newSite(t), allPlugins(), params(t, tt.params)))
		var rejection *request.Rejection
		if !errors.As(err, &rejection) || rejection.Reason != tt.want {
			t.Errorf("%s: %v", tt.params, err)
		}
	}
}

func TestPingLooksNamesUpButCannotBeRefusedForItsRow(t *testing.T) {
	a := newAction(t, `{"url":"http://h/","pf_net":"-2","_pkp":["1"],"ping":"1"}`)
	if diff := cmp.Diff([]string{"name 4 ", "url 1 h/ 0"}, lookups(a)); diff != "" {
		t.Error(diff)
	}
}

func TestRawURLAndURLCanDiffer(t *testing.T) {
	type urls struct {
		URL       string
		HasURL    bool
		RawURL    string
		HasRawURL bool
	}
	for in, want := range map[string]urls{
		"http://h/?a=1&utm_medium=2": {"http://h/?a=1", true, "http://h/?a=1&amp;utm_medium=2", true},
		"tel:+1":                     {"tel:///+1", true, "", false},
		"//h/x":                      {"", false, "//h/x", true},
		"http://h:99999/":            {"", false, "http://h:99999/", true},
		"":                           {},
	} {
		p := php.NewArray(2)
		p.Set("url", php.String(in))
		p.Set("rec", php.String("1"))
		a, err := New(bind(newSite(t), allPlugins(), p))
		if err != nil {
			t.Fatal(err)
		}
		if got := (urls{a.URL, a.HasURL, a.RawURL, a.HasRawURL}); got != want {
			t.Errorf("%q: %+v", in, got)
		}
	}
}

func TestTitleIsSplitAtTheDelimiter(t *testing.T) {
	tests := []struct{ delimiter, in, want string }{
		{"", "  Hello / World  &amp; \"Co\" ", "Hello / World  &amp; &quot;Co&quot;"},
		{"/", " a /  / b/", "a/b"},
		{"/", "/", ""},
		{" > ", "a > b", "a &gt; b"}, // the delimiter is looked for after escaping
		{" - ", "a - b-c -  - d", "a - b-c - d"},
		{"/", "x\r\ny\x00/z", "xy/z"},
	}
	for _, tt := range tests {
		site := newSite(t)
		site.Tracker.TitleDelimiter = tt.delimiter
		p := php.NewArray(1)
		p.Set("action_name", php.String(tt.in))
		a, err := New(bind(site, allPlugins(), p))
		if err != nil || a.Name != tt.want {
			t.Errorf("%q by %q: %q, %v", tt.in, tt.delimiter, a.Name, err)
		}
	}
}
