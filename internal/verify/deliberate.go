package verify

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// deliberate are the differences of docs/differences.md that can be told by a request and the cells in which it
// differs. Most of that document is about batches that are repeated, which a comparison has none of.
var deliberate = []struct {
	name string
	is   func(p part, at place, d *difference, all []difference) bool
}{
	{"language of the worker's environment", isEnvironmentsLanguage},
	{"names of addresses (plugin Provider)", isProvider},
	{"numbers of 15 digits and more", isLongNumber},
	{"items whose SKUs are the same number", isSameNumber},
}

// deliberateName is the name of the difference that explains all cells of a request, "" where there is none.
func deliberateName(p part, culprit int, c *comparison) string {
	for _, known := range deliberate {
		if !slices.ContainsFunc(c.differences, func(d difference) bool {
			return d.outcome >= 0 || !known.is(p, p.places[culprit], &d, c.differences)
		}) {
			return known.name
		}
	}
	return ""
}

// isEnvironmentsLanguage: requests without a language get that of the variable LANG, for which we have none. The
// fingerprint, and the country of whoever cannot be located otherwise, follow from it.
func isEnvironmentsLanguage(p part, at place, d *difference, all []difference) bool {
	server := p.entries[at.entry].Set.Env.Server
	if php.ToString(p.request(at).Value("lang")) != "" ||
		server != nil && php.ToString(server.Value("HTTP_ACCEPT_LANGUAGE")) != "" {
		return false
	}
	return d.Column == "location_browser_lang" ||
		(d.Column == "config_id" || d.Column == "location_country") &&
			slices.ContainsFunc(all, func(o difference) bool { return o.Column == "location_browser_lang" })
}

// isProvider: names of addresses are asked for at another moment, and for no longer than five seconds.
func isProvider(_ part, _ place, d *difference, _ []difference) bool {
	return d.Column == "location_provider"
}

var longNumber = regexp.MustCompile(`[0-9][0-9.]{14,}`)

// isLongNumber: such numbers are rounded otherwise in the last digit.
func isLongNumber(p part, at place, d *difference, _ []difference) bool {
	long := false
	for name, value := range p.request(at).All() {
		if !slices.Contains([]string{"_id", "cid", "uid", "rand", "r"}, name) {
			long = long || longNumber.MatchString(php.ToString(value))
		}
	}
	want, wrong := number(d.Want)
	got, wrongToo := number(d.Got)
	return long && d.Column != "" && !wrong && !wrongToo &&
		math.Abs(want-got) <= 1e-5*math.Max(math.Abs(want), math.Abs(got))
}

// number reads a cell as it is compared: number 1.5, text "1.50".
func number(cell string) (n float64, wrong bool) {
	text := strings.TrimPrefix(strings.TrimPrefix(cell, "number "), "text ")
	n, err := strconv.ParseFloat(strings.Trim(text, `"`), 64)
	return n, err != nil
}

// isSameNumber: of several names that are the same number to MySQL, Matomo takes the one that comes back last.
func isSameNumber(p part, at place, d *difference, _ []difference) bool {
	if d.Column != "idaction_sku" || php.ToString(p.request(at).Value("ec_items")) == "" {
		return false
	}
	want, wrong := number(sku(d.Want))
	got, wrongToo := number(sku(d.Got))
	return !wrong && !wrongToo && want == got
}

// sku is the name in action(5,NULL,name).
func sku(cell string) string {
	parts := strings.SplitN(strings.TrimSuffix(cell, ")"), ",", 3)
	return parts[len(parts)-1]
}
