package tracker

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// visitState is a visit that the batch has read or begun.
type visitState struct {
	stored *store.Visit // the row as the database has it, nil for a visit that is not inserted yet
	row    *store.Visit // the row as the batch has left it; the pointer stays the same
	order  int          // position among the visits that the batch began
}

// changed reports whether the row differs from the database's.
func (s *visitState) changed() bool { return s.stored == nil || s.row != s.stored }

// applier plays the requests of one batch. It exists for one attempt to write the batch.
type applier struct {
	t     *Tracker
	tx    *store.Tx
	batch *Batch
	dry   bool // nothing is written

	found   map[store.VisitQuery]*store.Visit // answers of the database
	byID    map[int64]*visitState
	touched []*visitState // changed or new, in the order of their first change
	begun   int

	pageviews map[*store.Visit][]*store.LinkAction // of the batch, pending or written

	entries map[entryKey]*store.ActionEntry
	wanted  map[*store.ActionEntry]bool // entries that requests of the batch refer to
	marking map[markKey]bool            // days that the batch marks
	pending pending
	result  *Result

	// For the caches, when the batch is committed.
	newMarks   []markKey
	movedSites []int64
}

type entryKey struct {
	kind int64
	name string
}

// state returns the batch's view of a row that the database gave.
func (a *applier) state(row *store.Visit) *visitState {
	if s, ok := a.byID[row.ID]; ok {
		return s
	}
	s := &visitState{stored: row, row: row}
	a.byID[row.ID] = s
	return s
}

// find returns the visit that the first successful query finds, as one query at a time would: against the database with all changes of
// the batch in it.
func (a *applier) find(ctx context.Context, queries []store.VisitQuery) (*visitState, error) {
	for _, q := range queries {
		s, sure := a.look(q)
		if !sure {
			if err := a.flush(ctx); err != nil {
				return nil, err
			}
			rows, err := a.tx.FindVisits(ctx, []store.VisitQuery{q})
			if err != nil {
				return nil, err
			}
			a.found[q] = rows[0]
			s = a.answer(q, rows[0])
		}
		if s != nil {
			return s, nil
		}
	}
	return nil, nil
}

// answer is what the database has found. In a preview, which writes nothing, the batch's own visits count as well.
func (a *applier) answer(q store.VisitQuery, row *store.Visit) *visitState {
	switch {
	case a.dry:
		s, _ := a.look(q)
		return s
	case row == nil:
		return nil
	default:
		return a.state(row)
	}
}

// look answers a query from memory. The database's answer holds unless the batch has changed that row so that it no longer matches:
// then an older row, which nobody has read, may be the answer, and look is not sure. Nor is it where only the database can tell whether
// a visit matches.
func (a *applier) look(q store.VisitQuery) (best *visitState, sure bool) {
	row, asked := a.found[q]
	if !asked {
		return nil, false
	}
	if row != nil {
		best = a.state(row)
		if best.changed() {
			if match, known := matches(q, best.row); !match || !known {
				return nil, false
			}
		}
	}
	for _, s := range a.touched {
		match, known := matches(q, s.row)
		if !known {
			return nil, false
		}
		if s != best && match && (best == nil || a.newer(q, s, best)) {
			best = s
		}
	}
	return best, true
}

// newer reports whether s comes before other in the order of the query: by the time of the last action, equal times as the indexes of
// log_visit yield them.
func (a *applier) newer(q store.VisitQuery, s, other *visitState) bool {
	if s.row.LastActionTime != other.row.LastActionTime {
		return s.row.LastActionTime > other.row.LastActionTime
	}
	if q.ByVisitor && a.t.store.Schema().VisitorIndexDescending {
		return s.before(other)
	}
	return other.before(s)
}

// before reports whether s has the smaller idvisit.
func (s *visitState) before(other *visitState) bool {
	switch {
	case s.row.ID == 0:
		return other.row.ID == 0 && s.order < other.order
	case other.row.ID == 0:
		return true
	default:
		return s.row.ID < other.row.ID
	}
}

// matches reports whether the row satisfies the query's conditions, and whether that is known.
func matches(q store.VisitQuery, v *store.Visit) (match, known bool) {
	if v.SiteID != q.SiteID || v.LastActionTime > q.To {
		return false, true
	}
	if q.ByVisitor {
		return v.Visitor == q.Visitor, true
	}
	if v.LastActionTime < q.From || v.ConfigID != q.ConfigID {
		return false, true
	}
	if !q.UserID.Valid || !v.UserID.Valid {
		return true, true
	}
	return sameText(v.UserID.V, q.UserID.V)
}

// sameText reports whether the case-insensitive collations of Matomo's tables find the texts equal, and whether that is known: characters
// beyond ASCII and spaces at the end are compared differently from collation to collation ("José" and "jose" are equal in most).
func sameText(a, b string) (same, known bool) {
	if a == b {
		return true, true
	}
	for a != "" && b != "" {
		if !isPlain(a[0]) || !isPlain(b[0]) {
			return false, false
		}
		if lower(a[0]) != lower(b[0]) {
			return false, true
		}
		a, b = a[1:], b[1:]
	}
	rest := a + b
	return rest == "", rest == "" || rest[0] != ' ' && isPlain(rest[0])
}

func isPlain(c byte) bool { return c >= ' ' && c < 0x7f }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// keep makes row the state of the visit after a request. The visit may have been inserted since row was copied from it.
func (a *applier) keep(s *visitState, row *store.Visit) {
	row.ID = s.row.ID
	if !s.changed() {
		s.row = new(store.Visit)
		a.touched = append(a.touched, s)
	}
	*s.row = *row
}

// begin adds a new visit.
func (a *applier) begin(row *store.Visit) *visitState {
	a.begun++
	s := &visitState{row: row, order: a.begun}
	a.touched = append(a.touched, s)
	return s
}

// entry returns the batch's entry of the dictionary for a lookup's type and name.
func (a *applier) entry(kind int64, name string, prefix store.NullInt) *store.ActionEntry {
	key := entryKey{kind, name}
	e, ok := a.entries[key]
	if !ok {
		e = &store.ActionEntry{Type: kind, Name: name, Prefix: prefix}
		a.entries[key] = e
	}
	return e
}
