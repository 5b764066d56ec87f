package pageurl

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// filter reads a query string (spec §6.2 queryToMap), drops excluded parameters and writes the others.
func (x *Exclusions) filter(query string, extra []string) string {
	if isPlain(query) {
		if filtered, ok := x.filterPlain(query, extra); ok {
			return filtered
		}
	}
	return x.filterMap(php.QueryToMap(query), extra)
}

// isPlain reports whether the parts of a query string are written as they were read: no brackets of lists, nothing to
// escape, no "?" in front, no white space at the end.
func isPlain(query string) bool {
	if query == "" || query[0] == '?' || query[len(query)-1] <= ' ' {
		return false
	}
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c >= utf8.RuneSelf:
			return !strings.ContainsAny(query[i:], "\x00\n\r\"'<>[]") && !strings.Contains(query[i:], "%5") &&
				utf8.ValidString(query[i:])
		case rewritten[c]:
			return false
		case c == '%' && i+1 < len(query) && query[i+1] == '5':
			return false
		}
	}
	return true
}

var rewritten = [utf8.RuneSelf]bool{
	0: true, '\n': true, '\r': true, '"': true, '\'': true, '<': true, '>': true,
	'[': true, ']': true,
}

// maxPlainParts bounds the comparison of each name with all before it.
const maxPlainParts = 16

// filterPlain filters a plain query string without a map. ok is false when a name occurs twice or there are too many.
func (x *Exclusions) filterPlain(query string, extra []string) (filtered string, ok bool) {
	var names, kept [maxPlainParts]string
	n, keptParts, keptBytes := 0, 0, 0
	for rest, more := query, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, "&")
		name, _, _ := strings.Cut(part, "=")
		if php.EmptyString(name) {
			continue
		}
		if n == maxPlainParts || slices.Contains(names[:n], name) {
			return "", false
		}
		names[n] = name
		n++
		if !x.match(name, extra) {
			kept[keptParts] = part
			keptParts++
			keptBytes += len(part)
		}
	}
	switch {
	case keptParts == 0:
		return "", true
	case keptBytes+keptParts-1 == len(query):
		return query, true
	}
	return strings.Join(kept[:keptParts], "&"), true
}

func (x *Exclusions) filterMap(params *php.Array, extra []string) string {
	var b []byte
	for name, value := range params.All() {
		name = brackets.Replace(name)
		if x.match(name, extra) {
			continue
		}
		if !value.IsArray() {
			b = appendParameter(b, name, "", value)
			continue
		}
		for _, item := range value.Array().All() {
			b = appendParameter(b, name, "[]", item)
		}
	}
	return string(b)
}

// brackets decodes in capitals only: a%5B1%5D becomes a[1], a%5b1%5d stays.
var brackets = strings.NewReplacer("%5B", "[", "%5D", "]")

func appendParameter(b []byte, name, suffix string, value php.Value) []byte {
	if len(b) > 0 {
		b = append(b, '&')
	}
	b = append(append(b, name...), suffix...)
	if value.IsString() {
		b = append(append(b, '='), value.Str()...)
	}
	return b
}
