package golden

import (
	"maps"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// Difference is one way in which the rows found are not the rows expected.
type Difference = rows.Difference

// Tables maps a table, without prefix, to its rows.
type Tables = rows.Tables

// Row maps columns to values: nil, string, or json.Number.
type Row = rows.Row

// Compare applies the comparison rule and returns the differences, none when the rows are equal. Columns in ignore
// ("table.column") are left out.
func Compare(expect, found Tables, volatile []string, ignore map[string]bool) []Difference {
	return rows.Rule{Volatile: volatile, Ignore: ignore}.Compare(rows.Set{Tables: expect}, rows.Set{Tables: found})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
