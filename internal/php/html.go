package php

import (
	"strings"
	"unicode/utf8"
)

// Sanitize is Matomo's treatment of text that comes from outside (spec §A.5): HTML entities are decoded once, NUL bytes
// removed, and & " ' < > written as entities. Text that is not UTF-8 is read as Latin-1. Numeric strings stay as they
// are.
func Sanitize(s string) string {
	if needsNoSanitizing(s) { // so are all numeric strings
		return s
	}
	return sanitizeText(s)
}

// SanitizeInput removes line breaks and then sanitises s, numeric or not (spec §A.5).
func SanitizeInput(s string) string {
	if needsNoSanitizing(s) && strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return sanitizeText(withoutLineBreaks(s))
}

func withoutLineBreaks(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\n' && s[i] != '\r' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// needsNoSanitizing reports whether s is UTF-8 without any character that sanitising touches.
func needsNoSanitizing(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return !strings.ContainsAny(s[i:], "\x00\"&'<>") && utf8.ValidString(s[i:])
		case special[c]:
			return false
		}
	}
	return true
}

// special are the ASCII bytes that sanitising changes.
var special = [utf8.RuneSelf]bool{0: true, '"': true, '&': true, '\'': true, '<': true, '>': true}

func sanitizeText(s string) string {
	s = strings.ReplaceAll(decodeEntities(s, inputEntity), "\x00", "")
	if !utf8.ValidString(s) {
		s = latin1ToUTF8(s)
	}
	return escapeHTML(s)
}

func latin1ToUTF8(s string) string {
	b := make([]byte, 0, len(s)*2)
	for i := 0; i < len(s); i++ {
		b = utf8.AppendRune(b, rune(s[i]))
	}
	return string(b)
}

var escapedHTML = [utf8.RuneSelf]string{'&': "&amp;", '"': "&quot;", '\'': "&#039;", '<': "&lt;", '>': "&gt;"}

// escapeHTML is htmlspecialchars(s, ENT_QUOTES) for valid UTF-8.
func escapeHTML(s string) string {
	var b []byte
	done := 0
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf || escapedHTML[s[i]] == "" {
			continue
		}
		if b == nil {
			b = make([]byte, 0, len(s)+32)
		}
		b = append(append(b, s[done:i]...), escapedHTML[s[i]]...)
		done = i + 1
	}
	if b == nil {
		return s
	}
	return string(append(b, s[done:]...))
}

// Unsanitize decodes the entities that Sanitize writes, in any numeric form, once: htmlspecialchars_decode (spec §A.5).
func Unsanitize(s string) string { return decodeEntities(s, escapedEntity) }

// decodeEntities replaces what stands between & and ; by what resolve says.
func decodeEntities(s string, resolve func(body string) (string, bool)) string {
	next := strings.IndexByte(s, '&')
	if next < 0 || strings.IndexByte(s[next:], ';') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for next >= 0 {
		b = append(b, s[:next]...)
		s = s[next:]
		body := entityBody(s)
		if text, ok := resolve(body); ok {
			b = append(b, text...)
			s = s[len(body)+2:]
		} else {
			b = append(b, '&')
			s = s[1:]
		}
		next = strings.IndexByte(s, '&')
	}
	return string(append(b, s...))
}

// entityBody is the text between the & that s begins with and the ; that ends the entity, "" when it is none.
func entityBody(s string) string {
	i := 1
	if i < len(s) && s[i] == '#' {
		i++
	}
	for i < len(s) && isAlphaNumeric(s[i]) {
		i++
	}
	if i == len(s) || s[i] != ';' {
		return ""
	}
	return s[1:i]
}

func isAlphaNumeric(b byte) bool { return isDigit(b) || 'a' <= lower(b) && lower(b) <= 'z' }

// inputEntity resolves the names of HTML 4.01 and the numbers it allows.
func inputEntity(body string) (string, bool) {
	if body == "" || body[0] != '#' {
		if len(body) > maxEntityName {
			return "", false
		}
		text, ok := entities[body]
		return text, ok
	}
	code, ok := entityNumber(body[1:])
	if !ok || !allowedInHTML4(code) {
		return "", false
	}
	return string(code), true
}

// escapedEntity resolves & " ' < > only.
func escapedEntity(body string) (string, bool) {
	switch body {
	case "":
		return "", false
	case "amp":
		return "&", true
	case "quot":
		return `"`, true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	}
	if body[0] != '#' {
		return "", false
	}
	code, ok := entityNumber(body[1:])
	if !ok || code >= utf8.RuneSelf || escapedHTML[code] == "" {
		return "", false
	}
	return string(code), true
}

// entityNumber reads "39" and "x27", also "x0x27", as C's strtol does.
func entityNumber(digits string) (rune, bool) {
	base := rune(10)
	if digits != "" && lower(digits[0]) == 'x' {
		base, digits = 16, digits[1:]
		if len(digits) > 2 && digits[0] == '0' && lower(digits[1]) == 'x' {
			digits = digits[2:]
		}
	}
	code := rune(0)
	for i := 0; i < len(digits); i++ {
		d := hexDigit(digits[i])
		if d < 0 || rune(d) >= base {
			return 0, false
		}
		if code = code*base + rune(d); code > utf8.MaxRune {
			return 0, false
		}
	}
	return code, digits != ""
}

// hexDigit is the value of a hexadecimal digit, -1 for other bytes.
func hexDigit(b byte) int {
	switch {
	case isDigit(b):
		return int(b - '0')
	case 'a' <= lower(b) && lower(b) <= 'f':
		return int(lower(b)-'a') + 10
	}
	return -1
}

func allowedInHTML4(code rune) bool {
	switch {
	case code < 0x20:
		return code == '\t' || code == '\n' || code == '\r'
	case code < 0xa0:
		return code <= 0x7e
	}
	return utf8.ValidRune(code)
}
