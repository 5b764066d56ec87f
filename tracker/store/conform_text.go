package store

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// conformChars treats text for CHAR, VARCHAR and TEXT.
func (t *columnType) conformChars(s string, how converter) (string, string) {
	if isASCII(s) {
		return t.cutASCII(s, how)
	}
	s, reason := t.conformCharset(s, how)
	if reason != "" {
		return s, reason
	}
	end := t.fitting(s)
	if end < len(s) && how.strict && (t.inBytes || strings.Trim(s[end:], " ") != "") {
		return s, tooLong
	}
	return t.trimmed(s[:end]), ""
}

// cutASCII is the way of nearly all values.
func (t *columnType) cutASCII(s string, how converter) (string, string) {
	if len(s) <= t.length {
		return t.trimmed(s), ""
	}
	// Excess spaces are cut off silently, but not from TEXT.
	if how.strict && (t.inBytes || strings.Trim(s[t.length:], " ") != "") {
		return s, tooLong
	}
	return t.trimmed(s[:t.length]), ""
}

// trimmed takes the spaces off the end of a CHAR.
func (t *columnType) trimmed(s string) string {
	if t.kind == kindChar {
		return strings.TrimRight(s, " ")
	}
	return s
}

// fitting is the length in bytes of the part of s that the column can hold.
func (t *columnType) fitting(s string) int {
	if len(s) <= t.length {
		return len(s)
	}
	if t.inBytes {
		end := t.length
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		return end
	}
	characters := 0
	for i := range s {
		if characters == t.length {
			return i
		}
		characters++
	}
	return len(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// conformCharset replaces, or refuses in strict mode, what the character set of the connection or of the column cannot hold.
func (t *columnType) conformCharset(s string, how converter) (string, string) {
	if t.holdsAll(s, how) {
		return s, ""
	}
	if how.strict {
		return s, invalidText
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		valid := (r != utf8.RuneError || size > 1) && (!how.basicPlane || size < 4)
		switch {
		case valid && t.holds(r):
			out.WriteString(s[i : i+size])
		case !valid && !how.mariadb && t.charset == unicode:
			return out.String(), "" // MySQL gives up at the first invalid byte
		default:
			out.WriteByte('?')
			if !valid {
				size = 1
			}
		}
		i += size
	}
	return out.String(), ""
}

func (t *columnType) holdsAll(s string, how converter) bool {
	if !utf8.ValidString(s) {
		return false
	}
	if t.charset == unicode && !how.basicPlane {
		return true
	}
	for _, r := range s {
		if !t.holds(r) || how.basicPlane && r > 0xffff {
			return false
		}
	}
	return true
}

// holds reports whether the column's character set has the character.
func (t *columnType) holds(r rune) bool {
	switch t.charset {
	case basicPlane:
		return r <= 0xffff
	case latin1:
		// The five bytes that Windows-1252 leaves open are control characters to MySQL.
		_, ok := charmap.Windows1252.EncodeRune(r)
		return ok || r == 0x81 || r == 0x8d || r == 0x8f || r == 0x90 || r == 0x9d
	case ascii:
		return r < utf8.RuneSelf
	default:
		return true
	}
}
