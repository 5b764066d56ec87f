package exclude

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// excludedAgent is an entry of a site's list of excluded user agents: text, which may be a regular expression as well.
type excludedAgent struct {
	text    string
	pattern *php.Regexp // nil when text is no regular expression
}

func compileAgents(entries []string) []excludedAgent {
	agents := make([]excludedAgent, len(entries))
	for i, entry := range entries {
		agents[i].text = entry
		if pattern, err := php.CompileLiteral(entry); err == nil {
			agents[i].pattern = pattern
		}
	}
	return agents
}

// isExcludedAgent looks for the entries in a user agent (spec §2.6). In older versions the first regular expression has
// the last word: with the entries "/a/" and "Firefox" a Firefox without an "a" is not excluded there.
func (c *Checker) isExcludedAgent(r *request.Request) bool {
	site := r.Site()
	if site == nil || len(site.ExcludedUserAgents) == 0 {
		return false
	}
	ua := r.RawUserAgent()
	for _, agent := range c.userAgents.get(site, func() []excludedAgent { return compileAgents(site.ExcludedUserAgents) }) {
		switch {
		case php.ContainsFold(ua, agent.text), agent.pattern != nil && agent.pattern.Match(ua):
			return true
		case agent.pattern != nil && !r.Context().Behaviours.AllUserAgentPatterns:
			return false
		}
	}
	return false
}
