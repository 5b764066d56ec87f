package terminal

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Width is the number of columns that a text takes: two for each wide character of East Asian scripts, none for marks
// that stand above others.
func Width(s string) (columns int) {
	for _, r := range s {
		columns += runeWidth(r)
	}
	return columns
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Shorten cuts text to at most columns columns; what was cut shows as "…".
func Shorten(s string, columns int) string {
	if Width(s) <= columns {
		return s
	}
	head, _ := split(s, columns-1)
	return head + "…"
}

// split cuts a text into what fits into the columns and the rest.
func split(s string, columns int) (head, rest string) {
	for i, r := range s {
		if columns -= runeWidth(r); columns < 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// Wrap breaks a line into lines of at most columns columns, between words. A word that is longer has a line of its
// own. Lines after the first begin with indent; before the first there is something else as wide.
func Wrap(text string, columns int, indent string) string {
	return strings.Join(wrapWords(wordsOf(text), columns, indent), "\n")
}

// quantity is a number with its unit, or two of them: 1.5 MiB, 3m 20s.
var quantity = regexp.MustCompile(`(\d[dhm]?) (B|[KMGT]iB|\d+[hms])\b`)

// wordsOf splits a line at its spaces, but not within quantities. Two spaces in a row make an empty word, so that
// they stay.
func wordsOf(text string) []string {
	words := strings.Split(quantity.ReplaceAllString(text, "$1\x00$2"), " ")
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "\x00", " ")
	}
	return words
}

// Fold is Wrap for cells of tables: words that are longer than a line are broken, line breaks stay.
func Fold(text string, columns int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		var words []string
		for _, word := range strings.Fields(line) {
			for room := max(1, columns-len(indent)); Width(word) > room; {
				head, rest := split(word, max(room, 2))
				words, word = append(words, head), rest
			}
			words = append(words, word)
		}
		folded := wrapWords(words, columns, indent)
		folded[0] = indent + folded[0]
		lines = append(lines, folded...)
	}
	return strings.Join(lines, "\n")
}

// wrapWords makes lines of words. The first line has no indent, but room for one that the caller adds.
func wrapWords(words []string, columns int, indent string) []string {
	lines, used := []string{""}, Width(indent)
	for i, word := range words {
		last := len(lines) - 1
		switch n := Width(word); {
		case i == 0:
			lines[0], used = word, used+n
		case used+1+n <= columns:
			lines[last], used = lines[last]+" "+word, used+1+n
		default:
			lines, used = append(lines, indent+word), Width(indent)+n
		}
	}
	return lines
}

// secondColumn finds an explanation behind two spaces or more in an indented line.
var secondColumn = regexp.MustCompile(`^( +\S.*?  +)(\S.*)$`)

// leastColumn is the narrowest column that text is wrapped in.
const leastColumn = 24

// Reflow lays out a help text for lines of at most columns columns. Paragraphs are wrapped anew. Indented lines, such
// as examples, stay as they are; only an explanation in a second column is wrapped, or put below when there is no
// room for it.
func Reflow(text string, columns int) string {
	var lines, paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			lines = append(lines, wrapWords(paragraph, columns, "")...)
		}
		paragraph = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, strings.Fields(line)...)
			continue
		}
		flush()
		lines = append(lines, reflowIndented(line, columns))
	}
	flush()
	return strings.Join(lines, "\n")
}

func reflowIndented(line string, columns int) string {
	parts := secondColumn.FindStringSubmatch(line)
	if parts == nil || Width(line) <= columns {
		return line
	}
	return Entry(parts[1], parts[2], columns)
}

// Entry is a name, with the spaces around it, and its explanation in a second column, or below when there is no room
// beside it.
func Entry(name, explanation string, columns int) string {
	if at := Width(name); columns-at >= leastColumn {
		return name + Wrap(explanation, columns, strings.Repeat(" ", at))
	}
	below := name[:len(name)-len(strings.TrimLeft(name, " "))] + "    "
	return strings.TrimRight(name, " ") + "\n" + below + Wrap(explanation, columns, below)
}
