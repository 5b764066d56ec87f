// Package pageurl treats URLs as Matomo's tracker does before it compares or stores them: clean them, drop the query
// parameters that a site excludes, split the protocol off (spec §6.2).
//
// It is on the way of every request several times, so that URLs that need no change come back without a copy.
package pageurl

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ExcludeParameters cleans u for a site (spec §6.2 excludeParams): the host in lower case, the fragment dropped unless
// the site keeps fragments, and without the query parameters that the site, the configuration or extra name. Without a
// query the fragment is filtered in its place. ok is false when u cannot be parsed. The names in extra are compared as
// they are given, case ignored, or are PHP regular expressions such as "/^utm_/".
func ExcludeParameters(u string, x *Exclusions, extra []string) (result string, ok bool) {
	page := Read(u, x.site.Tracker.PageMaximumLength)
	return page.ExcludeParameters(x, extra)
}

// Page is a URL after Clean, with its parts. Several stages of tracking look at that of a request.
type Page struct {
	URL   string
	Parts php.URL
	OK    bool // URL can be parsed
}

// Read cleans and parses u.
func Read(u string, maxBytes int) Page {
	p := Page{URL: Clean(u, maxBytes)}
	p.Parts, p.OK = php.ParseURL(p.URL)
	return p
}

// ExcludeParameters is the function of that name for a URL that was read with the site's limit.
func (p *Page) ExcludeParameters(x *Exclusions, extra []string) (result string, ok bool) {
	if !p.OK {
		return "", false
	}
	parsed := p.Parts
	if !php.EmptyString(parsed.Host) {
		parsed.Host = php.MBToLower(parsed.Host)
	}
	if !php.EmptyString(parsed.Fragment) {
		parsed.Fragment = siteFragment(parsed.Fragment, x.site)
	}
	switch {
	case !php.EmptyString(parsed.Query):
		parsed.Query = x.filter(parsed.Query, extra)
	case !php.EmptyString(parsed.Fragment):
		parsed.Fragment = x.filter(parsed.Fragment, extra)
	}
	return unparse(p.URL, &parsed, x.site.Tracker.PlainLogins), true
}

// siteFragment removes the fragment, or one "#" at its end: http://example.org/#a#.
func siteFragment(fragment string, site *matomo.Site) string {
	if !site.KeepURLFragment {
		return ""
	}
	return strings.TrimSuffix(fragment, "#")
}

// FilterQuery returns a query string without the parameters that names lists, as ExcludeParameters treats extra. The
// rest is rewritten like there: names "" and "0" are dropped, the last of equal names counts, quotes and angle
// brackets become HTML entities.
func FilterQuery(query string, names []string) string { return (&Exclusions{}).filter(query, names) }

// prefixes are tried in this order; the position is not the number that is stored.
var prefixes = [...]struct {
	text   string
	number int64
}{{"http://www.", 1}, {"http://", 0}, {"https://www.", 3}, {"https://", 2}}

// Normalize splits the protocol and "www." off a URL as log_action stores it: the rest as name, the number of the
// prefix as url_prefix, NULL when there is none of the four.
func Normalize(u string) (name string, prefix store.NullInt) {
	for _, p := range prefixes {
		if len(u) >= len(p.text) && php.EqualFold(u[:len(p.text)], p.text) {
			return u[len(p.text):], store.Int(p.number)
		}
	}
	return u, store.NullInt{}
}
