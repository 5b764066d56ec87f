package referrer

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// toUTF8 converts a keyword from the charset of its engine: the only one, or of several the one that fits best
// (spec §7.6a). What is not valid in that charset is left out; text that ends in the midst of a character stays as it
// is.
func toUTF8(keyword string, charsets []string) string {
	if len(charsets) == 0 {
		return keyword
	}
	charset := charsets[0]
	if len(charsets) > 1 {
		charset = detectCharset(keyword, charsets)
	}
	if c := decode(keyword, charset); c.ok && !php.EmptyString(c.text) {
		return c.text
	}
	return keyword
}

// detectCharset returns the charset in which the keyword is valid and looks most like words, the first one of equals.
// Of charsets in which the keyword is not valid the one counts that gets furthest.
func detectCharset(keyword string, charsets []string) string {
	best, fewest := "", math.MaxInt
	furthest, valid := charsets[0], -1
	for _, charset := range charsets {
		c := decode(keyword, charset)
		if n := strangeness(c.text); c.valid == len(keyword) && n < fewest {
			best, fewest = charset, n
		}
		if c.valid > valid {
			furthest, valid = charset, c.valid
		}
	}
	if best == "" {
		return furthest
	}
	return best
}

// strangeness counts characters, rare ones thirty times as in PHP 8.1 and later. PHP knows some more that are rare.
func strangeness(text string) int {
	const rare = 30
	n := 0
	for _, r := range text {
		if unicode.Is(rareCharacters, r) {
			n += rare
		} else {
			n++
		}
	}
	return n
}

// rareCharacters are control characters, Latin letters and marks beyond those of European languages, scripts of few,
// private use.
var rareCharacters = &unicode.RangeTable{R16: []unicode.Range16{
	{0x80, 0x9f, 1}, {0x180, 0x36f, 1}, {0x500, 0x590, 1}, {0x700, 0x7ff, 1}, {0xe000, 0xf8ff, 1},
}}

// converted is a text in UTF-8.
type converted struct {
	text  string
	valid int  // bytes of the original before the first that is not valid
	ok    bool // false: the charset is unknown or the original ends in the midst of a character
}

// decode converts text to UTF-8 as iconv of the GNU C library does with //IGNORE.
func decode(text, charset string) converted {
	c := converted{valid: -1}
	read := steps[php.ToLower(charset)]
	if read == nil {
		return decodeUnlisted(text, charset)
	}
	b := make([]byte, 0, 2*len(text))
	i := 0
	for i < len(text) {
		r, n := read(text[i:])
		if r == utf8.RuneError && c.valid < 0 {
			c.valid = i
		}
		if r != utf8.RuneError {
			b = utf8.AppendRune(b, r)
		}
		i += n
	}
	if c.valid < 0 {
		c.valid = i
	}
	c.text, c.ok = string(b), i == len(text)
	return c
}

// decodeUnlisted is for charsets that Matomo does not use so far. Nothing is left out of text that is not valid.
func decodeUnlisted(text, charset string) converted {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return converted{}
	}
	decoded, err := e.NewDecoder().String(text)
	if err != nil || strings.ContainsRune(decoded, utf8.RuneError) {
		return converted{}
	}
	return converted{decoded, len(text), true}
}
