package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// prefetch reads what the requests of the batch may ask for: the visits that their ids and fingerprints find, and the ids of all names
// that they refer to. What a request then gets is decided by apply.
func (a *applier) prefetch(ctx context.Context) error {
	a.found = make(map[store.VisitQuery]store.Found)
	a.keyed = make(map[visitKey][]*visitState)
	a.byID = make(map[int64]*visitState)
	a.pageviews = make(map[*store.Visit][]*store.LinkAction)
	a.entries = make(map[entryKey]*store.ActionEntry)
	a.wanted = make(map[*store.ActionEntry]bool)
	a.marking = make(map[markKey]bool)
	var queries []store.VisitQuery
	for _, p := range a.batch.requests {
		if !p.active() {
			continue
		}
		if _, listed := a.found[p.query]; !listed {
			a.found[p.query] = store.Found{}
			queries = append(queries, p.query)
		}
		a.prefetchNames(p)
	}
	found, err := a.tx.FindVisits(ctx, queries)
	if err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	for i, q := range queries {
		a.found[q] = found[i]
	}
	entries := make([]*store.ActionEntry, 0, len(a.entries))
	for _, e := range a.entries {
		entries = append(entries, e)
	}
	if err := a.tx.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

func (a *applier) prefetchNames(p *parsed) {
	if p.action != nil {
		a.intern(p.action.Lookups)
	}
	if p.ecommerce != nil {
		a.intern(p.ecommerce.Lookups)
	}
}

func (a *applier) intern(lookups []action.Lookup) {
	for _, l := range lookups {
		if !php.EmptyString(l.Name) {
			a.entry(l.Type, l.Name, l.Prefix)
		}
	}
}
