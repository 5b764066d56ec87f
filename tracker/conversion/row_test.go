package conversion

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// sampleVisit has a value in every column that conversions copy, and in some that they do not.
func sampleVisit() *store.Visit {
	return &store.Visit{
		ID: 4, SiteID: 7, Visitor: store.BinaryID{1, 2}, CountVisits: 3,
		Returning: store.Int(1), SecondsSinceFirst: store.Int(100), SecondsSinceOrder: store.NullInt{},
		TotalInteractions: store.Int(9), TotalSearches: store.Int(1),
		Referer: store.Referer{Type: store.Int(1), URL: store.Text("u")},
		Device: store.Device{
			BrowserEngine: store.Text("Blink"), BrowserName: store.Text("CH"), BrowserVersion: store.Text("1"),
			ClientType: store.Int(1),
			Brand:      store.Text("AP"), Model: store.Text("m"), Type: store.Int(0), OS: store.Text("WIN"),
			OSVersion: store.Text("10"),
		},
		Location:         store.Location{Country: store.Text("de"), City: store.Text("Köln")},
		CustomDimensions: []store.NullText{store.Text("d1"), store.Text("d3"), {}},
	}
}

func source(t testing.TB, params string, goals ...matomo.Goal) *Source {
	r := newRequest(t, params, goals...)
	return &Source{
		Request: r, Time: 1795341600, Visit: sampleVisit(), IsNew: true,
		Referer: store.Referer{Type: store.Int(6), Name: store.Text("c"), Keyword: store.Text("k"), URL: store.Text("no")},
		Random:  bytes.NewReader([]byte{4, 17, 1, 2}),
	}
}

// common are the columns that every conversion of sampleVisit has.
func common(v *store.Visit) store.Conversion {
	return store.Conversion{
		Visit: v, SiteID: 7, Visitor: store.BinaryID{1, 2}, ServerTime: 1795341600, Returning: store.Int(1),
		SecondsSinceFirst: store.Int(100),
		CountVisits:       3, Referer: store.Referer{Type: store.Int(6), Name: store.Text("c"), Keyword: store.Text("k")},
		Device: store.Device{
			BrowserName: store.Text("CH"), ClientType: store.Int(1), Brand: store.Text("AP"), Model: store.Text("m"),
			Type: store.Int(0),
		},
		Location: store.Location{Country: store.Text("de"), City: store.Text("Köln")},
	}
}

func TestGoalConversionCopiesVisitAndAction(t *testing.T) {
	src := source(t, `{"url":"http://h/x"}`)
	src.Loaded, src.IsNew = &store.Visit{TotalInteractions: store.Int(5), TotalSearches: store.Int(2)}, false
	src.Action = newAction(t, src.Request)
	src.Link = &store.LinkAction{URL: id(8)}
	got, err := NewGoalConversion(src,
		Converted{Goal: &matomo.Goal{ID: 5, Revenue: "2.5", AllowMultiple: true}, URL: "http://h/x", HasURL: true})
	if err != nil {
		t.Fatal(err)
	}
	want := common(src.Visit)
	want.GoalID, want.URL, want.URLAction, want.Link = 5, "http://h/x", id(8), store.LinkOf(src.Link)
	want.Buster = 2795341600 // 1+4%3, 17%10, then the time from its third digit on
	want.Revenue, want.PageviewsBefore = store.Text("2.5"), store.Int(4)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestManualGoalHasNoAction(t *testing.T) {
	src := source(t, `{"idgoal":"5","revenue":"1.239"}`)
	got, err := NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 5, Revenue: "9"}})
	want := common(src.Visit)
	want.GoalID, want.Revenue, want.PageviewsBefore = 5, store.Text("1.24"), store.Int(0)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(diff, err)
	}
}

func TestEventValueIsTheRevenueOfEventGoals(t *testing.T) {
	tests := []struct {
		attribute string
		asRevenue bool
		params    string
		want      string
	}{
		{"event_action", true, `{"e_v":"1.2345"}`, "1.2345"}, // not rounded
		{"event_name", true, `{"e_v":"0"}`, "0"},
		{"event_category", true, `{"e_v":"abc"}`, "0"},
		{"event_category", true, `{"revenue":"4"}`, "4"},
		{"event_category", false, `{"e_v":"5"}`, "3"},
		{"url", true, `{"e_v":"5"}`, "3"},
	}
	for _, tt := range tests {
		goal := &matomo.Goal{ID: 1, MatchAttribute: tt.attribute, EventValueAsRevenue: tt.asRevenue, Revenue: "3"}
		got, err := NewGoalConversion(source(t, tt.params), Converted{Goal: goal})
		if err != nil || got.Revenue != store.Text(tt.want) {
			t.Errorf("%s %v %s: %+v, %v", tt.attribute, tt.asRevenue, tt.params, got.Revenue, err)
		}
	}
}

func TestGoalConversionFails(t *testing.T) {
	goal := Converted{Goal: &matomo.Goal{
		ID: 1, MatchAttribute: "event_name", EventValueAsRevenue: true,
		AllowMultiple: true,
	}}
	for _, params := range []string{`{"revenue":["1"]}`, `{"e_v":["1"]}`} {
		if _, err := NewGoalConversion(source(t, params), goal); !rejected(err, request.WrongType) {
			t.Errorf("%s: %v", params, err)
		}
	}
	src := source(t, `{"rec":"1"}`)
	broken := errors.New("no entropy")
	src.Random = iotest.ErrReader(broken)
	if _, err := NewGoalConversion(src, goal); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestOrderAndCart(t *testing.T) {
	src := source(t,
		`{"idgoal":"0","ec_id":"ORD-1","revenue":"10.126","ec_st":"1","ec_tx":"2","ec_sh":"3","ec_dt":"4",
		"ec_items":[["a","b","c",1,2],["d"]]}`)
	src.Loaded = &store.Visit{TotalInteractions: store.Int(5)}
	e, err := ReadEcommerce(src.Request)
	if err != nil {
		t.Fatal(err)
	}
	want := common(src.Visit)
	want.OrderID, want.Buster, want.Items, want.PageviewsBefore = store.Text("ORD-1"), 2723548506, store.Int(3), store.Int(5)
	want.Revenue, want.RevenueSubtotal, want.RevenueTax = store.Text("10.13"), store.Text("1"), store.Text("2")
	want.RevenueShipping, want.RevenueDiscount = store.Text("3"), store.Text("4")
	if diff := cmp.Diff(want, NewEcommerceConversion(src, e)); diff != "" {
		t.Error("order:", diff)
	}

	src = source(t, `{"idgoal":"0","ec_st":"1"}`)
	if e, err = ReadEcommerce(src.Request); err != nil {
		t.Fatal(err)
	}
	want = common(src.Visit)
	want.GoalID, want.Items, want.Revenue = -1, store.Int(0), store.Text("0")
	if diff := cmp.Diff(want, NewEcommerceConversion(src, e)); diff != "" {
		t.Error("cart:", diff)
	}
}

func TestBusterOfOrders(t *testing.T) {
	for orderID, want := range map[string]int64{"ORD-1": 2723548506, "10": 3554231400, "0": 3486326916} { // spec §D.6
		if got := orderBuster(orderID); got != want {
			t.Errorf("%s: %d", orderID, got)
		}
	}
}

func TestCountryIsGuessedWhereTheVisitHasNone(t *testing.T) {
	src := source(t, `{"idgoal":"1"}`)
	src.Visit.Location.Country, src.FallbackCountry = store.NullText{}, "fr"
	got, err := NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 1}})
	if err != nil || got.Location.Country != store.Text("fr") {
		t.Error(got.Location, err)
	}
	src.Request.Context().Features.UserCountry = false
	src.Request.Context().Features.Ecommerce = false
	got, err = NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 1, Revenue: "5"}})
	if err != nil || got.Location.Country.Valid || got.Revenue.Valid {
		t.Error(got.Location, got.Revenue, err)
	}
}

func TestDimensionsAreCopiedByIndex(t *testing.T) {
	src := source(t, `{"idgoal":"1"}`)
	src.Request.Site().Dimensions = []matomo.Dimension{
		{ID: 11, Index: 1, Scope: "visit"},
		{ID: 12, Index: 3, Scope: "visit"},
		{ID: 13, Index: 5, Scope: "visit"},
		{ID: 14, Index: 3, Scope: "action"},
		{ID: 15, Index: 9, Scope: "visit"},
	}
	src.VisitDimensions, src.ConversionDimensions = []int{1, 3, 5, 9}, []int{2, 3, 5, 1, 9}
	got, err := NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 1}})
	want := []store.NullText{{}, store.Text("d3"), {}, store.Text("d1"), {}}
	if diff := cmp.Diff(want, got.CustomDimensions); err != nil || diff != "" {
		t.Error(diff, err)
	}
	src.Request.Context().Features.CustomDimensions = false
	if got, _ = NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 1}}); got.CustomDimensions != nil {
		t.Error(got.CustomDimensions)
	}
}

func TestOldCustomVariablesOfTheVisitWin(t *testing.T) {
	set := func(name, value string) store.CustomVar {
		return store.CustomVar{Name: store.Text(name), Value: store.Text(value)}
	}
	const sent = `{"_cvar":{"1":["new","1"],"2":["new","2"]}}`
	old := []store.CustomVar{set("old", ""), {}, set("", "v"), set("", ""), set("beyond", "x")}
	tests := []struct {
		about, params string
		isNew         bool
		want          []store.CustomVar
	}{
		{"new visit", sent, true, []store.CustomVar{set("new", "1"), set("new", "2"), {}, {}}},
		{
			"visit that goes on", sent, false,
			[]store.CustomVar{set("old", "1"), set("new", "2"), {Value: store.Text("v")}, {}},
		},
		{"none sent", `{"rec":"1"}`, false, []store.CustomVar{{Name: store.Text("old")}, {}, {Value: store.Text("v")}, {}}},
		{"none at all", `{"rec":"1"}`, true, nil},
	}
	for _, tt := range tests {
		src := source(t, tt.params)
		src.CustomVars, src.IsNew, src.Loaded = 4, tt.isNew, &store.Visit{CustomVars: old}
		got, err := NewGoalConversion(src, Converted{Goal: &matomo.Goal{ID: 1}})
		if diff := cmp.Diff(tt.want, got.CustomVars); err != nil || diff != "" {
			t.Errorf("%s: %s %v", tt.about, diff, err)
		}
	}
}

func TestCheckAmountsRefusesWhatTheRowWould(t *testing.T) {
	event := matomo.Goal{ID: 1, MatchAttribute: "event_action", EventValueAsRevenue: true, Revenue: "1"}
	plain := matomo.Goal{ID: 1, MatchAttribute: "url", EventValueAsRevenue: true, Revenue: "1"}
	for _, test := range []struct {
		params  string
		goal    matomo.Goal
		refused bool
	}{
		{`{"url":"http://h/x"}`, plain, false},
		{`{"url":"http://h/x","revenue":"abc"}`, plain, false},
		{`{"url":"http://h/x","revenue":["1"]}`, plain, true},
		{`{"url":"http://h/x","revenue":["1"]}`, event, true},
		{`{"url":"http://h/x","e_v":["1"]}`, plain, false},
		{`{"url":"http://h/x","e_v":["1"]}`, event, true},
		{`{"url":"http://h/x","e_v":"2"}`, event, false},
	} {
		src := source(t, test.params)
		_, want := NewGoalConversion(src, Converted{Goal: &test.goal})
		got := CheckAmounts(src.Request, &test.goal)
		if (want != nil) != test.refused || (got != nil) != test.refused || got != nil && got.Error() != want.Error() {
			t.Errorf("%s, %s: %v, the row %v", test.params, test.goal.MatchAttribute, got, want)
		}
	}
}
