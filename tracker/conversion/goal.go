// Package conversion finds the goals that a request converts, reads ecommerce carts and orders with their items, and makes the rows of
// log_conversion and log_conversion_item (specification §8).
//
// Nothing here reads or writes the database. What can be read from the request alone (Manual, ReadEcommerce) is apart from what depends
// on the visit (Match, NewGoalConversion, NewEcommerceConversion, SyncItems).
package conversion

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/action/pattern"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Converted is a goal that a request converts, with the URL to note.
type Converted struct {
	Goal   *matomo.Goal
	URL    string
	HasURL bool // false where PHP has false
}

// Manual returns the goal that the parameter idgoal names, which can be any goal of the site, not only one that is meant to be
// converted manually (§8.2). A goal that does not exist is a Rejection. It applies to requests with idgoal > 0 while plugin Goals is
// active.
func Manual(r *request.Request) (Converted, error) {
	id := r.Int("idgoal")
	site := r.Site()
	for i := range site.Goals {
		if site.Goals[i].ID == id {
			c := Converted{Goal: &site.Goals[i]}
			c.URL, c.HasURL = r.Page().ExcludeParameters(site, nil)
			return c, nil
		}
	}
	return Converted{}, request.Reject(request.InvalidParameter, "idgoal does not exist")
}

// Match returns the goals that the request's action converts, in the order of their ids (§8.1). firstActionTime is the beginning of the
// visit that goes on in unix seconds, or of the old one when a campaign or website forced a new visit; 0 when there is none. t is the
// time of the request.
func Match(r *request.Request, a *action.Action, firstActionTime, t int64) []Converted {
	if !r.Features().Goals || a == nil {
		return nil
	}
	var converted []Converted
	goals := r.Site().Goals
	for i := range goals {
		goal := &goals[i]
		if matches(goal, a, firstActionTime, t) {
			converted = append(converted, Converted{Goal: goal, URL: a.URL, HasURL: a.HasURL})
		}
	}
	return converted
}

func matches(goal *matomo.Goal, a *action.Action, firstActionTime, t int64) bool {
	switch goal.MatchAttribute {
	case "visit_duration":
		const minute = 60.0
		return firstActionTime != 0 && goal.PatternType == "greater_than" &&
			float64(t-firstActionTime)/minute > php.StringToFloat(goal.Pattern)
	case "manually":
		return false
	case "url":
		return a.Type == action.TypePageURL && matchesText(goal, a.RawURL)
	case "title":
		return a.Type == action.TypePageURL && matchesText(goal, a.Name)
	case "file":
		return a.Type == action.TypeDownload && matchesText(goal, a.RawURL)
	case "external_website":
		return a.Type == action.TypeOutlink && matchesText(goal, a.RawURL)
	case "event_category":
		return a.Type == action.TypeEvent && matchesText(goal, a.EventCategory)
	case "event_action":
		return a.Type == action.TypeEvent && matchesText(goal, a.EventAction)
	case "event_name":
		return a.Type == action.TypeEvent && matchesText(goal, a.EventName)
	}
	return matchesText(goal, a.RawURL) // Matomo does not test the type of the action for attributes that it does not know (§H.8)
}

func isEventGoal(goal *matomo.Goal) bool {
	switch goal.MatchAttribute {
	case "event_category", "event_action", "event_name":
		return true
	}
	return false
}

// matchesText tests the goal's pattern as it is and, as users may have entered it so, url-decoded.
func matchesText(goal *matomo.Goal, text string) bool {
	text = php.Unsanitize(text)
	plain := php.Unsanitize(goal.Pattern)
	if matchesPattern(goal, plain, text) {
		return true
	}
	decoded := php.URLDecode(plain)
	return decoded != plain && matchesPattern(goal, decoded, text)
}

func matchesPattern(goal *matomo.Goal, pattern, text string) bool {
	switch goal.PatternType {
	case "contains":
		if goal.CaseSensitive {
			return strings.Contains(text, pattern)
		}
		return php.ContainsFold(text, pattern)
	case "exact":
		if goal.CaseSensitive {
			return text == pattern
		}
		return php.EqualFold(text, pattern)
	case "regex":
		re := patterns.Compile(pattern, goal.CaseSensitive)
		return re != nil && re.Match(text)
	}
	return false
}

var patterns = pattern.NewCache(escapeSlashes)

// escapeSlashes escapes "/" unless the pattern holds an escaped one already: then somebody has taken care of it.
func escapeSlashes(pattern string) string {
	if strings.Contains(pattern, `\/`) {
		return pattern
	}
	return strings.ReplaceAll(pattern, "/", `\/`)
}
