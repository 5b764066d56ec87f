package dimension

import (
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/action/pattern"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// patterns and urlParams hold the compiled extractions. Matomo escapes every "/", also one that is escaped already:
// with "a\/b" the delimiter ends the expression early and nothing matches.
var (
	patterns  = pattern.NewCache(escapeSlashes)
	urlParams = pattern.NewCache(func(source string) string { return escapeSlashes(`\?.*` + source + `=([^&]*)`) })
)

func escapeSlashes(s string) string { return strings.ReplaceAll(s, "/", `\/`) }

// extract returns the first group of the extraction's pattern in its source, "" when there is none.
func extract(r *request.Request, a *action.Action, e matomo.Extraction, caseSensitive bool) string {
	if php.EmptyString(e.Pattern) {
		return ""
	}
	text := source(r, a, e.Source)
	if text == "" {
		return ""
	}
	re := cacheFor(e).Compile(e.Pattern, caseSensitive)
	if re == nil {
		return ""
	}
	if groups := re.FindSubmatch(text); len(groups) > 1 {
		return groups[1]
	}
	return ""
}

func cacheFor(e matomo.Extraction) *pattern.Cache {
	if e.Source == "urlparam" {
		return urlParams
	}
	return patterns
}

// source is the text that an extraction searches, without HTML entities: the action's URL with all its parameters, its
// title, or a parameter of the request.
func source(r *request.Request, a *action.Action, name string) string {
	var text string
	switch {
	case (name == "url" || name == "urlparam") && a != nil:
		text = a.RawURL
	case name == "urlparam":
		text = r.Text("url")
	case name == "action_name" && a != nil:
		text = a.Name
	default:
		text = parameter(r, name)
	}
	return php.Unsanitize(text)
}

// numbers are the parameters that Matomo reads as numbers, as decimals where true.
var numbers = map[string]bool{
	"rec": false, "bots": false, "new_visit": false, "cdo": false, "idgoal": false, "search_count": false, "ping": false,
	"ca": false,
	"dp": false, "_refts": false,
	"pf_net": false, "pf_srv": false, "pf_tfr": false, "pf_dm1": false, "pf_dm2": false, "pf_onl": false,
	"ec_st": true, "ec_tx": true, "ec_sh": true, "ec_dt": true, "_pkp": true, "e_v": true,
}

// parameter is a parameter as Matomo would read it, as text. The interface offers none but url and action_name; a
// decimal that is given as an array counts as absent.
func parameter(r *request.Request, name string) string {
	decimal, isNumber := numbers[name]
	switch {
	case !isNumber:
		return r.Text(name)
	case !decimal:
		return strconv.FormatInt(r.Int(name), 10)
	}
	f, ok, err := r.Float(name)
	if err != nil || !ok {
		return ""
	}
	return php.FloatString(f)
}
