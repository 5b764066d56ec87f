package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ahead is what was read ahead for a batch. It is good for one attempt.
type ahead struct {
	visits *lookahead.Reading
	views  map[int64]store.PageViews // by idvisit
}

// Prefetch reads what batches that follow each other may ask for, outside of any transaction, while the batch in front
// of them may still be on its way: Play then adds what was written since. Without it, or when something else was
// written in between, Play reads by itself. It may be called while Play or Write run.
func (t *Tracker) Prefetch(ctx context.Context, batches []*Prepared, front *Prepared) error {
	asked := make([]lookahead.LookUps, len(batches))
	for i, b := range batches {
		asked[i] = b.lookUps()
	}
	visits, err := t.inFlight.Ask(ctx, t.store, front.number, front.asked, asked...)
	if err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	views, err := findPageViews(ctx, t.store, visits.Answer, batches...)
	if err != nil {
		return err
	}
	var entries []*store.ActionEntry
	known := make(map[entryKey]bool)
	for _, b := range batches {
		b.names(func(l action.Lookup) {
			if key := (entryKey{l.Type, l.Name}); !known[key] {
				known[key] = true
				entries = append(entries, &store.ActionEntry{Type: l.Type, Name: l.Name})
			}
		})
	}
	if err := t.store.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	for _, b := range batches {
		b.asked, b.ahead = visits, &ahead{visits, views}
	}
	return nil
}

// lookUps are the batch's look-ups of visits.
func (b *Prepared) lookUps() lookahead.LookUps {
	list := make([]store.VisitQuery, 0, len(b.requests))
	for _, p := range b.requests {
		if p.looksUp() {
			list = append(list, p.query)
		}
	}
	return lookahead.LookUps{Batch: b.number, Queries: list}
}

// names calls yield for each name that the batch refers to.
func (b *Prepared) names(yield func(l action.Lookup)) {
	all := func(lookups []action.Lookup) {
		for _, l := range lookups {
			if !php.EmptyString(l.Name) {
				yield(l)
			}
		}
	}
	for _, p := range b.requests {
		if p.bot != nil {
			all(p.bot.Lookups)
		}
		if p.active() && p.action != nil {
			all(p.action.Lookups)
		}
		if p.active() && p.ecommerce != nil {
			all(p.ecommerce.Lookups)
		}
	}
}

// prefetch reads what the requests of the batch may ask for: the visits that their ids and fingerprints find, and the
// ids of all names that they refer to. What a request then gets is decided by apply.
func (a *applier) prefetch(ctx context.Context) error {
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
	tx, err := a.work.database(ctx)
	if err != nil {
		return err
	}
	visits, err := a.t.inFlight.Read(ctx, tx, a.batch.lookUps())
	if err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	visits.Preview = a.work.dry
	a.use(visits)
	if err := a.readPageViews(ctx, tx); err != nil {
		return err
	}
	if err := tx.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

// takeAhead uses what was read while batches in front of this one were on their way, together with what those have
// written since.
func (a *applier) takeAhead() bool {
	ahead := a.batch.ahead
	a.batch.ahead = nil
	if ahead == nil || a.work.dry || a.t.behaviours.PageViewTimes && !a.t.viewsInStep {
		return false
	}
	visits, ok := a.t.inFlight.Recall(ahead.visits, a.batch.lookUps())
	if ok {
		a.use(visits)
		a.viewsRead = ahead.views
	}
	return ok
}
