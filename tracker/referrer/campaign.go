package referrer

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// campaignFinder collects a campaign (spec §7.2). Name and keyword are whatever PHP would hold: a list there makes it
// fail later, unless something replaces it in between. Newer versions of Matomo leave out names that are lists, and
// those of parameters that are no text (spec §V2.2.4).
type campaignFinder struct {
	run           *detection
	found         bool
	name, keyword php.Value
}

// campaign detects a campaign; the type of the result is NULL when there is none.
func (s *detection) campaign() (Result, error) {
	f := campaignFinder{run: s}
	f.fromLandingPage()
	if err := f.keywordFromReferrer(); err != nil {
		return Result{}, err
	}
	f.fromParameters()
	if f.name.IsArray() {
		return Result{}, wrongType("campaign name")
	}
	if !f.found {
		return Result{}, nil
	}
	name := php.MBToLower(php.ToString(f.name))
	if php.Empty(f.keyword) {
		f.keyword = f.defaultKeyword(php.CutRunes(name, maxText))
	}
	if f.keyword.IsArray() {
		return Result{}, wrongType("campaign keyword")
	}
	r := typed(Campaign)
	r.Name = store.Text(php.CutRunes(name, maxText))
	r.Keyword = store.Text(php.CutRunes(php.MBToLower(php.ToString(f.keyword)), maxText))
	return r, nil
}

// defaultKeyword is what the current visit has for the same campaign, else the referrer's host.
func (f *campaignFinder) defaultKeyword(name string) php.Value {
	current := f.run.in.Current
	if current == nil || current.Type.V != Campaign || !php.LooseEqualStrings(php.MBToLower(current.Name.V), name) {
		return php.String(f.run.parsed.Host)
	}
	return php.String(current.Keyword.V)
}

// fromLandingPage looks into the query of the page's URL and, unless that gave a keyword, into its fragment: a name
// there wins.
func (f *campaignFinder) fromLandingPage() {
	landing, names := f.run.landing, f.run.in.Site.Tracker.CampaignNameParameters
	if mayHave(landing.Query, names) {
		f.fromQuery(landing.Query)
		if !php.Empty(f.keyword) {
			return
		}
	}
	if mayHave(landing.Fragment, names) {
		f.fromQuery(landing.Fragment)
	}
}

// mayHave is a quick look for some names of parameters in a query string. Names with anything but letters, digits and
// a few marks are left to the thorough one.
func mayHave(query string, names []string) bool {
	for more := query != ""; more; {
		var part string
		part, query, more = strings.Cut(query, "&")
		name, _, _ := strings.Cut(part, "=")
		if !isSimpleName(name) {
			return true
		}
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

func isSimpleName(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}

// fromQuery takes the first name that is not empty. When there is none, the parameter tried last still counts unless
// it is empty: the list utm_medium[]=x becomes the name, and the request fails, where lists are not ignored.
func (f *campaignFinder) fromQuery(query string) {
	params := php.QueryToMap(query)
	var name php.Value
	for _, param := range f.run.in.Site.Tracker.CampaignNameParameters {
		if name = params.Value(param); !name.IsString() {
			continue
		}
		if name = php.String(php.Trim(php.URLDecode(name.Str()))); !php.Empty(name) {
			break
		}
	}
	if php.Empty(name) || !name.IsString() && f.run.d.behaviours.IgnoredCampaignLists {
		return
	}
	f.found, f.name = true, name
	for _, param := range f.run.in.Site.Tracker.CampaignKeywordParameters {
		keyword := php.Trim(php.URLDecode(params.Value(param).Str()))
		if !php.EmptyString(keyword) {
			f.keyword = php.String(keyword)
			return
		}
	}
}

// keywordFromReferrer takes the keyword of the search engine, or the page on which an ad of Google was shown. The
// latter makes a campaign of its own when there is none.
func (f *campaignFinder) keywordFromReferrer() error {
	s := f.run
	hasName := !php.Empty(f.name)
	if hasName && !php.Empty(f.keyword) {
		return nil
	}
	if hasName {
		search := s.search(s.d)
		if search.err != nil {
			return search.err
		}
		if !php.Empty(search.keyword) {
			f.keyword = search.keyword
		}
	}
	isAd := strings.Contains(s.parsed.Host, "googleads") || strings.Contains(s.parsed.Host, "doubleclick")
	if !isAd || !php.Empty(f.keyword) || php.EmptyString(s.parsed.Query) {
		return nil
	}
	return f.fromAd()
}

func (f *campaignFinder) fromAd() error {
	q := &query{text: f.run.parsed.Query}
	page, err := adParameter(q, "url")
	if err != nil {
		return err
	}
	parsed, _ := php.ParseURL(page)
	if php.EmptyString(parsed.Host) {
		return nil
	}
	if php.Empty(f.name) {
		kind, err := adParameter(q, "ad_type")
		if err != nil {
			return err
		}
		name := "AdWords"
		if !php.EmptyString(kind) {
			name += " (" + kind + ")"
		}
		f.found, f.name = true, php.String(name)
	}
	f.keyword = php.String("(adwords) " + parsed.Host)
	return nil
}

func adParameter(q *query, name string) (string, error) {
	v := q.param(name)
	if v.IsArray() {
		return "", wrongType("referrer parameter " + name)
	}
	return php.Trim(php.URLDecode(v.Str())), nil
}

// fromParameters lets a campaign among the request's own parameters win, as image trackers send it. Where a name has
// to be text, one that is not ends the search.
func (f *campaignFinder) fromParameters() {
	settings := f.run.in.Site.Tracker
	name := firstParameter(f.run.in.Raw, settings.CampaignNameParameters)
	if php.Empty(name) || !name.IsString() && f.run.d.behaviours.IgnoredCampaignTypes {
		return
	}
	f.found, f.name = true, name
	if keyword := firstParameter(f.run.in.Raw, settings.CampaignKeywordParameters); !php.Empty(keyword) {
		f.keyword = keyword
	}
}

// firstParameter is the first that is not empty, null when there is none.
func firstParameter(raw *php.Array, names []string) php.Value {
	for _, name := range names {
		if v := raw.Value(name); !php.Empty(v) {
			return v
		}
	}
	return php.Null
}
