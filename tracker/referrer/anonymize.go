package referrer

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The values of option PrivacyManager.anonymizeReferrer that have an effect.
const (
	excludeQuery = "exclude_query"
	excludePath  = "exclude_path"
	excludeAll   = "exclude_all"
)

// Anonymize removes from the referrer of a new visit what the option PrivacyManager.anonymizeReferrer says (spec §9.5).
// It also makes "" of NULL, except for a URL.
func Anonymize(ref store.Referer, option string) store.Referer {
	if option == "" {
		return ref
	}
	if ref.URL.Valid {
		ref.URL.V = anonymousURL(ref.URL.V, option)
	}
	if dropsName(ref.Type.V, option) {
		ref.Name = store.Text("")
	}
	if dropsKeyword(ref.Type.V, option) {
		ref.Keyword = store.Text("")
	}
	return ref
}

// AnonymizeUpdate does the same for what is about to be written to an existing visit: columns that are not set or NULL
// stay so.
func AnonymizeUpdate(found Result, option string) Result {
	anonymous := Anonymize(found.Referer, option)
	if found.Name.Valid {
		found.Name = anonymous.Name
	}
	if found.Keyword.Valid {
		found.Keyword = anonymous.Keyword
	}
	found.URL = anonymous.URL
	return found
}

func dropsName(kind int64, option string) bool {
	return option == excludeAll && kind != Campaign && kind != Social && kind != SearchEngine && kind != AIAssistant
}

func dropsKeyword(kind int64, option string) bool {
	return kind != Campaign && (option == excludeQuery || option == excludePath || option == excludeAll)
}

func anonymousURL(url, option string) string {
	switch option {
	case excludeQuery:
		// PHP's strtok: question marks in front are skipped.
		url, _, _ = strings.Cut(strings.TrimLeft(url, "?"), "?")
	case excludePath:
		return hostOnly(url)
	case excludeAll:
		return ""
	}
	return url
}

// hostOnly cuts the URL behind the host; without host or path it stays.
func hostOnly(url string) string {
	u, _ := php.ParseURL(url)
	if php.EmptyString(u.Host) || php.EmptyString(u.Path) {
		return url
	}
	switch {
	case !php.EmptyString(u.Scheme):
		return u.Scheme + "://" + u.Host + "/"
	case strings.HasPrefix(url, "//"):
		return "//" + u.Host + "/"
	}
	return u.Host + "/"
}
