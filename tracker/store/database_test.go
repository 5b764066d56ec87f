package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
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
		if s.sqlite {
			s.db.MustExec(strings.ReplaceAll(sqliteSchema6, "{prefix}", testPrefix))
		} else {
			createMariaTables(t, s.db, sqliteSchema6)
		}
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
	if err := CreateSchema(t.Context(), db, testPrefix); err != nil {
		t.Fatal(err)
	}
	return db
}

func mariaDB(t testing.TB) *sqlx.DB {
	t.Helper()
	db := emptyMariaDB(t, testserver.MariaDB(t))
	createMariaSchema(t, db)
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

// createMariaSchema creates the tables of schema_sqlite.sql, in MySQL's words.
func createMariaSchema(t testing.TB, db *sqlx.DB) {
	t.Helper()
	createMariaTables(t, db, sqliteSchema)
	for _, base := range []string{"log_visit", "log_link_visit_action", "log_conversion"} {
		for i := 1; i <= 5; i++ {
			db.MustExec(fmt.Sprintf("ALTER TABLE %s%s ADD custom_var_k%d varchar(200), ADD custom_var_v%d varchar(200)",
				testPrefix, base, i, i))
		}
	}
}

func createMariaTables(t testing.TB, db *sqlx.DB, schema string) {
	t.Helper()
	schema = strings.ReplaceAll(schema, "{prefix}", testPrefix)
	schema = regexp.MustCompile(`(?m)^--.*\n`).ReplaceAllString(schema, "")
	schema = regexp.MustCompile(`utf8mb3 (\S+)`).ReplaceAllString(schema, "$1 CHARACTER SET utf8mb3")
	schema = regexp.MustCompile(`text (datetime|timestamp|date|time|decimal)`).ReplaceAllString(schema, "$1")
	schema = regexp.MustCompile("INDEX `"+testPrefix+"[a-z_]*?(index_[a-z_]*|unique_[a-z_]*)` ON").ReplaceAllString(schema, "INDEX `$1` ON")
	schema = strings.NewReplacer(
		"integer PRIMARY KEY AUTOINCREMENT", "bigint unsigned NOT NULL PRIMARY KEY AUTO_INCREMENT", " COLLATE NOCASE", "", " timestamp", " timestamp NULL",
	).Replace(schema)
	for statement := range strings.SplitSeq(schema, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
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
