package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// expected is the answer to a query, by the description of VisitQuery and FindVisits.
func (query *VisitQuery) expected(visits []*Visit) (id int64, byVisitor bool) {
	newest := func(fits func(v *Visit) bool, amongEqual int) int64 {
		matching := slices.DeleteFunc(slices.Clone(visits), func(v *Visit) bool {
			return v.SiteID != query.SiteID || v.LastActionTime > query.To || !fits(v)
		})
		if len(matching) == 0 {
			return 0
		}
		return slices.MaxFunc(matching, func(a, b *Visit) int {
			return cmp.Or(cmp.Compare(a.LastActionTime, b.LastActionTime), amongEqual*cmp.Compare(a.ID, b.ID))
		}).ID
	}
	if query.ByVisitor {
		if id := newest(func(v *Visit) bool { return v.Visitor == query.Visitor }, -1); id != 0 {
			return id, true
		}
	}
	if !query.ByConfig {
		return 0, false
	}
	return newest(func(v *Visit) bool {
		user := !query.UserID.Valid || !v.UserID.Valid || strings.EqualFold(v.UserID.V, query.UserID.V)
		return v.ConfigID == query.ConfigID && v.LastActionTime >= query.From && user
	}, 1), false
}

func (query VisitQuery) String() string {
	return fmt.Sprintf("site %d visitor %v %x config %v %x from %d to %d user %v", query.SiteID, query.ByVisitor,
		query.Visitor[0], query.ByConfig,
		query.ConfigID[0], query.From-testTime, query.To-testTime, query.UserID)
}

// checkFound compares the answers to queries that are asked together with those that are expected.
func checkFound(t *testing.T, s *Store, visits []*Visit, queries []VisitQuery) {
	t.Helper()
	answers, err := s.FindVisits(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	same := make(map[int64]*Visit)
	for i, query := range queries {
		got := answers[i]
		id, byVisitor := query.expected(visits)
		if id == 0 && got.Visit == nil && !got.ByVisitor {
			continue
		}
		if got.Visit == nil || got.Visit.ID != id || got.ByVisitor != byVisitor {
			t.Fatalf("%v: %+v, want visit %d, by visitor %v", query, got, id, byVisitor)
		}
		if same[id] == nil {
			same[id] = got.Visit
		}
		if same[id] != got.Visit {
			t.Fatalf("visit %d: %p, want %p as in another answer", id, got.Visit, same[id])
		}
	}
}

func TestVisitorIsAskedForBeforeTheFingerprint(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		mine, later, others := newTestVisit(1, 1, testTime), newTestVisit(1, 1, testTime+100), newTestVisit(1, 2, testTime+50)
		carol := newTestVisit(1, 3, testTime+60)
		carol.ConfigID, carol.UserID = others.ConfigID, Text("carol")
		visits := []*Visit{mine, later, others, carol}
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
		ask := func(visitor byte, from, to int64, user string) VisitQuery {
			return VisitQuery{
				SiteID: 1, ByVisitor: true, Visitor: BinaryID{visitor, 1}, ByConfig: true, ConfigID: others.ConfigID,
				From: testTime + from, To: testTime + to, UserID: NullText{V: user, Valid: user != ""},
			}
		}
		cases := []struct {
			about     string
			query     VisitQuery
			want      *Visit
			byVisitor bool
		}{
			{"visitor is known", ask(1, 40, 99, ""), mine, true},
			{"visitor is known, at a later moment", ask(1, 40, 100, ""), later, true},
			{"the same again", ask(1, 40, 99, ""), mine, true},
			{"visitor is known later only", ask(1, -10, -1, ""), nil, false},
			{"visitor is not known", ask(9, 40, 100, ""), carol, false},
			{"window ends before the newest visit", ask(9, 40, 59, ""), others, false},
			{"window begins after an older visit", ask(9, 51, 59, ""), nil, false},
			{"window excludes the others", ask(9, 60, 70, ""), carol, false},
			{"user", ask(9, 40, 100, "Carol"), carol, false},
			{"another user", ask(9, 40, 100, "dave"), others, false},
			{"another user, window too late", ask(9, 51, 100, "dave"), nil, false},
			{"visitor is known, whatever the user", ask(3, 40, 100, "dave"), carol, true},
		}
		var queries []VisitQuery
		for _, c := range cases {
			queries = append(queries, c.query)
			if id, _ := c.query.expected(visits); (c.want == nil) != (id == 0) || c.want != nil && c.want.ID != id {
				t.Fatalf("%s: the model says %d, want %+v", c.about, id, c.want)
			}
		}
		found := find(t, s, queries...)
		for i, c := range cases {
			if got := found[i]; (got == nil) != (c.want == nil) || got != nil && got.ID != c.want.ID {
				t.Errorf("%s: %+v, want %+v", c.about, got, c.want)
			}
		}
		checkFound(t, s, visits, queries)
	})
}

func TestFindVisitsOfRandomTables(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		users := []NullText{{}, {}, Text("a"), Text("A"), Text("b'?")}
		id := func() BinaryID { return BinaryID{byte(1 + r.IntN(4))} }
		for range 15 {
			s.db.MustExec("DELETE FROM m_log_visit")
			visits := make([]*Visit, 25)
			for i := range visits {
				visits[i] = newTestVisit(r.Int64N(2)+1, 0, testTime+r.Int64N(12))
				visits[i].Visitor, visits[i].ConfigID, visits[i].UserID = id(), id(), users[r.IntN(len(users))]
			}
			inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
			queries := make([]VisitQuery, 1+r.IntN(120))
			for i := range queries {
				q := VisitQuery{SiteID: r.Int64N(2) + 1, To: testTime + r.Int64N(14) - 1}
				if q.ByVisitor = r.IntN(3) > 0; q.ByVisitor {
					q.Visitor = id()
					q.Visitor[0] += byte(r.IntN(3)) // some are not known
				}
				if q.ByConfig = !q.ByVisitor || r.IntN(3) > 0; q.ByConfig {
					// A window is never a single moment: for one, the server goes through equal times the other way.
					q.ConfigID, q.From, q.UserID = id(), q.To-1-r.Int64N(5), users[r.IntN(len(users))]
				}
				queries[i] = q
			}
			checkFound(t, s, visits, queries)
			for _, query := range queries[:min(3, len(queries))] {
				checkFound(t, s, visits, []VisitQuery{query})
			}
		}
	})
}
