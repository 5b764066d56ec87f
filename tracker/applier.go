package tracker

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// applier plays the requests of one batch. It exists for one attempt to write the batch.
type applier struct {
	t      *Tracker
	batch  *Prepared
	visits *lookahead.Visits
	work   *unitOfWork

	pageviews map[*store.Visit][]*store.LinkAction // of the batch, pending or written

	converted map[conversionKey]bool
	viewsRead map[int64]store.PageViews // by idvisit

	// Of the request that is played: memory that serves again for the next one.
	last, row store.Visit
	ids       []store.ActionID
	today     today

	entries map[entryKey]*store.ActionEntry
	wanted  map[*store.ActionEntry]bool // entries that requests of the batch refer to
	marking map[markKey]bool            // days that the batch marks
	bans    bans
	banning bool // the option with the bans is locked
	result  *Result
}

// newApplier is for one attempt. begin gives the transaction when it is needed; dry: nothing is written.
func newApplier(t *Tracker, b *Prepared, begin func(ctx context.Context) (*store.Tx, error), dry bool) *applier {
	result := &Result{Sets: b.sets, Requests: len(b.requests)}
	return &applier{
		t: t, batch: b, result: result, work: &unitOfWork{t: t, batch: b, begin: begin, dry: dry, result: result},
		pageviews: make(map[*store.Visit][]*store.LinkAction),
		converted: make(map[conversionKey]bool),
		entries:   make(map[entryKey]*store.ActionEntry),
		wanted:    make(map[*store.ActionEntry]bool),
		marking:   make(map[markKey]bool),
	}
}

// use takes the visits that the requests are played against.
func (a *applier) use(visits *lookahead.Visits) { a.visits, a.work.visits = visits, visits }

// note is what the batches behind know of one that was written, beside its visits.
type note struct {
	marked map[markKey]bool
	bans   bans
}

// conversionKey is the key of log_conversion.
type conversionKey struct {
	visit  *store.Visit
	goal   int64
	buster int64
}

type entryKey struct {
	kind int64
	name string
}

// entry returns the batch's entry of the dictionary for a lookup's type and name, and whether nobody has asked for it
// before.
func (a *applier) entry(kind int64, name string, prefix store.NullInt) (e *store.ActionEntry, isNew bool) {
	key := entryKey{kind, name}
	e, ok := a.entries[key]
	if !ok {
		e = &store.ActionEntry{Type: kind, Name: name, Prefix: prefix}
		a.entries[key] = e
	}
	return e, !ok
}
