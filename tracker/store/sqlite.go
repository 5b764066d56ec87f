package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDialect is that of SQLite, which serves the demo and tests. It needs no hints about indexes, and has no opinion
// of its own about equal times.
var sqliteDialect = dialect{
	oneWriter:    true,
	begin:        "BEGIN IMMEDIATE", // one that reads first could not go on to write once another one has written
	insertIgnore: "INSERT OR IGNORE INTO",
	keepRow:      " ON CONFLICT DO NOTHING",
	increment:    "1",
	join:         " CROSS JOIN ",
	sameTime:     ", w.`idvisit`",

	onDuplicate: func(key string, columns ...string) string {
		q := new(statement).add(" ON CONFLICT (", key, ") DO UPDATE SET ")
		for i, column := range columns {
			q.add(separator(i), column, " = excluded.", column)
		}
		return string(q.sql)
	},
	forceIndex: func(string) string { return "" },
	head:       func(column string, bytes int) string { return fmt.Sprintf("substr(%s, 1, %d)", column, bytes) },
	firstID:    func(n int, id int64) int64 { return id - int64(n-1) }, // it tells the last

	readServer: func(context.Context, *sqlx.DB) (serverInfo, error) {
		return serverInfo{strict: true, mariadb: true, increment: 1, maxStatement: 900_000, maxParameters: 30_000}, nil
	},
	readColumns:  readColumnsSQLite,
	readIndexes:  readIndexesSQLite,
	readUserText: func(context.Context, *sqlx.DB, string) (func(string) string, error) { return asIs, nil },
	lockWaits:    func(context.Context, *sqlx.DB) (int64, error) { return 0, nil },
}

func readColumnsSQLite(ctx context.Context, db *sqlx.DB, table string) ([]foundColumn, error) {
	var rows []struct {
		Name    string         `db:"name"`
		Type    string         `db:"type"`
		NotNull bool           `db:"notnull"`
		Default sql.NullString `db:"dflt_value"`
	}
	const query = "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?) ORDER BY cid"
	if err := db.SelectContext(ctx, &rows, query, table); err != nil {
		return nil, err
	}
	columns := make([]foundColumn, len(rows))
	for i, row := range rows {
		declared, charset := strings.TrimPrefix(strings.ToLower(row.Type), "text "), ""
		if narrow, ok := strings.CutPrefix(declared, "utf8mb3 "); ok {
			declared, charset = narrow, "utf8mb3"
		}
		typ := parseType(declared, charset)
		typ.nullable = !row.NotNull
		typ.setPreset(row.Default)
		columns[i] = foundColumn{row.Name, typ}
	}
	return columns, nil
}

// readIndexesSQLite returns the names of indexes without the table's, which precedes them. FindVisits orders equal
// times as with a descending index.
func readIndexesSQLite(ctx context.Context, db *sqlx.DB, table string) (parts []foundIndex, err error) {
	const query = "SELECT substr(name, length(?1) + 2) AS name, 'D' AS direction FROM pragma_index_list(?1)"
	err = db.SelectContext(ctx, &parts, query, table)
	return parts, err
}

// sqliteError is SQLite's primary result code, 0 for any other error.
func sqliteError(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// isBusySQLite reports whether another transaction holds the file.
func isBusySQLite(err error) bool {
	code := sqliteError(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// isConstraintSQLite reports whether a row breaks a rule of its table.
func isConstraintSQLite(err error) bool { return sqliteError(err) == sqlite3.SQLITE_CONSTRAINT }

// OpenSQLite opens or creates a database file of our own: readers do not wait for the one writer, a writer waits ten
// seconds for another one, and what is committed survives a crash of the process (not, for the last moments, of the
// machine).
func OpenSQLite(path string) (*sqlx.DB, error) {
	settings := url.Values{
		"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "foreign_keys(0)", "synchronous(NORMAL)"},
		"_txlock": {"immediate"}, // a transaction that reads first could not go on to write once another one has written
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: settings.Encode()}
	db, err := sqlx.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return db, nil
}
