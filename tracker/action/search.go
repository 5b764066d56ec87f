package action

import (
	"strings"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const searchCategoryBytes = 200

// search is a detected site search. Keyword and category are trimmed.
type search struct {
	keyword, category string
	count             store.NullInt
	url               string // without the parameters of the search, "" for a search that the tracker reports
}

func newSearch(r *request.Request, s search) *Action {
	a := &Action{
		Type:           TypeSiteSearch,
		Name:           pageurl.CleanString(s.keyword, r.Settings().PageMaximumLength),
		searchCategory: php.CutBytes(s.category, searchCategoryBytes),
		searchCount:    s.count,
	}
	page := pageurl.Read(s.url, r.Settings().PageMaximumLength)
	a.setPage(r, s.url, &page)
	a.lookUp(FieldName, TypeSiteSearch, a.Name)
	return a
}

// detectSearch finds a site search in the parameter search or in the page's URL (spec §6.4).
func detectSearch(r *request.Request) (s search, ok bool) {
	if !r.Site().SiteSearch {
		return s, false
	}
	if keyword := r.Text("search"); !php.EmptyString(keyword) {
		s.keyword, s.category = keyword, r.Text("search_cat")
		if n := r.Int("search_count"); n >= 0 {
			s.count = store.Int(n)
		}
	} else if s, ok = searchInURL(r); !ok {
		return s, false
	}
	if s.keyword = php.Trim(s.keyword); php.EmptyString(s.keyword) {
		return search{}, false
	}
	if s.category = php.Trim(s.category); php.EmptyString(s.category) {
		s.category = ""
	}
	return s, true
}

// searchInURL looks for the site's keyword parameters in query and fragment.
func searchInURL(r *request.Request) (s search, ok bool) {
	page := r.Page()
	if !page.OK || !page.Parts.HasQuery && !page.Parts.HasFragment {
		return s, false
	}
	site, parsed := r.Site(), page.Parts
	query := notEmpty(parsed.Query)
	path, fragment := splitFragment(notEmpty(parsed.Fragment))
	if !mayName(query, site.SearchKeywordParameters) && !mayName(fragment, site.SearchKeywordParameters) {
		return s, false
	}
	params := lowerNames(php.QueryToMap(query + "&" + fragment))
	params = reencode(params, r.Text("cs"))

	keywordName, keyword := firstNotEmpty(params, site.SearchKeywordParameters)
	if php.Empty(keyword) {
		return s, false
	}
	categoryName, category := firstNotEmpty(params, site.SearchCategoryParameters)
	s.keyword, s.category = decodeParameter(keyword), decodeParameter(category)
	s.count = searchCount(params.Value("search_count"))

	names := []string{categoryName, keywordName}
	if parsed.HasQuery {
		parsed.Query = pageurl.FilterQuery(parsed.Query, names)
	}
	if parsed.HasFragment {
		parsed.Fragment = joinFragment(path, pageurl.FilterQuery(fragment, names))
	}
	s.url = pageurl.Unparse(parsed, site.Tracker.PlainLogins)
	return s, true
}

func notEmpty(s string) string {
	if php.EmptyString(s) {
		return ""
	}
	return s
}

// splitFragment separates the query of a fragment such as "/route?q=x" from what comes before. Without a query of its
// own the whole fragment is one.
func splitFragment(fragment string) (path, query string) {
	if strings.IndexByte(fragment, '?') < 0 {
		return "", fragment
	}
	parsed, ok := php.ParseURL(fragment)
	if !ok || php.EmptyString(parsed.Query) {
		return "", fragment
	}
	return notEmpty(parsed.Path), parsed.Query
}

func joinFragment(path, query string) string {
	switch {
	case path == "":
		return query
	case php.EmptyString(query):
		return path
	}
	return path + "?" + query
}

// mayName reports whether a query string may have a parameter with one of the names, without reading it.
func mayName(query string, names []string) bool {
	if !isASCII(query) {
		return true
	}
	for more := query != ""; more; {
		var part string
		part, query, more = strings.Cut(query, "&")
		part = strings.TrimPrefix(part, "?")
		for _, name := range names {
			if !isPlainName(name) || startsWithName(part, name) {
				return true
			}
		}
	}
	return false
}

// startsWithName reports whether a parameter is called name, or name with something like brackets behind it.
func startsWithName(part, name string) bool {
	if len(part) < len(name) || !php.EqualFold(part[:len(name)], name) {
		return false
	}
	return len(part) == len(name) || !isNameByte(part[len(name)])
}

func isPlainName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lowerNames(params *php.Array) *php.Array {
	lower := php.NewArray(params.Len())
	for name, value := range params.All() {
		lower.Set(php.MBToLower(name), value)
	}
	return lower
}

// firstNotEmpty returns the first of the names whose parameter is not empty, with its value. Without one it is the
// last name.
func firstNotEmpty(params *php.Array, names []string) (name string, value php.Value) {
	for _, name = range names {
		if value = params.Value(php.MBToLower(name)); !php.Empty(value) {
			return name, value
		}
	}
	return name, php.Null
}

// decodeParameter url-decodes a value, of a list the first. Bytes that are not UTF-8 are encoded again.
func decodeParameter(v php.Value) string {
	if v.IsArray() {
		_, v = v.Array().At(0)
	}
	text := php.URLDecode(v.Str())
	if !utf8.ValidString(text) {
		text = php.URLEncode(text)
	}
	return php.Trim(text)
}

func searchCount(v php.Value) store.NullInt {
	if !v.IsString() || !php.IsNumeric(v.Str()) || php.StringToFloat(v.Str()) < 0 {
		return store.NullInt{}
	}
	return store.Int(php.StringToInt(v.Str()))
}
