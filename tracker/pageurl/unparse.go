package pageurl

import (
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Unparse puts the parts of a URL together again (spec §6.2). Parts that are empty or "0" are left out; "//" follows
// every scheme but mailto. plainLogins leaves user and password as they are, as Matomo did before 5.1.1.
func Unparse(p php.URL, plainLogins bool) string { return unparse("", &p, plainLogins) }

// unparse returns original when that is what p gives.
func unparse(original string, p *php.URL, plainLogins bool) string {
	var stack [512]byte
	b := appendURL(stack[:0], p, plainLogins)
	if string(b) == original {
		return original
	}
	return string(b)
}

func appendURL(b []byte, p *php.URL, plainLogins bool) []byte {
	if !php.EmptyString(p.Scheme) {
		b = append(append(b, p.Scheme...), ':')
		if !php.EqualFold(p.Scheme, "mailto") {
			b = append(b, "//"...)
		}
	}
	if !php.EmptyString(p.User) {
		b = appendLogin(b, p.User, plainLogins)
		if !php.EmptyString(p.Pass) {
			b = appendLogin(append(b, ':'), p.Pass, plainLogins)
		}
		b = append(b, '@')
	}
	if !php.EmptyString(p.Host) {
		b = append(b, p.Host...)
	}
	if p.Port != 0 {
		b = strconv.AppendInt(append(b, ':'), int64(p.Port), 10)
	}
	if !php.EmptyString(p.Path) {
		if p.Path[0] != '/' && !php.EmptyString(string(b)) {
			b = append(b, '/')
		}
		b = append(b, p.Path...)
	}
	if !php.EmptyString(p.Query) {
		b = append(append(b, '?'), p.Query...)
	}
	if !php.EmptyString(p.Fragment) {
		b = append(append(b, '#'), p.Fragment...)
	}
	return b
}

// appendLogin encodes what would end a user name or password, unless it is to stay plain.
func appendLogin(b []byte, s string, plain bool) []byte {
	if plain || !strings.ContainsAny(s, `:@/\`) {
		return append(b, s...)
	}
	return append(b, loginEscapes.Replace(s)...)
}

var loginEscapes = strings.NewReplacer(":", "%3A", "@", "%40", "/", "%2F", `\`, "%5C")
