// Package rows compares rows of Matomo's log tables that two trackers have written for the same requests. Two rows mean
// the same although their numbers differ: which numbers visits, actions and names get depends on what else was written.
// So ids of names are compared by what the name is, those of visits and actions by their rank, and the values that
// Matomo takes from a random generator or from the clock are left out. That is the rule by which recorded cases are
// compared (package golden) and an installation's own requests (package verify).
package rows

import (
	"encoding/json"
	"strconv"
)

// Tables maps a table, without prefix, to its rows.
type Tables map[string][]Row

// Row maps columns to values: nil, string, or json.Number.
type Row map[string]any

// Number is an integer or a DOUBLE as the rule compares it.
func Number(text string) any { return json.Number(text) }

// Float is a FLOAT, which has no more than six digits that count.
func Float(text string) any {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return json.Number(strconv.FormatFloat(f, 'g', 6, 64))
}
