package verify

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// asker runs a SELECT and gives texts, nil for NULL.
type asker func(ctx context.Context, query string) ([][]*string, error)

// maxima are the highest numbers of the tables that count their rows up, when a transaction begins: what is higher
// within it was written by it.
type maxima map[string]uint64

// readMaxima asks for all of them at once.
func (s *schema) readMaxima(ctx context.Context, ask asker) (maxima, error) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if t := s.tables[name]; t.counter != "" {
			parts = append(parts, fmt.Sprintf("SELECT '%x' AS t, CAST(COALESCE(MAX(%s), 0) AS CHAR) AS m FROM %s",
				name, quote(t.counter), quote(s.prefix+name)))
		}
	}
	found, err := ask(ctx, strings.Join(parts, " UNION ALL "))
	if err != nil {
		return nil, fmt.Errorf("numbers of the tables: %w", err)
	}
	m := make(maxima, len(found))
	for _, row := range found {
		if m[unhex(*row[0])], err = strconv.ParseUint(*row[1], 10, 64); err != nil {
			return nil, fmt.Errorf("numbers of table %s: %w", unhex(*row[0]), err)
		}
	}
	return m, nil
}

// reader reads the rows that a transaction has written, or may have.
type reader struct {
	schema *schema
	ask    asker
	above  maxima
	base   bool // no new rows: those that were there before
}

// mostWithoutKey is how many rows of a table without primary key are read.
const mostWithoutKey = 1000

// read reads the rows of a footprint. Tables that cannot be read, and why, are in the notes.
func (r *reader) read(ctx context.Context, f footprint) (set rows.Set, notes []string, err error) {
	set.Tables = make(rows.Tables)
	for _, full := range slices.Sorted(maps.Keys(f)) {
		t := r.schema.of(full)
		if t == nil {
			notes = append(notes, "table "+full+" is none of Matomo's, what is written into it is not compared")
			continue
		}
		found, note, err := r.readTable(ctx, t, f[full])
		if err != nil {
			return set, notes, fmt.Errorf("rows of table %s: %w", full, err)
		}
		if note != "" {
			notes = append(notes, note)
		}
		if len(found) > 0 {
			set.Tables[t.name] = found
		}
	}
	set.Names, err = r.readNames(ctx, set.Tables)
	return set, notes, err
}

// readTable reads the new rows of a table, and those whose key may be a value of the statements.
func (r *reader) readTable(ctx context.Context, t *table, touched *touched) (found []rows.Row, note string, err error) {
	add := func(condition string) error {
		more, err := r.selectRows(ctx, t, condition)
		found = append(found, more...)
		return err
	}
	if len(t.key) == 0 {
		if r.base {
			return nil, "", nil
		}
		if err := add("TRUE LIMIT " + strconv.Itoa(mostWithoutKey+1)); err != nil || len(found) <= mostWithoutKey {
			return found, "", err
		}
		return nil, "table " + r.schema.prefix + t.name + " has no primary key and many rows: it is not compared", nil
	}
	first := t.column(t.key[0])
	most, counted := r.newAbove(t)
	if counted && !r.base {
		name := t.key[0]
		if t.counter != "" {
			name = t.counter
		}
		if err := add(quote(name) + " > " + strconv.FormatUint(most, 10)); err != nil {
			return nil, "", err
		}
	}
	if t.counter != "" && !touched.changes {
		return found, "", nil
	}
	limit, there := most, ""
	switch {
	case !counted:
		limit = 1<<64 - 1
	case t.counter != "" && t.counter != t.key[0]:
		limit, there = 1<<64-1, " AND "+quote(t.counter)+" <= "+strconv.FormatUint(most, 10)
	}
	for keys := range slices.Chunk(keysOf(first, touched.values, limit), maxKeys) {
		if err := add(quote(first.Name) + " IN (" + strings.Join(keys, ",") + ")" + there); err != nil {
			return nil, "", err
		}
	}
	return found, "", nil
}

// maxKeys bounds the keys of one SELECT.
const maxKeys = 500

// newAbove is the number above which rows are new: that of the table itself, or of the visits and actions by which it
// has its key.
func (r *reader) newAbove(t *table) (uint64, bool) {
	if t.counter != "" {
		return r.above[t.name], true
	}
	switch t.key[0] {
	case "idvisit":
		return r.above["log_visit"], true
	case "idlink_va":
		return r.above["log_link_visit_action"], true
	}
	return 0, false
}

// keysOf are the values that may be a key of this type, as they stand in SQL, sorted.
func keysOf(c *column, values map[string]bool, limit uint64) (keys []string) {
	for value := range values {
		switch {
		case c.isNumber():
			if n, err := strconv.ParseUint(value, 10, 64); err == nil && n <= limit {
				keys = append(keys, strconv.FormatUint(n, 10))
			}
		case c.isText():
			if value != "" && !strings.HasPrefix(value, "0x") {
				keys = append(keys, "_utf8mb4 x'"+hex.EncodeToString([]byte(value))+"'")
			}
		case c.isBinary():
			keys = append(keys, "x'"+hex.EncodeToString([]byte(value))+"'")
			if _, err := hex.DecodeString(value); err == nil {
				keys = append(keys, "x'"+value+"'")
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (r *reader) selectRows(ctx context.Context, t *table, condition string) ([]rows.Row, error) {
	expressions := make([]string, len(t.columns))
	for i := range t.columns {
		expressions[i] = t.columns[i].expression() + " AS c" + strconv.Itoa(i)
	}
	found, err := r.ask(ctx, "SELECT "+strings.Join(expressions, ", ")+" FROM "+quote(r.schema.prefix+t.name)+
		" WHERE "+condition)
	if err != nil {
		return nil, err
	}
	list := make([]rows.Row, len(found))
	for i, cells := range found {
		row := make(rows.Row, len(cells))
		for n := range cells {
			row[t.columns[n].Name] = t.columns[n].value(cells[n])
		}
		list[i] = row
	}
	return list, nil
}

// readNames reads the rows of log_action that rows refer to and that are not among them.
func (r *reader) readNames(ctx context.Context, tables rows.Tables) ([]rows.Row, error) {
	wanted := make(map[string]bool)
	for name, list := range tables {
		for _, row := range list {
			for column, value := range row {
				if name != "log_action" && strings.Contains(column, "idaction") && value != nil {
					wanted[fmt.Sprint(value)] = true
				}
			}
		}
	}
	for _, row := range tables["log_action"] {
		delete(wanted, fmt.Sprint(row["idaction"]))
	}
	t := r.schema.tables["log_action"]
	if t == nil {
		return nil, nil
	}
	var names []rows.Row
	for keys := range slices.Chunk(keysOf(t.column("idaction"), wanted, 1<<64-1), maxKeys) {
		found, err := r.selectRows(ctx, t, "`idaction` IN ("+strings.Join(keys, ",")+")")
		if err != nil {
			return nil, fmt.Errorf("names of actions: %w", err)
		}
		names = append(names, found...)
	}
	return names, nil
}

func unhex(text string) string {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return text
	}
	return string(raw)
}
