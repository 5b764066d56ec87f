package pageurl

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// CleanString trims s, removes line breaks and NUL bytes and cuts it to maxBytes, which can be in the midst of a
// character (spec §6.2 cleanupString).
func CleanString(s string, maxBytes int) string {
	s = php.Trim(s)
	if strings.ContainsAny(s, "\n\r\x00") {
		s = dropped.Replace(s)
	}
	return php.CutBytes(s, maxBytes)
}

var dropped = strings.NewReplacer("\n", "", "\r", "", "\x00", "")

// Clean decodes the HTML entities of a request parameter that holds a URL, cleans it like CleanString and turns matrix
// parameters into a query: /p;a=1;b=2 becomes /p?a=1&b=2 (spec §6.2 cleanupUrl).
func Clean(u string, maxBytes int) string {
	return convertMatrix(CleanString(php.Unsanitize(u), maxBytes))
}

// convertMatrix makes the first ";" a "?" and all others, and a "?" after them, "&". A ";" after the first "?" is part
// of the query and stays.
func convertMatrix(u string) string {
	first := strings.IndexByte(u, ';')
	if first < 0 {
		return u
	}
	question := strings.IndexByte(u, '?')
	if question >= 0 && question < first {
		return u
	}
	b := []byte(u)
	if question > first {
		b[question] = ';'
	}
	b[first] = '?'
	for i := first + 1; i < len(b); i++ {
		if b[i] == ';' {
			b[i] = '&'
		}
	}
	return string(b)
}

// LooksValid returns u cleaned like CleanString; ok is false unless it looks like a URL (spec §6.2 looksValid).
func LooksValid(u string, maxBytes int) (cleaned string, ok bool) {
	u = CleanString(u, maxBytes)
	if !LooksLikeURL(u) {
		return "", false
	}
	return u, true
}

// LooksLikeURL reports whether u is an optional scheme, "//" and something more without a line break. The schemes
// javascript, vbscript and data are refused.
func LooksLikeURL(u string) bool {
	scheme := schemeLen(u)
	rest, ok := strings.CutPrefix(u[scheme:], "//")
	if !ok || rest == "" || strings.IndexByte(rest, '\n') >= 0 {
		return false
	}
	switch php.ToLower(u[:scheme]) {
	case "javascript:", "vbscript:", "data:":
		return false
	}
	return true
}

// schemeLen is the length of a scheme with its colon, 0 when u begins with none. A colon alone counts.
func schemeLen(u string) int {
	for i := 0; i < len(u); i++ {
		switch c := u[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		case c == ':':
			return i + 1
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '.' || c == '-'):
		default:
			return 0
		}
	}
	return 0
}
