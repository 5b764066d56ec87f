package lookahead_test

import (
	"context"
	"slices"

	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// attempt is a batch that is played, and written in a transaction.
type attempt struct {
	*world
	*batch
	t       *rapid.T
	visits  *lookahead.Visits
	before  table // the truth before it
	began   bool
	view    table // what its transaction sees, once it has begun: all in front of it, and what it has written itself
	writes  []row
	unsent  []unsent
	written *lookahead.Written[int64]
}

// unsent is a row on its way to the database, which will give it this number.
type unsent struct {
	row *store.Visit
	id  int64
}

// start plays the next batch.
func (w *world) start(t *rapid.T) *attempt {
	if len(w.waiting) == 0 {
		w.prepare(t)
	}
	b := w.waiting[0]
	a := &attempt{world: w, batch: b, t: t, before: slices.Clone(w.truth)}
	recalled := false
	if b.ahead {
		b.ahead = false
		a.visits, recalled = w.inFlight.Recall(b.reading, b.lookUps())
	}
	if !recalled {
		a.begin()
		var err error
		if a.visits, err = w.inFlight.Read(context.Background(), view{a.view, w.descending}, b.lookUps()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range b.requests {
		a.request(&b.requests[i])
	}
	return a
}

// begin begins the transaction, in which all in front of the batch is visible.
func (a *attempt) begin() {
	if !a.began {
		a.commitAll()
		a.view, a.began = slices.Clone(a.server), true
	}
}

// request plays one of the requests, in memory and on the plain list.
func (a *attempt) request(r *request) {
	want, _ := a.truth.find(&r.query, a.descending)
	found, err := a.visits.Find(context.Background(), &r.query, a)
	if err != nil {
		a.t.Fatal(err)
	}
	var got row
	if found != nil {
		got = rowOf(found.Row)
	}
	got.ID = 0
	if got != want {
		a.t.Fatalf("batch %d finds for %+v\n     %+v\nwant %+v", a.number, r.query, got, want)
	}
	if r.leaves {
		return
	}
	after, isNew := r.play(got)
	if isNew {
		after.Place = int64(len(a.truth)) + 1
		a.visits.Begin(after.visit())
	} else {
		a.visits.Keep(found, after.visit())
	}
	a.truth.put(after)
}

// FindVisits is what memory asks when it is not sure.
func (a *attempt) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	a.begin()
	a.flush(false)
	a.visits.Settle()
	return view{a.view, a.descending}.FindVisits(ctx, queries)
}

// flush writes what has changed. New rows get their numbers at once, or later.
func (a *attempt) flush(later bool) {
	a.visits.Number()
	all := a.all()
	for i, v := range a.visits.Touched() {
		isNew := v.Stored == nil
		if isNew {
			a.lastID++
			v.Row.ID = a.lastID
		}
		r := rowOf(v.Row)
		switch there := all.at(r.Place); {
		case isNew && there != (row{}):
			a.t.Fatalf("batch %d begins %+v, but the database has %+v", a.number, r, there)
		case !isNew && rowOf(v.Stored) != there:
			a.t.Fatalf("batch %d changes %+v, but the database has %+v", a.number, rowOf(v.Stored), there)
		}
		if a.writes = append(a.writes, r); a.began {
			a.view.put(r)
		}
		if isNew && later {
			a.unsent = append(a.unsent, unsent{v.Row, r.ID})
			v.Row.ID = -1<<32 - int64(i)
		}
	}
}

// all is what the database will have once all is committed that is written.
func (a *attempt) all() table {
	all := slices.Clone(a.server)
	for _, front := range append(slices.Clone(a.uncommitted), a) {
		for _, r := range front.writes {
			all.put(r)
		}
	}
	return all
}

// arrive gives the rows their numbers.
func (a *attempt) arrive() {
	for _, u := range a.unsent {
		u.row.ID = u.id
	}
	a.unsent = nil
}
