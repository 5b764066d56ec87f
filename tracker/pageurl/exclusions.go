package pageurl

import (
	"errors"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Exclusions are the parameters that are left out of a site's URLs, ready for matching. They never change.
type Exclusions struct {
	site     *matomo.Site
	names    map[string]struct{} // in lower case
	patterns []*php.Regexp
	longest  int // bytes of the longest name
}

// Memory remembers the exclusions of the sites met last, one site per slot. A site never changes: one that was loaded
// anew has another address and replaces the old one. The zero Memory is ready; it belongs to one goroutine.
type Memory struct {
	recent [1024]*Exclusions
}

// ExclusionsOf is the function of that name, which is called once for a site.
func (m *Memory) ExclusionsOf(site *matomo.Site) *Exclusions {
	slot := &m.recent[uint64(site.ID)%uint64(len(m.recent))]
	if known := *slot; known != nil && known.site == site {
		return known
	}
	*slot = ExclusionsOf(site)
	return *slot
}

// ExclusionsOf collects what spec §6.2 step 3 lists. All of it is lower-cased first, regular expressions too: "/\D/"
// excludes digits.
func ExclusionsOf(site *matomo.Site) *Exclusions {
	x := &Exclusions{site: site, names: map[string]struct{}{}}
	x.add("ignore_referrer", "ignore_referer")
	x.add(site.ExcludedParameters...)
	x.add(site.Tracker.ExcludedURLParameters...)
	x.add(site.Tracker.CampaignNameParameters...)
	x.add(site.Tracker.CampaignKeywordParameters...)
	x.add(site.Tracker.DiscardedCampaignParameters...)
	if campaigns := site.Tracker.Campaigns; campaigns != nil {
		x.add(campaigns.All...) // spec §P1.7
	}
	return x
}

func (x *Exclusions) add(entries ...string) {
	for _, entry := range entries {
		entry = php.ToLower(entry)
		if re, err := pattern(entry); err == nil {
			x.patterns = append(x.patterns, re)
			continue
		}
		x.names[entry] = struct{}{}
		x.longest = max(x.longest, len(entry))
	}
}

var errPlainName = errors.New("no regular expression")

// pattern compiles an entry that PHP would take for a regular expression. A delimiter is neither a letter nor a digit,
// so that "_a_" is one.
func pattern(entry string) (*php.Regexp, error) {
	if entry == "" || isAlphaNumeric(entry[0]) {
		return nil, errPlainName
	}
	return php.CompileLiteral(entry)
}

func isAlphaNumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// match reports whether the parameter is excluded by the site or by an entry of extra.
func (x *Exclusions) match(name string, extra []string) bool {
	for _, entry := range extra {
		if php.EqualFold(entry, name) {
			return true
		}
	}
	if x.hasName(name) {
		return true
	}
	if len(x.patterns) == 0 && !anyPattern(extra) {
		return false
	}
	return x.matchPattern(php.ToLower(name), extra)
}

// hasName looks the name up without making a string of its lower-case form.
func (x *Exclusions) hasName(name string) bool {
	var lower [64]byte
	if len(name) > x.longest {
		return false
	}
	if len(name) > len(lower) {
		_, found := x.names[php.ToLower(name)]
		return found
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	_, found := x.names[string(lower[:len(name)])]
	return found
}

func anyPattern(entries []string) bool {
	for _, entry := range entries {
		if entry != "" && !isAlphaNumeric(entry[0]) {
			return true
		}
	}
	return false
}

func (x *Exclusions) matchPattern(name string, extra []string) bool {
	for _, re := range x.patterns {
		if re.Match(name) {
			return true
		}
	}
	for _, entry := range extra {
		if re, err := pattern(entry); err == nil && re.Match(name) {
			return true
		}
	}
	return false
}
