package store

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// conformChars treats text for CHAR, VARCHAR and TEXT. Excess spaces are cut off silently.
func (t *columnType) conformChars(s string, how converter) (string, string) {
	end := min(len(s), t.length)
	if !isASCII(s) {
		var reason string
		if s, reason = t.conformCharset(s, how); reason != "" {
			return s, reason
		}
		end = t.fitting(s)
	}
	if end < len(s) && how.strict && strings.Trim(s[end:], " ") != "" {
		return s, tooLong
	}
	if s = s[:end]; t.kind == kindChar {
		s = strings.TrimRight(s, " ")
	}
	return s, ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decode reads a character as the server does: unlike Go it takes lone surrogates ("\xed\xa0\x80") for characters.
func decode(s string) (r rune, size int, ok bool) {
	r, size = utf8.DecodeRuneInString(s)
	if r != utf8.RuneError || size > 1 {
		return r, size, true
	}
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2] >= 0x80 && s[2] <= 0xbf {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3, true
	}
	return r, 1, false
}

// fitting is the length in bytes of the part of s that the column can hold.
func (t *columnType) fitting(s string) int {
	if len(s) <= t.length {
		return len(s)
	}
	end := 0
	for characters := 0; end < len(s); characters++ {
		_, size, _ := decode(s[end:])
		if t.inBytes && end+size > t.length || !t.inBytes && characters == t.length {
			break
		}
		end += size
	}
	return end
}

// conformCharset replaces, or refuses in strict mode, what the character set of the connection or of the column cannot
// hold.
func (t *columnType) conformCharset(s string, how converter) (string, string) {
	if t.charset == unicode && !how.basicPlane && utf8.ValidString(s) {
		return s, ""
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		r, size, valid := decode(s[i:])
		if !valid || how.basicPlane && size > 3 {
			valid, size = false, 1
		}
		switch {
		case valid && t.holds(r):
			out.WriteString(s[i : i+size])
		case how.strict:
			return s, invalidText
		case !valid && !how.mariadb && t.charset == unicode:
			return out.String(), "" // MySQL gives up at the first invalid byte
		default:
			out.WriteByte('?')
		}
		i += size
	}
	return out.String(), ""
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
