package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestOptionsAreWrittenAndOverwritten(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		long := strings.Repeat("n", 200)
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			return tx.SetOptions(ctx, []Option{{"a", "1", true}, {"b", "it's", false}, {long, "", false}})
		})
		stats := inTx(t, s, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.SetOptions(ctx, []Option{{"b", "2", true}}), tx.CreateOptions(ctx, []string{"x_mark_1", "x_mark_2"}, "1"), tx.CreateOptions(ctx, nil, ""))
		})
		if stats.Statements != 4 {
			t.Errorf("%+v, want 4 statements", stats)
		}
		var rows []struct {
			Name     string `db:"option_name"`
			Value    string `db:"option_value"`
			Autoload int    `db:"autoload"`
		}
		if err := s.db.Select(&rows, "SELECT * FROM m_option ORDER BY option_name"); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range rows {
			got += r.Name + "=" + r.Value + map[int]string{0: "", 1: "*"}[r.Autoload] + " "
		}
		if want := "a=1* b=2* " + long[:191] + "= x_mark_1=1 x_mark_2=1 "; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		var names []string
		inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
			names, err = tx.OptionNames(ctx, `%mark%`)
			return err
		})
		if diff := cmp.Diff([]string{"x_mark_1", "x_mark_2"}, names); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOptionIsRead(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			if err := tx.SetOptions(ctx, []Option{{Name: "here", Value: "v"}}); err != nil {
				return err
			}
			value, found, err := tx.Option(ctx, "here")
			if value != "v" || !found {
				t.Errorf("%q, found %v, want \"v\" and true", value, found)
			}
			_, missing, err2 := tx.Option(ctx, "there")
			if missing {
				t.Error("option there: found, want not")
			}
			return errors.Join(err, err2)
		})
	})
}

func TestCheckpointIsReadAndSaved(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		const list = "trackingQueueV1_0"
		read := func(s *Store) (c Checkpoint) {
			inTx(t, s, func(ctx context.Context, tx *Tx) (err error) {
				c, err = tx.Checkpoint(ctx, list)
				return err
			})
			return c
		}
		if c := read(s); c != (Checkpoint{}) {
			t.Errorf("%+v before the first batch, want %+v", c, Checkpoint{})
		}
		want := Checkpoint{Offset: 1 << 40, Digest: "0123abcd"}
		inTx(t, s, func(ctx context.Context, tx *Tx) error {
			_, err := tx.Checkpoint(ctx, list)
			return errors.Join(err, tx.SaveCheckpoint(ctx, list, want))
		})
		if c := read(fresh(t, s)); c != want {
			t.Errorf("%+v, want %+v", c, want)
		}
		s.db.MustExec("UPDATE m_option SET option_value = 'x y'")
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() // nothing is written
		if _, err := tx.Checkpoint(t.Context(), list); err == nil || !strings.Contains(err.Error(), list) {
			t.Errorf("%v, want an error that names %s", err, list)
		}
		if _, err := tx.Checkpoint(t.Context(), strings.Repeat("l", 192)); err == nil {
			t.Error("a list name that does not fit: no error, want one")
		}
	})
}

func TestCheckpointFencesASecondWorker(t *testing.T) {
	s := openStore(t, mariaDB(t))
	const list = "trackingQueueV1"
	for _, known := range []bool{false, true} {
		first, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := first.Checkpoint(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		second, err := fresh(t, s).Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen := make(chan Checkpoint, 1)
		go func() {
			c, err := second.Checkpoint(t.Context(), list)
			if err != nil {
				t.Error(err)
			}
			seen <- c
		}()
		waitForLock(t, s)
		c.Offset += 25
		if err := errors.Join(first.SaveCheckpoint(t.Context(), list, c), first.Commit(t.Context())); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got.Offset != c.Offset {
			t.Errorf("known %v: second worker sees %+v", known, got)
		}
		if err := second.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// waitForLock returns once a transaction waits for a row.
func waitForLock(t testing.TB, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(testserver.Patience); time.Now().Before(deadline); {
		var status struct {
			Name  string `db:"Variable_name"`
			Value int    `db:"Value"`
		}
		if err := s.db.Get(&status, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"); err != nil {
			t.Fatal(err)
		}
		if status.Value > 0 {
			return
		}
	}
	t.Fatal("nobody waits")
}

func TestSiteBeginsEarlier(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		s.db.MustExec("INSERT INTO m_site (name, main_url, ts_created, sitesearch_keyword_parameters, sitesearch_category_parameters, timezone, currency, " +
			"excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, `group`, type) " +
			"VALUES ('', '', '2023-11-10 00:00:00', '', '', 'UTC', 'USD', '', '', '', '', '', 'website')")
		for _, step := range []struct {
			created int64
			want    string
		}{{1_699_833_600, "2023-11-10 00:00:00"}, {1_699_315_200, "2023-11-07 00:00:00"}} {
			inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.MoveSiteCreated(ctx, 1, step.created) })
			var got string
			if err := s.db.Get(&got, "SELECT ts_created FROM m_site"); err != nil || got != step.want {
				t.Errorf("%q, want %q, %v", got, step.want, err)
			}
		}
	})
}

func TestFailuresStayAsTheyWere(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		for _, url := range []string{"first", "second"} {
			inTx(t, s, func(ctx context.Context, tx *Tx) error {
				return tx.InsertFailures(ctx, []*Failure{{9, 1, testTime, url}, {9, 2, testTime, url}})
			})
		}
		var urls []string
		if err := s.db.Select(&urls, "SELECT request_url FROM m_tracking_failure"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"first", "first"}, urls); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLockedOptionIsKeptFromOthers(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for _, want := range []string{"[]", "one"} { // created, then there
			inTx(t, s, func(ctx context.Context, tx *Tx) error {
				value, err := tx.LockOption(ctx, "locked", "[]")
				if value != want {
					t.Errorf("%q, want %q", value, want)
				}
				return errors.Join(err, tx.SetOptions(ctx, []Option{{Name: "locked", Value: "one"}}))
			})
		}
		if s.OneWriter() {
			return
		}
		first, err := s.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.LockOption(ctx, "locked", "[]"); err != nil {
			t.Fatal(err)
		}
		seen := make(chan string)
		go func() {
			defer close(seen)
			inTx(t, s, func(ctx context.Context, tx *Tx) error {
				value, err := tx.LockOption(ctx, "locked", "[]")
				seen <- value
				return err
			})
		}()
		waitForLock(t, s)
		if err := errors.Join(first.SetOptions(ctx, []Option{{Name: "locked", Value: "two"}}), first.Commit(ctx)); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != "two" {
			t.Errorf("the second one saw %q", got)
		}
		<-seen
	})
}
