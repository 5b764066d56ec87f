package referrer

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Memory remembers what referrers tell by themselves: the same ones come again and again. It belongs to one goroutine.
// The zero Memory is ready; a nil one remembers nothing.
type Memory struct {
	general *matomo.General // with which the pages were read
	pages   map[pageKey]*refPage
}

type pageKey struct {
	site     *matomo.Site
	referrer string // the parameter urlref
}

// The bounds of a Memory. With each page come two or three times as many bytes as its URL is long, and some hundred.
const (
	maxPages    = 2048
	maxReferrer = 512 // bytes
)

// refPage is what a referrer tells by itself. Nothing in it depends on the request but its site.
type refPage struct {
	ref    string  // "" when there is none that counts
	parsed php.URL // ref, zero when it cannot be parsed

	url      store.NullText // as it is stored, NULL when ref cannot be parsed
	assisted *assisted      // these two nil: nobody has asked yet
	searched *searched
}

// assisted is the AI assistant that a page belongs to.
type assisted struct {
	name  string
	found bool
}

// searched is what Detector.search gives for a page and, if it is no search, the social network that it belongs to.
type searched struct {
	name     string
	keyword  php.Value
	found    bool
	err      error
	isSocial bool
	social   string
}

// page returns what is known of a referrer. All is forgotten when the settings were read anew, so that no site is held
// that has changed.
func (m *Memory) page(in *Input) *refPage {
	if m == nil || len(in.Referrer) > maxReferrer {
		return newRefPage(in.Site, in.exclusions(), in.Referrer)
	}
	if p := m.pages[pageKey{in.Site, in.Referrer}]; p != nil && m.general == in.General {
		return p
	}
	if m.general != in.General || len(m.pages) >= maxPages {
		m.general, m.pages = in.General, make(map[pageKey]*refPage)
	}
	key := pageKey{in.Site, strings.Clone(in.Referrer)} // it is part of a queue entry, which is to be forgotten
	p := newRefPage(key.site, in.exclusions(), key.referrer)
	m.pages[key] = p
	return p
}

// newRefPage takes the request's referrer unless it is no URL or excluded by the site.
func newRefPage(site *matomo.Site, exclusions *pageurl.Exclusions, referrer string) *refPage {
	p := &refPage{url: store.Text("")}
	ref := php.Unsanitize(referrer)
	if !pageurl.LooksLikeURL(ref) {
		return p
	}
	parsed, _ := php.ParseURL(ref)
	if sites, _ := site.ReferrerIndex.Match(parsed); slices.Contains(sites, site.ID) {
		return p
	}
	p.ref, p.parsed = ref, parsed
	url, ok := pageurl.ExcludeParameters(ref, exclusions, hostParameters(parsed.Host))
	p.url = store.NullText{V: php.CutRunes(url, maxURL), Valid: ok}
	return p
}

// findAssistant asks the detector for the AI assistant that the page belongs to, once.
func (p *refPage) findAssistant(d *Detector) (name string, found bool) {
	if p.assisted == nil {
		p.assisted = new(assisted)
		p.assisted.name, p.assisted.found = d.assistants.find(p.ref)
	}
	return p.assisted.name, p.assisted.found
}

// search asks the detector for the page's search engine and social network, once.
func (p *refPage) search(d *Detector) *searched {
	if p.searched == nil {
		s := new(searched)
		if s.name, s.keyword, s.found, s.err = d.search(p.ref, &p.parsed); !s.found && s.err == nil {
			s.social, s.isSocial = d.socials.find(p.ref)
		}
		p.searched = s
	}
	return p.searched
}
