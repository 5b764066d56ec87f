// Package dimension finds the values of custom dimensions and custom variables that a request sets (spec §5.6, §5.7).
package dimension

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/dimension/customvar"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const maxChars = 250

// Value is the value for one column custom_dimension_<Index>. It can be empty: a request may clear a dimension.
type Value struct {
	Index int
	Text  string
}

// Visit returns the values of the site's dimensions of scope visit. a is the action that the request records, nil when
// it records none (pings, manual goals, carts and orders).
func Visit(r *request.Request, a *action.Action) []Value { return values(r, a, "visit") }

// Action returns the values of the site's dimensions of scope action. It applies only to requests that record an
// action.
func Action(r *request.Request, a *action.Action) []Value { return values(r, a, "action") }

func values(r *request.Request, a *action.Action, scope string) []Value {
	if !r.Features().CustomDimensions {
		return nil
	}
	var found []Value
	dimensions := r.Site().Dimensions
	for i := range dimensions {
		d := &dimensions[i]
		if d.Scope != scope {
			continue
		}
		if text, ok := value(r, a, d); ok {
			found = append(found, Value{Index: d.Index, Text: php.CutRunes(php.Trim(text), maxChars)})
		}
	}
	return found
}

// value is the dimension's parameter if it is given, also as "", else what the first of its extractions finds.
func value(r *request.Request, a *action.Action, d *matomo.Dimension) (string, bool) {
	name := parameterName(d.ID)
	if raw, ok := r.Params().Get(name); ok {
		if text := r.PlainText(name); text != "" || raw.IsString() && raw.Str() == "" {
			return text, true
		}
	}
	for _, e := range d.Extractions {
		if text := extract(r, a, e, d.CaseSensitive); text != "" {
			return php.URLDecode(text), true
		}
	}
	return "", false
}

func parameterName(id int64) string {
	if 0 <= id && id < int64(len(parameterNames)) {
		return parameterNames[id]
	}
	return "dimension" + strconv.FormatInt(id, 10)
}

var parameterNames = func() (names [256]string) {
	for id := range names {
		names[id] = "dimension" + strconv.Itoa(id)
	}
	return names
}()

// VisitVars returns the custom variables of scope visit. Variable N is at N-1; the Name and Value of those that the
// request does not set are NULL. The result is nil when it sets none. usable is how many variables the tables have.
func VisitVars(r *request.Request, usable int) []store.CustomVar {
	return customvar.Parse(r, "_cvar", usable)
}

// ActionVars returns the custom variables of scope page, which only requests with an action record, in the form of
// VisitVars.
func ActionVars(r *request.Request, usable int) []store.CustomVar {
	return customvar.Parse(r, "cvar", usable)
}
