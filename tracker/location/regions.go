package location

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// regionNames maps a country, in upper case, to its regions in the order of Matomo's list (§9.2).
type regionNames map[string][]region

type region struct {
	code  string
	names []string // folded: the current name, then others
}

// code is the ISO code of a region by its English name, "" when it is not known. Letter case and accents do not count.
func (r regionNames) code(country, name string) string {
	folded := fold(name)
	for _, region := range r[country] {
		for _, known := range region.names {
			if known == folded {
				return region.code
			}
		}
	}
	return ""
}

// parseRegionNames reads plugins/GeoIp2/data/isoRegionNames.php of Matomo: country -> region -> name, altNames, current.
func parseRegionNames(source string) (regionNames, error) {
	list, err := parsePHPArray(source)
	if err != nil {
		return nil, err
	}
	names := make(regionNames, list.Len())
	for country, regions := range list.All() {
		for code, v := range regions.Array().All() {
			known := []string{fold(php.ToString(v.Array().Value("name")))}
			for _, other := range v.Array().Value("altNames").Array().All() {
				known = append(known, fold(php.ToString(other)))
			}
			names[country] = append(names[country], region{code, known})
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no regions")
	}
	return names, nil
}

// fold writes s in lower-case ASCII, as iconv's transliteration does: accents are dropped, other characters become "?".
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteString(transliterate(r))
		}
	}
	return b.String()
}

// transliterate is for letters and marks that are no ASCII character with an accent.
func transliterate(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'Æ', 'æ':
		return "ae"
	case 'Œ', 'œ':
		return "oe"
	case 'Ø', 'ø':
		return "o"
	case 'Đ', 'đ', 'Ð', 'ð':
		return "d"
	case 'Ł', 'ł':
		return "l"
	case 'Ħ', 'ħ':
		return "h"
	case 'Þ', 'þ':
		return "th"
	case 'ı':
		return "i"
	case '‘', '’', 'ʻ', 'ʼ':
		return "'"
	case '‐', '‑', '‒', '–', '—':
		return "-"
	case '\u00a0':
		return " "
	}
	return "?"
}
