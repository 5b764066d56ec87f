// Package action finds out what a tracking request did: a page view, a click on an outlink, a download, a site search,
// an event or the impression of a piece of content. It gives the columns of log_link_visit_action that follow from the
// request alone, and the names whose ids in the dictionary log_action have to be looked up (spec §5.8, §5.9, §6).
//
// Nothing here depends on the visit or on the database. A request's Action is made once; when the ids of its Lookups
// are known, Row, EntryURL and EntryName give the values to write.
package action

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The types of names in log_action (spec §6.1). The type of an Action is one of TypePageURL, TypeOutlink, TypeDownload,
// TypeSiteSearch, TypeEvent and TypeContent. Categories of events share their type with the URLs of events, names of
// content theirs with the URLs of content.
const (
	TypePageURL            int64 = 1
	TypeOutlink            int64 = 2
	TypeDownload           int64 = 3
	TypePageTitle          int64 = 4
	TypeProductSKU         int64 = 5
	TypeProductName        int64 = 6
	TypeProductCategory    int64 = 7
	TypeSiteSearch         int64 = 8
	TypeEvent              int64 = 10
	TypeEventAction        int64 = 11
	TypeEventName          int64 = 12
	TypeContent            int64 = 13
	TypeContentPiece       int64 = 14
	TypeContentTarget      int64 = 15
	TypeContentInteraction int64 = 16
)

// Action is what a request did. It is never changed after New.
type Action struct {
	Type int64

	URL       string // as stored and as goals report it; excluded parameters are removed
	HasURL    bool   // false where PHP has false: missing or no URL
	RawURL    string // as the request gave it, with HTML entities: what goals and dimensions are matched against
	HasRawURL bool

	Name string // title of a page view or keyword of a search, with HTML entities

	// Parameters of an event, with HTML entities and not trimmed: what goals are matched against. Empty for other
	// types.
	EventCategory, EventAction, EventName string

	// Lookups are the names whose ids the row needs, in the order in which Matomo looks them up and inserts the missing
	// ones (spec §6.6).
	Lookups []Lookup
	usual   [2]Lookup // where the Lookups of most actions are

	pageviewID     string
	searchCategory string
	searchCount    store.NullInt
	productPrice   store.NullText
	customFloat    store.NullText
	performance    store.Performance
}

// New chooses and reads the action of a request that is not excluded (spec §6.1–§6.5). It is nil when the request
// records none: it reports a manual goal or is about a cart or an order, or plugin Actions is not active.
//
// The error is a *request.Rejection for a request that Matomo refuses, also where Matomo finds out only after it has
// begun to write.
func New(r *request.Request) (*Action, error) {
	features := r.Features()
	if !features.Actions {
		return nil, nil
	}
	a, err := choose(r)
	if err != nil {
		return nil, err
	}
	idGoal := r.Int("idgoal")
	if features.Goals && idGoal > 0 || features.Ecommerce && idGoal == 0 {
		return nil, nil
	}
	a.pageviewID = php.CutBytes(r.Text("pv_id"), pageviewIDBytes)
	if err := a.addLookups(r); err != nil {
		return nil, err
	}
	if features.Heartbeat && r.Int("ping") == 1 {
		return a, nil // its names are looked up, but no row is written that could be refused
	}
	return a, a.readColumns(r)
}

const pageviewIDBytes = 6

// choose reads the one kind of action that applies and comes first: download, outlink, event, content, site search,
// page view. Matomo reads all that apply, so that an event value of the wrong type is refused even when a download
// wins.
func choose(r *request.Request) (*Action, error) {
	features := r.Features()
	isEvent := features.Events && r.Text("e_c") != "" && r.Text("e_a") != ""
	var value store.NullText
	if isEvent {
		var err error
		if value, err = eventValue(r); err != nil {
			return nil, err
		}
	}
	switch {
	case !php.EmptyString(r.Text("download")):
		return newLink(r, TypeDownload, "download"), nil
	case !php.EmptyString(r.Text("link")):
		return newLink(r, TypeOutlink, "link"), nil
	case isEvent:
		return newEvent(r, value), nil
	case features.Contents && !php.EmptyString(r.Text("c_n")):
		return newContent(r), nil
	}
	if s, ok := detectSearch(r); ok {
		return newSearch(r, s), nil
	}
	if r.Has("ca") && r.Int("ca") != 0 {
		return nil, request.Reject(request.NotSupported, "ca: action of a plugin that is not active")
	}
	return newPageview(r), nil
}

// newLink reads an outlink or a download, whose URL is stored with its HTML entities and nothing excluded.
func newLink(r *request.Request, kind int64, parameter string) *Action {
	a := &Action{Type: kind}
	a.URL, a.HasURL = pageurl.LooksValid(r.Text(parameter), r.Settings().PageMaximumLength)
	a.RawURL, a.HasRawURL = a.URL, a.HasURL
	a.lookUp(FieldURL, kind, a.URL)
	return a
}

// setURL takes the request's URL for that of the page.
func (a *Action) setURL(r *request.Request) { a.setPage(r, r.Text("url"), r.Page()) }

// setPage takes a page's URL as it came and as it was read. Either form can be valid without the other: "tel:+1" is no
// raw URL but becomes "tel:///+1".
func (a *Action) setPage(r *request.Request, u string, page *pageurl.Page) {
	limit := r.Settings().PageMaximumLength
	a.RawURL, a.HasRawURL = pageurl.LooksValid(u, limit)
	if cleaned, ok := page.ExcludeParameters(r.Exclusions(), nil); ok {
		a.URL, a.HasURL = pageurl.LooksValid(cleaned, limit)
	}
}

// lookUpNormalizedURL splits the protocol off the URL, as for page views and events. An action without a URL looks none
// up.
func (a *Action) lookUpNormalizedURL(kind int64) {
	if !a.HasURL {
		return
	}
	name, prefix := pageurl.Normalize(a.URL)
	a.lookUp(FieldURL, kind, name)
	a.Lookups[len(a.Lookups)-1].Prefix = prefix
}

// addLookups adds the names that plugins look up, in the order of the plugins (spec §6.5).
func (a *Action) addLookups(r *request.Request) error {
	if r.Features().Ecommerce {
		a.addProduct(r)
	}
	switch a.Type {
	case TypeEvent:
		return a.addEvent()
	case TypeContent:
		return a.addContent(r)
	}
	return nil
}

// readColumns reads what has no id.
func (a *Action) readColumns(r *request.Request) (err error) {
	features := r.Features()
	if features.Ecommerce {
		if a.productPrice, err = productPrice(r); err != nil {
			return err
		}
	}
	if features.PagePerformance && a.IsPageview() {
		a.performance, err = pagePerformance(r)
	}
	return err
}

// IsPageview reports whether the action is a page view.
func (a *Action) IsPageview() bool { return a.Type == TypePageURL }

// CountsAsInteraction reports whether the action is a page view or a site search: it moves visit_total_interactions and
// pageview_position (spec §5.4, §5.9).
func (a *Action) CountsAsInteraction() bool { return a.Type == TypePageURL || a.Type == TypeSiteSearch }

// CountsAsAction reports whether the action moves visit_total_actions, as all do but content (spec §5.4).
func (a *Action) CountsAsAction() bool { return a.Type != TypeContent }
