// Package customvar reads the custom variables that a request carries for plugin CustomVariables (spec §5.7).
package customvar

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// MinUsable is the number of custom variables that every installation of the plugin has.
const MinUsable = 5

const (
	maxChars = 200
	pair     = 2 // name and value
)

// Parse reads the variables of a parameter, "_cvar" or "cvar". Variable N is at N-1 of the result; the Name and Value
// of those that the request does not set are NULL. The result is nil when it sets none, and when the plugin is not
// active. usable is how many variables the tables have.
//
// A variable is an array of exactly two texts or numbers under 0 and 1; what is not is skipped. Values are made texts
// first: true is "1", null and false are "" (spec §H.16).
func Parse(r *request.Request, parameter string, usable int) []store.CustomVar {
	if !r.Features().CustomVariables || !r.Has(parameter) {
		return nil
	}
	given, _ := r.JSON(parameter)
	if !given.IsArray() {
		return nil
	}
	var vars []store.CustomVar
	for key, entry := range given.Array().All() {
		n := php.StringToInt(key)
		name, value, ok := parsePair(entry)
		if !ok || n < 1 || n > int64(usable) {
			continue
		}
		if vars == nil {
			vars = make([]store.CustomVar, usable)
		}
		vars[n-1] = store.CustomVar{Name: store.Text(name), Value: store.Text(value)}
	}
	return vars
}

func parsePair(entry php.Value) (name, value string, ok bool) {
	fields := entry.Array()
	if fields.Len() != pair {
		return "", "", false
	}
	first, ok1 := fields.Get("0")
	second, ok2 := fields.Get("1")
	if !ok1 || !ok2 || first.IsArray() || second.IsArray() {
		return "", "", false
	}
	return clean(first), clean(second), true
}

func clean(v php.Value) string {
	return php.CutRunes(php.Trim(php.Unsanitize(php.ToString(v))), maxChars)
}
