package store

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testTime = 1_700_000_000

// fullVisit has a value in every column that is read back.
func fullVisit() *Visit {
	v := newTestVisit(1, 7, testTime)
	v.LocationIP = "\x00'\\\xff"
	v.TotalTime, v.Profilable, v.UserID = 60, Int(1), Text(`o'neil "\?`)
	v.GoalBuyer, v.Returning, v.SecondsSinceFirst, v.SecondsSinceOrder = Int(2), Int(1), Int(3600), Int(0)
	v.EntryURL, v.ExitName, v.ExitURL = ActionID{Valid: true, ID: 3}, NoAction, ActionID{}
	v.Referer = Referer{Int(3), Text("Example — 例"), Text(""), Text("http://example.org/?a=b&c='")}
	v.BrowserLang, v.Resolution = Text("de-at"), Text("1920x1080")
	v.Device = Device{
		BrowserName: Text("CH"), ClientType: Int(1), Brand: Text("AP"), Model: Text("generic desktop"),
		Type: Int(0),
	}
	v.Location = Location{Text("nz"), Text("AUK"), Text("Auckland"), Text("-36.850000"), Text("174.760000")}
	v.LastLinkAction = LinkID{Valid: true, ID: 99}
	v.CustomDimensions = []NullText{Text("one"), {}, Text(""), {}, Text("five")}
	v.CustomVars = []CustomVar{{Text("name"), Text("value")}, {}, {Text(""), Text("")}, {}, {}}
	return v
}

func byVisitorQuery(v *Visit) VisitQuery {
	return VisitQuery{SiteID: v.SiteID, ByVisitor: true, Visitor: v.Visitor, To: testTime + 10_000}
}

func find(t testing.TB, s *Store, queries ...VisitQuery) (found []*Visit) {
	t.Helper()
	inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
		answers, err := tx.FindVisits(ctx, queries)
		for _, f := range answers {
			found = append(found, f.Visit)
		}
		return err
	})
	return found
}

func TestVisitComesBackAsWritten(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := fullVisit()
		if err := s.ConformVisit(v); err != nil {
			t.Fatal(err)
		}
		want := *v
		v.GoalConverted, v.Device.OS, v.Plugins.Cookie = Int(1), Text("WIN"), Int(1) // written, never read
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
		want.ID = v.ID
		if diff := cmp.Diff(&want, find(t, s, byVisitorQuery(v))[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestIdsFollowTheOrderOfTheSlice(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		visits := make([]*Visit, 2*maxRows+3)
		for i := range visits {
			visits[i] = newTestVisit(1, byte(i), testTime)
			visits[i].ConfigID = BinaryID{byte(i >> 8), byte(i)}
		}
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
		if want := map[bool]int{true: 2, false: 5}[s.server.scripts]; stats.RoundTrips != want {
			t.Errorf("%+v for %d visits, want %d round trips", stats, len(visits), want)
		}
		for i, v := range visits {
			var config []byte
			if err := s.db.Get(&config, "SELECT config_id FROM m_log_visit WHERE idvisit = ?", v.ID); err != nil {
				t.Fatal(err)
			}
			if string(config) != string(v.ConfigID[:]) || i > 0 && v.ID <= visits[i-1].ID {
				t.Fatalf("visit %d has id %d with config_id %x, want one above that of the visit before, with %x", i, v.ID, config,
					v.ConfigID)
			}
		}
	})
}

func TestIdsWithAnIncrement(t *testing.T) {
	s := openStore(t, mariaDB(t))
	s.db.SetMaxOpenConns(1)
	s.db.MustExec("SET auto_increment_increment = 7")
	visits := []*Visit{newTestVisit(1, 1, testTime), newTestVisit(1, 2, testTime), newTestVisit(1, 3, testTime)}
	s.db.MustExec("INSERT INTO m_option (option_name, option_value) VALUES (?, '')", checkpointPrefix+"list")
	s.replays.Store(checkpointPrefix+"list", true) // else Checkpoint asks on a second connection
	inTx(t, s, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Checkpoint(ctx, "list"); err != nil {
			return err
		}
		return tx.InsertVisits(ctx, visits)
	})
	if visits[1].ID != visits[0].ID+7 {
		t.Errorf("id %d behind %d, want %d", visits[1].ID, visits[0].ID, visits[0].ID+7)
	}
	for _, v := range visits {
		if found := find(t, s, byVisitorQuery(v))[0]; found == nil || found.ID != v.ID {
			t.Errorf("found %+v, want visit %d", found, v.ID)
		}
	}
}

func TestLongRowsAreSplitBelowTheLimit(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		s.server.maxStatement = 4000
		var visits []*Visit
		for i := range 10 {
			v := newTestVisit(1, byte(i), testTime)
			v.Referer.URL = Text(strings.Repeat("'", 100*i))
			visits = append(visits, v)
		}
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
		if stats.Statements < 5 {
			t.Errorf("%d statements, want at least 5", stats.Statements)
		}
		for _, v := range visits {
			if found := find(t, s, byVisitorQuery(v))[0]; found.Referer.URL != v.Referer.URL {
				t.Errorf("visit %d has %d bytes, want %d", v.ID, len(found.Referer.URL.V), len(v.Referer.URL.V))
			}
		}
	})
}

func TestFindVisits(t *testing.T) {
	config := func(v *Visit) VisitQuery {
		return VisitQuery{SiteID: v.SiteID, ByConfig: true, ConfigID: v.ConfigID, From: testTime - 1800, To: testTime + 1800}
	}
	withUser := func(v *Visit, user string) VisitQuery {
		q := config(v)
		q.UserID = Text(user)
		return q
	}
	onEachDatabase(t, func(t *testing.T, s *Store) {
		old, last, later := newTestVisit(1, 1, testTime-100_000), newTestVisit(1, 1, testTime-10), newTestVisit(1, 1,
			testTime+2000)
		twin, twin2 := newTestVisit(1, 2, testTime), newTestVisit(1, 2, testTime)
		other := newTestVisit(2, 1, testTime)
		bob := newTestVisit(1, 3, testTime-5)
		bob.UserID = Text("Bob")
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			return tx.InsertVisits(ctx, []*Visit{old, last, later, twin, twin2, other, bob})
		})
		until := func(v *Visit, to int64) VisitQuery {
			q := byVisitorQuery(v)
			q.To = to
			return q
		}
		narrow := config(last)
		narrow.From = testTime - 9
		for _, c := range []struct {
			about string
			query VisitQuery
			want  *Visit
		}{
			{"newest of the visitor", until(last, testTime+2000), later},
			{"newest before the end of the window", until(last, testTime+1800), last},
			{"end of the window is inside", until(last, testTime-10), last},
			{"any age", until(last, testTime-11), old},
			{"nothing so old", until(last, testTime-100_001), nil},
			{"another site", until(other, testTime), other},
			{"unknown visitor", VisitQuery{SiteID: 1, ByVisitor: true, To: testTime}, nil},
			{"by config within the window", config(last), last},
			{"beginning of the window", narrow, nil},
			{"equal times by visitor: smallest id", until(twin, testTime), twin},
			{"equal times by config: greatest id", config(twin), twin2},
			{"visit without user id", withUser(last, "bob"), last},
			{"same user", withUser(bob, "bob"), bob},
			{"another user", withUser(bob, "o'bob"), nil},
			{"user id in other letters", withUser(bob, "BOB"), bob},
		} {
			got := find(t, s, c.query)[0]
			if (got == nil) != (c.want == nil) || got != nil && got.ID != c.want.ID {
				t.Errorf("%s: %+v, want %+v", c.about, got, c.want)
			}
		}
	})
}

func TestFindVisitsAnswersABatchAtOnce(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		var visits []*Visit
		for i := range 30 {
			visits = append(visits, newTestVisit(1, byte(i), testTime))
		}
		visits[5].UserID = Text("carol")
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
		var queries []VisitQuery
		for _, v := range visits {
			q := VisitQuery{SiteID: 1, ByConfig: true, ConfigID: v.ConfigID, From: testTime, To: testTime}
			narrow := q
			narrow.UserID = Text("Carol")
			queries = append(queries, byVisitorQuery(v), q, narrow, byVisitorQuery(v), VisitQuery{SiteID: 3, ByConfig: true})
		}
		var found []*Visit
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error {
			answers, err := tx.FindVisits(ctx, queries)
			for _, f := range answers {
				found = append(found, f.Visit)
			}
			return err
		})
		if stats.Statements != 3 {
			t.Errorf("%d statements, want 3", stats.Statements)
		}
		for i, v := range visits {
			row := found[5*i : 5*i+5]
			if row[0] == nil || row[0].ID != v.ID || row[1] != row[0] || row[2] != row[0] || row[3] != row[0] || row[4] != nil {
				t.Fatalf("visit %d: %v, want it four times and none", v.ID, row)
			}
		}
	})
}

func TestFindVisitsInSeveralStatements(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := newTestVisit(1, 1, testTime)
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
		var queries []VisitQuery
		for i := range maxRows + 10 {
			queries = append(queries, VisitQuery{
				SiteID: 1, ByVisitor: true, Visitor: BinaryID{9, byte(i), byte(i >> 8)},
				To: testTime,
			})
		}
		queries[maxRows+5].Visitor = v.Visitor
		if found := find(t, s, queries...); found[maxRows+5] == nil {
			t.Errorf("nothing found in the second statement, want visit %d", v.ID)
		}
	})
}

func TestUpdateVisitsWritesWhatChanged(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		visits := []*Visit{
			fullVisit(), newTestVisit(1, 2, testTime), newTestVisit(1, 3, testTime),
			newTestVisit(1, 4, testTime),
		}
		visits[3].TotalSearches = NullInt{}
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, visits) })
		var queries []VisitQuery
		for _, v := range visits {
			queries = append(queries, byVisitorQuery(v))
		}
		var changes []VisitChange
		for i, v := range find(t, s, queries...) {
			after := *v
			switch i {
			case 0:
				after.UserID, after.Location.Latitude, after.CustomDimensions = NullText{}, Text("1.250000"), []NullText{Text("zwei"), {}, {}, {}, {}}
				after.ConfigID = BinaryID{1}
			case 1, 2:
				after.LastActionTime += int64(i)
				after.TotalActions, after.TotalInteractions = Int(3), Int(2)
				after.ExitURL = ActionOf(&ActionEntry{ID: int64(40 + i)})
				after.Referer.URL = Text(strings.Repeat("é", 600))
			case 3:
				after.TotalSearches = Int(1)
			}
			changes = append(changes, VisitChange{v, &after})
		}
		changes[3], changes[0] = changes[0], changes[3]
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.UpdateVisits(ctx, changes) })
		if stats.Statements != 5 || stats.GoneVisits != 0 {
			t.Errorf("%+v, want 5 statements and no visit that is gone", stats)
		}
		for _, c := range changes {
			want := *c.After
			want.ExitURL = ActionID{want.ExitURL.Valid, want.ExitURL.Number(), nil}
			if diff := cmp.Diff(&want, find(t, s, byVisitorQuery(c.Before))[0]); diff != "" {
				t.Errorf("visit %d (-want +got):\n%s", c.Before.ID, diff)
			}
		}
	})
}

func TestUnchangedVisitCostsNothing(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		v := fullVisit()
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
		found := find(t, s, byVisitorQuery(v))[0]
		again := *found
		again.CustomVars, again.CustomDimensions = append([]CustomVar(nil), found.CustomVars...), append([]NullText(nil),
			found.CustomDimensions...)
		stats := inTx(t, s, func(ctx context.Context,
			tx *Tx,
		) error {
			return tx.UpdateVisits(ctx, []VisitChange{{found, &again}})
		})
		if stats.Statements != 2 {
			t.Errorf("%+v, want 2 statements", stats)
		}
	})
}

func TestDeletedVisitsAreCounted(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		var changes []VisitChange
		for i := range 3 {
			v := newTestVisit(1, byte(i), testTime)
			inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
			after := *v
			after.TotalTime = 5
			changes = append(changes, VisitChange{v, &after})
		}
		s.db.MustExec("DELETE FROM m_log_visit WHERE idvisit = ?", changes[1].Before.ID)
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.UpdateVisits(ctx, changes) })
		if stats.GoneVisits != 1 {
			t.Errorf("%+v, want 1 visit that is gone", stats)
		}
	})
}

func TestConcurrentCountersAddUp(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		const workers, visits, rounds = 4, 8, 5
		rows := make([]*Visit, visits)
		for i := range rows {
			rows[i] = newTestVisit(1, byte(i), testTime)
		}
		inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, rows) })
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				for range rounds {
					tx, err := s.Begin(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					var changes []VisitChange
					for i := range rows {
						row := rows[(i+w*3)%visits] // every worker in an order of its own
						after := *row
						after.TotalActions.V += 2
						after.TotalEvents.V++
						changes = append(changes, VisitChange{row, &after})
					}
					if err := tx.UpdateVisits(t.Context(), changes); err != nil {
						t.Error(err)
					}
					if err := tx.Commit(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		for _, row := range rows {
			got := find(t, s, byVisitorQuery(row))[0]
			if got.TotalActions.V != 1+2*workers*rounds || got.TotalEvents.V != workers*rounds {
				t.Errorf("visit %d: %d actions, %d events; want %d and %d", row.ID, got.TotalActions.V, got.TotalEvents.V,
					1+2*workers*rounds, workers*rounds)
			}
		}
	})
}
