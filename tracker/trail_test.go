package tracker

import (
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func numbers(list []*written) (n []int64) {
	for _, w := range list {
		n = append(n, w.batch)
	}
	return n
}

func TestTrailTellsWhatABatchCouldNotSee(t *testing.T) {
	var trail trail
	if _, ok := trail.since(0, 1); ok || trail.visible() != 0 {
		t.Error("an empty trail knows a batch")
	}
	var list []*written
	for n := range int64(4) {
		list = append(list, &written{batch: n + 1})
		trail.add(list[n])
	}
	trail.commit(list[0])
	trail.commit(list[1])
	if trail.visible() != 2 {
		t.Errorf("%d is visible", trail.visible())
	}
	if passed, ok := trail.since(2, 4); !ok || len(passed) != 2 || passed[0] != list[2] {
		t.Errorf("%v, %v", numbers(passed), ok)
	}
	if _, ok := trail.since(2, 5); ok {
		t.Error("the batch in front was not written")
	}
	trail.rollBack(list[2])
	if _, ok := trail.since(2, 4); ok {
		t.Error("what was built on a batch that was rolled back is still there")
	}
	if passed, ok := trail.since(1, 2); !ok || len(passed) != 1 {
		t.Errorf("%v, %v", numbers(passed), ok)
	}
}

// Batches are committed some time after they were played, and each one was read when an earlier one was visible.
func TestTrailIsAsLongAsWhatIsOnItsWay(t *testing.T) {
	var trail trail
	var all []*written
	const behind = 3 // batches that are committed late
	seen := []int64{0}
	for n := range int64(100) {
		if passed, ok := trail.since(seen[n], n); n > 0 && (!ok || int64(len(passed)) != n-seen[n]) {
			t.Fatalf("batch %d, read after %d: %v, %v", n+1, seen[n], numbers(passed), ok)
		}
		trail.forget(seen[n])
		if len(trail.list) > behind+2 {
			t.Fatalf("batch %d: the trail has %v", n+1, numbers(trail.list))
		}
		all = append(all, &written{batch: n + 1})
		trail.add(all[n])
		if n >= behind {
			trail.commit(all[n-behind])
		}
		seen = append(seen, trail.visible())
	}
	if _, ok := trail.since(trail.dropped-1, 100); ok {
		t.Error("a batch that was dropped is not missed")
	}
	trail.end()
	if _, ok := trail.since(100, 100); ok || trail.visible() != 100 {
		t.Errorf("a trail that has ended goes on after %d", trail.visible())
	}
}

// The answer to COMMIT was lost: a batch is rolled back here, but is in the database. Who has read before does not know its rows, whether the
// next batch reads for itself or was played on it already.
func TestTrailMissesABatchThatWasCommittedUnawares(t *testing.T) {
	for about, readsItself := range map[string]bool{"next batch reads for itself": true, "next batch was played": false} {
		var trail trail
		first, unaware := &written{batch: 1}, &written{batch: 2}
		trail.add(first)
		trail.commit(first)
		before := trail.visible()
		trail.add(unaware)
		trail.rollBack(unaware)
		if readsItself {
			trail.end()
		}
		third := &written{batch: 3}
		trail.add(third)
		if passed, ok := trail.since(before, 3); ok {
			t.Errorf("%s: batch 4, read after %d, goes on with %v", about, before, numbers(passed))
		}
		trail.commit(third)
		trail.add(&written{batch: 4})
		if passed, ok := trail.since(trail.visible(), 4); !ok || len(passed) != 1 {
			t.Errorf("%s: batch 5, read after %d: %v, %v", about, trail.visible(), numbers(passed), ok)
		}
	}
}

// A day that was marked by a batch that may yet be rolled back counts for the batches behind it; afterwards the marks know.
func TestTrailKnowsMarksOfBatchesOnTheirWay(t *testing.T) {
	var trail trail
	key := markKey{1, "2026-11-20"}
	w := &written{batch: 1, marked: map[markKey]bool{key: true}}
	trail.add(w)
	if !trail.marked(key) || trail.marked(markKey{2, "2026-11-20"}) {
		t.Error("marks of a batch on its way")
	}
	if trail.commit(w); trail.marked(key) {
		t.Error("a committed batch still answers")
	}
}

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

func asking(queries ...store.VisitQuery) *Batch {
	b := new(Batch)
	for _, q := range queries {
		b.requests = append(b.requests, &parsed{query: q})
	}
	return b
}

// A visitor whose requests are spread over many batches is looked up once in a while, not for each of them.
func TestAnswersOfTheBatchInFrontAreNotAskedFor(t *testing.T) {
	at := func(time int64) store.VisitQuery {
		return store.VisitQuery{SiteID: 1, ByVisitor: true, ByConfig: true, From: time - 1800, To: time}
	}
	lookUps := func(b, front *Batch) (asked []store.VisitQuery) {
		asked, b.known = ask(queries(b), front.known, []*Batch{b})
		return asked
	}
	answer := func(b *Batch, asked []store.VisitQuery, v *store.Visit) {
		found := make(map[store.VisitQuery]store.Found)
		for _, q := range asked {
			found[q] = store.Found{Visit: v, ByVisitor: true}
		}
		b.keepAnswers(&reading{found: found, asked: make(map[question]store.Found)})
	}
	front := asking(at(10_000), at(10_010))
	asked := lookUps(front, new(Batch))
	if len(asked) != 3 || asked[1].To != 10_010+horizon {
		t.Fatalf("%+v", asked)
	}
	answer(front, asked, &store.Visit{LastActionTime: 9_990})
	var silent int
	for {
		b := asking(slices.Repeat([]store.VisitQuery{at(10_011)}, 100)...)
		if asked = lookUps(b, front); len(asked) > 0 {
			break
		}
		answer(b, nil, nil)
		front = b
		silent += 100
	}
	if silent != maxAge {
		t.Errorf("not asked for %d requests", silent)
	}
	if len(lookUps(asking(at(9_000)), front)) != 2 {
		t.Error("an earlier window is answered from a later one")
	}

	// A visit that the database has behind the batch's own requests answers no later ones.
	front = asking(at(10_000))
	answer(front, lookUps(front, new(Batch)), &store.Visit{LastActionTime: 10_100})
	if len(lookUps(asking(at(10_050)), front)) != 2 {
		t.Error("a visit of later is taken for the answer")
	}
}
