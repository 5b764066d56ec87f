package lookahead

import (
	"context"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Read asks the database for what a batch asks. The database must show everything in front of the batch, which is
// forgotten here.
func (f *InFlight[N]) Read(ctx context.Context, database Finder, of LookUps) (*Visits, error) {
	f.end() // what was played on it may have been given up
	v := newVisits(f.VisitorIndexDescending)
	var err error
	v.found, err = find(ctx, database, distinct(of))
	return v, err
}

// Recall uses what was asked ahead for a batch, together with what the batches in front have written since. It reports
// false when not all of that is known; then the batch has to be read.
func (f *InFlight[N]) Recall(r *Reading, of LookUps) (*Visits, bool) {
	front, ok := r.front(of.Batch)
	if !ok {
		return nil, false
	}
	passed, ok := f.since(r.since, front)
	if !ok {
		return nil, false
	}
	f.forget(r.since)
	v := newVisits(f.VisitorIndexDescending)
	for key, found := range r.asked {
		v.answers[key] = answer{found: found}
	}
	for _, w := range passed {
		if !v.carry(w.visits) {
			return nil, false
		}
	}
	if !f.recallAnswers(v, r, of) {
		return nil, false
	}
	return v, true
}

// recallAnswers takes the answers to the batch's queries, those that were asked for and those that only an earlier
// batch knows.
func (f *InFlight[N]) recallAnswers(v *Visits, r *Reading, of LookUps) bool {
	v.found = make(map[store.VisitQuery]store.Found, len(of.Queries))
	for _, q := range of.Queries {
		found, asked := r.found[q]
		if !asked {
			known, ok := f.recallAnswer(v, r, questionOf(q))
			if !ok {
				return false
			}
			found = known.in(q)
		}
		v.found[q] = found
	}
	for key, s := range r.knownBehind(of.Batch) {
		if s.age > 0 {
			if _, ok := f.recallAnswer(v, r, key); !ok {
				return false
			}
		}
	}
	return true
}

// recallAnswer takes the answer to a question that the batch in front of the reading knows, with the visits that may be
// the answer now.
func (f *InFlight[N]) recallAnswer(v *Visits, r *Reading, key question) (known answer, ok bool) {
	if known, ok = v.answers[key]; ok {
		return known, true
	}
	if known, ok = f.answer(r.batches[0], key); !ok { // it has read by itself
		return known, false
	}
	v.answers[key] = known
	return known, v.carry(known.visits)
}

// carry goes on with visits as an earlier batch has left them: as if the database had been asked. Each visit has one
// Visit, which the batches pass on; it reports false if there should be another one.
func (v *Visits) carry(visits []*Visit) bool {
	for _, visit := range visits {
		visit.Stored, visit.order = visit.Row, 0
		visit.Views.settle()
		if store.Deferred(visit.Row.ID) {
			v.unnumbered = append(v.unnumbered, visit)
		} else if known, ok := v.byID[visit.Row.ID]; ok && known != visit {
			return false
		} else {
			v.byID[visit.Row.ID] = visit
		}
		v.remember(visit)
	}
	return true
}

// answersBehind are the answers that the batch behind this one may use.
func (v *Visits) answersBehind() map[question]answer {
	answers := make(map[question]answer, len(v.answers))
	for key, known := range v.answers {
		var visits []*Visit
		add := func(visit *Visit) {
			if visit != nil && !slices.Contains(visits, visit) {
				visits = append(visits, visit)
			}
		}
		if known.found.Visit != nil {
			add(v.byID[known.found.Visit.ID])
		}
		for _, visit := range v.keyed[visitorKey(key.SiteID, key.Visitor)] {
			add(visit)
		}
		if key.ByConfig {
			for _, visit := range v.keyed[configKey(key.SiteID, key.ConfigID)] {
				add(visit)
			}
		}
		answers[key] = answer{known.found, visits}
	}
	return answers
}
