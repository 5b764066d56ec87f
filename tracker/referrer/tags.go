package referrer

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Tags are what plugin MarketingCampaignsReporting finds in the URL of a request (spec §P1.3). A nil one is that of an
// installation without the plugin: it has no columns and forces nothing. The errors are those of Detect; they come from
// each method that needs the tags, since Matomo looks for them only then.
type Tags struct {
	values tags
	err    error
}

// tags has "" where there is none.
type tags [matomo.CampaignFields]string

const (
	maxTag         = 250 // bytes
	maxCampaign    = 255 // bytes of a column
	maxCampaignID  = 100 // bytes of campaign_id
	clickParameter = "mtm_clid"
)

// TagsOf looks for the tags of a request.
func TagsOf(r *request.Request) *Tags {
	params := r.Site().Tracker.Campaigns
	if params == nil {
		return nil
	}
	t := new(Tags)
	t.values, t.err = findTags(r, params)
	return t
}

// findTags searches the fragment of the page's URL and, if nothing at all is there, its query.
func findTags(r *request.Request, params *matomo.CampaignParameters) (tags, error) {
	page := r.Page()
	if !page.OK {
		return tags{}, nil
	}
	found, err := searchTags(queryOfFragment(page.Parts.Fragment), params)
	if err != nil || found.any() {
		return found, err
	}
	return searchTags(page.Parts.Query, params)
}

// queryOfFragment is the query of a fragment that is a path, as those of single page applications are.
func queryOfFragment(fragment string) string {
	if !strings.HasPrefix(fragment, "/") {
		return fragment
	}
	if u, ok := php.ParseURL(fragment); ok && u.HasQuery {
		return u.Query
	}
	return fragment
}

func searchTags(query string, params *matomo.CampaignParameters) (found tags, err error) {
	if !mayHave(query, params.All) {
		return found, nil
	}
	values := php.QueryToMap(query)
	for field, names := range params.ByField {
		for _, name := range names {
			value := values.Value(name)
			if value.IsArray() {
				return tags{}, wrongType("campaign parameter " + name)
			}
			if text := tag(name, value.Str()); !php.EmptyString(text) {
				found[field] = text
				break
			}
		}
	}
	return found, nil
}

// tag is the value of a parameter. Click ids keep their case.
func tag(name, value string) string {
	text := php.Trim(php.URLDecode(value))
	if name != clickParameter {
		text = php.MBToLower(text)
	}
	return php.CutBytes(text, maxTag)
}

func (t *tags) any() bool { return *t != tags{} }

// Differ reports whether the request belongs to another campaign than a visit with these columns, and so begins a new
// one where the site wants that (spec §P1.5). A tag that is missing now makes a difference, too. Columns that the table
// does not have do not count.
func (t *Tags) Differ(current []store.NullText, columns *[matomo.CampaignFields]bool) (bool, error) {
	if t == nil || t.err != nil {
		return false, t.failure()
	}
	if !t.values.any() {
		return false, nil
	}
	for field, text := range t.values {
		var before string
		if len(current) > 0 {
			before = php.MBToLower(current[field].V)
		}
		if columns[field] && otherTag(before, php.MBToLower(text)) {
			return true, nil
		}
	}
	return false, nil
}

// otherTag compares as PHP does, 10 with 1e1 as numbers; a missing tag is false to it.
func otherTag(before, now string) bool {
	if now == "" {
		return !php.EmptyString(before)
	}
	return !php.LooseEqualStrings(before, now)
}

func (t *Tags) failure() error {
	if t == nil {
		return nil
	}
	return t.err
}

// OfVisit gives the plugin's columns of a new visit: the tags or, when there are none, the campaign that Matomo has
// found elsewhere (spec §P1.4). They are empty when all are NULL.
func (t *Tags) OfVisit(found *store.Referer) ([]store.NullText, error) {
	if t == nil || t.err != nil {
		return nil, t.failure()
	}
	values := t.values
	if !values.any() && found.Type.V == Campaign {
		values[matomo.CampaignName] = found.Name.V
		if !php.EmptyString(found.Keyword.V) {
			values[matomo.CampaignKeyword] = found.Keyword.V
		}
	}
	return values.columns(), nil
}

// OfConversion gives the plugin's columns of a conversion: the visit's or, when these are all empty, the tags of the
// request (spec §P1.6).
func (t *Tags) OfConversion(visit []store.NullText) ([]store.NullText, error) {
	if t == nil {
		return nil, nil
	}
	var values tags
	for field := range visit {
		values[field] = visit[field].V
	}
	if !values.any() {
		if t.err != nil {
			return nil, t.err
		}
		values = t.values
	}
	return values.columns(), nil
}

// columns are cut to bytes, perhaps in the midst of a character. Those of column campaign_placement are cut as if it
// were as long as most others.
func (t *tags) columns() []store.NullText {
	if !t.any() {
		return nil
	}
	columns := make([]store.NullText, len(t))
	for field, text := range t {
		most := maxCampaign
		if matomo.CampaignField(field) == matomo.CampaignID {
			most = maxCampaignID
		}
		if text != "" {
			columns[field] = store.Text(php.CutBytes(text, most))
		}
	}
	return columns
}

// WithCampaign is the referrer of a new visit with these columns of the plugin: a campaign, whatever Matomo has found,
// which keeps its name and its keyword where the plugin has none (spec §P1.4).
func WithCampaign(ref store.Referer, columns []store.NullText) store.Referer {
	if len(columns) == 0 {
		return ref
	}
	ref.Type = store.Int(Campaign)
	if name := columns[matomo.CampaignName]; !php.EmptyString(name.V) {
		ref.Name = name
	}
	if keyword := columns[matomo.CampaignKeyword]; !php.EmptyString(keyword.V) {
		ref.Keyword = keyword
	}
	return ref
}

// Masked is the referrer of a new visit as its conversions have it where the site masks campaigns: Matomo masks once
// more there what the plugin has set (spec §P1.6).
func (t *Tags) Masked(ref store.Referer) store.Referer {
	if t != nil && ref.Type.V == Campaign {
		ref.Name, ref.Keyword = store.Text(masked), store.Text(masked)
	}
	return ref
}
