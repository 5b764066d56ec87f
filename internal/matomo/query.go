package matomo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// errNoSuchTable is the number of MySQL's error.
const errNoSuchTable = 1146

func isMissingTable(err error) bool {
	var m *mysql.MySQLError
	return errors.As(err, &m) && m.Number == errNoSuchTable || err != nil && strings.Contains(err.Error(), "no such table")
}

func isSQLite(db sqlx.ExtContext) bool { return strings.HasPrefix(db.DriverName(), "sqlite") }

// insertIgnore begins an INSERT that leaves existing rows alone.
func insertIgnore(db sqlx.ExtContext) string {
	if isSQLite(db) {
		return "INSERT OR IGNORE INTO "
	}
	return "INSERT IGNORE INTO "
}

// selectIn runs a query whose slices among args are written out as lists, and reads all rows into dest.
func selectIn(ctx context.Context, db sqlx.ExtContext, dest any, query string, args ...any) error {
	query, args, err := sqlx.In(query, args...)
	if err != nil {
		return err
	}
	return sqlx.SelectContext(ctx, db, dest, query, args...)
}

// Option returns the value of a row of table option, and whether there is one.
func (i *Installation) Option(ctx context.Context, name string) (value string, found bool, err error) {
	err = sqlx.GetContext(ctx, i.db, &value, "SELECT option_value FROM "+i.Table("option")+" WHERE option_name = ?", name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("option %s: %w", name, err)
	}
	return value, true, nil
}

// options returns the rows of table option that exist among names. Where the database takes capital letters for small
// ones, so does Matomo.
func (i *Installation) options(
	ctx context.Context, db sqlx.ExtContext, names []string, lock string,
) (map[string]string, error) {
	var rows []struct {
		Name  string `db:"option_name"`
		Value string `db:"option_value"`
	}
	query := "SELECT option_name, option_value FROM " + i.Table("option") + " WHERE option_name IN (?)" + lock
	if err := selectIn(ctx, db, &rows, query, names); err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	asked := make(map[string]string, len(names))
	for _, name := range names {
		asked[strings.ToLower(name)] = name
	}
	values := make(map[string]string, len(rows))
	for _, row := range rows {
		values[cmp.Or(asked[strings.ToLower(row.Name)], row.Name)] = row.Value
	}
	return values, nil
}

// createOptions adds rows of table option, leaving those alone that another writer was faster with. All writers take
// them in the same order, so that none waits for one that waits for it.
func (i *Installation) createOptions(
	ctx context.Context, db sqlx.ExtContext, values map[string]string, autoload int,
) error {
	if len(values) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		args = append(args, name, values[name], autoload)
	}
	query := insertIgnore(db) + i.Table("option") + " (option_name, option_value, autoload) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?, ?, ?), ", len(values)), ", ")
	if _, err := db.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("new options: %w", err)
	}
	return nil
}
