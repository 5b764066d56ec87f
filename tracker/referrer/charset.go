package referrer

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// toUTF8 converts a keyword from the charset of its engine: the only one, or of several the one that fits best. Text that is not valid
// in that charset stays as it is (§7.6a).
func toUTF8(keyword string, charsets []string) string {
	if len(charsets) == 0 || isASCII(keyword) {
		return keyword
	}
	charset := charsets[0]
	if len(charsets) > 1 {
		charset = detectCharset(keyword, charsets)
	}
	if converted, ok := decode(keyword, charset); ok && converted != "" {
		return converted
	}
	return keyword
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// detectCharset returns the charset in which the keyword is valid and has the fewest characters, the first one of equals. That is what
// PHP 8.1 and later decide for words; its further rules are about rare characters.
func detectCharset(keyword string, charsets []string) string {
	best, fewest := charsets[0], len(keyword)+1
	for _, charset := range charsets {
		text, ok := decode(keyword, charset)
		if n := utf8.RuneCountInString(text); ok && n < fewest {
			best, fewest = charset, n
		}
	}
	return best
}

// decode converts text to UTF-8; ok is false when the charset is unknown or the text is not valid in it.
func decode(text, charset string) (converted string, ok bool) {
	name := php.ToLower(charset)
	switch name {
	case "utf-8":
		return text, utf8.ValidString(text)
	case "iso-8859-1":
		return latin1(text), true // not windows-1252, which the web means by this name
	case "gb2312":
		if !isEUC(text) {
			return "", false
		}
	case "ms932":
		name = "shift_jis"
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return "", false
	}
	return decodeWith(e, text)
}

// decodeWith relies on decoders writing U+FFFD, which none of these charsets contains, for what is not valid.
func decodeWith(e encoding.Encoding, text string) (string, bool) {
	converted, err := e.NewDecoder().String(text)
	if err != nil {
		return "", false
	}
	for _, r := range converted {
		if r == utf8.RuneError {
			return "", false
		}
	}
	return converted, true
}

func latin1(s string) string {
	b := make([]byte, 0, 2*len(s))
	for i := 0; i < len(s); i++ {
		b = utf8.AppendRune(b, rune(s[i]))
	}
	return string(b)
}

// isEUC reports whether all bytes outside ASCII come in pairs of the plane of GB 2312; its superset GBK, which stands in for it, has more.
func isEUC(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			continue
		}
		if i+1 == len(s) || s[i] < 0xa1 || s[i] > 0xf7 || s[i+1] < 0xa1 || s[i+1] == 0xff {
			return false
		}
		i++
	}
	return true
}
