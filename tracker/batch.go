package tracker

import (
	"context"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// visitState is a visit that the batch has read or begun.
type visitState struct {
	stored *store.Visit // the row as the database has it, nil for a visit that is not inserted yet
	row    *store.Visit // the row as the batch has left it; the pointer stays the same
	order  int          // position among the visits that the batch began
	views  pageViews
}

// changed reports whether the row differs from the database's.
func (s *visitState) changed() bool { return s.stored == nil || s.row != s.stored }

// applier plays the requests of one batch. It exists for one attempt to write the batch.
type applier struct {
	t     *Tracker
	begin func(ctx context.Context) (*store.Tx, error)
	tx    *store.Tx // nil: not needed yet
	batch *Batch
	dry   bool // nothing is written

	found     map[store.VisitQuery]store.Found // answers of the database
	answers   map[question]answer
	byID      map[int64]*visitState
	unsettled []*visitState              // carried from a batch in front whose rows had no ids yet
	touched   []*visitState              // changed or new, in the order of their first change
	keyed     map[visitKey][]*visitState // those that have, or had, a visitor id or fingerprint
	begun     int

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

// state returns the batch's view of a row that the database gave.
func (a *applier) state(row *store.Visit) *visitState {
	if s, ok := a.byID[row.ID]; ok {
		return s
	}
	s := &visitState{stored: row, row: row}
	a.byID[row.ID] = s
	return s
}

// visitKey is what a visit is looked up by.
type visitKey struct {
	site   int64
	id     store.BinaryID
	config bool // id is a config_id, else an idvisitor
}

func visitorKey(site int64, id store.BinaryID) visitKey { return visitKey{site, id, false} }
func configKey(site int64, id store.BinaryID) visitKey  { return visitKey{site, id, true} }

// remember lets look find the visit by the ids that its row has now.
func (a *applier) remember(s *visitState) {
	for _, key := range [...]visitKey{visitorKey(s.row.SiteID, s.row.Visitor), configKey(s.row.SiteID, s.row.ConfigID)} {
		if list := a.keyed[key]; !slices.Contains(list, s) {
			a.keyed[key] = append(list, s)
		}
	}
}

// find returns the visit that the query finds, as one query at a time would: against the database with all changes of
// the batch in it.
func (a *applier) find(ctx context.Context, q *store.VisitQuery) (*visitState, error) {
	if s, sure := a.look(q); sure {
		return s, nil
	}
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	tx, err := a.database(ctx)
	if err != nil {
		return nil, err
	}
	found, err := tx.FindVisits(ctx, []store.VisitQuery{*q})
	if err != nil {
		return nil, err
	}
	a.found[*q] = found[0]
	switch {
	case a.dry: // nothing was written: the batch's own visits count as well
		s, _ := a.look(q)
		return s, nil
	case found[0].Visit == nil:
		return nil, nil
	default:
		return a.state(found[0].Visit), nil
	}
}

// look answers a query from memory. It is not sure where the database's answer does not hold any more, and where only
// the database can tell whether a visit matches.
func (a *applier) look(q *store.VisitQuery) (s *visitState, sure bool) {
	found, asked := a.found[*q]
	if !asked {
		return nil, false
	}
	if q.ByVisitor {
		byVisitor := found.Visit
		if !found.ByVisitor {
			byVisitor = nil
		}
		s, sure = a.newest(visitorKey(q.SiteID, q.Visitor), byVisitor, q, matchesVisitor, a.t.store.Schema().VisitorIndexDescending)
		if s != nil || !sure || !q.ByConfig {
			return s, sure
		}
	}
	if found.ByVisitor { // the database was not asked for the fingerprint
		return nil, false
	}
	return a.newest(configKey(q.SiteID, q.ConfigID), found.Visit, q, matchesConfig, false)
}

// newest returns the newest visit that matches: the one that the database has found, if any, or one of the batch's.
// The database's answer holds unless the row has changed since so that it no longer matches: then an older row, which
// nobody has read, may be the answer, and newest is not sure.
func (a *applier) newest(key visitKey, row *store.Visit, q *store.VisitQuery, matches matcher, lowestFirst bool) (best *visitState, sure bool) {
	if row != nil {
		best = a.state(row)
		if best.row != row {
			if match, known := matches(q, best.row); !match || !known {
				return nil, false
			}
		}
	}
	for _, s := range a.keyed[key] {
		match, known := matches(q, s.row)
		if !known {
			return nil, false
		}
		if s != best && match && (best == nil || s.newer(best, lowestFirst)) {
			best = s
		}
	}
	return best, true
}

// newer reports whether s comes before other in the order of a query: by the time of the last action, equal times as
// the indexes of log_visit yield them.
func (s *visitState) newer(other *visitState, lowestFirst bool) bool {
	if s.row.LastActionTime != other.row.LastActionTime {
		return s.row.LastActionTime > other.row.LastActionTime
	}
	if lowestFirst {
		return s.before(other)
	}
	return other.before(s)
}

// before reports whether s has, or will have, the smaller idvisit.
func (s *visitState) before(other *visitState) bool {
	if a, b := s.place(), other.place(); a != b {
		return a < b
	}
	if store.Deferred(s.row.ID) {
		return s.row.ID > other.row.ID // the further from the first one
	}
	return s.row.ID < other.row.ID || s.row.ID == other.row.ID && s.order < other.order
}

// place orders visits by when they are inserted: before this batch, by a batch that is on its way, by this one.
func (s *visitState) place() int {
	switch {
	case s.row.ID > 0:
		return 0
	case s.row.ID < 0:
		return 1
	default:
		return 2
	}
}

// matcher reports whether a visit satisfies the conditions of one half of a query, and whether that is known.
type matcher func(q *store.VisitQuery, v *store.Visit) (match, known bool)

func matchesVisitor(q *store.VisitQuery, v *store.Visit) (match, known bool) {
	return v.SiteID == q.SiteID && v.Visitor == q.Visitor && v.LastActionTime <= q.To, true
}

func matchesConfig(q *store.VisitQuery, v *store.Visit) (match, known bool) {
	if v.SiteID != q.SiteID || v.ConfigID != q.ConfigID || v.LastActionTime > q.To || v.LastActionTime < q.From {
		return false, true
	}
	if !q.UserID.Valid || !v.UserID.Valid {
		return true, true
	}
	return sameText(v.UserID.V, q.UserID.V)
}

// sameText reports whether the case-insensitive collations of Matomo's tables find the texts equal, and whether that
// is known: characters beyond ASCII and spaces at the end are compared differently from collation to collation ("José"
// and "jose" are equal in most).
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
	a.remember(s)
}

// add adds a new visit.
func (a *applier) add(row *store.Visit) *visitState {
	a.begun++
	s := &visitState{row: row, order: a.begun, views: pageViews{known: true, complete: true}}
	a.touched = append(a.touched, s)
	a.remember(s)
	return s
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
