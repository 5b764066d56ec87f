// Package referrer tells where a visit comes from: campaign, search engine with its keyword, social network, other website, or nowhere
// (specification §7). It also attributes conversions (§7.7) and anonymises what is stored (§9.5).
//
// The lists of search engines and social networks are those of the Matomo installation: its YAML files or the copies that Matomo keeps
// in table option.
package referrer

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The values of column referer_type.
const (
	Direct       = 1
	SearchEngine = 2
	Website      = 3
	Campaign     = 6
	Social       = 7
)

// Lengths of the columns, in characters.
const (
	maxText = 255
	maxURL  = 1500
)

// Result is what was detected. Where PHP has false for a column, the column is not set: it stays out of an INSERT or UPDATE.
type Result struct {
	store.Referer
	KeywordUnset bool // a search engine that does not tell the keyword
	URLUnset     bool // a URL that cannot be parsed
}

// Input is what the detection looks at.
type Input struct {
	Site    *matomo.Site
	General *matomo.General
	Raw     *php.Array // the request's parameters as they came

	// The sanitised parameters urlref and url, and the latter as the request has read it.
	Referrer, URL string
	Page          *pageurl.Page

	// Current is the referrer of the existing visit, nil for a new one: a campaign met again keeps its keyword (§7.4).
	Current *store.Referer

	Memory     *Memory             // nil for none
	Exclusions *pageurl.Exclusions // Site's; nil: they are made when needed
}

func (in *Input) exclusions() *pageurl.Exclusions {
	if in.Exclusions == nil {
		return pageurl.ExclusionsOf(in.Site)
	}
	return in.Exclusions
}

// Detector detects referrers. It does not change and can be used by several goroutines.
type Detector struct {
	engines map[string]*engine // by host, host and path, or lossy host (§7.6a)
	socials socials
}

// Load reads the lists of search engines and of social networks. Errors name the list that is broken.
func Load(searchEngines, socialNetworks Source) (*Detector, error) {
	engines, err := searchEngines.engines()
	if err != nil {
		return nil, err
	}
	networks, err := socialNetworks.socials()
	if err != nil {
		return nil, err
	}
	return &Detector{engines: engines, socials: networks}, nil
}

// wrongType refuses a request for which PHP fails with a TypeError.
func wrongType(detail string) error { return request.Reject(request.WrongType, detail) }
