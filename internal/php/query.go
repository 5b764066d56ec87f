package php

import "strings"

// QueryToMap reads a query string as Matomo does (spec §6.2): nothing is percent-decoded, names and values are
// sanitised, "a" without "=" has the value false, "a[]=1" collects a list under "a", of equal names the last one counts
// in the place of the first. Names "" and "0" are dropped.
func QueryToMap(query string) *Array {
	if EmptyString(query) {
		return &Array{}
	}
	query = strings.TrimPrefix(query, "?")
	if query = RTrim(query); query == "" {
		return &Array{}
	}
	m := NewArray(strings.Count(query, "&") + 1)
	for more := true; more; {
		var part string
		part, query, more = strings.Cut(query, "&")
		addToQueryMap(m, part)
	}
	return m
}

func addToQueryMap(m *Array, part string) {
	name, text, hasValue := strings.Cut(part, "=")
	value := Bool(false)
	if hasValue {
		value = String(sanitizeNonEmpty(text))
	}
	name = sanitizeNonEmpty(name)
	if list, ok := cutBrackets(name); ok {
		old, _ := m.Get(list)
		if !old.IsArray() {
			old = ArrayValue(nil)
			m.Set(list, old)
		}
		old.Array().Append(value)
		return
	}
	if !EmptyString(name) {
		m.Set(name, value)
	}
}

func sanitizeNonEmpty(s string) string {
	if EmptyString(s) {
		return s
	}
	return SanitizeInput(s)
}

// cutBrackets removes "[]" from the end of a name, where either bracket may be percent-encoded; something has to
// remain.
func cutBrackets(name string) (string, bool) {
	rest, ok := cutBracket(name, "]", "%5d")
	if !ok {
		return "", false
	}
	rest, ok = cutBracket(rest, "[", "%5b")
	return rest, ok && !EmptyString(rest)
}

func cutBracket(s, plain, encoded string) (string, bool) {
	if rest, ok := strings.CutSuffix(s, plain); ok {
		return rest, true
	}
	if n := len(s) - len(encoded); n >= 0 && EqualFold(s[n:], encoded) {
		return s[:n], true
	}
	return s, false
}
