package exclude

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// rule is one comparison of the setting exclude_requests (spec §2.3).
type rule struct {
	parameter string
	operator  string
	value     string // lower case
}

// operators have two characters each, so that at most one begins at any place.
var operators = [...]string{"==", "!=", "=@", "!@", "=^", "=$"}

// parseRules reads "name==value,name=@value". Parts without an operator are left out.
func parseRules(setting string) []rule {
	var rules []rule
	for part := range strings.SplitSeq(setting, ",") {
		if r, ok := parseRule(part); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

// parseRule cuts at the first operator that has a name before it. Neither name nor value goes beyond a line.
func parseRule(part string) (rule, bool) {
	part, _, _ = strings.Cut(part, "\n")
	for i := 1; i < len(part); i++ {
		for _, operator := range operators {
			if value, ok := strings.CutPrefix(part[i:], operator); ok {
				return rule{part[:i], operator, php.MBToLower(php.URLDecode(value))}, true
			}
		}
	}
	return rule{}, false
}

// matches compares with a parameter's value in lower case. An empty value is contained in every text, at its start and
// at its end.
func (r rule) matches(actual string) bool {
	switch r.operator {
	case "==":
		return actual == r.value
	case "!=":
		return actual != r.value
	case "=@":
		return strings.Contains(actual, r.value)
	case "!@":
		return !strings.Contains(actual, r.value)
	case "=^":
		return strings.HasPrefix(actual, r.value)
	default:
		return strings.HasSuffix(actual, r.value)
	}
}

func (c *Checker) matchesRule(r *request.Request) bool {
	setting := r.Settings().ExcludeRequests
	if php.EmptyString(setting) {
		return false
	}
	for _, rule := range c.rules.get(setting, func() []rule { return parseRules(setting) }) {
		if rule.matches(php.MBToLower(r.PlainText(rule.parameter))) {
			return true
		}
	}
	return false
}
