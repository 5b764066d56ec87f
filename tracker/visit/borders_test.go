package visit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// at is a moment of 2026-03-29 in UTC, the day on which Berlin's clocks go forward at 01:00 UTC.
func at(hour, minute, second int) int64 {
	return time.Date(2026, 3, 29, hour, minute, second, 0, time.UTC).Unix()
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// spec §3.4: a visit ends half an hour after its last action, that second included.
func TestBordersOfAVisit(t *testing.T) {
	const length = 1800
	type settings = matomo.TrackerSettings
	midnight := settings{VisitStandardLength: 86400, NewVisitAfterMidnight: true}
	for _, tt := range []struct {
		about     string
		settings  settings
		last, now int64
		forced    bool
		want      bool
	}{
		{"a second before the end", settings{VisitStandardLength: length}, 10_000, 10_000 + length - 1, false, false},
		{"at the end", settings{VisitStandardLength: length}, 10_000, 10_000 + length, false, true},
		{"a second behind the end", settings{VisitStandardLength: length}, 10_000, 10_000 + length + 1, false, true},
		{"an action from before the last one", settings{VisitStandardLength: length}, 10_000, 9_000, false, false},
		{"forced by the request", settings{VisitStandardLength: length}, 10_000, 10_000, true, true},
		{"always a new one", settings{VisitStandardLength: length, AlwaysNewVisitor: true}, 10_000, 10_000, false, true},
		{"the site's day ends", midnight, at(21, 59, 59), at(22, 0, 0), false, true},
		{"the day ends in UTC only", midnight, at(22, 30, 0), at(22, 31, 0) + 2*3600 - 120, false, false},
		{"days do not count", settings{VisitStandardLength: 86400}, at(21, 59, 59), at(22, 0, 0), false, false},
		{
			"a month later, the same day",
			settings{VisitStandardLength: 1e9, NewVisitAfterMidnight: true},
			at(10, 0, 0), at(10, 0, 0) + 31*86400, false, true,
		},
	} {
		tt.settings.UserIDOverwritesVisitorID = false
		f := &Facts{Site: &matomo.Site{Tracker: &tt.settings, Location: berlin(t)}, Time: tt.now, ForceNew: tt.forced}
		if got := StartsNew(f, &store.Visit{LastActionTime: tt.last}); got != tt.want {
			t.Errorf("%s: new %v, want %v", tt.about, got, tt.want)
		}
	}
	if !StartsNew(&Facts{Site: &matomo.Site{Tracker: &settings{VisitStandardLength: length}}}, nil) {
		t.Error("an unknown visitor begins no visit")
	}
}

// spec §3.3: visits of as many actions as the setting says are left behind; 0 means that there is no such limit.
func TestBorderOfLongVisits(t *testing.T) {
	for _, tt := range []struct {
		limit, actions int64
		want           bool
	}{{10, 9, false}, {10, 10, true}, {10, 11, true}, {0, 1_000_000, false}, {-1, 10, false}, {1, 0, false}} {
		f := &Facts{Site: &matomo.Site{Tracker: &matomo.TrackerSettings{NewVisitAfterActions: tt.limit}}}
		if got := TooManyActions(f, &store.Visit{TotalActions: store.Int(tt.actions)}); got != tt.want {
			t.Errorf("limit %d, %d actions: %v, want %v", tt.limit, tt.actions, got, tt.want)
		}
		if TooManyActions(f, nil) {
			t.Errorf("limit %d: an unknown visitor has too many actions", tt.limit)
		}
	}
}

// spec §3.1, §3.2: by what the last visit is looked up, and from when to when.
func TestQueryOfTheLastVisit(t *testing.T) {
	visitor, config := store.BinaryID([]byte("visitor1")), store.BinaryID([]byte("config-1"))
	const now, length, window = 100_000, 1800, 7200
	byVisitor := store.VisitQuery{SiteID: 7, To: now + length, ByVisitor: true, Visitor: visitor}
	byConfig := store.VisitQuery{SiteID: 7, To: now + length, ByConfig: true, ConfigID: config, From: now - length}
	both := byConfig
	both.ByVisitor, both.Visitor = true, visitor
	far := byConfig
	far.From = now - window
	named := both
	named.UserID = store.Text("anna")
	for _, tt := range []struct {
		about  string
		facts  Facts
		window int64
		want   store.VisitQuery
	}{
		{"no visitor id", Facts{}, 0, byConfig},
		{"no visitor id, a longer window", Facts{}, window, far},
		{"no visitor id, a shorter window", Facts{}, length - 1, byConfig},
		{"visitor id", Facts{HasVisitor: true}, 0, both},
		{"visitor id that is trusted", Facts{HasVisitor: true, TrustCookies: true}, 0, byVisitor},
		{"visitor id that is forced", Facts{HasVisitor: true, ForcedID: true}, 0, byVisitor},
		{"forced, with a user id", Facts{HasVisitor: true, ForcedID: true, HasUserID: true, UserID: "anna"}, 0, named},
		{"user id 0 is no user id of a visit", Facts{HasVisitor: true, HasUserID: true, UserID: "0"}, 0, both},
	} {
		f := tt.facts
		f.Site = &matomo.Site{ID: 7, Tracker: &matomo.TrackerSettings{VisitStandardLength: length, WindowLookBack: tt.window}}
		f.Time, f.Visitor, f.ConfigID = now, visitor, config
		if diff := cmp.Diff(tt.want, Query(&f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.about, diff)
		}
	}
}

// spec §5.2: what a new visit says of the visitor's earlier ones.
func TestHistoryOfANewVisit(t *testing.T) {
	type history struct {
		visits                            int64
		sinceFirst, sinceLast, sinceOrder store.NullInt
		returning                         int64
	}
	null := store.NullInt{}
	last := func(began int64, first, order store.NullInt) Last {
		return &store.Visit{FirstActionTime: began, CountVisits: 3, SecondsSinceFirst: first, SecondsSinceOrder: order}
	}
	for _, tt := range []struct {
		about string
		last  Last
		order bool
		want  history
	}{
		{"unknown", nil, false, history{1, store.Int(0), store.Int(0), null, 0}},
		{"unknown, with an order", nil, true, history{1, store.Int(0), store.Int(0), store.Int(0), 2}},
		{"known", last(400, store.Int(50), null), false, history{4, store.Int(650), store.Int(600), null, 1}},
		{
			"a customer", last(400, store.Int(50), store.Int(10)), false,
			history{4, store.Int(650), store.Int(600), store.Int(610), 2},
		},
		{
			"right behind the order", last(400, store.Int(50), store.Int(0)), false,
			history{4, store.Int(650), store.Int(600), store.Int(600), 1},
		},
		{"from before the last one", last(1600, store.Int(50), null), false, history{4, null, null, null, 1}},
		{"the last one has no time", last(0, store.Int(50), null), false, history{4, store.Int(1050), store.Int(0), null, 1}},
	} {
		f := &Facts{Site: &matomo.Site{Tracker: &matomo.TrackerSettings{}}, Time: 1000, HasOrder: tt.order}
		v := Begin(f, tt.last, Beginning{RandomID: func() store.BinaryID { return store.BinaryID{} }})
		got := history{v.CountVisits, v.SecondsSinceFirst, v.SecondsSinceLast, v.SecondsSinceOrder, v.Returning.V}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(history{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.about, diff)
		}
	}
}

// spec §5.2: the time of a new visit is the setting's, and a conversion moves it where the visitor is known.
func TestTimeOfANewVisit(t *testing.T) {
	for _, tt := range []struct {
		about            string
		known, converted bool
		onePage, want    int64
	}{
		{"unknown", false, false, 10, 10},
		{"unknown, converts", false, true, 10, 10},
		{"known", true, false, 10, 10},
		{"known, converts", true, true, 10, 10 + 3 + 2},
		{"the setting is negative", false, false, -1, 0},
	} {
		settings := &matomo.TrackerSettings{DefaultTimeOnePageVisit: tt.onePage}
		f := &Facts{Site: &matomo.Site{Tracker: settings}, Time: 1000, GoalParam: 3}
		var last Last
		if tt.known {
			last = &store.Visit{FirstActionTime: 400}
		}
		v := Begin(f, last, Beginning{Converted: tt.converted, RandomID: func() store.BinaryID { return store.BinaryID{} }})
		if v.TotalTime != tt.want {
			t.Errorf("%s: %d seconds in all, want %d", tt.about, v.TotalTime, tt.want)
		}
	}
}

// spec §5.3: times of a visit that goes on.
func TestTimesOfAContinuedVisit(t *testing.T) {
	for _, tt := range []struct {
		about                    string
		now                      int64
		ping, converted          bool
		spent, lastAction, total int64
	}{
		{"a later action", 1100, false, false, 100, 1100, 301},
		{"the same second", 1000, false, false, 0, 1000, 201},
		{"an earlier action", 900, false, false, 0, 1000, 101},
		{"before the first action", 700, false, false, 0, 1000, 0},
		{"later than a visit takes", 5000, false, false, 1800, 5000, 4201},
		{"a ping", 1100, true, false, 100, 1000, 301},
		{"a conversion", 1100, false, true, 100, 1100, 301 + 3 + 2},
	} {
		f := &Facts{
			Site: &matomo.Site{Tracker: &matomo.TrackerSettings{VisitStandardLength: 1800}}, Time: tt.now, Ping: tt.ping, GoalParam: 3,
		}
		v := &store.Visit{FirstActionTime: 800, LastActionTime: 1000}
		spent := Continue(f, v, Continuation{Converted: tt.converted})
		if spent != tt.spent || v.LastActionTime != tt.lastAction || v.TotalTime != tt.total {
			t.Errorf("%s: spent %d, last action %d, in all %d; want %d, %d, %d",
				tt.about, spent, v.LastActionTime, v.TotalTime, tt.spent, tt.lastAction, tt.total)
		}
	}
}
