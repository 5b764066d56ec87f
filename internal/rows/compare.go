package rows

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Difference is one way in which the rows found are not the rows expected.
type Difference struct {
	Table, Column string // Column is "" when a row is missing or too many
	Detail        string

	Row       int    // that of the rows expected, from 1; 0 for no single row
	Want, Got string // of a column: the values, as they are compared
	Expected  Row    // the row, nil where Row is 0
}

func (d Difference) String() string {
	if d.Column == "" {
		return d.Table + ": " + d.Detail
	}
	return d.Table + "." + d.Column + ": " + d.Detail
}

// Set is the rows of one side.
type Set struct {
	Tables Tables
	Names  []Row // rows of log_action that are only there to tell what an idaction means
}

// Rule says what is compared beyond the rule that holds for everybody.
type Rule struct {
	Volatile []string          // cells of the rows expected that may have any value: table[index].column
	Ignore   map[string]bool   // columns ("table.column") that are left out
	Counters map[string]string // further tables whose rows have an order: the column that counts them up, left out
	// Alike is asked about cells that differ whether they are equal all the same; nil: they never are.
	Alike func(table, column string, want, got Row) bool
}

// Compare applies the rule and returns the differences, none when the rows are equal.
func (r Rule) Compare(expect, found Set) []Difference {
	names := make(map[string]bool)
	for table := range expect.Tables {
		names[table] = true
	}
	for table := range found.Tables {
		names[table] = true
	}
	c := &comparison{Rule: r, want: r.newView(expect), got: r.newView(found)}
	c.anything = make(map[string]map[string]bool)
	for _, cell := range r.Volatile {
		row, column, _ := strings.Cut(cell, ".")
		if c.anything[row] == nil {
			c.anything[row] = make(map[string]bool)
		}
		c.anything[row][column] = true
	}
	var differences []Difference
	for _, table := range sortedKeys(names) {
		differences = append(differences, c.compareTable(table)...)
	}
	return append(differences, c.compareRandomVisitors(expect.Tables)...)
}

// comparison is one that is under way.
type comparison struct {
	Rule
	want, got *view
	anything  map[string]map[string]bool // "table[index]" -> columns
}

// view is one side of the comparison, normalised row by row on demand.
type view struct {
	rule    *Rule
	tables  Tables
	actions map[string]string // idaction -> type, url_prefix, name
	visits  map[string]int    // idvisit -> rank
	links   map[string]int    // idlink_va -> rank
}

func (r *Rule) newView(set Set) *view {
	tables := set.Tables
	v := &view{rule: r, tables: tables, actions: make(map[string]string)}
	for _, row := range slices.Concat(set.Names, tables["log_action"]) {
		v.actions[text(row["idaction"])] = fmt.Sprintf("action(%s,%s,%s)", text(row["type"]), text(row["url_prefix"]),
			text(row["name"]))
	}
	v.visits = ranks(tables["log_visit"], "idvisit")
	v.links = ranks(tables["log_link_visit_action"], "idlink_va")
	return v
}

func ranks(rows []Row, column string) map[string]int {
	ids := make([]int, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, integer(row[column]))
	}
	sort.Ints(ids)
	rank := make(map[string]int, len(ids))
	for i, id := range ids {
		rank[strconv.Itoa(id)] = i + 1
	}
	return rank
}

// counted are the tables whose rows have an order, with the columns that count them up. Gaps do not matter.
var counted = map[string]string{
	"log_visit": "idvisit", "log_link_visit_action": "idlink_va", "log_bot_request": "idrequest",
	"log_page_view_time": "idpageviewtime",
}

// counter is the column that counts a table's rows up, "" where they have no order.
func (r *Rule) counter(table string) string { return cmp.Or(counted[table], r.Counters[table]) }

// rows returns the table's rows in the order in which they are compared, with the positions they had.
func (v *view) rows(table string) (rows []Row, positions []int) {
	rows = v.tables[table]
	positions = make([]int, len(rows))
	for i := range positions {
		positions[i] = i
	}
	rank := v.rule.counter(table)
	if rank != "" {
		sort.SliceStable(positions, func(i, j int) bool {
			return integer(rows[positions[i]][rank]) < integer(rows[positions[j]][rank])
		})
	}
	sorted := make([]Row, len(rows))
	for i, position := range positions {
		sorted[i] = rows[position]
	}
	return sorted, positions
}

var invalidation = regexp.MustCompile(`^[A-Za-z0-9]{4}_report_to_invalidate_([0-9]+)_([0-9]{4}-[0-9]{2}-[0-9]{2})_[0-9]+$`)

// cell is the value of a column as it is compared; ok is false for a column that is left out.
func (v *view) cell(table, column string, row Row) (string, bool) {
	value := row[column]
	switch {
	case table == "log_action" && column == "idaction", column == "idrequest", column == "idpageviewtime",
		column == v.rule.Counters[table]:
		return "", false
	case table == "tracking_failure" && column == "date_first_occurred":
		return "now", true
	case value == nil:
		return "NULL", true
	case table == "log_bot_request" && column == "created_time": // by the database's clock
		return "now", true
	case table == "log_conversion" && column == "buster" && integer(row["idgoal"]) > 0 && integer(value) != 0:
		return "random", true
	case table != "log_action" && strings.Contains(column, "idaction") && text(value) != "0":
		if name, ok := v.actions[text(value)]; ok {
			return name, true
		}
		return "no such action " + text(value), true
	case column == "idvisit":
		return ranked("visit", v.visits, value), true
	case column == "idlink_va" || column == "last_idlink_va":
		return ranked("link", v.links, value), true
	case column == "option_name":
		if m := invalidation.FindStringSubmatch(text(value)); m != nil {
			return "report_to_invalidate_" + m[1] + "_" + m[2], true
		}
	}
	return canonical(value), true
}

func ranked(kind string, rank map[string]int, value any) string {
	if n, ok := rank[text(value)]; ok {
		return kind + " " + strconv.Itoa(n)
	}
	return "no such " + kind + " " + text(value)
}

// canonical keeps numbers and texts apart: 1 and "1" differ, 1 and 1.0 do not.
func canonical(value any) string {
	if n, ok := value.(json.Number); ok {
		f, err := n.Float64()
		if err != nil {
			return "number " + n.String()
		}
		return "number " + strconv.FormatFloat(f, 'g', -1, 64)
	}
	return "text " + strconv.Quote(text(value))
}

func (c *comparison) compareTable(table string) []Difference {
	expected, positions := c.want.rows(table)
	found, _ := c.got.rows(table)
	var differences []Difference
	if len(expected) != len(found) {
		differences = append(differences,
			Difference{
				Table: table, Detail: fmt.Sprintf("%d rows instead of %d", len(found), len(expected)),
				Want: strconv.Itoa(len(expected)), Got: strconv.Itoa(len(found)),
			})
	}
	ordered := c.counter(table) != ""
	used := make([]bool, len(found))
	for i, row := range expected {
		open := c.anything[fmt.Sprintf("%s[%d]", table, positions[i])]
		rowDifferences := func(j int) []Difference { return c.compareRow(table, i, row, found[j], open) }
		if ordered {
			if i < len(found) {
				differences = append(differences, rowDifferences(i)...)
			}
			continue
		}
		best, bestDifferences := -1, []Difference(nil)
		for j := range found {
			if used[j] {
				continue
			}
			if d := rowDifferences(j); best < 0 || len(d) < len(bestDifferences) {
				best, bestDifferences = j, d
			}
			if len(bestDifferences) == 0 {
				break
			}
		}
		if best >= 0 {
			used[best] = true
			differences = append(differences, bestDifferences...)
		}
	}
	return differences
}

func (c *comparison) compareRow(table string, index int, row, other Row, open map[string]bool) []Difference {
	columns := make(map[string]bool, len(row))
	for column := range row {
		columns[column] = true
	}
	for column := range other {
		columns[column] = true
	}
	var differences []Difference
	for column := range columns {
		if c.Ignore[table+"."+column] {
			continue
		}
		w, compared := c.want.cell(table, column, row)
		if !compared {
			continue
		}
		g, _ := c.got.cell(table, column, other)
		if _, has := row[column]; !has {
			w = "no such column"
		}
		if _, has := other[column]; !has {
			g = "no such column"
		}
		if open[column] && g != "NULL" {
			continue
		}
		if w != g && (c.Alike == nil || !c.Alike(table, column, row, other)) {
			differences = append(differences, Difference{
				Table: table, Column: column, Detail: fmt.Sprintf("row %d: %s instead of %s", index+1, g, w),
				Row: index + 1, Want: w, Got: g, Expected: row,
			})
		}
	}
	sort.Slice(differences, func(i, j int) bool { return differences[i].Column < differences[j].Column })
	return differences
}

// compareRandomVisitors checks that random visitor ids that were equal in the recording are equal in what was found.
func (c *comparison) compareRandomVisitors(expect Tables) []Difference {
	var differences []Difference
	seen := make(map[string]string) // recorded id -> id found
	for _, cell := range c.Volatile {
		table, rest, _ := strings.Cut(cell, "[")
		number, column, _ := strings.Cut(rest, "].")
		position, err := strconv.Atoi(number)
		if err != nil || column != "idvisitor" || table != "log_visit" && table != "log_link_visit_action" ||
			position >= len(expect[table]) {
			continue
		}
		_, positions := c.want.rows(table)
		found, _ := c.got.rows(table)
		for rank, p := range positions {
			if p != position || rank >= len(found) {
				continue
			}
			recorded, now := text(expect[table][position][column]), text(found[rank][column])
			if before, ok := seen[recorded]; ok && before != now {
				differences = append(differences, Difference{
					Table: table, Column: column, Detail: "random visitor ids differ that should be the same",
				})
			}
			seen[recorded] = now
		}
	}
	return differences
}

func text(value any) string {
	if value == nil {
		return "NULL"
	}
	return fmt.Sprint(value)
}

func integer(value any) int {
	n, _ := strconv.Atoi(text(value))
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
