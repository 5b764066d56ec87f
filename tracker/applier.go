package tracker

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// applier plays the requests of one batch. It exists for one attempt to write the batch.
type applier struct {
	t     *Tracker
	begin func(ctx context.Context) (*store.Tx, error)
	tx    *store.Tx // nil: not needed yet
	batch *Batch
	dry   bool // nothing is written

	visits *lookahead.Visits

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
	pending pending
	result  *Result

	// For the caches, when the batch is committed.
	newMarks   []markKey
	movedSites []int64
}

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

// FindVisits asks the database with all changes of the batch in it: it is what visits are looked up in when memory is
// not sure.
func (a *applier) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	tx, err := a.database(ctx)
	if err != nil {
		return nil, err
	}
	return tx.FindVisits(ctx, queries)
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
