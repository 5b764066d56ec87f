// Package conversion finds the goals that a request converts, reads ecommerce carts and orders with their items, and
// makes the rows of log_conversion and log_conversion_item (spec §8).
//
// Nothing here reads or writes the database. What can be read from the request alone (Manual, ReadEcommerce) is apart
// from what depends on the visit (Matcher, NewGoalConversion, NewEcommerceConversion, SyncItems).
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

// Manual returns the goal that the parameter idgoal names, which can be any goal of the site, not only one that is
// meant to be converted manually (spec §8.2). A goal that does not exist is a Rejection. It applies to requests with
// idgoal > 0 while plugin Goals is active.
func Manual(r *request.Request) (Converted, error) {
	id := r.Int("idgoal")
	site := r.Site()
	for i := range site.Goals {
		if site.Goals[i].ID == id {
			c := Converted{Goal: &site.Goals[i]}
			c.URL, c.HasURL = r.Page().ExcludeParameters(r.Exclusions(), nil)
			return c, nil
		}
	}
	return Converted{}, request.Reject(request.InvalidParameter, "idgoal does not exist")
}

// Matcher finds the goals that actions convert. It prepares the goals of a site once and remembers those of the sites
// met last, one site per slot. A site never changes: one that was loaded anew has another address and replaces the old
// one. The zero Matcher is ready; it belongs to one goroutine.
type Matcher struct {
	recent [1024]*siteTests
}

// Match returns the goals that the request's action converts, in the order of their ids (spec §8.1). firstActionTime is
// the beginning of the visit that goes on in unix seconds, or of the old one when a campaign or website forced a new
// visit; 0 when there is none. t is the time of the request.
func (m *Matcher) Match(r *request.Request, a *action.Action, firstActionTime, t int64) []Converted {
	if !r.Features().Goals || a == nil {
		return nil
	}
	var converted []Converted
	site := r.Site()
	if len(site.Goals) == 0 {
		return nil
	}
	tests := m.testsOf(site)
	url := php.Unsanitize(a.RawURL)
	for i := range site.Goals {
		if matches(&tests.goals[i], a, url, firstActionTime, t) {
			converted = append(converted, Converted{Goal: &site.Goals[i], URL: a.URL, HasURL: a.HasURL})
		}
	}
	return converted
}

// matches needs the action's URL as it came without HTML entities.
func matches(goal *goalTest, a *action.Action, url string, firstActionTime, t int64) bool {
	switch goal.MatchAttribute {
	case "visit_duration":
		const minute = 60.0
		return firstActionTime != 0 && goal.PatternType == "greater_than" &&
			float64(t-firstActionTime)/minute > php.StringToFloat(goal.Pattern)
	case "manually":
		return false
	case "url":
		return a.Type == action.TypePageURL && goal.matches(url)
	case "title":
		return a.Type == action.TypePageURL && goal.matches(php.Unsanitize(a.Name))
	case "file":
		return a.Type == action.TypeDownload && goal.matches(url)
	case "external_website":
		return a.Type == action.TypeOutlink && goal.matches(url)
	case "event_category":
		return a.Type == action.TypeEvent && goal.matches(php.Unsanitize(a.EventCategory))
	case "event_action":
		return a.Type == action.TypeEvent && goal.matches(php.Unsanitize(a.EventAction))
	case "event_name":
		return a.Type == action.TypeEvent && goal.matches(php.Unsanitize(a.EventName))
	}
	return goal.matches(url) // Matomo does not test the action's type for attributes that it does not know (spec §H.8)
}

func isEventGoal(goal *matomo.Goal) bool {
	switch goal.MatchAttribute {
	case "event_category", "event_action", "event_name":
		return true
	}
	return false
}

// siteTests are the goals of a site, ready for matching.
type siteTests struct {
	site  *matomo.Site
	goals []goalTest // in the order of the site's
}

// goalTest is a goal with its pattern as it is and, as users may have entered it so, url-decoded.
type goalTest struct {
	*matomo.Goal
	patterns []goalPattern
}

type goalPattern struct {
	text string
	re   *php.Regexp // of a regular expression; nil for one that PHP refuses, which matches nothing
}

func (m *Matcher) testsOf(site *matomo.Site) *siteTests {
	slot := &m.recent[uint64(site.ID)%uint64(len(m.recent))]
	if known := *slot; known != nil && known.site == site {
		return known
	}
	tests := &siteTests{site: site, goals: make([]goalTest, len(site.Goals))}
	for i := range site.Goals {
		tests.goals[i] = newGoalTest(&site.Goals[i])
	}
	*slot = tests
	return tests
}

func newGoalTest(goal *matomo.Goal) goalTest {
	test := goalTest{Goal: goal}
	plain := php.Unsanitize(goal.Pattern)
	test.add(plain)
	if decoded := php.URLDecode(plain); decoded != plain {
		test.add(decoded)
	}
	return test
}

func (g *goalTest) add(text string) {
	p := goalPattern{text: text}
	if g.PatternType == "regex" {
		p.re = patterns.Compile(text, g.CaseSensitive)
	}
	g.patterns = append(g.patterns, p)
}

func (g *goalTest) matches(text string) bool {
	for i := range g.patterns {
		if g.matchesPattern(&g.patterns[i], text) {
			return true
		}
	}
	return false
}

func (g *goalTest) matchesPattern(p *goalPattern, text string) bool {
	switch g.PatternType {
	case "contains":
		if g.CaseSensitive {
			return strings.Contains(text, p.text)
		}
		return php.ContainsFold(text, p.text)
	case "exact":
		if g.CaseSensitive {
			return text == p.text
		}
		return php.EqualFold(text, p.text)
	case "regex":
		return p.re != nil && p.re.Match(text)
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
