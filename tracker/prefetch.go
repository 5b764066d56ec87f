package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ahead is what was read for a batch while another one was being written.
type ahead struct {
	during *Batch
	found  map[store.VisitQuery]store.Found
}

// Prefetch reads what the batch may ask for, outside of any transaction, while the batch during is being written by this tracker: Write
// then adds what that one has changed. Without it, or when something else was written since, Write reads by itself. It may be called
// while Write runs.
func (t *Tracker) Prefetch(ctx context.Context, b, during *Batch) error {
	found, err := find(ctx, t.store, b.queries())
	if err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	var entries []*store.ActionEntry
	known := make(map[entryKey]bool)
	b.names(func(l action.Lookup) {
		if key := (entryKey{l.Type, l.Name}); !known[key] {
			known[key] = true
			entries = append(entries, &store.ActionEntry{Type: l.Type, Name: l.Name})
		}
	})
	if err := t.store.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	b.ahead = &ahead{during, found}
	return nil
}

// queries lists the look-ups of the batch, each once.
func (b *Batch) queries() []store.VisitQuery {
	queries := make([]store.VisitQuery, 0, len(b.requests))
	listed := make(map[store.VisitQuery]bool, len(b.requests))
	for _, p := range b.requests {
		if p.active() && !listed[p.query] {
			listed[p.query] = true
			queries = append(queries, p.query)
		}
	}
	return queries
}

// names calls yield for each name that the batch refers to.
func (b *Batch) names(yield func(l action.Lookup)) {
	all := func(lookups []action.Lookup) {
		for _, l := range lookups {
			if !php.EmptyString(l.Name) {
				yield(l)
			}
		}
	}
	for _, p := range b.requests {
		if p.active() && p.action != nil {
			all(p.action.Lookups)
		}
		if p.active() && p.ecommerce != nil {
			all(p.ecommerce.Lookups)
		}
	}
}

func find(ctx context.Context, in interface {
	FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error)
}, queries []store.VisitQuery,
) (map[store.VisitQuery]store.Found, error) {
	answers, err := in.FindVisits(ctx, queries)
	if err != nil {
		return nil, err
	}
	found := make(map[store.VisitQuery]store.Found, len(queries))
	for i, q := range queries {
		found[q] = answers[i]
	}
	return found, nil
}

// prefetch reads what the requests of the batch may ask for: the visits that their ids and fingerprints find, and the ids of all names
// that they refer to. What a request then gets is decided by apply.
func (a *applier) prefetch(ctx context.Context) error {
	a.byID = make(map[int64]*visitState)
	a.keyed = make(map[visitKey][]*visitState)
	a.pageviews = make(map[*store.Visit][]*store.LinkAction)
	a.converted = make(map[conversionKey]bool)
	a.entries = make(map[entryKey]*store.ActionEntry)
	a.wanted = make(map[*store.ActionEntry]bool)
	a.marking = make(map[markKey]bool)
	var entries []*store.ActionEntry
	a.batch.names(func(l action.Lookup) {
		if e, isNew := a.entry(l.Type, l.Name, l.Prefix); isNew {
			entries = append(entries, e)
		}
	})
	if ready := a.takeAhead(); ready {
		a.t.store.RecallActions(entries)
		return nil
	}
	var err error
	if a.found, err = find(ctx, a.tx, a.batch.queries()); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	if err := a.tx.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

// takeAhead uses what was read while the batch in front of this one was written, together with the visits that that one has left. It is good
// for one attempt.
func (a *applier) takeAhead() bool {
	ahead := a.batch.ahead
	a.batch.ahead = nil
	if ahead == nil || a.dry || a.front == nil || a.front.batch != ahead.during {
		return false
	}
	a.found = ahead.found
	for _, s := range a.front.touched {
		s.stored, s.order = s.row, 0 // as if the database had been asked
		a.byID[s.row.ID] = s
		a.remember(s)
	}
	return true
}
