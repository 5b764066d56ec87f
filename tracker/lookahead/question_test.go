package lookahead

import (
	"context"
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func TestSpanCoversOnlyWindowsThatWereAsked(t *testing.T) {
	s := span{from: 100, least: 200, most: 300}
	for name, c := range map[string]struct {
		span   span
		covers bool
	}{
		"the same":              {span{from: 100, least: 200, most: 300}, true},
		"inside":                {span{from: 150, least: 210, most: 290}, true},
		"begins earlier":        {span{from: 99, least: 200, most: 300}, false},
		"ends earlier":          {span{from: 100, least: 199, most: 300}, false},
		"goes on":               {span{from: 100, least: 200, most: 301}, false},
		"a visit of long after": {span{from: 900, least: 1000, most: 1000}, false},
	} {
		if got := s.covers(c.span); got != c.covers {
			t.Errorf("%s: %v", name, got)
		}
	}
	if old := (span{from: 100, least: 200, most: 300, age: maxAge}); old.covers(s) {
		t.Error("an old answer is used")
	}
	if (span{}).covers(s) {
		t.Error("no answer is used")
	}
}

// The windows of a batch's look-ups, in whatever order they come.
func TestSpanOfSeveralWindows(t *testing.T) {
	window := func(from, to int64) store.VisitQuery { return store.VisitQuery{From: from, To: to} }
	want := span{from: 80, least: 150, most: 310}
	for _, windows := range [][]store.VisitQuery{
		{window(100, 200), window(80, 310), window(90, 150)},
		{window(80, 310), window(90, 150), window(100, 200)},
		{window(90, 150), window(100, 200), window(80, 310)},
	} {
		got := span{from: windows[0].From, least: windows[0].To, most: windows[0].To}
		for _, q := range windows {
			got = got.with(q)
		}
		if got != want {
			t.Errorf("%+v: %+v, want %+v", windows, got, want)
		}
	}
}

func TestAnswersAreThoseOfTheWindow(t *testing.T) {
	v := &store.Visit{LastActionTime: 150}
	byConfig, byVisitor := answer{found: store.Found{Visit: v}}, answer{found: store.Found{Visit: v, ByVisitor: true}}
	if byConfig.in(store.VisitQuery{From: 150}).Visit != v || byVisitor.in(store.VisitQuery{From: 200}).Visit != v {
		t.Error("the visit is not found")
	}
	if byConfig.in(store.VisitQuery{From: 151}).Visit != nil {
		t.Error("a visit with the fingerprint is too old")
	}
}

func asking(number int64, queries ...store.VisitQuery) LookUps { return LookUps{number, queries} }

// answering is a database that gives each look-up the same answer, and remembers what it was asked.
type answering struct {
	store.Found
	asked []store.VisitQuery
}

func (a *answering) FindVisits(_ context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	a.asked = queries
	return slices.Repeat([]store.Found{a.Found}, len(queries)), nil
}

// A visitor whose requests are spread over many batches is looked up once in a while, not for each of them.
func TestAnswersOfTheBatchInFrontAreNotAskedFor(t *testing.T) {
	at := func(time int64) store.VisitQuery {
		return store.VisitQuery{SiteID: 1, ByVisitor: true, ByConfig: true, From: time - 1800, To: time}
	}
	var f InFlight[string]
	var asked []store.VisitQuery
	lookUps := func(b LookUps, before *Reading, v *store.Visit) *Reading {
		database := &answering{Found: store.Found{Visit: v, ByVisitor: true}}
		r, err := f.Ask(t.Context(), database, b.Batch-1, before, b)
		if err != nil {
			t.Fatal(err)
		}
		asked = database.asked
		return r
	}
	front := lookUps(asking(1, at(10_000), at(10_010)), nil, &store.Visit{LastActionTime: 9_990})
	if len(asked) != 3 || asked[1].To != 10_010+horizon {
		t.Fatalf("%+v", asked)
	}
	var silent int
	number := int64(1)
	for {
		number++
		r := lookUps(asking(number, slices.Repeat([]store.VisitQuery{at(10_011)}, 100)...), front, nil)
		if len(asked) > 0 {
			break
		}
		front = r
		silent += 100
	}
	if silent != maxAge {
		t.Errorf("not asked for %d look-ups", silent)
	}
	if lookUps(asking(number, at(9_000)), front, nil); len(asked) != 2 {
		t.Error("an earlier window is answered from a later one")
	}

	// What was read for another batch is not what the batch in front knows.
	front = lookUps(asking(1, at(10_000)), nil, nil)
	if lookUps(asking(3, at(10_001)), front, nil); len(asked) != 2 {
		t.Errorf("the batch in front is another one, asked is %+v", asked)
	}
	if lookUps(asking(2, at(10_001)), front, nil); len(asked) != 0 {
		t.Errorf("the batch in front knows, asked is %+v", asked)
	}

	// A visit that the database has behind the batch's own requests answers no later ones.
	front = lookUps(asking(1, at(10_000)), nil, &store.Visit{LastActionTime: 10_100})
	if lookUps(asking(2, at(10_050)), front, nil); len(asked) != 2 {
		t.Error("a visit of later is taken for the answer")
	}
}
