package store

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"strings"

	"github.com/jmoiron/sqlx"
)

//go:embed schema_sqlite.sql
var sqliteSchema string

// SchemaOption changes what CreateSchema creates.
type SchemaOption func(*schemaOptions)

type schemaOptions struct {
	variables int
	six       bool
}

//go:embed schema_sqlite_6.sql
var sqliteSchema6 string

// Matomo6 adds what Matomo 6.0 has more than 5.1.
func Matomo6() SchemaOption { return func(o *schemaOptions) { o.six = true } }

// CustomVariables sets how many custom variables the log tables can hold, as plugin CustomVariables would: 5 by
// default.
func CustomVariables(n int) SchemaOption { return func(o *schemaOptions) { o.variables = n } }

// CreateSchema creates, in an SQLite database, the tables of a Matomo 5.1 that tracking and package matomo read or
// write, with five custom dimensions in each log table. The tables are empty.
func CreateSchema(ctx context.Context, db sqlx.ExecerContext, prefix string, options ...SchemaOption) error {
	if !validPrefix.MatchString(prefix) {
		return fmt.Errorf("table prefix %q: only letters, digits, _ and $ are possible", prefix)
	}
	o := schemaOptions{variables: 5}
	for _, option := range options {
		option(&o)
	}
	if _, err := db.ExecContext(ctx, strings.ReplaceAll(sqliteSchema, "{prefix}", prefix)); err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	if o.six {
		if _, err := db.ExecContext(ctx, strings.ReplaceAll(sqliteSchema6, "{prefix}", prefix)); err != nil {
			return fmt.Errorf("tables of Matomo 6: %w", err)
		}
	}
	for _, base := range []string{"log_visit", "log_link_visit_action", "log_conversion"} {
		for i := 1; i <= o.variables; i++ {
			for _, part := range []string{"k", "v"} {
				column := fmt.Sprintf("custom_var_%s%d", part, i)
				statement := "ALTER TABLE " + name(prefix+base) + " ADD COLUMN " + name(column) + " varchar(200) COLLATE NOCASE"
				if _, err := db.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("column %s: %w", column, err)
				}
			}
		}
	}
	return nil
}

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
