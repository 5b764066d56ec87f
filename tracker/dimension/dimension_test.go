package dimension

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// newRequest makes a request of a site with these dimensions; params is JSON.
func newRequest(t testing.TB, params string, dimensions ...matomo.Dimension) *request.Request {
	t.Helper()
	v, err := php.DecodeJSON(params)
	if err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	settings := &matomo.TrackerSettings{PageMaximumLength: 1024, CharsetUTF8MB4: true}
	r := request.New(v.Array(), &request.Origin{})
	r.Bind(&request.Context{
		Site:     &matomo.Site{ID: 1, Tracker: settings, Dimensions: dimensions},
		General:  &matomo.General{},
		Settings: settings,
		Features: matomo.FeaturesOf(func(string) bool { return true }),

		Behaviours: matomo.BehavioursIn("5.1.2"),
	})
	return r
}

func newAction(t testing.TB, r *request.Request) *action.Action {
	t.Helper()
	a, err := action.New(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func extractions(pairs ...string) []matomo.Extraction {
	var list []matomo.Extraction
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, matomo.Extraction{Source: pairs[i], Pattern: pairs[i+1]})
	}
	return list
}

func TestParameterGivesTheValue(t *testing.T) {
	long := strings.Repeat("ä", 251)
	fallback := extractions("url", "(h)")
	tests := []struct {
		params string
		want   string // "-": none
	}{
		{`{"dimension300":"  a & b "}`, "a &amp; b"},
		{`{"dimension300":""}`, ""},
		{`{"dimension300":" ","url":"http://h/"}`, ""},
		{`{"dimension300":"` + long + `"}`, long[:500]},
		{`{"dimension300":5}`, "5"},
		{`{"dimension300":1.5}`, "1.5"},
		{`{"dimension300":"null"}`, "null"},
		// what does not count as text leaves it to the extractions
		{`{"dimension300":true}`, "-"},
		{`{"dimension300":["x"]}`, "-"},
		{`{"dimension300":["x"],"url":"http://h/"}`, "h"},
		{`{"dimension300":null,"url":"http://h/"}`, "h"},
		{`{"url":"http://h/"}`, "h"},
	}
	for _, tt := range tests {
		r := newRequest(t, tt.params, matomo.Dimension{ID: 300, Index: 4, Scope: "visit", Extractions: fallback})
		want := []Value{{Index: 4, Text: tt.want}}
		if tt.want == "-" {
			want = nil
		}
		if diff := cmp.Diff(want, Visit(r, nil)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.params, diff)
		}
	}
}

func TestExtractions(t *testing.T) {
	const params = `{"url":"http://h/list/page-7/x?ref=A%20b+c&Ref2=<x>&search_count=3","action_name":"T - Section & more",
		"urlref":"https://a/?k=v","search_count":"12","_pkp":"1.50","e_v":["x"]}`
	tests := []struct {
		extractions []matomo.Extraction
		sensitive   bool
		want        string
	}{
		{extractions("url", "page-([0-9]+)"), true, "7"},
		{extractions("url", "/list/([^/]+)/"), true, "page-7"},
		{extractions("url", `\/list\/([^\/]+)`), true, ""}, // escaped twice: the expression ends at the first slash
		{extractions("url", "PAGE-([0-9]+)"), true, ""},
		{extractions("url", "PAGE-([0-9]+)"), false, "7"},
		{extractions("url", "([broken", "url", "", "url", "list", "url", "(nothing)", "url", "(x)?page", "action_name", "- (.+)"), true, "Section & more"},
		{extractions("urlparam", "ref"), true, "A b c"},
		{extractions("urlparam", "REF"), false, "A b c"},
		{extractions("urlparam", "Ref2"), true, "<x>"},
		{extractions("urlref", "k=(.*)"), true, "v"},
		{extractions("search_count", "(.*)"), true, "12"},
		{extractions("idgoal", "(.*)"), true, "-1"},
		{extractions("_pkp", "(.*)"), true, "1.5"},
		{extractions("ec_st", "(.*)"), true, ""},
		{extractions("e_v", "(.*)"), true, ""},
		{extractions("unknown", "(.*)"), true, ""},
		{extractions("url", "0"), true, ""},
	}
	for _, tt := range tests {
		r := newRequest(t, params, matomo.Dimension{ID: 1, Index: 2, Scope: "action", Extractions: tt.extractions, CaseSensitive: tt.sensitive})
		var want []Value
		if tt.want != "" {
			want = []Value{{2, tt.want}}
		}
		for _, a := range []*action.Action{newAction(t, r), nil} {
			if diff := cmp.Diff(want, Action(r, a)); diff != "" {
				t.Errorf("%v, action %v (-want +got):\n%s", tt.extractions, a != nil, diff)
			}
		}
	}
}

func TestExtractionsSearchTheActionBeforeTheParameters(t *testing.T) {
	url := matomo.Dimension{ID: 1, Index: 1, Scope: "visit", Extractions: extractions("url", "//([a-z]+)"), CaseSensitive: true}
	title := matomo.Dimension{ID: 2, Index: 2, Scope: "visit", Extractions: extractions("action_name", "(.+)"), CaseSensitive: true}
	const params = `{"url":"http://page/","action_name":"Title","link":"http://outlink/"}`
	r := newRequest(t, params, url, title)
	if diff := cmp.Diff([]Value{{1, "outlink"}}, Visit(r, newAction(t, r))); diff != "" {
		t.Error("with action:", diff)
	}
	if diff := cmp.Diff([]Value{{1, "page"}, {2, "Title"}}, Visit(r, nil)); diff != "" {
		t.Error("without:", diff)
	}
}

func TestScopesAreApart(t *testing.T) {
	dimensions := []matomo.Dimension{{ID: 1, Index: 1, Scope: "visit"}, {ID: 2, Index: 1, Scope: "action"}, {ID: 3, Index: 2, Scope: "visit"}}
	r := newRequest(t, `{"dimension1":"a","dimension2":"b","dimension3":"c","dimension9":"d"}`, dimensions...)
	if diff := cmp.Diff([]Value{{1, "a"}, {2, "c"}}, Visit(r, nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Value{{1, "b"}}, Action(r, nil)); diff != "" {
		t.Error(diff)
	}
	off := newRequest(t, `{"dimension1":"a"}`, dimensions...)
	off.Context().Features.CustomDimensions = false
	if got := Visit(off, nil); got != nil {
		t.Error(got)
	}
}

func TestCustomVariablesHaveTwoScopes(t *testing.T) {
	r := newRequest(t, `{"_cvar":{"1":["a","b"]},"cvar":"{\"2\":[\"c\",\"d\"]}"}`)
	visit := []store.CustomVar{{Name: store.Text("a"), Value: store.Text("b")}, {}}
	page := []store.CustomVar{{}, {Name: store.Text("c"), Value: store.Text("d")}}
	if diff := cmp.Diff(visit, VisitVars(r, 2)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(page, ActionVars(r, 2)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkVisit(b *testing.B) {
	r := newRequest(b, `{"url":"http://h/category/shoes/7","dimension1":"member","action_name":"x"}`,
		matomo.Dimension{ID: 1, Index: 1, Scope: "visit"},
		matomo.Dimension{ID: 2, Index: 2, Scope: "visit", Extractions: extractions("url", "/category/([^/?#]+)")})
	b.ReportAllocs()
	for b.Loop() {
		Visit(r, nil)
	}
}
