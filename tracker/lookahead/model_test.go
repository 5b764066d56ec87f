package lookahead_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// TestFindEqualsOneQueryAtATime plays random requests of few visitors in batches that are read ahead, written while
// others are on their way, committed, rolled back, given up and played again. Whatever happens, each request must find
// what one query at a time finds in a plain list of rows to which every change is made at once; and in the end the
// database must have these rows.
func TestFindEqualsOneQueryAtATime(t *testing.T) {
	for i := range 2 * len(paces) {
		pace, descending := paces[i/2], i%2 == 1
		t.Run(fmt.Sprintf("window %d, steps %d, descending %v", pace.window, pace.steps, descending), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, pace, descending)
				trouble := rapid.SampledFrom([]func(*rapid.T){w.playInVain, w.rollBack, w.loseReply, w.abandon})
				t.Repeat(map[string]func(*rapid.T){
					"go on":   w.goOn,
					"hurry":   w.goOn,
					"trouble": func(t *rapid.T) { trouble.Draw(t, "what")(t) },
				})
				w.commitAll()
				if diff := cmp.Diff(w.truth.withoutIDs(), w.server.withoutIDs()); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// row is a row of log_visit: what visits are looked up by, and the place at which the visit begins among all visits.
// Unlike idvisit it stays the same when the batch is rolled back and played again.
type row struct {
	Place, ID, Site int64
	Visitor, Config store.BinaryID
	User            store.NullText
	LastAction      int64
}

func rowOf(v *store.Visit) row {
	return row{v.CountVisits, v.ID, v.SiteID, v.Visitor, v.ConfigID, v.UserID, v.LastActionTime}
}

func (r row) visit() *store.Visit {
	return &store.Visit{
		CountVisits: r.Place, ID: r.ID, SiteID: r.Site,
		Visitor: r.Visitor, ConfigID: r.Config, UserID: r.User, LastActionTime: r.LastAction,
	}
}

// table is a plain log_visit: the rows by their places, which begin with 1.
type table []row

func (t *table) put(r row) {
	if n := r.Place - int64(len(*t)); n > 0 {
		*t = append(*t, make(table, n)...)
	}
	(*t)[r.Place-1] = r
}

// at is the row at a place, the zero row when there is none.
func (t table) at(place int64) row {
	if place > int64(len(t)) {
		return row{}
	}
	return t[place-1]
}

// withoutIDs are the rows as they are compared.
func (t table) withoutIDs() table {
	rows := slices.Clone(t)
	for i := range rows {
		rows[i].ID = 0
	}
	return rows
}

// find is what spec §3.2 says: the newest visit of the visitor, else of the fingerprint. The zero row is none.
func (t table) find(q *store.VisitQuery, descending bool) (found row, byVisitor bool) {
	newest := func(lowestFirst bool, matches func(r *row) bool) (best row) {
		for _, r := range t {
			if r.Place == 0 || r.Site != q.SiteID || r.LastAction > q.To || !matches(&r) {
				continue
			}
			if best.Place == 0 || r.LastAction > best.LastAction || r.LastAction == best.LastAction && !lowestFirst {
				best = r
			}
		}
		return best
	}
	if q.ByVisitor {
		found = newest(descending, func(r *row) bool { return r.Visitor == q.Visitor })
	}
	if found.Place != 0 || !q.ByConfig {
		return found, found.Place != 0
	}
	return newest(false, func(r *row) bool {
		return r.Config == q.ConfigID && r.LastAction >= q.From &&
			(!q.UserID.Valid || !r.User.Valid || collated(r.User.V) == collated(q.UserID.V))
	}), false
}

// collated is a text as a collation compares it.
func collated(text string) string {
	return strings.TrimRight(strings.ReplaceAll(strings.ToLower(text), "é", "e"), " ")
}

// view is a table as a transaction sees it, or whoever asks outside of one.
type view struct {
	table
	descending bool
}

func (v view) FindVisits(_ context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	found := make([]store.Found, len(queries))
	visits := make(map[int64]*store.Visit) // the same row is the same *Visit
	for i := range queries {
		r, byVisitor := v.find(&queries[i], v.descending)
		if r.Place == 0 {
			continue
		}
		if visits[r.Place] == nil {
			visits[r.Place] = r.visit()
		}
		found[i] = store.Found{Visit: visits[r.Place], ByVisitor: byVisitor}
	}
	return found, nil
}

// request looks for a visit, and goes on with it or begins one.
type request struct {
	query   store.VisitQuery
	at      int64
	window  int64 // seconds that a visit goes on without an action
	begins  bool  // a visit, whatever is found
	leaves  bool  // everything as it is, like a ping that comes too late
	becomes row   // the ids that the visit has afterwards
}

// play is the row after the request, and whether it is that of a new visit.
func (r *request) play(found row) (after row, isNew bool) {
	if isNew = found.Place == 0 || r.begins || found.LastAction < r.at-r.window; isNew {
		return row{
			Site: r.query.SiteID, Visitor: r.becomes.Visitor, Config: r.becomes.Config, User: r.becomes.User, LastAction: r.at,
		}, true
	}
	found.LastAction = max(found.LastAction, r.at)
	found.Visitor, found.Config, found.User = r.becomes.Visitor, r.becomes.Config, r.becomes.User
	return found, false
}
