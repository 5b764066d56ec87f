package referrer

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// query is a query string whose parameters are read when the first one is asked for.
type query struct {
	text   string
	params *php.Array
}

// param is the value of a parameter: null when it is missing, false when it has no "=".
func (q *query) param(name string) php.Value {
	if q.params == nil {
		q.params = php.QueryToMap(q.text)
	}
	return q.params.Value(name)
}

// search finds the search engine of a referrer and the keyword, which is false when the engine does not tell it
// (spec §7.6a). found is false when ref is no search.
func (d *Detector) search(ref string, parsed *php.URL) (name string, keyword php.Value, found bool, err error) {
	if php.EmptyString(parsed.Host) {
		return "", php.Null, false, nil
	}
	q := &query{text: parsed.Query}
	if !php.EmptyString(parsed.Fragment) {
		q.text += "&" + parsed.Fragment
	}
	e := d.engineOf(parsed.Host, parsed.Path, q.text)
	if e == nil {
		return "", php.Null, false, nil
	}
	name = e.name
	switch name {
	case "Google Images":
		if strings.Contains(q.text, "&prev") {
			if q, err = previousQuery(q); err != nil {
				return "", php.Null, false, err
			}
		}
	case "Google":
		if strings.Contains(q.text, "&as_") || strings.HasPrefix(q.text, "as_") {
			keyword = php.String(advancedKeyword(q))
		}
		name = googleName(q)
	}
	if php.Empty(keyword) {
		if keyword, err = e.keyword(keyword, ref, q); err != nil {
			return "", php.Null, false, err
		}
	}
	if isMissing(keyword) && e.hides(parsed, q.text) {
		keyword = php.Bool(false)
	}
	if isMissing(keyword) {
		return "", php.Null, false, nil
	}
	if !php.Empty(keyword) {
		keyword = php.String(php.MBToLower(toUTF8(keyword.Str(), e.charsets)))
	}
	return name, keyword, true, nil
}

func isMissing(keyword php.Value) bool {
	return keyword.IsNull() || keyword.IsString() && keyword.Str() == ""
}

// engineOf looks the engine up by the most specific key.
func (d *Detector) engineOf(host, path, query string) *engine {
	if e := d.engines[host+path]; e != nil {
		return e
	}
	if e := d.engines[host]; e != nil {
		return e
	}
	lossy := lossyHost(host)
	if e := d.engines[lossy+path]; e != nil {
		return e
	}
	if e := d.engines[lossy]; e != nil {
		return e
	}
	switch {
	case strings.HasPrefix(query, "cx=partner-pub-"):
		return d.engines["google.com/cse"]
	case strings.HasPrefix(path, "/pemonitorhosted/ws/results/"):
		return d.engines["wsdsold.infospace.com"]
	case strings.Index(host, ".images.search.yahoo.com") > 0:
		return d.engines["images.search.yahoo.com"]
	case strings.Index(host, ".search.yahoo.com") > 0:
		return d.engines["search.yahoo.com"]
	}
	return nil
}

// previousQuery is the query of the search from which an image was opened: ?imgurl=…&prev=/search?q=cats. Its
// separators are left as entities, so that only the first parameter keeps its name.
func previousQuery(q *query) (*query, error) {
	prev := q.param("prev")
	if prev.IsArray() {
		return nil, wrongType("referrer parameter prev")
	}
	text := php.URLDecode(php.Trim(prev.Str()))
	i := strings.IndexByte(text, '?')
	if i < 0 {
		return &query{}, nil
	}
	return &query{text: strings.ReplaceAll(text[i:], "&", "&amp;")}, nil
}

// advancedKeyword puts the fields of Google's advanced search together.
func advancedKeyword(q *query) string {
	var parts []string
	add := func(param string, format func(string) string) {
		if v := q.param(param); !php.Empty(v) {
			parts = append(parts, format(php.ToString(v)))
		}
	}
	add("as_q", func(s string) string { return s })
	add("as_oq", func(s string) string { return strings.ReplaceAll(s, "+", " OR ") })
	add("as_epq", func(s string) string { return `"` + s + `"` })
	add("as_eq", func(s string) string { return "-" + s })
	return php.Trim(php.URLDecode(strings.Join(parts, " ")))
}

func googleName(q *query) string {
	if !strings.Contains(q.text, "tbm") {
		return "Google"
	}
	switch q.param("tbm").Str() {
	case "isch":
		return "Google Images"
	case "vid":
		return "Google Video"
	case "shop":
		return "Google Shopping"
	}
	return "Google"
}

// keyword asks the parameters in their order; found is what there is without them. A parameter that is there but empty
// is false.
func (e *engine) keyword(found php.Value, ref string, q *query) (php.Value, error) {
	for _, p := range e.params {
		if p.isPattern {
			if p.pattern == nil {
				continue
			}
			if groups := p.pattern.FindSubmatch(ref); groups != nil {
				return php.String(php.Trim(php.URLDecode(firstGroup(groups)))), nil
			}
			continue
		}
		v := q.param(p.name)
		if v.IsArray() {
			return php.Null, wrongType("referrer parameter " + p.name)
		}
		found = php.String(php.Trim(php.URLDecode(v.Str())))
		if !php.Empty(found) {
			return found, nil
		}
		// "?q=" at the start of the query is not seen: the query comes without its question mark.
		if strings.Contains(q.text, p.further) || strings.Contains(q.text, p.leading) {
			return php.Bool(false), nil
		}
	}
	return found, nil
}

func firstGroup(groups []string) string {
	if len(groups) < 2 {
		return ""
	}
	return groups[1]
}

// hides reports whether the engine sends such URLs without a keyword.
func (e *engine) hides(parsed *php.URL, query string) bool {
	path := parsed.Path
	if !php.EmptyString(query) {
		path += "?" + query
	}
	if !php.EmptyString(parsed.Fragment) {
		path += "#" + parsed.Fragment
	}
	for _, h := range e.hidden {
		if h.matches(path) {
			return true
		}
	}
	return false
}
