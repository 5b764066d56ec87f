package referrer

import (
	"math/bits"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// The encodings of golang.org/x/text are those of the web: supersets of what the GNU C library knows by the same names,
// and they resume elsewhere after a byte that is wrong.

// step reads the character that text, which is not empty, begins with: utf8.RuneError is for n bytes to be skipped. n
// is greater than the length of text when the character has no end.
type step func(text string) (r rune, n int)

// steps are for the charsets of Matomo's list of search engines.
var steps = map[string]step{
	"utf-8":        utf8Step,
	"iso-8859-1":   withControls(singleBytes(charmap.ISO8859_1)),
	"iso-8859-2":   withControls(singleBytes(charmap.ISO8859_2)),
	"windows-1250": withoutControls(singleBytes(charmap.Windows1250)),
	"windows-1251": withoutControls(singleBytes(charmap.Windows1251)),
	"gb2312":       gb2312Step,
	"euc-kr":       eucKRStep,
	"euc-jp":       eucJPStep,
	"shift_jis":    shiftJISStep,
	"ms932":        cp932Step,
}

func singleBytes(m *charmap.Charmap) step {
	return func(text string) (rune, int) { return m.DecodeByte(text[0]), 1 }
}

// withControls lets the bytes 0x80 to 0x9f be control characters.
func withControls(read step) step {
	return func(text string) (rune, int) {
		if c := text[0]; isControl(rune(c)) {
			return rune(c), 1
		}
		return read(text)
	}
}

// withoutControls skips the bytes that stand for control characters in what the web makes of a charset: there is
// nothing in their place.
func withoutControls(read step) step {
	return func(text string) (rune, int) {
		r, n := read(text)
		if isControl(r) {
			r = utf8.RuneError
		}
		return r, n
	}
}

func isControl(r rune) bool { return utf8.RuneSelf <= r && r < 0xa0 }

func utf8Step(text string) (rune, int) {
	r, n := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && n == 1 && len(text) < announced(text[0]) && continues(text[1:]) {
		n = len(text) + 1
	}
	return r, n
}

// announced is the number of bytes of a character that begins with c, as UTF-8 was once meant to go on.
func announced(c byte) int {
	switch ones := bits.LeadingZeros8(^c); {
	case ones < 2, ones > 6, c < 0xc2:
		return 1
	default:
		return ones
	}
}

// continues reports whether all bytes are such as follow in a character.
func continues(text string) bool {
	for i := 0; i < len(text); i++ {
		if utf8.RuneStart(text[i]) {
			return false
		}
	}
	return true
}

func gb2312Step(text string) (rune, int) {
	switch c := text[0]; {
	case c < utf8.RuneSelf:
		return rune(c), 1
	case c <= 0xa0 && c != 0x8e && c != 0x8f, c == 0xff:
		return utf8.RuneError, 1
	case len(text) < 2:
		return utf8.RuneError, 2
	case text[1] < 0xa1:
		return utf8.RuneError, 1
	}
	return gb2312Rune(text[:2]), 2
}

// gb2312Rune reads a pair by means of the superset GBK, which has more characters and writes two differently.
func gb2312Rune(pair string) rune {
	switch a, b := pair[0], pair[1]; {
	case a < 0xa1, a > 0xa9 && a < 0xb0, a > 0xf7,
		a == 0xa2 && (b < 0xb1 || b == 0xe3), a == 0xa6 && b > 0xd8, a == 0xa8 && b > 0xba && b < 0xc5, a == 0xa9 && b < 0xa4:
		return utf8.RuneError
	}
	return php.GB2312(decodeOne(simplifiedchinese.GBK, pair))
}

func eucKRStep(text string) (rune, int) {
	switch c := text[0]; {
	case c < 0xa0:
		return rune(c), 1
	case c == 0xa0:
		return utf8.RuneError, 1
	case len(text) < 2:
		return utf8.RuneError, 2
	case text[1] < 0xa1:
		return utf8.RuneError, 2
	case text[:2] == "\xa2\xe8":
		return '㉾', 2
	}
	return decodeOne(korean.EUCKR, text[:2]), 2
}

func eucJPStep(text string) (rune, int) {
	const katakana, jisX0212 = 0x8e, 0x8f // what follows them is of other sets of characters
	switch c := text[0]; {
	case c < 0xa0 && c != katakana && c != jisX0212:
		return rune(c), 1
	case c == 0xff:
		return utf8.RuneError, 1
	case len(text) < 2:
		return utf8.RuneError, 2
	case text[1] < 0xa1:
		return utf8.RuneError, 1
	case c == jisX0212:
		return jisX0212Step(text)
	case c == 0xa0, 0xa9 <= c && c < 0xb0, c > 0xf4: // vendors have characters there
		return utf8.RuneError, 1
	}
	return php.JISX0208(decodeOne(japanese.EUCJP, text[:2])), 2
}

func jisX0212Step(text string) (rune, int) {
	const size = 3
	switch {
	case len(text) < size:
		return utf8.RuneError, size
	case text[1] > 0xed:
		return utf8.RuneError, 1
	}
	if r := decodeOne(japanese.EUCJP, text[:size]); r != utf8.RuneError {
		return r, size
	}
	return utf8.RuneError, 1
}

func shiftJISStep(text string) (rune, int) {
	switch c := text[0]; {
	case c == '\\':
		return '¥', 1
	case c == '~':
		return '‾', 1
	case !beginsPair(c, 0xea):
		return shiftJISByte(c), 1
	case len(text) < 2:
		return utf8.RuneError, 2
	case text[1] < 0x40:
		return utf8.RuneError, 1
	case 0x85 <= c && c <= 0x87:
		return utf8.RuneError, 2
	}
	return php.JISX0208(decodeOne(japanese.ShiftJIS, text[:2])), 2
}

func cp932Step(text string) (rune, int) {
	switch c := text[0]; {
	case !beginsPair(c, 0xfc):
		return shiftJISByte(c), 1
	case len(text) < 2:
		return utf8.RuneError, 2
	case !inCP932(uint16(c)<<8 | uint16(text[1])):
		return utf8.RuneError, 1
	}
	return cp932Rune(text[:2]), 2
}

// beginsPair reports whether c begins a character of two bytes of Shift_JIS, where last is the greatest such byte.
func beginsPair(c, last byte) bool { return 0x80 < c && c < 0xa0 || 0xdf < c && c <= last }

// shiftJISByte is a character of one byte: ASCII or katakana of half width.
func shiftJISByte(c byte) rune {
	switch {
	case c < utf8.RuneSelf:
		return rune(c)
	case 0xa1 <= c && c <= 0xdf:
		return 0xff61 + rune(c-0xa1)
	default:
		return utf8.RuneError
	}
}

// inCP932 reports whether a pair lies where there are characters, not all of them assigned.
func inCP932(pair uint16) bool {
	switch trail := pair & 0xff; {
	case trail < 0x40, trail == 0x7f, trail > 0xfc:
		return false
	case 0x84be < pair && pair < 0x8740, 0x879c < pair && pair < 0x889f, 0xeaa4 < pair && pair < 0xed40, 0xeefc < pair &&
		pair < 0xf040:
		return false
	}
	return pair <= 0xfc4b
}

// cp932Rune reads a pair; those from 0xf0 to 0xf9 are for private use.
func cp932Rune(pair string) rune {
	const perRow = 188
	a, b := pair[0], pair[1]
	if a < 0xf0 || a > 0xf9 {
		return decodeOne(japanese.ShiftJIS, pair)
	}
	if b > 0x7f {
		b--
	}
	return 0xe000 + perRow*rune(a-0xf0) + rune(b-0x40)
}

// decodeOne decodes one character.
func decodeOne(e encoding.Encoding, text string) rune {
	converted, err := e.NewDecoder().String(text)
	r, n := utf8.DecodeRuneInString(converted)
	if err != nil || n != len(converted) {
		return utf8.RuneError
	}
	return r
}
