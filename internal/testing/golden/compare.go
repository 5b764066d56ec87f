package golden

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Difference is one way in which the rows found are not the rows expected.
type Difference struct {
	Table, Column string // Column is "" when a row is missing or too many
	Detail        string
}

func (d Difference) String() string {
	if d.Column == "" {
		return d.Table + ": " + d.Detail
	}
	return d.Table + "." + d.Column + ": " + d.Detail
}

// Compare applies the comparison rule and returns the differences, none when the rows are equal. Columns in ignore
// ("table.column") are left out.
func Compare(expect, found Tables, volatile []string, ignore map[string]bool) []Difference {
	names := make(map[string]bool)
	for table := range expect {
		names[table] = true
	}
	for table := range found {
		names[table] = true
	}
	want, got := newView(expect), newView(found)
	anything := make(map[string]map[string]bool) // "table[index]" -> columns
	for _, cell := range volatile {
		row, column, _ := strings.Cut(cell, ".")
		if anything[row] == nil {
			anything[row] = make(map[string]bool)
		}
		anything[row][column] = true
	}
	var differences []Difference
	for _, table := range sortedKeys(names) {
		differences = append(differences, compareTable(table, want, got, anything, ignore)...)
	}
	return append(differences, compareRandomVisitors(expect, want, got, volatile)...)
}

// view is one side of the comparison, normalised row by row on demand.
type view struct {
	tables  Tables
	actions map[string]string // idaction -> type, url_prefix, name
	visits  map[string]int    // idvisit -> rank
	links   map[string]int    // idlink_va -> rank
}

func newView(tables Tables) *view {
	v := &view{tables: tables, actions: make(map[string]string)}
	for _, row := range tables["log_action"] {
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

// rows returns the table's rows in the order in which they are compared, with the positions they had.
func (v *view) rows(table string) (rows []Row, positions []int) {
	rows = v.tables[table]
	positions = make([]int, len(rows))
	for i := range positions {
		positions[i] = i
	}
	rank := counted[table]
	if rank != "" {
		sort.SliceStable(positions, func(i,
			j int,
		) bool {
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
	case table == "log_action" && column == "idaction", column == "idrequest", column == "idpageviewtime":
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

func compareTable(
	table string, want, got *view, anything map[string]map[string]bool, ignore map[string]bool,
) []Difference {
	expected, positions := want.rows(table)
	found, _ := got.rows(table)
	var differences []Difference
	if len(expected) != len(found) {
		differences = append(differences,
			Difference{Table: table, Detail: fmt.Sprintf("%d rows instead of %d", len(found), len(expected))})
	}
	_, ordered := counted[table]
	used := make([]bool, len(found))
	for i, row := range expected {
		open := anything[fmt.Sprintf("%s[%d]", table, positions[i])]
		rowDifferences := func(j int) []Difference { return compareRow(table, i, row, found[j], want, got, open, ignore) }
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

func compareRow(table string, index int, row, other Row, want, got *view, open, ignore map[string]bool) []Difference {
	columns := make(map[string]bool, len(row))
	for column := range row {
		columns[column] = true
	}
	for column := range other {
		columns[column] = true
	}
	var differences []Difference
	for column := range columns {
		if ignore[table+"."+column] {
			continue
		}
		w, compared := want.cell(table, column, row)
		if !compared {
			continue
		}
		g, _ := got.cell(table, column, other)
		if _, has := row[column]; !has {
			w = "no such column"
		}
		if _, has := other[column]; !has {
			g = "no such column"
		}
		if open[column] && g != "NULL" {
			continue
		}
		if w != g {
			differences = append(differences, Difference{table, column, fmt.Sprintf("row %d: %s instead of %s", index+1, g, w)})
		}
	}
	sort.Slice(differences, func(i, j int) bool { return differences[i].Column < differences[j].Column })
	return differences
}

// compareRandomVisitors checks that random visitor ids that were equal in the recording are equal in what was found.
func compareRandomVisitors(expect Tables, want, got *view, volatile []string) []Difference {
	var differences []Difference
	seen := make(map[string]string) // recorded id -> id found
	for _, cell := range volatile {
		table, rest, _ := strings.Cut(cell, "[")
		number, column, _ := strings.Cut(rest, "].")
		position, err := strconv.Atoi(number)
		if err != nil || column != "idvisitor" || table != "log_visit" && table != "log_link_visit_action" ||
			position >= len(expect[table]) {
			continue
		}
		_, positions := want.rows(table)
		found, _ := got.rows(table)
		for rank, p := range positions {
			if p != position || rank >= len(found) {
				continue
			}
			recorded, now := text(expect[table][position][column]), text(found[rank][column])
			if before, ok := seen[recorded]; ok && before != now {
				differences = append(differences, Difference{table, column, "random visitor ids differ that should be the same"})
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
