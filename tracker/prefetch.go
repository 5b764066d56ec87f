package tracker

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// reading is what was read at once for batches that follow each other, while others were on their way.
type reading struct {
	since int64 // the newest batch whose rows were seen
	found map[store.VisitQuery]store.Found
	asked map[question]store.Found // the same by question, as far as it answers later queries, too
	views map[int64]store.PageViews
}

// ahead is a batch's share in a reading.
type ahead struct {
	*reading
	front int64 // the batch in front of it
	knows int64 // the batch that knows what was not asked for
}

// Prefetch reads what batches that follow each other may ask for, outside of any transaction, while the batch in front
// of them may still be on its way: Play then adds what was written since. Without it, or when something else was
// written in between, Play reads by itself. It may be called while Play or Write run.
func (t *Tracker) Prefetch(ctx context.Context, batches []*Batch, front *Batch) error {
	r := &reading{since: t.trail.visible(), asked: make(map[question]store.Found)}
	last := batches[len(batches)-1]
	var asked []store.VisitQuery
	asked, last.known = ask(queries(batches...), front.known, batches)
	var err error
	if r.found, err = find(ctx, t.store, asked); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	if r.views, err = findPageViews(ctx, t.store, r.found, batches...); err != nil {
		return err
	}
	last.keepAnswers(r)
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
	knows := front.number
	for _, b := range batches {
		b.ahead = &ahead{r, front.number, knows}
		front = b
	}
	return nil
}

// ask lists the look-ups of batches, but for those to which the batch in front knows the answer, and the answers that
// the batches behind may use. With each visitor comes a look-up whose window goes on for a while, so that they may
// know the answer from it: for the database it is the same look-up.
func ask(all []store.VisitQuery, front map[question]span, batches []*Batch) (asked []store.VisitQuery, known map[question]span) {
	requests := 0
	for _, b := range batches {
		requests += len(b.requests)
	}
	spans := make(map[question]span, len(all))
	for _, q := range all {
		key := questionOf(q)
		s, ok := spans[key]
		if !ok {
			s = span{from: q.From, least: q.To, most: q.To}
		}
		spans[key] = span{from: min(s.from, q.From), least: min(s.least, q.To), most: max(s.most, q.To)}
	}
	known = make(map[question]span, len(spans))
	asked = make([]store.VisitQuery, 0, 2*len(all))
	for _, q := range all {
		key := questionOf(q)
		_, listed := known[key]
		switch s, before := spans[key], front[key]; {
		case before.covers(s):
			before.age += requests
			known[key] = before
			continue
		case !listed && q.ByVisitor:
			s.most += horizon
			known[key] = s
			asked = append(asked, q, s.query(key))
		default:
			asked = append(asked, q)
		}
	}
	return asked, known
}

// query asks for the whole span.
func (s span) query(key question) store.VisitQuery {
	q := store.VisitQuery(key)
	q.From, q.To = s.from, s.most
	return q
}

// keepAnswers notes what the batches behind this one may use.
func (b *Batch) keepAnswers(r *reading) {
	for key, s := range b.known {
		found, ok := r.found[s.query(key)]
		switch {
		case s.age > 0: // the batch in front has it
		case !ok, found.Visit != nil && found.Visit.LastActionTime > s.least:
			delete(b.known, key)
		default:
			r.asked[key] = found
		}
	}
}

// queries lists the look-ups of batches, each once.
func queries(batches ...*Batch) (list []store.VisitQuery) {
	listed := make(map[store.VisitQuery]bool)
	for _, b := range batches {
		for _, p := range b.requests {
			if p.looksUp() && !listed[p.query] {
				listed[p.query] = true
				list = append(list, p.query)
			}
		}
	}
	return list
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

// prefetch reads what the requests of the batch may ask for: the visits that their ids and fingerprints find, and the
// ids of all names that they refer to. What a request then gets is decided by apply.
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
	tx, err := a.database(ctx)
	if err != nil {
		return err
	}
	a.t.trail.end() // what was played on it may have been given up
	if a.found, err = find(ctx, tx, queries(a.batch)); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	if err := a.readPageViews(ctx, tx); err != nil {
		return err
	}
	if err := tx.FindActions(ctx, entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

// takeAhead uses what was read while batches in front of this one were on their way, together with what those have
// written since. It is good for one attempt.
func (a *applier) takeAhead() bool {
	ahead := a.batch.ahead
	a.batch.ahead = nil
	if ahead == nil || a.dry || a.t.behaviours.PageViewTimes && !a.t.viewsInStep {
		return false
	}
	passed, ok := a.t.trail.since(ahead.since, ahead.front)
	if !ok {
		return false
	}
	a.t.trail.forget(ahead.since)
	a.viewsRead = ahead.views
	for key, found := range ahead.asked {
		a.answers[key] = answer{found: found}
	}
	for _, w := range passed {
		if !a.carry(w.touched) {
			return false
		}
	}
	return a.takeAnswers(ahead)
}

// takeAnswers takes the answers to the batch's look-ups, those that were read and those that only an earlier batch
// knows.
func (a *applier) takeAnswers(ahead *ahead) bool {
	a.found = make(map[store.VisitQuery]store.Found, len(a.batch.requests))
	for _, p := range a.batch.requests {
		if !p.looksUp() {
			continue
		}
		found, ok := ahead.found[p.query]
		if !ok {
			known, ok := a.recall(ahead, questionOf(p.query))
			if !ok {
				return false
			}
			found = known.in(p.query)
		}
		a.found[p.query] = found
	}
	for key, s := range a.batch.known {
		if s.age > 0 {
			if _, ok := a.recall(ahead, key); !ok {
				return false
			}
		}
	}
	return true
}

// recall takes the answer to a question that an earlier batch knows, with the visits that may be the answer now.
func (a *applier) recall(ahead *ahead, key question) (known answer, ok bool) {
	if known, ok = a.answers[key]; ok {
		return known, true
	}
	if known, ok = a.t.trail.answer(ahead.knows, key); !ok { // it has read by itself
		return known, false
	}
	a.answers[key] = known
	return known, a.carry(known.states)
}

// carry goes on with visits as an earlier batch has left them: as if the database had been asked. Each visit has one
// state, which the batches pass on; it reports false if there should be another one.
func (a *applier) carry(states []*visitState) bool {
	for _, s := range states {
		s.stored, s.order = s.row, 0
		s.views.settle()
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
