package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// onMariaDB runs a test with scripts and one statement at a time.
func onMariaDB(t *testing.T, test func(t *testing.T, s *Store)) {
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %v", scripts), func(t *testing.T) {
			s := openStore(t, mariaDB(t))
			s.server.scripts = scripts
			test(t, s)
		})
	}
}

// family is a visit with what refers to it: two actions, the second of which the visit itself refers to, and a
// conversion.
type family struct {
	visit      *Visit
	links      [2]*LinkAction
	conversion *Conversion
}

// newFamily numbers the visit in its visitor id and in visitor_count_visits. That of every other one counts no searches
// yet: NULL.
func newFamily(n int) family {
	v := newTestVisit(1, 1, testTime)
	v.Visitor, v.CountVisits = BinaryID{byte(n >> 8), byte(n)}, int64(n)
	if n%2 == 1 {
		v.TotalSearches = NullInt{}
	}
	f := family{visit: v, conversion: newTestConversion(v, 1)}
	for i := range f.links {
		f.links[i] = pageview(v, "abcdef", NoAction, NoAction)
		f.links[i].PageviewPosition = Int(int64(i + 1))
	}
	f.conversion.Link = LinkOf(f.links[1])
	return f
}

// writeFamilies writes them as a batch does: rows that refer to rows of the same transaction, then the changes of the
// visits. Two of three visits get other searches: 4 more, or 4 where there was NULL. The third one gets more
// interactions.
func writeFamilies(ctx context.Context, tx *Tx, families []family) error {
	var visits []*Visit
	var links []*LinkAction
	var conversions []*Conversion
	for _, f := range families {
		visits, links, conversions = append(visits, f.visit), append(links, f.links[:]...), append(conversions, f.conversion)
	}
	err := errors.Join(tx.InsertVisits(ctx, visits), tx.InsertLinkActions(ctx, links),
		tx.InsertConversions(ctx, conversions, func(int) {}))
	if err != nil {
		return err
	}
	var changes []VisitChange
	for i, f := range families {
		after := *f.visit
		after.LastLinkAction = LinkOf(f.links[1])
		after.TotalActions.V++
		if i%3 > 0 {
			after.TotalSearches = Int(f.visit.TotalSearches.V + 4)
		} else {
			after.TotalInteractions.V += int64(i + 1)
		}
		changes = append(changes, VisitChange{f.visit, &after})
	}
	return tx.UpdateVisits(ctx, changes)
}

// checkFamilies compares the tables with what writeFamilies should have made of them.
func checkFamilies(t *testing.T, s *Store, families []family) {
	t.Helper()
	var rows []struct {
		Number       int     `db:"n"`
		Visit        int64   `db:"idvisit"`
		Last         NullInt `db:"last"`
		Actions      int64   `db:"actions"`
		Interactions int     `db:"interactions"`
		Searches     NullInt `db:"searches"`
		First        NullInt `db:"first"`
		Second       NullInt `db:"second"`
		Goal         NullInt `db:"goal"`
	}
	const link = "(SELECT l.idlink_va FROM m_log_link_visit_action l WHERE l.idvisit = v.idvisit AND l.idvisitor = " +
		"v.idvisitor AND l.pageview_position = "
	err := s.db.Select(&rows,
		"SELECT v.visitor_count_visits AS n, v.idvisit, v.last_idlink_va AS last, v.visit_total_actions AS actions, "+
			"v.visit_total_interactions AS interactions, v.visit_total_searches AS searches, "+
			link+"1) AS first, "+link+"2) AS second, "+
			"(SELECT c.idlink_va FROM m_log_conversion c WHERE c.idvisit = v.idvisit AND c.idvisitor = v.idvisitor) AS goal "+
			"FROM m_log_visit v ORDER BY v.visitor_count_visits")
	if err != nil || len(rows) != len(families) {
		t.Fatalf("%d visits, error %v; want %d and none", len(rows), err, len(families))
	}
	for i, row := range rows {
		f := families[i]
		searches, interactions := Int(4), 1
		if i%3 == 0 {
			searches, interactions = f.visit.TotalSearches, 1+i+1
		}
		first, second := Int(f.links[0].ID), Int(f.links[1].ID)
		if row.Number != i || row.Visit != f.visit.ID || row.First != first || row.Second != second || row.Last != second ||
			row.Goal != second ||
			row.Actions != 2 || row.Searches != searches || row.Interactions != interactions {
			t.Fatalf("%+v, want visit %d, actions %d and %d, searches %v, interactions %d", row, f.visit.ID, first.V, second.V,
				searches, interactions)
		}
	}
}

func TestRowsOfOneTransactionReferToEachOther(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		s.db.SetMaxOpenConns(1) // so that the increment is that of all connections
		for _, c := range []struct {
			about        string
			families     int
			maxStatement int
			increment    int64
			roundTrips   int // with scripts; 0: several
		}{
			{"one", 1, 1 << 20, 1, 2},
			{"few", 7, 1 << 20, 1, 2},
			{"several statements for a table", maxRows + 7, 8 << 20, 1, 2},
			{"several scripts", 60, 9000, 1, 0},
			{"every statement too long for a script", 5, 300, 1, 0},
			{"increment", maxRows + 7, 8 << 20, 3, 2},
			{"increment and several scripts", 60, 9000, 3, 0},
		} {
			if s.OneWriter() && c.increment > 1 {
				continue
			}
			for _, table := range []string{"log_visit", "log_link_visit_action", "log_conversion"} {
				s.db.MustExec("DELETE FROM m_" + table)
			}
			if !s.OneWriter() {
				s.db.MustExec("SET auto_increment_increment = ?", c.increment)
			}
			s.server.maxStatement = c.maxStatement
			s.distance.Store(c.increment)
			families := make([]family, c.families)
			for i := range families {
				families[i] = newFamily(i)
			}
			stats := inTx(t, s, func(ctx context.Context, tx *Tx) error { return writeFamilies(ctx, tx, families) })
			switch {
			case !s.server.scripts && stats.RoundTrips != stats.Statements,
				s.server.scripts && c.roundTrips > 0 && stats.RoundTrips != c.roundTrips,
				s.server.scripts && c.roundTrips == 0 && stats.RoundTrips < 4,
				stats.GoneVisits != 0:
				t.Errorf("%s: %+v, scripts %v; want %d round trips with them (0: at least 4), one a statement without",
					c.about, stats, s.server.scripts, c.roundTrips)
			}
			t.Run(c.about, func(t *testing.T) { checkFamilies(t, s, families) })
		}
	})
}

// countRows counts the rows of the log tables.
func countRows(t testing.TB, s *Store) (n int) {
	t.Helper()
	const query = "SELECT (SELECT COUNT(*) FROM m_log_visit) + (SELECT COUNT(*) FROM m_log_link_visit_action) + (SELECT " +
		"COUNT(*) FROM m_log_conversion)"
	if err := s.db.Get(&n, query); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefusedValueLeavesNothingOfTheTransaction(t *testing.T) {
	onMariaDB(t, func(t *testing.T, s *Store) {
		for about, finish := range map[string]func(tx *Tx, err error) error{
			"told by Flush": func(tx *Tx, err error) error { return errors.Join(err, tx.Flush(t.Context()), tx.Rollback()) },
			"told by Commit": func(tx *Tx, err error) error {
				if err != nil { // one statement at a time
					return errors.Join(err, tx.Rollback())
				}
				return tx.Commit(t.Context())
			},
		} {
			tx, err := s.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			families := []family{newFamily(0), newFamily(1), newFamily(2)}
			families[1].links[1].PageviewID = Text(strings.Repeat("x", 300)) // not conformed
			if err := finish(tx, writeFamilies(t.Context(), tx, families)); !IsDataError(err) {
				t.Errorf("%s: error %v, want one of the data", about, err)
			}
			if n := countRows(t, s); n != 0 {
				t.Errorf("%s: %d rows are left, want none", about, n)
			}
		}
	})
}

func TestTransactionWhoseScriptFailedIsNotCommitted(t *testing.T) {
	for about, fail := range map[string]func(tx *Tx) error{
		"refused value": func(tx *Tx) error {
			families := []family{newFamily(0), newFamily(1)}
			families[1].links[1].PageviewID = Text(strings.Repeat("x", 300))
			return writeFamilies(t.Context(), tx, families)
		},
		"moved checkpoint": func(tx *Tx) error {
			err := tx.MoveCheckpoint(t.Context(), testList, Checkpoint{1, "a"}, Checkpoint{2, "b"})
			return errors.Join(err, writeFamilies(t.Context(), tx, []family{newFamily(0)}))
		},
	} {
		s := openStore(t, mariaDB(t))
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := fail(tx); err != nil {
			t.Fatal(err)
		}
		failed := tx.Flush(t.Context())
		_, asked := tx.FindVisits(t.Context(), []VisitQuery{{ByVisitor: true}})
		if err := tx.Commit(t.Context()); failed == nil || !errors.Is(asked, failed) || !errors.Is(err, failed) {
			t.Errorf("%s: Flush: %v, FindVisits: %v, Commit: %v; want the same error of each", about, failed, asked, err)
		}
		if n := countRows(t, s); n != 0 {
			t.Errorf("%s: %d rows are left, want none", about, n)
		}
	}
}

// The rows in front of the cut have their numbers while the server is still busy with those behind it, whatever becomes
// of these.
func TestRowsInFrontOfTheCutAreNumberedFirst(t *testing.T) {
	s := openStore(t, mariaDB(t))
	for about, fits := range map[string]bool{"committed": true, "refused": false} {
		s.db.MustExec("DELETE FROM m_log_visit")
		s.db.MustExec("DELETE FROM m_log_link_visit_action")
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v := newTestVisit(1, 1, testTime)
		if err := tx.InsertVisits(t.Context(), []*Visit{v}); err != nil {
			t.Fatal(err)
		}
		tx.Cut()
		link := pageview(v, "abcdef", NoAction, NoAction)
		if !fits {
			link.PageviewID = Text(strings.Repeat("x", 300)) // not conformed
		}
		if err := tx.InsertLinkActions(t.Context(), []*LinkAction{link}); err != nil || !Deferred(v.ID) {
			t.Fatal(v.ID, err)
		}
		var visit, action int64
		sent := tx.Send(t.Context(), func() {
			tx.Number()
			visit, action = v.ID, link.ID
		})
		if visit <= 0 || !Deferred(action) || (sent == nil) != fits {
			t.Errorf("%s: visit %d, action %d, error %v; want only the visit numbered, and sent %v", about, visit, action, sent,
				fits)
		}
		tx.Settle()
		if v.ID != visit || (link.ID > 0) != fits {
			t.Errorf("%s: visit %d, action %d; want %d, and the action numbered %v", about, v.ID, link.ID, visit, fits)
		}
		if err := tx.Commit(t.Context()); (err == nil) != fits {
			t.Errorf("%s: error %v, want committed %v", about, err, fits)
		}
		want := 0
		if fits {
			want = 2
		}
		if n := countRows(t, s); n != want || tx.Stats().RoundTrips > 3 {
			t.Errorf("%s: %d rows, %+v; want %d, in 3 round trips at most", about, n, tx.Stats(), want)
		}
	}
}

// Where nobody waits for numbers, the rows on both sides of the cut travel together.
func TestFlushIgnoresTheCut(t *testing.T) {
	s := openStore(t, mariaDB(t))
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	v := newTestVisit(1, 1, testTime)
	link := pageview(v, "abcdef", NoAction, NoAction)
	err = tx.InsertVisits(t.Context(), []*Visit{v})
	tx.Cut()
	err = errors.Join(err, tx.InsertLinkActions(t.Context(), []*LinkAction{link}), tx.Flush(t.Context()))
	if err != nil || v.ID <= 0 || link.ID <= 0 || tx.Stats().RoundTrips != 1 {
		t.Errorf("visit %d, action %d, %+v, error %v; want both numbered in 1 round trip", v.ID, link.ID, tx.Stats(), err)
	}
}

func TestRollbackOfNothingIsNotSent(t *testing.T) {
	s := openStore(t, mariaDB(t))
	s.db.SetMaxOpenConns(1)
	questions := func() (n int) {
		if err := s.db.QueryRowx("SHOW SESSION STATUS LIKE 'Questions'").Scan(new(string), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := questions()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeFamilies(t.Context(), tx, []family{newFamily(0)}), tx.Rollback()); err != nil ||
		tx.Stats().RoundTrips != 0 {
		t.Errorf("%+v, error %v; want no round trip and none", tx.Stats(), err)
	}
	if sent := questions() - before - 1; sent != 0 {
		t.Errorf("%d statements sent, want none", sent)
	}
}

// connectionID is the server's number of the transaction's connection. Nothing that was collected is sent.
func connectionID(t testing.TB, tx *Tx) (id int64) {
	t.Helper()
	if err := tx.conn.GetContext(t.Context(), &id, "SELECT CONNECTION_ID()"); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestKilledConnectionIsLostAndLeavesThePool(t *testing.T) {
	onMariaDB(t, func(t *testing.T, s *Store) {
		s.db.SetMaxIdleConns(10)
		v := insertVisit(t, s, 1)
		after := *v
		after.TotalTime = 7
		change := []VisitChange{{v, &after}}
		for about, run := range map[string]func(tx *Tx, kill func()) error{
			"in a script": func(tx *Tx, kill func()) error {
				holder, err := s.Begin(t.Context())
				if err != nil {
					return err
				}
				defer holder.Rollback() // it is there to be waited for
				if err := errors.Join(holder.UpdateVisits(t.Context(), change), holder.Flush(t.Context())); err != nil {
					return err
				}
				told := make(chan error, 1)
				go func() {
					err := tx.UpdateVisits(t.Context(), change)
					if err == nil {
						err = tx.Commit(t.Context())
					}
					told <- errors.Join(err, tx.Rollback())
				}()
				waitForLock(t, s)
				kill()
				return <-told
			},
			"at COMMIT": func(tx *Tx, kill func()) error {
				if err := errors.Join(tx.UpdateVisits(t.Context(), change), tx.Flush(t.Context())); err != nil {
					return err
				}
				kill()
				return tx.Commit(t.Context())
			},
		} {
			tx, err := s.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			id, open := connectionID(t, tx), 0
			err = run(tx, func() {
				_ = countRows(t, s) // the pool has a connection for KILL
				open = s.db.Stats().OpenConnections
				s.db.MustExec(fmt.Sprintf("KILL %d", id))
			})
			if !IsConnectionLost(err) || IsDataError(err) {
				t.Errorf("%s: error %v, want one of a lost connection", about, err)
			}
			if pool := s.db.Stats(); pool.OpenConnections != open-1 || pool.InUse != 0 {
				t.Errorf("%s: %d connections, %d in use; want %d and none", about, pool.OpenConnections, pool.InUse, open-1)
			}
			if found := find(t, s, byVisitorQuery(v))[0]; found.TotalTime != 0 {
				t.Errorf("%s: visit_total_time %d, want 0", about, found.TotalTime)
			}
		}
	})
}
