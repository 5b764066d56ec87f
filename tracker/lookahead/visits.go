package lookahead

import (
	"context"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Finder is a database that is asked for visits: store.Store, or store.Tx.
type Finder interface {
	FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error)
}

// Visits are the visits as the requests of one batch see them: an identity map of those that were read, changed or
// begun, and the answers of the database. They last for one attempt to write the batch.
type Visits struct {
	Preview bool // nothing is written: the database's answers do not have what the batch has changed

	lowestFirst bool // of visits of one second, when they are looked up by visitor
	found       map[store.VisitQuery]store.Found
	answers     map[question]answer // those that are passed on to the batches behind
	byID        map[int64]*Visit
	unnumbered  []*Visit         // of batches in front whose rows had no numbers yet
	touched     []*Visit         // changed or new, in the order of their first change
	keyed       map[key][]*Visit // those that have, or had, a visitor id or fingerprint
	begun       int
}

func newVisits(lowestFirst bool) *Visits {
	return &Visits{
		lowestFirst: lowestFirst,
		answers:     make(map[question]answer),
		byID:        make(map[int64]*Visit),
		keyed:       make(map[key][]*Visit),
	}
}

// key is what a visit is looked up by.
type key struct {
	site   int64
	id     store.BinaryID
	config bool // id is a config_id, else an idvisitor
}

func visitorKey(site int64, id store.BinaryID) key { return key{site, id, false} }
func configKey(site int64, id store.BinaryID) key  { return key{site, id, true} }

// Find returns the visit that the query finds, nil for none. Where memory is not sure it asks the database, which must
// have, before it answers, all that the batch has changed so far (Touched, then Settle), except for a preview.
func (v *Visits) Find(ctx context.Context, q *store.VisitQuery, database Finder) (*Visit, error) {
	if found, sure := v.look(q); sure {
		return found, nil
	}
	answers, err := database.FindVisits(ctx, []store.VisitQuery{*q})
	if err != nil {
		return nil, err
	}
	v.found[*q] = answers[0]
	switch {
	case v.Preview: // the batch's own visits count as well
		found, _ := v.look(q)
		return found, nil
	case answers[0].Visit == nil:
		return nil, nil
	default:
		return v.of(answers[0].Visit), nil
	}
}

// Answer is what the database has said to a query of the batch before the batch has changed anything.
func (v *Visits) Answer(q store.VisitQuery) store.Found { return v.found[q] }

// look answers a query from memory. The package's comment says when that is sure.
func (v *Visits) look(q *store.VisitQuery) (found *Visit, sure bool) {
	answer, asked := v.found[*q]
	if !asked {
		return nil, false
	}
	if q.ByVisitor {
		byVisitor := answer.Visit
		if !answer.ByVisitor {
			byVisitor = nil
		}
		found, sure = v.newest(visitorKey(q.SiteID, q.Visitor), byVisitor, q, matchesVisitor, v.lowestFirst)
		if found != nil || !sure || !q.ByConfig {
			return found, sure
		}
	}
	return v.newest(configKey(q.SiteID, q.ConfigID), answer.Visit, q, matchesConfig, false)
}

// newest returns the newest visit that matches: the one that the database has found, if any, or one of the batch's. It
// is not sure when the row that the database has found does not match any more.
func (v *Visits) newest(
	k key, row *store.Visit, q *store.VisitQuery, matches matcher, lowestFirst bool,
) (best *Visit, sure bool) {
	if row != nil {
		best = v.of(row)
		if best.Row != row {
			if match, _ := matches(q, best.Row); !match { // or nobody knows
				return nil, false
			}
		}
	}
	for _, other := range v.keyed[k] {
		match, known := matches(q, other.Row)
		if !known {
			return nil, false
		}
		if other != best && match && (best == nil || other.newer(best, lowestFirst)) {
			best = other
		}
	}
	return best, true
}

// of returns the batch's view of a row that the database gave.
func (v *Visits) of(row *store.Visit) *Visit {
	if known, ok := v.byID[row.ID]; ok {
		return known
	}
	visit := &Visit{Stored: row, Row: row}
	v.byID[row.ID] = visit
	return visit
}

// Keep makes row the state of a visit after a request. The visit may have been inserted since row was copied from it.
func (v *Visits) Keep(visit *Visit, row *store.Visit) {
	row.ID = visit.Row.ID
	if !visit.changed() {
		visit.Row = new(store.Visit)
		v.touched = append(v.touched, visit)
	}
	*visit.Row = *row
	v.remember(visit)
}

// Begin adds a new visit.
func (v *Visits) Begin(row *store.Visit) *Visit {
	v.begun++
	visit := &Visit{Row: row, order: v.begun, Views: PageViews{known: true, complete: true}}
	v.touched = append(v.touched, visit)
	v.remember(visit)
	return visit
}

// remember lets look find the visit by the ids that its row has now.
func (v *Visits) remember(visit *Visit) {
	row := visit.Row
	for _, k := range [...]key{visitorKey(row.SiteID, row.Visitor), configKey(row.SiteID, row.ConfigID)} {
		if list := v.keyed[k]; !slices.Contains(list, visit) {
			v.keyed[k] = append(list, visit)
		}
	}
}

// Touched are the visits that the batch has changed or begun, in the order of their first change. Those with Stored are
// to be changed in the database, the others to be inserted.
func (v *Visits) Touched() []*Visit { return v.touched }

// Settle notes that the database has what the batch has done so far.
func (v *Visits) Settle() {
	for _, visit := range v.touched {
		stored := *visit.Row
		visit.Stored = &stored
		v.byID[visit.Row.ID] = visit
	}
}

// Number gives the visits that batches in front have begun their idvisit, which these have got by now.
func (v *Visits) Number() {
	for _, visit := range v.unnumbered {
		if visit.changed() {
			visit.Row.ID = visit.Stored.ID
		}
		v.byID[visit.Row.ID] = visit
	}
	v.unnumbered = nil
}
