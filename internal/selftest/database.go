package selftest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// use is what tracking does with a table: s(elect), i(nsert), u(pdate), d(elete).
type use struct{ table, column, does string }

// uses are those of the tables of all versions of Matomo.
var uses = []use{
	{"log_visit", "idsite", "siu"},
	{"log_link_visit_action", "idsite", "siu"},
	{"log_action", "name", "sid"},
	{"log_conversion", "idsite", "siu"},
	{"log_conversion_item", "idsite", "siu"},
	{"tracking_failure", "idsite", "si"},
	{"option", "option_name", "siu"},
	{"site", "idsite", "su"},
	{"user_token_auth", "login", "su"},
	{"site_url", "idsite", "s"},
	{"goal", "idsite", "s"},
	{"access", "idsite", "s"},
	{"user", "login", "s"},
	{"plugin_setting", "plugin_name", "s"},
}

// usesOf are those of tables that not every version has.
func usesOf(found matomo.Found) (uses []use) {
	if found.BotRequestTable {
		uses = append(uses, use{"log_bot_request", "idsite", "si"})
	}
	if found.PageViewTimeTable {
		uses = append(uses, use{"log_page_view_time", "idsite", "siu"})
	}
	if matomo.BehavioursOf(found).UserIDDisabled {
		uses = append(uses, use{"site_setting", "idsite", "s"})
	}
	return uses
}

// transactional are the tables that have to roll back, where they are there.
var transactional = []string{
	"log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item", "log_bot_request", "log_page_view_time",
	"option",
}

// Database checks the rights on Matomo's tables, with statements that concern no row, and that the tables take part in
// transactions. prefix is that of the tables, found says which ones there are.
func (r *Report) Database(ctx context.Context, db *sqlx.DB, prefix string, found matomo.Found) {
	var version string
	err := db.GetContext(ctx, &version, "SELECT VERSION()")
	r.Check("server", err, version, "")
	for _, use := range slices.Concat(uses, usesOf(found)) {
		r.rights(ctx, db, prefix+use.table, use.column, use.does)
	}
	r.engines(ctx, db, prefix)
	r.strictness(ctx, db)
}

func (r *Report) rights(ctx context.Context, db *sqlx.DB, table, column, does string) {
	statements := map[rune]struct{ verb, query string }{
		's': {"SELECT", "SELECT * FROM {table} LIMIT 0"},
		'i': {"INSERT", "INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0"},
		'u': {"UPDATE", "UPDATE {table} SET {column} = {column} WHERE 1 = 0"},
		'd': {"DELETE", "DELETE FROM {table} WHERE 1 = 0"},
	}
	var verbs []string
	for _, letter := range does {
		s := statements[letter]
		query := strings.NewReplacer("{table}", "`"+table+"`", "{column}", "`"+column+"`").Replace(s.query)
		if err := inTransaction(ctx, db, query); err != nil {
			r.Fail("table "+table, fmt.Errorf("%s: %w", s.verb, err),
				fmt.Sprintf("grant the user %s on the table; is it Matomo's database, and tables_prefix right?", s.verb))
			return
		}
		verbs = append(verbs, s.verb)
	}
	r.OK("table "+table, strings.Join(verbs, ", "))
}

// inTransaction runs a statement that concerns no row, and rolls back.
func inTransaction(ctx context.Context, db *sqlx.DB, query string) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // that is what it is for
	if strings.HasPrefix(query, "SELECT") {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		return errors.Join(rows.Err(), rows.Close())
	}
	_, err = tx.ExecContext(ctx, query)
	return err
}

func (r *Report) engines(ctx context.Context, db *sqlx.DB, prefix string) {
	const name = "transactions"
	names := make([]string, len(transactional))
	for i, table := range transactional {
		names[i] = prefix + table
	}
	query, args, err := sqlx.In(`SELECT t.TABLE_NAME AS name, t.ENGINE AS engine FROM information_schema.TABLES t
		JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
		WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME IN (?) AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'`, names)
	if err != nil {
		r.Fail(name, err, "")
		return
	}
	var without []struct{ Name, Engine sql.NullString }
	if err := db.SelectContext(ctx, &without, query, args...); err != nil {
		r.Fail(name, err, "")
		return
	}
	var list []string
	for _, t := range without {
		list = append(list, t.Name.String+" ("+t.Engine.String+")")
	}
	slices.Sort(list)
	if list != nil {
		r.Fail(name, fmt.Errorf("no transactions in %s", strings.Join(list, ", ")),
			"convert with ALTER TABLE … ENGINE=InnoDB")
		return
	}
	r.OK(name, "the tables roll back")
}

// strictness tells whether the server refuses what it cannot store.
func (r *Report) strictness(ctx context.Context, db *sqlx.DB) {
	var mode string
	if err := db.GetContext(ctx, &mode, "SELECT @@SESSION.sql_mode"); err != nil {
		r.Fail("sql_mode", err, "")
		return
	}
	if strings.Contains(mode, "STRICT_") {
		r.OK("sql_mode", "strict: what a column cannot hold is refused")
		return
	}
	r.Notice("sql_mode", "not strict: the server cuts what a column cannot hold, as it does for Matomo", "")
}
