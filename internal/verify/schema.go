package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// schema is the installation's tables, by name without prefix, but for those of archived reports.
type schema struct {
	prefix string
	tables map[string]*table
}

// table is a table as the database describes it.
type table struct {
	name    string // without prefix
	columns []column
	key     []string // columns of the primary key, in its order
	counter string   // the column that counts rows up (AUTO_INCREMENT), "" for none
	plain   bool     // it takes no part in transactions
}

type column struct {
	Table  string `db:"t"`
	Name   string `db:"name"`
	Type   string `db:"type"`
	Counts bool   `db:"counts"`
}

func readSchema(ctx context.Context, db *sqlx.DB, prefix string) (*schema, error) {
	s := &schema{prefix, make(map[string]*table)}
	like := strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(prefix)
	var all []column
	err := db.SelectContext(ctx, &all, "SELECT TABLE_NAME AS t, COLUMN_NAME AS name, LOWER(DATA_TYPE) AS type, "+
		"EXTRA LIKE '%auto_increment%' AS counts FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "+
		"AND TABLE_NAME LIKE ? AND TABLE_NAME NOT LIKE ? ORDER BY TABLE_NAME, ORDINAL_POSITION",
		like+"%", like+`archive\_%`)
	if err != nil {
		return nil, fmt.Errorf("columns of the tables: %w", err)
	}
	for _, c := range all {
		name := c.Table[len(prefix):]
		if s.tables[name] == nil {
			s.tables[name] = &table{name: name}
		}
		t := s.tables[name]
		t.columns = append(t.columns, c)
		if c.Counts {
			t.counter = c.Name
		}
	}
	var keys []struct {
		Table  string `db:"t"`
		Column string `db:"name"`
	}
	err = db.SelectContext(ctx, &keys, "SELECT TABLE_NAME AS t, COLUMN_NAME AS name FROM information_schema.STATISTICS "+
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE ? AND INDEX_NAME = 'PRIMARY' "+
		"ORDER BY TABLE_NAME, SEQ_IN_INDEX", like+"%")
	if err != nil {
		return nil, fmt.Errorf("keys of the tables: %w", err)
	}
	for _, k := range keys {
		if t := s.tables[k.Table[len(prefix):]]; t != nil {
			t.key = append(t.key, k.Column)
		}
	}
	return s, s.readEngines(ctx, db, like)
}

func (s *schema) readEngines(ctx context.Context, db *sqlx.DB, like string) error {
	var plain []string
	err := db.SelectContext(ctx, &plain, "SELECT t.TABLE_NAME FROM information_schema.TABLES t "+
		"JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA = DATABASE() "+
		"AND t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_NAME LIKE ? AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'", like+"%")
	if err != nil {
		return fmt.Errorf("engines of the tables: %w", err)
	}
	for _, name := range plain {
		if t := s.tables[name[len(s.prefix):]]; t != nil {
			t.plain = true
		}
	}
	return nil
}

// outsideTransactions names tables in which something would stay.
func (s *schema) outsideTransactions() (names []string) {
	for _, t := range s.tables {
		if t.plain {
			names = append(names, s.prefix+t.name)
		}
	}
	slices.Sort(names)
	return names
}

// of is the table with this full name, nil where it is none of the installation's.
func (s *schema) of(full string) *table {
	name, ok := strings.CutPrefix(full, s.prefix)
	if !ok {
		return nil
	}
	return s.tables[name]
}

func (t *table) column(name string) *column {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &t.columns[i]
}

// quote quotes an identifier.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// expression gives a column as text that does not depend on the connection's character set or time zone.
func (c *column) expression() string {
	name := quote(c.Name)
	switch c.Type {
	case "timestamp":
		return "CAST(UNIX_TIMESTAMP(" + name + ") AS CHAR)"
	case "bit":
		return "CAST(" + name + "+0 AS CHAR)"
	}
	if c.isText() || c.isBinary() {
		return "HEX(" + name + ")"
	}
	return "CAST(" + name + " AS CHAR)"
}

func (c *column) isNumber() bool {
	return slices.Contains([]string{"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"}, c.Type)
}

func (c *column) isText() bool {
	return slices.Contains([]string{"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json"}, c.Type)
}

func (c *column) isBinary() bool {
	return slices.Contains([]string{"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}, c.Type)
}

// value is what the expression gives, in the form in which rows are compared.
func (c *column) value(text *string) any {
	switch {
	case text == nil:
		return nil
	case c.isNumber() || c.Type == "double":
		return rows.Number(*text)
	case c.Type == "float":
		return rows.Float(*text)
	case c.isText():
		return unhex(*text)
	case c.isBinary():
		return strings.ToLower(*text)
	}
	return *text
}
