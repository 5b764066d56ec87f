package tracker

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ahead is what was read for a batch while others were on their way.
type ahead struct {
	front int64 // the batch in front of it
	since int64 // the newest batch whose rows were seen
	found map[store.VisitQuery]store.Found
	asked map[question]store.Found // the same by question
}

// Prefetch reads what the batch may ask for, outside of any transaction, while the batch in front of it may still be on its way: Play then
// adds what was written since. Without it, or when something else was written in between, Play reads by itself. It may be called while
// Play or Write run.
func (t *Tracker) Prefetch(ctx context.Context, b, front *Batch) error {
	ahead := &ahead{front: front.number, since: t.trail.visible(), asked: make(map[question]store.Found)}
	queries := b.ask(front)
	var err error
	if ahead.found, err = find(ctx, t.store, queries); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	b.keepAnswers(ahead)
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
	b.ahead = ahead
	return nil
}

// ask lists the look-ups of the batch, but for those to which the batch in front knows the answer. With each visitor comes one whose window
// goes on for a while, so that the batches behind this one may know the answer from it: for the database it is the same look-up.
func (b *Batch) ask(front *Batch) []store.VisitQuery {
	all := b.queries()
	spans := make(map[question]span, len(all))
	for _, q := range all {
		key := questionOf(q)
		s, ok := spans[key]
		if !ok {
			s = span{from: q.From, least: q.To, most: q.To}
		}
		spans[key] = span{from: min(s.from, q.From), least: min(s.least, q.To), most: max(s.most, q.To)}
	}
	b.known = make(map[question]span, len(spans))
	asked := make([]store.VisitQuery, 0, 2*len(all))
	for _, q := range all {
		key := questionOf(q)
		_, listed := b.known[key]
		switch s, known := spans[key], front.known[key]; {
		case known.covers(s):
			known.age++
			b.known[key] = known
			continue
		case !listed && q.ByVisitor:
			s.most += horizon
			b.known[key] = s
			asked = append(asked, q, s.query(key))
		default:
			asked = append(asked, q)
		}
	}
	return asked
}

// query asks for the whole span.
func (s span) query(key question) store.VisitQuery {
	q := store.VisitQuery(key)
	q.From, q.To = s.from, s.most
	return q
}

// keepAnswers notes what the batches behind this one may use.
func (b *Batch) keepAnswers(ahead *ahead) {
	for key, s := range b.known {
		found, ok := ahead.found[s.query(key)]
		switch {
		case s.age > 0: // the batch in front has it
		case !ok, found.Visit != nil && found.Visit.LastActionTime > s.least:
			delete(b.known, key)
		default:
			ahead.asked[key] = found
		}
	}
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
	a.answers = make(map[question]answer)
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
	clear(a.byID)
	clear(a.keyed)
	clear(a.answers)
	a.unsettled = nil
	a.t.trail.end() // what was played on it may have been given up
	tx, err := a.database(ctx)
	if err != nil {
		return err
	}
	if a.found, err = find(ctx, tx, a.batch.queries()); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	if err := tx.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

// takeAhead uses what was read while batches in front of this one were on their way, together with what those have written since. It is
// good for one attempt.
func (a *applier) takeAhead() bool {
	ahead := a.batch.ahead
	a.batch.ahead = nil
	if ahead == nil || a.dry {
		return false
	}
	passed, ok := a.t.trail.since(ahead.since, ahead.front)
	if !ok {
		return false
	}
	a.found = ahead.found
	for key, found := range ahead.asked {
		a.answers[key] = answer{found: found}
	}
	for _, w := range passed {
		if !a.carry(w.touched) {
			return false
		}
	}
	return a.takeAnswers(ahead.front)
}

// takeAnswers takes the answers that only the batch in front knows.
func (a *applier) takeAnswers(front int64) bool {
	for _, p := range a.batch.requests {
		key := questionOf(p.query)
		s, ok := a.batch.known[key]
		if !p.active() || !ok || s.age == 0 {
			continue
		}
		known, ok := a.answers[key]
		if !ok {
			if known, ok = a.t.trail.answer(front, key); !ok { // it has read by itself
				return false
			}
			a.answers[key] = known
			if !a.carry(known.states) {
				return false
			}
		}
		a.found[p.query] = known.in(p.query)
	}
	return true
}

// carry goes on with visits as an earlier batch has left them: as if the database had been asked. Each visit has one state, which the batches
// pass on; it reports false if there should be another one.
func (a *applier) carry(states []*visitState) bool {
	for _, s := range states {
		s.stored, s.order = s.row, 0
		if store.Deferred(s.row.ID) {
			a.unsettled = append(a.unsettled, s)
		} else if known, ok := a.byID[s.row.ID]; ok && known != s {
			return false
		} else {
			a.byID[s.row.ID] = s
		}
		a.remember(s)
	}
	return true
}

// settleCarried gives the visits that earlier batches have begun their ids, which these have got by now.
func (a *applier) settleCarried() {
	for _, s := range a.unsettled {
		if s.changed() {
			s.row.ID = s.stored.ID
		}
		a.byID[s.row.ID] = s
	}
	a.unsettled = nil
}

// answersBehind are the answers that the batch behind this one may use.
func (a *applier) answersBehind() map[question]answer {
	answers := make(map[question]answer, len(a.answers))
	for key, known := range a.answers {
		var states []*visitState
		add := func(s *visitState) {
			if s != nil && !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
		if known.found.Visit != nil {
			add(a.byID[known.found.Visit.ID])
		}
		for _, s := range a.keyed[visitorKey(key.SiteID, key.Visitor)] {
			add(s)
		}
		if key.ByConfig {
			for _, s := range a.keyed[configKey(key.SiteID, key.ConfigID)] {
				add(s)
			}
		}
		answers[key] = answer{known.found, states}
	}
	return answers
}
