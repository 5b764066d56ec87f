package matomo

import (
	"cmp"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// SiteURL is one URL of a site.
type SiteURL struct {
	SiteID int64
	URL    string
}

// URLIndex tells which sites a URL belongs to (spec §7.5): it maps a canonical host (lower case, one leading "www."
// removed) to path prefixes, and each prefix to sites. A host that begins with a dot stands for all its subdomains. A
// URLIndex is never changed after it was built; a nil one is empty.
type URLIndex struct {
	hosts map[string][]sitePath
}

// sitePath is a path prefix in lower case, with a slash at both ends, and the sites that have it, in order of addition.
type sitePath struct {
	prefix string
	sites  []int64
}

// NewURLIndex builds the index of all sites' URLs: the deeper of two paths is tried first. URLs without a host are left
// out.
func NewURLIndex(urls []SiteURL) *URLIndex {
	x := newURLList(urls)
	for _, paths := range x.hosts {
		slices.SortFunc(paths, func(a, b sitePath) int {
			if d := strings.Count(b.prefix, "/") - strings.Count(a.prefix, "/"); d != 0 {
				return d
			}
			return cmp.Compare(b.prefix, a.prefix)
		})
	}
	return x
}

// newReferrerIndex builds the index of a site's excluded referrers: "example.org/path" or a URL each, paths in the
// order given.
func newReferrerIndex(siteID int64, referrers []string) *URLIndex {
	urls := make([]SiteURL, len(referrers))
	for i, r := range referrers {
		if rest, ok := strings.CutPrefix(r, "http://"); ok {
			r = rest
		} else {
			r = strings.TrimPrefix(r, "https://")
		}
		urls[i] = SiteURL{siteID, "https://" + r}
	}
	return newURLList(urls)
}

func newURLList(urls []SiteURL) *URLIndex {
	x := &URLIndex{hosts: make(map[string][]sitePath, len(urls))}
	for _, u := range urls {
		if parsed, ok := php.ParseURL(u.URL); ok && parsed.HasHost {
			host := canonicalHost(parsed.Host)
			path := canonicalPath(parsed)
			if !strings.HasSuffix(path, "/") {
				path += "/"
			}
			x.hosts[host] = addSite(x.hosts[host], path, u.SiteID)
		}
	}
	return x
}

func addSite(paths []sitePath, prefix string, siteID int64) []sitePath {
	i := slices.IndexFunc(paths, func(p sitePath) bool { return p.prefix == prefix })
	if i < 0 {
		return append(paths, sitePath{prefix, []int64{siteID}})
	}
	if !slices.Contains(paths[i].sites, siteID) {
		paths[i].sites = append(paths[i].sites, siteID)
	}
	return paths
}

// Match returns the sites that u belongs to; found is false when the index knows nothing of its host. The slice is not
// to be changed.
func (x *URLIndex) Match(u php.URL) (siteIDs []int64, found bool) { return x.view().Match(u) }

// PathPrefix returns the first configured path prefix of u on exactly u's canonical host; found is false when there is
// none.
func (x *URLIndex) PathPrefix(u php.URL) (prefix string, found bool) { return x.view().PathPrefix(u) }

// With returns the index as if the page at u were a URL "/" of the site. Nothing is copied, x does not change.
func (x *URLIndex) With(siteID int64, u php.URL) URLView {
	v := x.view()
	if u.HasHost {
		v.host, v.site, v.extra = canonicalHost(u.Host), siteID, true
	}
	return v
}

func (x *URLIndex) view() URLView {
	if x == nil {
		return URLView{}
	}
	return URLView{hosts: x.hosts}
}

// URLView is a URLIndex with one URL added.
type URLView struct {
	hosts map[string][]sitePath
	host  string
	site  int64
	extra bool
}

// Match is URLIndex.Match for the view.
func (v URLView) Match(u php.URL) (siteIDs []int64, found bool) {
	if php.EmptyString(u.Host) || len(v.hosts) == 0 && !v.extra {
		return nil, false
	}
	host, path := canonicalHost(u.Host), canonicalPath(u)
	if sites, ok := v.onHost(host, path); ok {
		return sites, true
	}
	// Wildcards: .my.example.org, then .example.org; the last label is never tried alone.
	wildcard := "." + host
	for {
		if sites, ok := v.onHost(wildcard, path); ok {
			return sites, true
		}
		if strings.Count(wildcard, ".") < 3 {
			return nil, false
		}
		wildcard = wildcard[1+strings.IndexByte(wildcard[1:], '.'):]
	}
}

// onHost returns the sites of the first prefix of path on a host of the index, else those of "/".
func (v URLView) onHost(host, path string) ([]int64, bool) {
	for _, p := range v.hosts[host] {
		if p.holds(path) {
			return v.withExtra(host, p), true
		}
	}
	if v.extra && host == v.host {
		return v.withExtra(host, sitePath{prefix: "/"}), true
	}
	return nil, false
}

// withExtra adds the view's site to those of "/" on its host.
func (v URLView) withExtra(host string, p sitePath) []int64 {
	if !v.extra || host != v.host || p.prefix != "/" || slices.Contains(p.sites, v.site) {
		return p.sites
	}
	return append(slices.Clip(p.sites), v.site)
}

// PathPrefix is URLIndex.PathPrefix for the view.
func (v URLView) PathPrefix(u php.URL) (prefix string, found bool) {
	if php.EmptyString(u.Host) {
		return "", false
	}
	host, path := canonicalHost(u.Host), canonicalPath(u)
	for _, p := range v.hosts[host] {
		if p.holds(path) {
			return p.prefix, true
		}
	}
	if v.extra && host == v.host {
		return "/", true
	}
	return "", false
}

func canonicalHost(host string) string { return strings.TrimPrefix(php.MBToLower(host), "www.") }

// canonicalPath counts as one that ends with a slash.
func canonicalPath(u php.URL) string {
	if !u.HasPath {
		return "/"
	}
	return php.MBToLower(u.Path)
}

// holds reports whether a canonical path is below the prefix, or is the prefix without the slash at its end.
func (p *sitePath) holds(path string) bool {
	return strings.HasPrefix(path, p.prefix) || path == p.prefix[:len(p.prefix)-1]
}
