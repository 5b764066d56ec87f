package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

const testPrefix = "m_"

// allFeatures has every plugin active.
var allFeatures = matomo.FeaturesOf(func(string) bool { return true })

// onEachDatabase runs a test on empty tables in MariaDB and in SQLite.
func onEachDatabase(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("mariadb", func(t *testing.T) { test(t, openStore(t, mariaDB(t))) })
	t.Run("mariadb, one statement at a time", func(t *testing.T) {
		s := openStore(t, mariaDB(t))
		s.server.scripts = false
		test(t, s)
	})
	t.Run("sqlite", func(t *testing.T) { test(t, openStore(t, sqliteDB(t))) })
}

// onEachDatabaseOfSix runs a test on empty tables of Matomo 6.
func onEachDatabaseOfSix(t *testing.T, test func(t *testing.T, s *Store)) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		upgrade(t, s.db)
		six := openStore(t, s.db)
		six.server.scripts = s.server.scripts
		test(t, six)
	})
}

func openStore(t testing.TB, db *sqlx.DB) *Store {
	t.Helper()
	s, err := Open(t.Context(), db, Options{Prefix: testPrefix, Features: allFeatures})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sqliteDB(t testing.TB) *sqlx.DB {
	t.Helper()
	db, err := OpenSQLite(filepath.Join(t.TempDir(), "store test?.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	createTables(t, db)
	return db
}

func mariaDB(t testing.TB) *sqlx.DB {
	t.Helper()
	db := emptyMariaDB(t, testserver.MariaDB(t))
	createTables(t, db)
	return db
}

// emptyMariaDB connects as package matomo does.
func emptyMariaDB(t testing.TB, server *testserver.MariaDBServer) *sqlx.DB {
	t.Helper()
	c := server.Config(server.CreateDatabase(t))
	c.InterpolateParams, c.MultiStatements, c.ClientFoundRows, c.Logger = true, true, true, &mysql.NopLogger{}
	db, err := sqlx.Connect("mysql", c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func createTables(t testing.TB, db *sqlx.DB) {
	t.Helper()
	if err := tables.Create(t.Context(), db, testPrefix); err != nil {
		t.Fatal(err)
	}
}

// upgrade makes the tables those of Matomo 6.
func upgrade(t testing.TB, db *sqlx.DB) {
	t.Helper()
	if err := tables.Upgrade(t.Context(), db, testPrefix); err != nil {
		t.Fatal(err)
	}
}

// inTx runs a step in a transaction of its own and commits it.
func inTx(t testing.TB, s *Store, step func(ctx context.Context, tx *Tx) error) Stats {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	if err := step(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tx.Stats()
}

// newTestVisit is a visit with the values that every visit has.
func newTestVisit(site int64, visitor byte, at int64) *Visit {
	return &Visit{
		SiteID: site, Visitor: BinaryID{visitor, 1}, ConfigID: BinaryID{0xc0, visitor}, LocationIP: "\x7f\x00\x00\x01",
		FirstActionTime: at, LastActionTime: at, CountVisits: 1,
		TotalActions: Int(1), TotalInteractions: Int(1), TotalSearches: Int(0), TotalEvents: Int(0),
	}
}
