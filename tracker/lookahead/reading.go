package lookahead

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// LookUps are those of a batch.
type LookUps struct {
	Batch   int64              // its number; batches that follow each other have increasing ones
	Queries []store.VisitQuery // in the order of its requests; they may repeat
}

// Reading is what was asked at once for batches that follow each other, while others were on their way. Nothing in it
// changes.
type Reading struct {
	since   int64   // the newest batch whose rows were seen
	batches []int64 // their numbers, behind that of the batch in front of them, which knows what was not asked for
	found   map[store.VisitQuery]store.Found
	asked   map[question]store.Found // the same by question, as far as it answers later queries, too
	known   map[question]span        // the answers that the batches behind the last one may use
}

// Ask reads what batches that follow each other ask, outside of any transaction, while the batch in front of them may
// still be on its way. What the batch in front knows, by what was read for it (before, nil for nothing), is not asked.
func (f *InFlight[N]) Ask(
	ctx context.Context, database Finder, front int64, before *Reading, batches ...LookUps,
) (*Reading, error) {
	r := &Reading{since: f.visible(), batches: []int64{front}}
	lookUps := 0
	for _, b := range batches {
		r.batches = append(r.batches, b.Batch)
		lookUps += len(b.Queries)
	}
	var asked []store.VisitQuery
	asked, r.known = ask(distinct(batches...), before.knownBehind(front), lookUps)
	var err error
	if r.found, err = find(ctx, database, asked); err != nil {
		return nil, err
	}
	r.keepAnswers()
	return r, nil
}

// Answer is what the database has said to a query, nothing when it was not asked.
func (r *Reading) Answer(q store.VisitQuery) store.Found { return r.found[q] }

// knownBehind are the answers that the batches behind the one with this number may use.
func (r *Reading) knownBehind(number int64) map[question]span {
	if r == nil || r.batches[len(r.batches)-1] != number {
		return nil
	}
	return r.known
}

// front is the number of the batch in front of another one.
func (r *Reading) front(number int64) (front int64, ok bool) {
	for i, n := range r.batches[1:] {
		if n == number {
			return r.batches[i], true
		}
	}
	return 0, false
}

// ask lists the queries to be asked, which are not those to which the batch in front knows the answer, and the answers
// that the batches behind may use. With each visitor comes a look-up whose window goes on for a while, so that they may
// know the answer from it: for the database it is the same look-up.
func ask(
	all []store.VisitQuery, front map[question]span, lookUps int,
) (asked []store.VisitQuery, known map[question]span) {
	spans := make(map[question]span, len(all))
	for _, q := range all {
		key := questionOf(q)
		s, ok := spans[key]
		if !ok {
			s = span{from: q.From, least: q.To, most: q.To}
		}
		spans[key] = s.with(q)
	}
	known = make(map[question]span, len(spans))
	asked = make([]store.VisitQuery, 0, 2*len(all))
	for _, q := range all {
		key := questionOf(q)
		_, listed := known[key]
		switch s, before := spans[key], front[key]; {
		case before.covers(s):
			before.age += lookUps
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

// keepAnswers notes what the batches behind may use.
func (r *Reading) keepAnswers() {
	r.asked = make(map[question]store.Found)
	for key, s := range r.known {
		found, ok := r.found[s.query(key)]
		switch {
		case s.age > 0: // the batch in front has it
		case !ok, found.Visit != nil && found.Visit.LastActionTime > s.least:
			delete(r.known, key)
		default:
			r.asked[key] = found
		}
	}
}

// distinct lists the queries of batches, each once.
func distinct(batches ...LookUps) (list []store.VisitQuery) {
	listed := make(map[store.VisitQuery]bool)
	for _, b := range batches {
		for _, q := range b.Queries {
			if !listed[q] {
				listed[q] = true
				list = append(list, q)
			}
		}
	}
	return list
}

func find(ctx context.Context, in Finder, queries []store.VisitQuery) (map[store.VisitQuery]store.Found, error) {
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
