package referrer

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/tracker/location"
)

// lossyHost reduces a host to the form under which engines with one site per country are listed (spec §7.6a): "www.",
// "search." and "m." are dropped, a country at the end or in front becomes "{}". www.google.co.uk is google.{},
// it.wikipedia.org is {}.wikipedia.org.
func lossyHost(host string) string {
	return replaceCountryLabels(replaceCountryEnd(dropMobileLabels(dropWeb(host))))
}

// dropWeb removes one label "search", "w", "www", "www2" … from the start.
func dropWeb(host string) string {
	label, rest, ok := strings.Cut(host, ".")
	if ok && (label == "search" || isWebLabel(label)) {
		return rest
	}
	return host
}

func isWebLabel(label string) bool {
	letters := strings.TrimLeft(label, "w")
	return len(letters) < len(label) && strings.Trim(letters, "0123456789") == ""
}

// dropMobileLabels removes labels "m" that are followed by another label. Of two in a row only the first goes:
// m.m.example is m.example.
func dropMobileLabels(host string) string {
	return replaceLabels(host, "", func(label string) bool { return label == "m" })
}

// replaceCountryLabels does the same for countries: de.example is {}.example.
func replaceCountryLabels(host string) string { return replaceLabels(host, "{}.", isCountryDomain) }

// replaceLabels replaces labels and the dot behind them. The label after a replaced one stays: its dot is used up.
func replaceLabels(host, by string, matches func(label string) bool) string {
	var b strings.Builder
	done := 0 // bytes of host that are in b
	for start := 0; start < len(host); {
		length := strings.IndexByte(host[start:], '.')
		if length < 0 {
			break
		}
		next := start + length + 1
		if !matches(host[start : start+length]) {
			start = next
			continue
		}
		b.WriteString(host[done:start])
		b.WriteString(by)
		done = next
		if after := strings.IndexByte(host[next:], '.'); after >= 0 {
			next += after + 1
		} else {
			next = len(host)
		}
		start = next
	}
	if done == 0 {
		return host
	}
	b.WriteString(host[done:])
	return b.String()
}

// replaceCountryEnd replaces .de, .co.uk and the like at the end by ".{}".
func replaceCountryEnd(host string) string {
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 || !isCountryDomain(host[dot+1:]) {
		return host
	}
	rest := host[:dot]
	if i := strings.LastIndexByte(rest, '.'); i >= 0 && isSecondLevel(rest[i+1:]) {
		rest = rest[:i]
	}
	return rest + ".{}"
}

func isSecondLevel(label string) bool {
	switch label {
	case "com", "org", "net", "co", "it", "edu":
		return true
	}
	return false
}

// isCountryDomain knows Matomo's countries and the further codes that it lists: "unknown", reserved ones, former
// countries, domains, and those of GeoIP databases.
func isCountryDomain(label string) bool {
	switch label {
	case "xx", "ac", "cp", "dg", "ea", "eu", "fx", "ic", "su", "ta", "uk", "an", "bu", "cs", "nt", "sf", "tp", "yu", "zr", "a1", "a2", "ap",
		"o1", "cat":
		return true
	}
	return location.IsCountry(label)
}
