package conversion

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// newRequest makes a request of a site with these goals while all plugins are active; params is JSON.
func newRequest(t testing.TB, params string, goals ...matomo.Goal) *request.Request {
	t.Helper()
	return newRequestOf(t, matomo.BehavioursIn("5.1.2"), params, goals...)
}

// newRequestOf is newRequest for a version with these behaviours.
func newRequestOf(t testing.TB, behaviours matomo.Behaviours, params string, goals ...matomo.Goal) *request.Request {
	t.Helper()
	v, err := php.DecodeJSON(params)
	if err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	settings := &matomo.TrackerSettings{
		PageMaximumLength: 1024, CharsetUTF8MB4: true,
		ExcludedURLParameters: []string{"sid"},
	}
	r := request.New(v.Array(), &request.Origin{})
	r.Bind(&request.Context{
		Site:     &matomo.Site{ID: 7, Tracker: settings, Goals: goals},
		General:  &matomo.General{},
		Settings: settings,
		Features: matomo.FeaturesOf(func(string) bool { return true }), Behaviours: behaviours,
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

// rejected reports whether err refuses a request for the reason.
func rejected(err error, reason request.Reason) bool {
	var rejection *request.Rejection
	return errors.As(err, &rejection) && rejection.Reason == reason
}

func TestGoalsMatchTheirAttribute(t *testing.T) {
	const (
		page     = `{"url":"http://h/Path/?a=1&b=\"2\"&sid=3","action_name":"Terms & \"Conditions\""}`
		download = `{"url":"http://h/page","download":"http://h/v1.pdf?x=1&y"}`
		outlink  = `{"url":"http://h/page","link":"http://partner/"}`
		event    = `{"url":"http://h/page","e_c":" Cat ","e_a":"a & b","e_n":"name"}`
		search   = `{"url":"http://h/page","search":"kw"}`
		content  = `{"url":"http://h/page","c_n":"n"}`
	)
	tests := []struct {
		goal   string // attribute, type of the pattern, pattern
		params string
		want   bool
	}{
		{"url contains /path/", page, true},
		{"url contains sid=3", page, true}, // excluded parameters count
		{"url contains a=1&b=\"2\"", page, true},
		{"url contains page", download, false},
		{"url contains page", event, false},
		{"title contains Terms & \"c", page, true},
		{"title exact terms &amp; &quot;conditions&quot;", page, true},
		{"title contains x", download, false},
		{"file contains .pdf?x=1&y", download, true},
		{"file contains .pdf", outlink, false},
		{"external_website regex ^http://partner", outlink, true},
		{"external_website contains partner", page, false},
		{"event_category exact  cat ", event, true},
		{"event_category exact Cat", event, false},
		{"event_action exact a & b", event, true},
		{"event_name contains NAME", event, true},
		{"event_name contains ", page, false},
		{"manually contains h", page, false},
		{"nonsense contains page", content, true},
		{"nonsense contains page", outlink, false},
		{"visit_duration greater_than 1", page, true},
		{"visit_duration greater_than 2 minutes", content, true},
		{"visit_duration greater_than 2.5", event, false},
		{"visit_duration less_than 9", page, false},
		{"url contains  ", search, false},
	}
	for _, tt := range tests {
		parts := strings.SplitN(tt.goal, " ", 3)
		goal := matomo.Goal{ID: 1, MatchAttribute: parts[0], PatternType: parts[1], Pattern: parts[2]}
		r := newRequest(t, tt.params, goal)
		a := newAction(t, r)
		got := new(Matcher).Match(r, a, 1000, 1150)
		if (len(got) == 1) != tt.want {
			t.Errorf("%s on %s: %v", tt.goal, tt.params, got)
		}
		if len(got) == 1 && (got[0].URL != a.URL || !got[0].HasURL || got[0].Goal != &r.Site().Goals[0]) {
			t.Errorf("%s: %+v", tt.goal, got[0])
		}
	}
}

func TestPatternTypes(t *testing.T) {
	tests := []struct {
		kind, pattern, text string
		exact               bool
		want                bool
	}{
		{"contains", "äpfel", "xÄPFELx", false, false},
		{"contains", "ÄpFeL", "xÄPFELx", false, true},
		{"contains", "ab", "AB", true, false},
		{"contains", "", "", true, true},
		{"contains", "p%C3%BCnkt", "/pünkt", true, true}, // second try: url-decoded
		{"contains", "a+b", "a b", true, true},
		{"contains", "&amp;", "&", true, true},
		{"exact", "AB", "ab", false, true},
		{"exact", "AB", "ab", true, false},
		{"exact", "ab", "ab", true, true},
		{"exact", "", "", false, true},
		{"regex", "/shop/item-[0-9]+/", "http://h/SHOP/item-12/", false, true},
		{"regex", "/shop/item-[0-9]+/", "http://h/SHOP/item-12/", true, false},
		{"regex", `\/shop\/(item|cat)`, "/shop/cat", true, true},
		{"regex", `\/shop/cat`, "/shop/cat", true, false}, // the delimiter ends the expression
		{"regex", "([broken", "([broken", true, false},
		{"regex", "a.c", "a\nc", true, false},
		{"regex", "%5Ea$", "a", true, true},
		{"regex", `^(<(?:[^<>]|(?1))*>)$`, "<a<b>>", true, true}, // what only PCRE knows
		{"regex", `^(<(?:[^<>]|(?1))*>)$`, "<a<b>", true, false},
		{"startsWith", "a", "a", true, false},
	}
	for _, tt := range tests {
		goal := newGoalTest(&matomo.Goal{PatternType: tt.kind, Pattern: tt.pattern, CaseSensitive: tt.exact})
		if got := goal.matches(php.Unsanitize(tt.text)); got != tt.want {
			t.Errorf("%s %q in %q: %v", tt.kind, tt.pattern, tt.text, got)
		}
	}
}

func TestGoalsOfEachSiteAreTheirOwn(t *testing.T) {
	var m Matcher
	match := func(site *matomo.Site) (ids []int64) {
		r := newRequest(t, `{"url":"http://h/x?a=1&b=2","action_name":"n"}`)
		r.Context().Site = site
		for _, c := range m.Match(r, newAction(t, r), 0, 100) {
			ids = append(ids, c.Goal.ID)
		}
		return ids
	}
	site := func(id int64, goal int64, pattern string) *matomo.Site {
		return &matomo.Site{ID: id, Tracker: newRequest(t, `{}`).Settings(), Goals: []matomo.Goal{
			{ID: goal, MatchAttribute: "url", PatternType: "contains", Pattern: pattern},
		}}
	}
	first, second, changed := site(1, 1, "a=1&amp;b"), site(1+int64(len(m.recent)), 2, "b=2"), site(1, 3, "nothing")
	var got [][]int64
	for _, s := range []*matomo.Site{first, second, first, changed, first} { // all of them in one slot
		got = append(got, match(s))
	}
	if diff := cmp.Diff([][]int64{{1}, {2}, {1}, nil, {1}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGoalsAreFoundInTheirOrder(t *testing.T) {
	goals := []matomo.Goal{
		{ID: 1, MatchAttribute: "url", PatternType: "contains", Pattern: "h"},
		{ID: 3, MatchAttribute: "url", PatternType: "contains", Pattern: "nothing"},
		{ID: 7, MatchAttribute: "title", PatternType: "contains"},
	}
	r := newRequest(t, `{"url":"x","action_name":"h"}`, goals...)
	var got []string
	for _, c := range new(Matcher).Match(r, newAction(t, r), 0, 100) {
		got = append(got, fmt.Sprint(c.Goal.ID, c.URL, c.HasURL))
	}
	if diff := cmp.Diff([]string{"7false"}, got); diff != "" {
		t.Error(diff)
	}
	if got := new(Matcher).Match(r, nil, 0, 100); got != nil {
		t.Error(got)
	}
	r.Context().Features.Goals = false
	if got := new(Matcher).Match(r, newAction(t, r), 0, 100); got != nil {
		t.Error(got)
	}
}

func TestDurationNeedsAVisit(t *testing.T) {
	r := newRequest(t, `{"url":"http://h/"}`,
		matomo.Goal{ID: 1, MatchAttribute: "visit_duration", PatternType: "greater_than", Pattern: "1"})
	a := newAction(t, r)
	for first, want := range map[int64]int{0: 0, 1000: 0, 999: 1} {
		if got := new(Matcher).Match(r, a, first, 1060); len(got) != want {
			t.Errorf("visit since %d: %v", first, got)
		}
	}
}

func TestManualGoal(t *testing.T) {
	goals := []matomo.Goal{{ID: 2, MatchAttribute: "url"}, {ID: 5, MatchAttribute: "manually"}}
	r := newRequest(t, `{"idgoal":"5","url":"http://H/?sid=1&a=2#f"}`, goals...)
	got, err := Manual(r)
	if err != nil || got.Goal != &r.Site().Goals[1] || got.URL != "http://h/?a=2" || !got.HasURL {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Manual(newRequest(t, `{"idgoal":"2"}`, goals...)); err != nil || got.Goal.ID != 2 || got.URL != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Manual(newRequest(t, `{"idgoal":"2","url":"http://h:99999/"}`, goals...)); err != nil || got.HasURL {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Manual(newRequest(t, `{"idgoal":"3"}`, goals...)); !rejected(err, request.InvalidParameter) {
		t.Error(err)
	}
}

func BenchmarkMatch(b *testing.B) {
	r := newRequest(b, `{"url":"http://www.example.org/some/page?x=1","action_name":"A title"}`,
		matomo.Goal{ID: 1, MatchAttribute: "url", PatternType: "contains", Pattern: "/checkout/done"},
		matomo.Goal{ID: 2, MatchAttribute: "url", PatternType: "regex", Pattern: "/thanks/[0-9]+"},
		matomo.Goal{ID: 3, MatchAttribute: "title", PatternType: "exact", Pattern: "Thank you"})
	a := newAction(b, r)
	var m Matcher
	b.ReportAllocs()
	for b.Loop() {
		m.Match(r, a, 0, 1)
	}
}
