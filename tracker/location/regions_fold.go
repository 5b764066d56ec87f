package location

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

//go:embed latin-ascii.txt
var latinASCIIList string

// latinASCII is what ICU makes of characters that are no ASCII character with marks.
var latinASCII = sync.OnceValue(func() map[rune]string {
	table := make(map[rune]string)
	_, list, _ := strings.Cut(latinASCIIList, "\n") // a comment
	for line := range strings.Lines(list) {
		code, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		r, err := strconv.ParseInt(code, 16, 32)
		if err != nil {
			panic(err) // the list is part of the program
		}
		table[rune(r)] = text
	}
	return table
})

// byICU writes s in lower case as ICU's Latin-ASCII does, by which PHP's intl compares names of regions: marks on
// letters and digits are dropped, other characters are replaced where there is something like them in ASCII, and stay
// where there is not. Other scripts, which neither Matomo's list nor the English names of databases use, stay as well:
// PHP writes them in Latin letters first (Any-Latin).
func byICU(s string) string {
	if isASCII(s) {
		return php.ToLower(s)
	}
	var b strings.Builder
	marked := false // what comes in front may carry marks
	for _, r := range norm.NFD.String(s) {
		if marked && unicode.Is(unicode.Mn, r) {
			continue
		}
		marked = unicode.Is(unicode.Latin, r) || '0' <= r && r <= '9'
		b.WriteRune(r)
	}
	composed := norm.NFC.String(b.String())
	b.Reset()
	table := latinASCII()
	for _, r := range composed {
		if text, ok := table[r]; ok {
			b.WriteString(text)
		} else {
			b.WriteRune(r)
		}
	}
	return php.ToLower(b.String())
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// byIconv writes s in lower-case ASCII, as iconv's transliteration does: accents are dropped, other characters become
// "?".
func byIconv(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteString(letters(r))
		}
	}
	return b.String()
}

// letters is for letters and marks that are no ASCII character with an accent.
func letters(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'Æ', 'æ':
		return "ae"
	case 'Œ', 'œ':
		return "oe"
	case 'Ø', 'ø':
		return "o"
	case 'Đ', 'đ', 'Ð', 'ð':
		return "d"
	case 'Ł', 'ł':
		return "l"
	case 'Ħ', 'ħ':
		return "h"
	case 'Þ', 'þ':
		return "th"
	case 'ı':
		return "i"
	case '‘', '’', 'ʻ', 'ʼ':
		return "'"
	case '‐', '‑', '‒', '–', '—':
		return "-"
	case '\u00a0':
		return " "
	}
	return "?"
}
