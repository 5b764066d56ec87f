package device

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// tablesJSON holds the tables of newestTables, and those of oldestTables where they differ. They stand in for the files
// of an installation that cannot be read.
//
//go:embed tables.json
var tablesJSON []byte

// olderTables are the tables of an earlier release as changes of those of a later one.
type olderTables struct {
	rawTables
	OperatingSystems, Browsers, Brands codeChanges
}

// codeChanges lead from the later table of codes to the earlier one.
type codeChanges struct {
	Without string   // codes
	With    []string // codes with names, new or in place of the later name
}

// builtinTables are the tables of the newest release that are built in, or of the oldest for a VERSION up to that and
// for none.
func builtinTables(version string) (raw *rawTables, release string, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(tablesJSON, &all); err != nil {
		return nil, "", fmt.Errorf("built-in device tables: %w", err)
	}
	raw = &rawTables{}
	if err := json.Unmarshal(all[newestTables], raw); err != nil {
		return nil, "", fmt.Errorf("built-in device tables: %s: %w", newestTables, err)
	}
	if version != "" && php.VersionCompare(version, oldestTables) > 0 {
		return raw, newestTables, nil
	}
	var older olderTables
	if err := json.Unmarshal(all[oldestTables], &older); err != nil {
		return nil, "", fmt.Errorf("built-in device tables: %s: %w", oldestTables, err)
	}
	older.rawTables.OperatingSystems = older.OperatingSystems.apply(raw.OperatingSystems)
	older.rawTables.Browsers = older.Browsers.apply(raw.Browsers)
	older.rawTables.Brands = older.Brands.apply(raw.Brands)
	to, from := reflect.ValueOf(&older.rawTables).Elem(), reflect.ValueOf(raw).Elem()
	for i := range to.NumField() {
		if to.Field(i).IsZero() { // not among the differences
			to.Field(i).Set(from.Field(i))
		}
	}
	return &older.rawTables, oldestTables, nil
}

// apply leaves the order as it is; a code that the later table does not have comes last.
func (c codeChanges) apply(lines []string) []string {
	gone := strings.Fields(c.Without)
	with := slices.Clone(c.With)
	var out []string
	for _, line := range lines {
		code, _, _ := strings.Cut(line, " ")
		if slices.Contains(gone, code) {
			continue
		}
		if i := slices.IndexFunc(with, func(w string) bool { return strings.HasPrefix(w, code+" ") }); i >= 0 {
			line = with[i]
			with = slices.Delete(with, i, i+1)
		}
		out = append(out, line)
	}
	return append(out, with...)
}
