package tables

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// widths are those of integers, which mean nothing.
var widths = regexp.MustCompile(`(int)\(\d+\)`)

// versions are the Matomos whose tables there are, and the folders of recordings that have them, too.
var versions = []struct {
	name, folder string
	create       []func(ctx context.Context, db sqlx.ExtContext, prefix string) error
}{
	{"5.1", "golden", []func(ctx context.Context, db sqlx.ExtContext, prefix string) error{Create}},
	{"6.0", "golden-6", []func(ctx context.Context, db sqlx.ExtContext, prefix string) error{Create, Upgrade}},
}

func mariaDB(t *testing.T) *sqlx.DB { return testserver.MariaDB(t).NewDatabase(t) }

func sqliteDB(t *testing.T) *sqlx.DB {
	return open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "tables.db"))
}

func open(t *testing.T, driver, source string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Connect(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// lines are the rows of a query that gives one text.
func lines(t *testing.T, db *sqlx.DB, query string) (rows []string) {
	t.Helper()
	if err := db.Select(&rows, query); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatalf("no rows: %s", query)
	}
	return rows
}

// The columns with their order, default and whether they may be NULL, and the indexes: by the words of MariaDB and of
// SQLite.
func TestBothDatabasesHaveTheSameTables(t *testing.T) {
	const prefix = "$x_"
	const columns = "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME, ' ', IF(EXTRA = 'auto_increment', 'counts', " +
		"CONCAT(IS_NULLABLE, ' ', " +
		"REPLACE(COALESCE(COLUMN_DEFAULT, 'NULL'), 'current_timestamp()', 'CURRENT_TIMESTAMP')))) " +
		"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION"
	const columnsSQLite = "SELECT t.name || '.' || c.name || ' ' || " +
		"CASE WHEN c.type = 'INTEGER' AND c.pk = 1 THEN 'counts' ELSE " +
		"iif(c.\"notnull\", 'NO', 'YES') || ' ' || COALESCE(c.dflt_value, 'NULL') END " +
		"FROM sqlite_schema AS t, pragma_table_info(t.name) AS c " +
		"WHERE t.type = 'table' AND t.name LIKE '$x%' ORDER BY t.name, c.cid"
	const indexes = "SELECT CONCAT(TABLE_NAME, '_', INDEX_NAME, ' ', " +
		"GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), ' ', NOT NON_UNIQUE) " +
		"FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY' " +
		"GROUP BY TABLE_NAME, INDEX_NAME, NON_UNIQUE ORDER BY BINARY CONCAT(TABLE_NAME, '_', INDEX_NAME)"
	const indexesSQLite = "SELECT i.name || ' ' || " +
		"(SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || " +
		"' ' || i.\"unique\" FROM sqlite_schema AS t, pragma_index_list(t.name) AS i " +
		"WHERE t.type = 'table' AND i.origin = 'c' ORDER BY i.name"
	for _, version := range versions {
		t.Run(version.name, func(t *testing.T) {
			maria, lite := mariaDB(t), sqliteDB(t)
			for _, create := range version.create {
				for _, db := range []*sqlx.DB{maria, lite} {
					if err := create(t.Context(), db, prefix); err != nil {
						t.Fatal(err)
					}
				}
			}
			if diff := cmp.Diff(lines(t, maria, columns), lines(t, lite, columnsSQLite)); diff != "" {
				t.Errorf("columns (-MariaDB +SQLite):\n%s", diff)
			}
			if diff := cmp.Diff(lines(t, maria, indexes), lines(t, lite, indexesSQLite)); diff != "" {
				t.Errorf("indexes (-MariaDB +SQLite):\n%s", diff)
			}
		})
	}
}

// Where the recordings are, so are the tables of the Matomo that they were made with.
func TestTablesAreThoseOfRecordedInstallations(t *testing.T) {
	const columns = "SELECT CONCAT_WS(' ', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, " +
		"COLUMN_DEFAULT, EXTRA) " +
		"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, COLUMN_NAME"
	const indexes = "SELECT CONCAT_WS(' ', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, COLLATION, NON_UNIQUE) " +
		"FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
	// Tables that tracking neither reads nor writes.
	others := []string{"log_profiling", "archive_invalidations", "twofactor_recovery_code", "session", "sequence"}
	for _, version := range versions {
		t.Run(version.name, func(t *testing.T) {
			script, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", version.folder, "install", "schema.sql"))
			if err != nil {
				t.Skip("no recordings beside the repository")
			}
			recorded, own := mariaDB(t), mariaDB(t)
			for statement := range strings.SplitSeq(string(script), ";\n") {
				if strings.TrimSpace(statement) != "" {
					recorded.MustExec(widths.ReplaceAllString(statement, "$1"))
				}
			}
			for _, table := range others {
				recorded.MustExec(fmt.Sprintf("DROP TABLE matomo_%s", table))
			}
			for _, create := range version.create {
				if err := create(t.Context(), own, "matomo_"); err != nil {
					t.Fatal(err)
				}
			}
			for _, query := range []string{columns, indexes} {
				if diff := cmp.Diff(lines(t, recorded, query), lines(t, own, query)); diff != "" {
					t.Errorf("(-recorded +own):\n%s", diff)
				}
			}
		})
	}
}

func TestTablesAreNotCreatedTwiceNorWithABackquote(t *testing.T) {
	db := sqliteDB(t)
	if err := Create(t.Context(), db, "x`"); err == nil || !strings.Contains(err.Error(), "only letters") {
		t.Errorf("prefix x`: %v, want a word about prefixes", err)
	}
	if err := Create(t.Context(), db, ""); err != nil {
		t.Errorf("without prefix: %v, want no error", err)
	}
	if err := Create(t.Context(), db, ""); err == nil || !strings.Contains(err.Error(), "CREATE TABLE `log_visit`") {
		t.Errorf("tables that exist: %v, want the statement that failed", err)
	}
}
