// Package referrer tells where a visit comes from: AI assistant, campaign, search engine with its keyword, social
// network, other website, or nowhere (spec §7; AI assistants: spec §V2.2.1). It also
// attributes conversions (spec §7.7) and anonymises what is stored (spec §9.5).
//
// The lists of search engines, social networks and AI assistants are those of the Matomo installation: its YAML files
// or the copies that Matomo keeps in table option.
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
	AIAssistant  = 8
)

// masked stands for name and keyword of campaigns where a site does not record them.
const masked = "__discarded_by_policy__"

// Lengths of the columns, in characters.
const (
	maxText = 255
	maxURL  = 1500
)

// Result is what was detected. Where PHP has false for a column, the column is not set: it stays out of an INSERT or
// UPDATE.
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

	// Current is the referrer of the existing visit, nil for a new one: a campaign met again keeps its keyword
	// (spec §7.4).
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
	engines    map[string]*engine // by host, host and path, or lossy host (spec §7.6a)
	socials    socials
	assistants assistants // none before Matomo 5.5
	behaviours matomo.Behaviours
}

// Lists are the names that a Detector knows.
type Lists struct {
	SearchEngines, Socials Source
	Assistants             Source // the zero Source: none
}

// Load reads the lists; that of AI assistants only where the installation has this type of referrer. Errors name the
// list that is broken.
func Load(lists Lists, behaviours matomo.Behaviours) (*Detector, error) {
	d := &Detector{behaviours: behaviours}
	var err error
	if d.engines, err = lists.SearchEngines.engines(); err != nil {
		return nil, err
	}
	if d.socials, err = lists.Socials.socials(); err != nil {
		return nil, err
	}
	if behaviours.AIReferrers {
		if d.assistants, err = lists.Assistants.assistants(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// wrongType refuses a request for which PHP fails with a TypeError.
func wrongType(detail string) error { return request.Reject(request.WrongType, detail) }
