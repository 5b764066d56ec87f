package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// viewTime is a row of an action that was invented.
func viewTime(v *Visit, link, at int64, id string) *PageViewTime {
	p := &PageViewTime{Visit: v, SiteID: 1, Link: LinkID{Valid: true, ID: link}, ServerTime: testTime + at}
	if id != "" {
		p.PageviewID = Text(id)
	}
	return p
}

func insertViews(t testing.TB, s *Store, renew bool, rows ...*PageViewTime) error {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	told := false
	err = tx.InsertPageViewTimes(t.Context(), rows, renew, func() { told = true })
	if err == nil {
		err = tx.Commit(t.Context())
	}
	if is := errors.Is(err, ErrPageViewThere); is != told || err != nil && (!is || !IsRetryable(err)) {
		t.Fatalf("%v, told: %v, want no error or ErrPageViewThere, which is told and retryable", err, told)
	}
	return err
}

// stored are the rows of log_page_view_time: action, moment, seconds, and the actions' names.
func stored(t testing.TB, s *Store) (rows []string) {
	t.Helper()
	result, err := s.db.Query("SELECT idvisit, idlink_va, server_time, time_spent, idaction_url, idaction_name FROM m_log_page_view_time ORDER BY idpageviewtime")
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	for result.Next() {
		var visit, link, spent int64
		var at scanner
		var moment int64
		at.typ, at.value = &columnType{kind: kindMoment}, &moment
		var url, name NullInt
		if err := result.Scan(&visit, &link, &at, &spent, &url, &name); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf("%d/%d +%d %ds %d %d", visit, link, moment-testTime, spent, url.V, name.V))
	}
	return rows
}

func TestNewestPageViewTimesAreFound(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		v, w, without := insertVisit(t, s, 1), insertVisit(t, s, 2), insertVisit(t, s, 3)
		if err := insertViews(t, s, false,
			viewTime(v, 1, 0, "aaaaaa"), viewTime(w, 2, 5, ""), viewTime(v, 3, 30, "bbbbbb"), viewTime(v, 4, 20,
				""), viewTime(v, 5, 20, "AAAAAA"),
		); err != nil {
			t.Fatal(err)
		}
		links := func(views PageViews) (ids []int64) {
			for _, row := range views.Rows {
				ids = append(ids, row.Link.ID)
			}
			return ids
		}
		tests := []struct {
			all  bool
			want []int64
		}{{false, []int64{4, 5, 3}}, {true, []int64{1, 4, 5, 3}}}
		for _, test := range tests {
			found, err := s.FindPageViewTimes(t.Context(), []int64{v.ID, without.ID, w.ID}, test.all)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, links(found[v.ID])); diff != "" || found[v.ID].All != test.all {
				t.Errorf("all %v: (-want +got) %s, all of them: %v, want %v", test.all, diff, found[v.ID].All, test.all)
			}
			if diff := cmp.Diff([]int64{2}, links(found[w.ID])); diff != "" || !found[w.ID].All ||
				len(found[without.ID].Rows) > 0 || !found[without.ID].All {
				t.Errorf("all %v: (-want +got) %s, %+v, want all of the one row, and none of the other visit", test.all, diff, found)
			}
			want := PageViewTime{Link: LinkID{Valid: true, ID: 5}, PageviewID: Text("AAAAAA"), ServerTime: testTime + 20}
			rows := found[v.ID].Rows
			if got := rows[len(rows)-2]; got != want {
				t.Errorf("row %+v, want %+v", got, want)
			}
		}
	})
}

func TestManyPageViewTimesAreFoundAndGrow(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		const visits = maxRows + 10
		var rows []*PageViewTime
		var ids []int64
		for i := range int64(visits) {
			v := &Visit{ID: i + 1}
			rows, ids = append(rows, viewTime(v, i+1, i, "")), append(ids, v.ID)
		}
		if err := insertViews(t, s, false, rows...); err != nil {
			t.Fatal(err)
		}
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			// nobody's
			changed := []*PageViewTime{viewTime(&Visit{ID: 3}, visits+4, 0, ""), viewTime(&Visit{ID: visits + 1}, 1, 0, "")}
			for i := range maxChanged + 5 {
				row := *rows[i]
				row.TimeSpent = int64(100 + i)
				changed = append(changed, &row)
			}
			return tx.UpdatePageViewTimes(ctx, changed)
		})
		found, err := s.FindPageViewTimes(t.Context(), ids, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := range visits {
			want := int64(0)
			if i < maxChanged+5 {
				want = int64(100 + i)
			}
			if views := found[int64(i+1)]; len(views.Rows) != 1 || views.Rows[0].TimeSpent != want {
				t.Fatalf("visit %d: %+v, want %d s", i+1, views, want)
			}
		}
	})
}

// Matomo renews the actions of a row that is there, and nothing else. For the tracker it is a surprise.
func TestPageViewThatIsThere(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		v := insertVisit(t, s, 1)
		first := viewTime(v, 7, 1, "")
		first.TimeSpent, first.URL = 77, ActionID{Valid: true, ID: 5}
		if err := insertViews(t, s, false, first); err != nil {
			t.Fatal(err)
		}
		again := viewTime(v, 7, 2, "")
		again.URL, again.Name = ActionID{Valid: true, ID: 6}, ActionID{Valid: true, ID: 8}
		if err := insertViews(t, s, false, viewTime(v, 8, 2, ""), again); !errors.Is(err, ErrPageViewThere) {
			t.Errorf("a row that is there: %v, want %v", err, ErrPageViewThere)
		}
		want := []string{fmt.Sprintf("%d/7 +1 77s 5 0", v.ID)}
		if diff := cmp.Diff(want, stored(t, s)); diff != "" {
			t.Error(diff)
		}
		if err := insertViews(t, s, true, again, viewTime(v, 8, 2, "")); err != nil {
			t.Fatal(err)
		}
		want = []string{fmt.Sprintf("%d/7 +1 77s 6 8", v.ID), fmt.Sprintf("%d/8 +2 0s 0 0", v.ID)}
		if diff := cmp.Diff(want, stored(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPageViewsOfVisitsToCome(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		ahead := func() (is bool) {
			inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
				is, err = tx.PageViewsAhead(ctx)
				return err
			})
			return is
		}
		if ahead() {
			t.Error("empty tables: rows of visits to come, want none")
		}
		v := insertVisit(t, s, 1)
		if err := insertViews(t, s, false, viewTime(v, 1, 0, "")); err != nil || ahead() {
			t.Errorf("row of a visit that is there: is ahead, or %v, want neither", err)
		}
		if err := insertViews(t, s, false, viewTime(&Visit{ID: v.ID + 1}, 1, 0, "")); err != nil || !ahead() {
			t.Errorf("row of the next visit: not ahead, or %v, want it ahead and no error", err)
		}
	})
}

func TestValuesThatLogPageViewTimeCannotHold(t *testing.T) {
	onEachDatabaseOfSix(t, func(t *testing.T, s *Store) {
		tests := []struct {
			spent int64
			ok    bool
		}{{0, true}, {1<<32 - 1, true}, {1 << 32, false}, {-1, false}}
		for _, test := range tests {
			row := PageViewTime{TimeSpent: test.spent}
			if err := s.ConformPageViewTime(&row); (err == nil) != test.ok {
				t.Errorf("time_spent %d: %v, want fine: %v", test.spent, err, test.ok)
			}
		}
	})
}

// Only the rows that change are locked, however small the table is.
func TestPageViewTimesAreFoundByTheirIndexes(t *testing.T) {
	s := openStore(t, mariaDB(t))
	upgrade(t, s.db)
	s = openStore(t, s.db)
	var rows []*PageViewTime
	for i := range int64(300) {
		rows = append(rows, viewTime(&Visit{ID: 1 + i/3}, i+1, i, ""))
	}
	if err := insertViews(t, s, false, rows...); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, maxChanged} {
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() // nothing is sent
		tx.script.reset()   // but the UPDATE
		if err := tx.UpdatePageViewTimes(t.Context(), rows[:n]); err != nil {
			t.Fatal(err)
		}
		if plan := explain(t, s.db, &tx.script.statement); len(plan) != 1 || plan[0].access != "range" ||
			plan[0].key != pageViewKey {
			t.Errorf("%d rows: %+v, want a range of %s", n, plan, pageViewKey)
		}
	}
	q := new(statement)
	s.newestPageViewsOf(q, newReader(&s.pageViews), []int64{1, 2, 3})
	indexes := 0
	for _, step := range explain(t, s.db, q) {
		switch {
		case step.table == "w" && step.access == "ref" && step.key == pageViewTime:
			indexes++
		case step.table == "w", step.table == "p" && (step.access != "eq_ref" || step.key != "PRIMARY"):
			t.Errorf("%+v, want w by %s and p by its primary key", step, pageViewTime)
		}
	}
	if indexes != newestPageViews {
		t.Errorf("%d subqueries use the index, want %d", indexes, newestPageViews)
	}
}
