package golden

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// Prefix is the table prefix of the reference installation.
const Prefix = "matomo_"

// Installation is the reference installation in a database: its files (config.ini.php, fixtures.sql) and what is needed
// to put the database back before each case.
type Installation struct {
	db       *sqlx.DB
	sqlite   bool
	later    []string // tables of later versions that are there
	config   string
	fixtures []string // statements that fill tables
	tables   []string // those, without option
	options  []string // statements that fill table option
}

// Install makes the reference installation in a database that has the tables. The first folder holds the recorded
// files; each further one holds what differs from those before: fixtures.sql, and the plugins in a file of lines
// "+ Name" and "- Name".
func Install(ctx context.Context, db *sqlx.DB, folders ...string) (*Installation, error) {
	i := &Installation{db: db, sqlite: db.DriverName() == "sqlite"}
	for n, folder := range folders {
		if err := i.read(folder, n == 0); err != nil {
			return nil, err
		}
	}
	for _, table := range []string{"log_bot_request", "log_page_view_time"} {
		if rows, err := db.QueryContext(ctx, "SELECT 1 FROM "+Prefix+table+" LIMIT 0"); err == nil {
			_ = rows.Close()
			i.later = append(i.later, table)
		}
	}
	return i, i.pinSalts(ctx)
}

// read adds the files of a folder.
func (i *Installation) read(folder string, first bool) error {
	name := "plugins"
	if first {
		name = "config.ini.php"
	}
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	if first {
		i.config = string(text)
	} else {
		i.changePlugins(string(text))
	}
	return i.readFixtures(filepath.Join(folder, "fixtures.sql"))
}

// changePlugins adds plugins to the lists of config.ini.php, and takes others out.
func (i *Installation) changePlugins(changes string) {
	for line := range strings.Lines(changes) {
		sign, plugin, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, list := range []string{"Plugins", "PluginsInstalled"} {
			header, entry := "\n["+list+"]", fmt.Sprintf("\n%s[] = %q", list, plugin)
			if sign == "-" {
				i.config = strings.Replace(i.config, entry, "", 1)
			} else {
				i.config = strings.Replace(i.config, header, header+entry, 1)
			}
		}
	}
}

var changesTable = regexp.MustCompile("^(INSERT INTO|UPDATE|DELETE FROM) `" + Prefix + "([a-z_]+)`")

func (i *Installation) readFixtures(file string) error {
	script, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, statement := range Statements(string(script)) {
		m := changesTable.FindStringSubmatch(statement)
		switch {
		case m == nil: // SET …
		case m[2] == "option":
			i.options = append(i.options, i.dialect(statement))
		default:
			i.tables = append(i.tables, m[2])
			i.fixtures = append(i.fixtures, i.dialect(statement))
		}
	}
	return nil
}

// Statements splits a MySQL script; comment lines are dropped.
func Statements(script string) []string {
	var lines []string
	for line := range strings.Lines(script) {
		if !strings.HasPrefix(line, "--") {
			lines = append(lines, line)
		}
	}
	var statements []string
	for _, statement := range strings.Split(strings.Join(lines, ""), ";\n") {
		if statement = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(statement), ";")); statement != "" {
			statements = append(statements, statement)
		}
	}
	return statements
}

// dialect turns the backslashes of MySQL's string literals into what SQLite reads.
func (i *Installation) dialect(statement string) string {
	if !i.sqlite {
		return statement
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `''`, `\"`, `"`, `\n`, "\n").Replace(statement)
}

const pinnedUntil = 4102444800

// pinSalts gives every site and day of the recordings the salt that they were made with.
func (i *Installation) pinSalts(ctx context.Context) error {
	const sites = 6
	tx, err := i.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	for site := 1; site <= sites; site++ {
		var rows []string
		for day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() <= 2028; day = day.AddDate(0, 0, 1) {
			name := fmt.Sprintf("fingerprint_salt_%d_%s", site, day.Format(time.DateOnly))
			sum := md5.Sum([]byte(name))
			rows = append(rows, fmt.Sprintf(`('%s','{"value":"%s","time":%d}',0)`, name, hex.EncodeToString(sum[:]),
				pinnedUntil))
		}
		statement := "INSERT INTO " + Prefix + "option (option_name, option_value, autoload) VALUES " +
			strings.Join(rows, ",")
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("salts: %w", err)
		}
	}
	return tx.Commit()
}

var trackedTables = []string{
	"log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item", "tracking_failure",
	"brute_force_log",
}

// tracked lists the tables that the tracker of this installation writes.
func (i *Installation) tracked() []string { return append(slices.Clone(trackedTables), i.later...) }

const changingOptions = ` (option_name NOT LIKE 'fingerprint_salt_%' OR option_value NOT LIKE '%:4102444800}')`

// Prepare puts the database into the state before the case is processed.
func (i *Installation) Prepare(ctx context.Context, c *Case) error {
	var statements []string
	for _, table := range append(i.tracked(), "site_setting") {
		statements = append(statements, "DELETE FROM "+Prefix+table)
	}
	for _, table := range i.tables {
		statements = append(statements, "DELETE FROM "+Prefix+table)
	}
	statements = append(statements, "DELETE FROM "+Prefix+"option WHERE"+changingOptions)
	statements = append(statements, i.fixtures...)
	statements = append(statements, i.options...)
	for name, value := range c.Options {
		statements = append(statements, i.setOption(name, value, 1))
	}
	if c.Geo != "" {
		statements = append(statements, i.setOption("usercountry.location_provider", c.Geo, 0))
	}
	for _, statement := range c.SQL {
		statements = append(statements, i.dialect(strings.ReplaceAll(statement, "{prefix}", Prefix)))
	}
	conn, err := i.db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if !i.sqlite {
		statements = append([]string{"SET SESSION sql_mode=CONCAT(@@sql_mode,',NO_AUTO_VALUE_ON_ZERO'), time_zone='+00:00'"},
			statements...)
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.80s: %w", statement, err)
		}
	}
	if i.sqlite {
		return nil
	}
	_, err = conn.ExecContext(ctx, "SET SESSION sql_mode=@@GLOBAL.sql_mode, time_zone=@@GLOBAL.time_zone")
	return err
}

func (i *Installation) setOption(name, value string, autoload int) string {
	quote := func(s string) string {
		if !i.sqlite {
			s = strings.ReplaceAll(s, `\`, `\\`)
		}
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return fmt.Sprintf("REPLACE INTO %soption (option_name, option_value, autoload) VALUES (%s, %s, %d)", Prefix,
		quote(name), quote(value), autoload)
}

// Config is the text of config.ini.php for the case, with further settings (section -> key -> value) on top.
func (i *Installation) Config(c *Case, more map[string]map[string]any) string {
	text := i.config
	for _, settings := range []map[string]map[string]any{c.Config, more} {
		for _, section := range sortedKeys(settings) {
			for _, key := range sortedKeys(settings[section]) {
				text = setConfig(text, section, strings.TrimSuffix(key, "[]"), settings[section][key])
			}
		}
	}
	return text
}

// setConfig replaces all lines of a key in a section. Keys of lists may end in "[]".
func setConfig(config, section, key string, value any) string {
	key = strings.TrimSuffix(key, "[]")
	var lines []string
	if list, ok := value.([]any); ok {
		for _, v := range list {
			lines = append(lines, fmt.Sprintf("%s[] = %s", key, quoteINI(v)))
		}
	} else {
		lines = append(lines, fmt.Sprintf("%s = %s", key, quoteINI(value)))
	}
	var out []string
	found, inside := false, false
	for _, line := range strings.Split(config, "\n") {
		name, _, _ := strings.Cut(line, "=")
		if inside && strings.TrimSuffix(strings.TrimSpace(name), "[]") == key {
			continue
		}
		out = append(out, line)
		if strings.HasPrefix(line, "[") {
			inside = line == "["+section+"]"
			if inside {
				found = true
				out = append(out, lines...)
			}
		}
	}
	if !found {
		out = append(append(out, "["+section+"]"), lines...)
	}
	return strings.Join(out, "\n")
}

func quoteINI(value any) string {
	if n, ok := value.(json.Number); ok {
		return n.String()
	}
	return `"` + strings.ReplaceAll(fmt.Sprint(value), `"`, "&quot;") + `"`
}

// Snapshot is what the comparison needs to know of the database before a case is processed.
type Snapshot struct{ options, sites map[string]string }

// Snapshot remembers the options and the creation dates of sites.
func (i *Installation) Snapshot(ctx context.Context) (*Snapshot, error) {
	options, err := i.pairs(ctx, "SELECT option_name, option_value FROM "+Prefix+"option WHERE"+changingOptions)
	if err != nil {
		return nil, err
	}
	sites, err := i.pairs(ctx, "SELECT idsite, ts_created FROM "+Prefix+"site")
	return &Snapshot{options, sites}, err
}

func (i *Installation) pairs(ctx context.Context, query string) (map[string]string, error) {
	rows, err := i.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pairs := make(map[string]string)
	for rows.Next() {
		var key, value sql.NullString
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		pairs[key.String] = value.String
	}
	return pairs, rows.Err()
}

// Read returns the rows as recordings hold them: all rows of the log tables, options and sites that changed since the
// snapshot.
func (i *Installation) Read(ctx context.Context, before *Snapshot) (Tables, error) {
	tables := make(Tables)
	for _, table := range i.tracked() {
		if table == "brute_force_log" {
			continue
		}
		rows, err := i.table(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		if len(rows) > 0 {
			tables[table] = rows
		}
	}
	after, err := i.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	for name, value := range after.options {
		if old, existed := before.options[name]; existed && old == value || unlisted(name) {
			continue
		}
		row, err := i.option(ctx, name)
		if err != nil {
			return nil, err
		}
		tables["option"] = append(tables["option"], row)
	}
	for id, created := range after.sites {
		if before.sites[id] != created {
			tables["site"] = append(tables["site"], Row{"idsite": json.Number(id), "ts_created": created})
		}
	}
	return tables, nil
}

// unlisted options are never part of a recording: definitions that Matomo caches and our own bookkeeping.
func unlisted(option string) bool {
	switch option {
	case "SearchEngineDefinitions", "SocialDefinitions", "AIAssistantDefinitions", "lastTrackerCronRun":
		return true
	}
	return strings.HasPrefix(option, "QueuedTracking.replayed.")
}

func (i *Installation) option(ctx context.Context, name string) (Row, error) {
	var value string
	var autoload int
	err := i.db.QueryRowContext(ctx, "SELECT option_value, autoload FROM "+Prefix+"option WHERE option_name = ?",
		name).Scan(&value, &autoload)
	return Row{"option_name": name, "option_value": value, "autoload": json.Number(strconv.Itoa(autoload))}, err
}

func (i *Installation) table(ctx context.Context, name string) ([]Row, error) {
	rows, err := i.db.QueryContext(ctx, "SELECT * FROM "+Prefix+name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var out []Row
	for rows.Next() {
		values := make([]sql.RawBytes, len(types))
		targets := make([]any, len(types))
		for n := range values {
			targets[n] = &values[n]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make(Row, len(types))
		for n, column := range types {
			row[column.Name()] = recorded(column.DatabaseTypeName(), values[n])
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// recorded is a value in the form that the recordings have it in.
func recorded(databaseType string, value sql.RawBytes) any {
	if value == nil {
		return nil
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(strings.ToUpper(databaseType), "UNSIGNED "), "(")
	switch strings.TrimSpace(strings.TrimSuffix(kind, " UNSIGNED")) {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT":
		return json.Number(value)
	case "DOUBLE":
		return json.Number(value)
	case "FLOAT":
		return rows.Float(string(value))
	case "BINARY", "VARBINARY":
		return hex.EncodeToString(value)
	}
	return string(value)
}
