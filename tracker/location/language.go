package location

import (
	_ "embed"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

//go:embed countries.txt
var countryList string

//go:embed languages.txt
var languageList string

var countries = func() map[string]struct{} {
	known := make(map[string]struct{})
	for _, code := range facts(countryList) {
		known[code] = struct{}{}
	}
	return known
}()

// countryOfLanguage maps a language to the country where most of its speakers live.
var countryOfLanguage = func() map[string]string {
	country := make(map[string]string)
	pairs := facts(languageList)
	for i := 0; i+1 < len(pairs); i += 2 {
		country[pairs[i]] = pairs[i+1]
	}
	return country
}()

// facts are the words of a list behind its first line, which is a comment.
func facts(list string) []string {
	_, list, _ = strings.Cut(list, "\n")
	return strings.Fields(list)
}

// IsCountry reports whether code, in lower case, is one of the countries that Matomo lists.
func IsCountry(code string) bool {
	_, known := countries[code]
	return known
}

// CountryFromLanguage guesses the country from a list of languages as Request.Language gives it (spec §9.2): "de-at,de"
// is at. With guess a list that begins with a language without region counts as its main country: "de" is de. "xx" when
// nothing fits.
func CountryFromLanguage(languages string, guess bool) string {
	if len(languages) < 2 || php.EmptyString(languages) {
		return unknown
	}
	if guess {
		if country, ok := countryOfLanguage[firstLanguage(languages)]; ok {
			return country
		}
	}
	return firstRegion(languages)
}

// firstLanguage is the language that the list begins with, "" when something other than a comma or semicolon follows
// it.
func firstLanguage(languages string) string {
	n := 0
	for n < len(languages) && isLetter(languages[n]) {
		n++
	}
	if n < 2 || n > 3 || n < len(languages) && languages[n] != ',' && languages[n] != ';' {
		return ""
	}
	return languages[:n]
}

// firstRegion is the first country among all pairs of letters that follow a hyphen. More letters may follow:
// "sr-latn-rs" is Laos.
func firstRegion(languages string) string {
	for {
		_, rest, ok := strings.Cut(languages, "-")
		if !ok {
			return unknown
		}
		if len(rest) >= 2 && IsCountry(rest[:2]) {
			return rest[:2]
		}
		languages = rest
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
