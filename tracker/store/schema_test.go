package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
)

func TestSchemaIsDiscovered(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		want := []int{1, 2, 3, 4, 5}
		schema := s.Schema()
		for about, got := range map[string][]int{"visit": schema.VisitDimensions, "action": schema.ActionDimensions, "conversion": schema.ConversionDimensions} {
			if !slices.Equal(got, want) {
				t.Errorf("%s: dimensions %v, want %v", about, got, want)
			}
		}
		if schema.CustomVars != 5 || !schema.HasVisitorIndex || !schema.VisitorIndexDescending || len(schema.Unknown) != 0 {
			t.Errorf("%+v, want 5 custom variables, a descending index for visitors, nothing unknown", schema)
		}
		if !schema.Has("log_visit", "config_os") || schema.Has("log_visit", "location_provider") || schema.Has("nothing", "at_all") {
			t.Error("Has: want log_visit.config_os, and neither log_visit.location_provider nor nothing.at_all")
		}
		all := len(schema.columns["log_visit"]) + len(schema.columns["log_link_visit_action"]) + len(schema.columns["log_conversion"])
		const ids = 2 // idvisit and idlink_va are not written
		if used := len(s.visits.columns) + len(s.links.columns) + len(s.conversions.columns); used != all-ids {
			t.Errorf("%d columns used of %d, want all but %d", used, all, ids)
		}
	})
}

func TestTablesOfOtherInstallations(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		for _, statement := range []string{
			"ALTER TABLE m_log_visit ADD COLUMN location_provider varchar(200)",
			"ALTER TABLE m_log_visit ADD COLUMN example_visits int NOT NULL DEFAULT 3",
			"ALTER TABLE m_log_visit ADD COLUMN custom_dimension_10 varchar(255)",
			"ALTER TABLE m_log_visit DROP COLUMN config_os_version",
			"ALTER TABLE m_log_conversion DROP COLUMN custom_var_k5",
			"ALTER TABLE m_log_conversion DROP COLUMN custom_var_v5",
		} {
			s.db.MustExec(statement)
		}
		if s.OneWriter() {
			s.db.MustExec("DROP INDEX m_log_visit_" + visitorIndex)
		} else {
			s.db.MustExec("ALTER TABLE m_log_visit DROP INDEX " + visitorIndex)
		}
		other := fresh(t, s)
		schema := other.Schema()
		if !slices.Equal(schema.VisitDimensions, []int{1, 2, 3, 4, 5, 10}) || schema.CustomVars != 4 || schema.HasVisitorIndex {
			t.Errorf("%+v, want visit dimensions 1 to 5 and 10, 4 custom variables, no index for visitors", schema)
		}
		if diff := cmp.Diff(map[string][]string{"log_visit": {"example_visits"}}, schema.Unknown); diff != "" {
			t.Error(diff)
		}
		v := fullVisit()
		v.CustomDimensions, v.CustomVars = append(v.CustomDimensions, Text("ten")), v.CustomVars[:4]
		inTx(t, other, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
		if found := find(t, other, byVisitorQuery(v))[0]; !cmp.Equal(v.CustomDimensions, found.CustomDimensions) {
			t.Errorf("dimensions %v, want %v", found.CustomDimensions, v.CustomDimensions)
		}
	})
}

func TestColumnsOfInactivePluginsAreLeftOut(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		core, err := Open(t.Context(), s.db, Options{Prefix: testPrefix, Features: matomo.Features{}})
		if err != nil {
			t.Fatal(err)
		}
		defer core.Close()
		if core.schema.CustomVars != 0 || core.schema.VisitDimensions != nil {
			t.Errorf("%+v, want neither custom variables nor dimensions", core.schema)
		}
		v := fullVisit()
		inTx(t, core, func(ctx context.Context, tx *Tx) error { return tx.InsertVisits(ctx, []*Visit{v}) })
		found := find(t, s, byVisitorQuery(v))[0]
		if found.UserID != v.UserID || found.Referer.URL.Valid || found.Device.BrowserName.Valid || found.CustomDimensions[0].Valid || found.TotalInteractions != Int(0) {
			t.Errorf("%+v, want the user id %v and no column of a plugin", found, v.UserID)
		}
	})
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	db, err := OpenSQLite(filepath.Join(t.TempDir(), "empty.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(t.Context(), db, Options{Prefix: "x_"}); err == nil || !strings.Contains(err.Error(), "tables_prefix") {
		t.Errorf("no tables: %v, want a word about tables_prefix", err)
	}
	if _, err := Open(t.Context(), db, Options{Prefix: "x`"}); err == nil {
		t.Error("a prefix with a backquote: no error, want one")
	}
}

func TestTablesWithoutPrefixAndCustomVariables(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		if err := tables.Create(t.Context(), s.db, ""); err != nil {
			t.Fatal(err)
		}
		for i := 1; i <= 5; i++ {
			s.db.MustExec(fmt.Sprintf("ALTER TABLE log_link_visit_action DROP COLUMN custom_var_k%d", i))
			s.db.MustExec(fmt.Sprintf("ALTER TABLE log_link_visit_action DROP COLUMN custom_var_v%d", i))
		}
		bare, err := Open(t.Context(), s.db, Options{Features: allFeatures})
		if err != nil {
			t.Fatal(err)
		}
		defer bare.Close()
		if got := bare.Schema().CustomVars; got != 0 {
			t.Errorf("%d custom variables, want 0", got)
		}
	})
}

func TestErrorsAreClassified(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("log_visit: %w", err) }
	server := func(number uint16) error { return wrap(&mysql.MySQLError{Number: number}) }
	stated := func(number uint16, state string) error {
		return wrap(&mysql.MySQLError{Number: number, SQLState: [5]byte([]byte(state))})
	}
	for _, c := range []struct {
		err                   error
		retryable, lost, data bool
	}{
		{nil, false, false, false},
		{server(1213), true, false, false},
		{server(1205), true, false, false},
		{server(1053), true, true, false},
		{server(1290), true, true, false},
		{server(1406), false, false, true},
		{server(1525), false, false, true},
		{server(1062), false, false, true},
		{server(1526), false, false, true},
		{server(3819), false, false, true},
		{server(4025), false, false, true},
		{server(1146), false, false, false},
		{server(1021), false, false, false},
		{server(1114), false, false, false},
		{server(1193), false, false, false},
		{server(1203), true, true, false},
		{server(1226), true, true, false},
		{server(1792), true, true, false},
		{server(9001), true, true, false},
		{stated(1042, "08S01"), true, true, false},
		{stated(1153, "08S01"), false, false, false},
		{stated(3101, "40000"), true, false, false},
		{stated(1118, "42000"), false, false, true},
		{stated(1142, "42000"), false, false, false},
		{stated(1644, "42000"), false, false, true}, // the trigger's choice
		{stated(3140, "22032"), false, false, true},
		{wrap(mysql.ErrInvalidConn), true, true, false},
		{wrap(driver.ErrBadConn), true, true, false},
		{wrap(io.ErrUnexpectedEOF), true, true, false},
		{wrap(&DataError{"t", "c", tooLong}), false, false, true},
		{errors.New("other"), false, false, false},
		{context.Canceled, false, false, false},
	} {
		if IsRetryable(c.err) != c.retryable || IsConnectionLost(c.err) != c.lost || IsDataError(c.err) != c.data {
			t.Errorf("%v: retryable %v, lost %v, data %v, want %v, %v, %v", c.err, IsRetryable(c.err), IsConnectionLost(c.err),
				IsDataError(c.err), c.retryable, c.lost, c.data)
		}
	}
}

func TestBusySQLiteIsRetryable(t *testing.T) {
	s := openStore(t, sqliteDB(t))
	s.db.SetMaxOpenConns(2)
	holder, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback() // nothing is written
	impatient, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer impatient.Close()
	if _, err := impatient.ExecContext(t.Context(), "PRAGMA busy_timeout(1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := impatient.ExecContext(t.Context(), "DELETE FROM m_option"); !IsRetryable(err) || IsConnectionLost(err) {
		t.Errorf("%v, want a retryable error, the connection not lost", err)
	}
}

func TestLostConnectionIsRetryable(t *testing.T) {
	s := openStore(t, mariaDB(t))
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	conn, err := tx.SQL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.GetContext(t.Context(), &id, "SELECT CONNECTION_ID()"); err != nil {
		t.Fatal(err)
	}
	e := entry(1, "unknown")
	s.db.MustExec(fmt.Sprintf("KILL %d", id))
	err = errors.Join(tx.InsertVisits(t.Context(), []*Visit{newTestVisit(1, 1, testTime)}), tx.Flush(t.Context()))
	if !IsRetryable(err) || !IsConnectionLost(err) {
		t.Errorf("%v, want a retryable error, the connection lost", err)
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("commits without a connection, want an error")
	}
	if err := s.FindActions(t.Context(), []*ActionEntry{e}); err != nil || e.ID != 0 {
		t.Errorf("the pool does not recover: entry %d, %v, want 0 and no error", e.ID, err)
	}
}

func TestCommitRunsWhatWasNotedForIt(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		runs := 0
		note := func(_ context.Context, tx *Tx) error { tx.OnCommit(func() { runs++ }); return nil }
		inTx(t, s, note)
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = note(t.Context(), tx)
		if err := errors.Join(tx.Rollback(), tx.Rollback()); err != nil || runs != 1 {
			t.Errorf("%d runs, %v, want 1 and no error", runs, err)
		}
	})
}

func TestActionIDsCompare(t *testing.T) {
	known, unknown, twin := &ActionEntry{ID: 3}, &ActionEntry{}, &ActionEntry{}
	for _, c := range []struct {
		a, b ActionID
		same bool
	}{
		{ActionOf(known), ActionID{Valid: true, ID: 3}, true},
		{ActionOf(unknown), ActionOf(unknown), true},
		{ActionOf(unknown), ActionOf(twin), false},
		{ActionOf(unknown), NoAction, false},
		{NoAction, ActionID{}, true},
	} {
		if c.a.Same(c.b) != c.same || c.b.Same(c.a) != c.same {
			t.Errorf("%+v, %+v: same %v and %v, want %v", c.a, c.b, c.a.Same(c.b), c.b.Same(c.a), c.same)
		}
	}
	if !NoAction.IsZero() || !(ActionID{}).IsZero() || ActionOf(unknown).IsZero() {
		t.Error("IsZero: want it of NoAction and ActionID{}, and not of an entry without id")
	}
	if got := (BinaryID{0xab, 1}).String(); got != "ab01000000000000" {
		t.Errorf("%q, want ab01000000000000", got)
	}
}
