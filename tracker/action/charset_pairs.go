package action

import (
	"fmt"
	"strings"
)

// pairs says which characters of two bytes PHP does not know in a character set: browsers, and x/text, read extensions
// of these as well.
type pairs struct {
	single, triple byteRange // first bytes of characters of one byte beyond ASCII, and of three
	refused        []pairRange
}

type byteRange struct{ low, high byte }

func (r byteRange) has(b byte) bool { return r.low <= b && b <= r.high && r.high != 0 }

type pairRange struct{ first, second byteRange }

// pairRanges reads "a2 a1-aa, c9-fe 40-7e": ranges of first and second bytes in hexadecimal.
func pairRanges(text string) (ranges []pairRange) {
	for part := range strings.SplitSeq(text, ", ") {
		first, second, _ := strings.Cut(part, " ")
		ranges = append(ranges, pairRange{hexRange(first), hexRange(second)})
	}
	return ranges
}

func hexRange(text string) (r byteRange) {
	low, high, ok := strings.Cut(text, "-")
	if !ok {
		high = low
	}
	if _, err := fmt.Sscanf(low+" "+high, "%x %x", &r.low, &r.high); err != nil {
		panic(err)
	}
	return r
}

var (
	// KS X 1001 without the other syllables of code page 949.
	pairsEUCKR = &pairs{refused: pairRanges("80-a0 00-ff, a1-fe 00-a0")}
	// GB 2312 without the extensions of code page 936.
	pairsEUCCN = &pairs{refused: pairRanges("80-a0 00-ff, a1-fe 00-a0, a2 a1-aa, a2 e3, a6 e0-f5, a8 bb-c0")}
	// The euro sign of code page 936 has no place in GB 18030.
	pairsGB18030 = &pairs{refused: pairRanges("80 00-ff")}
	// Big5 without the characters of Hong Kong.
	pairsBig5 = &pairs{refused: pairRanges("80-a0 00-ff, a1 5a, a1 c3, a1 c5, a1 fe, a2 40, a2 cc, a2 ce, a3 c0-e1, c8 " +
		"40-a4, c8 cd-f1, c8 f5-fe, fa-fe 00-ff")}
	// JIS X 0208 without the rows that NEC and IBM have added.
	pairsShiftJIS = &pairs{single: byteRange{0xa1, 0xdf}, refused: pairRanges("87 00-ff, ed-ee 00-ff, fa-fc 00-ff")}
	pairsEUCJP    = &pairs{triple: byteRange{0x8f, 0x8f}, refused: pairRanges("ad 00-ff, f9-fc 00-ff")}
)

// refuses reports whether text has a character that PHP does not know.
func (p *pairs) refuses(text string) bool {
	for i := 0; i < len(text); {
		first := text[i]
		switch {
		case first < 0x80 || p.single.has(first):
			i++
			continue
		case p.triple.has(first):
			i += 3
			continue
		}
		second := byte(0)
		if i+1 < len(text) {
			second = text[i+1]
		}
		for _, r := range p.refused {
			if r.first.has(first) && r.second.has(second) {
				return true
			}
		}
		i += 2
	}
	return false
}

// renamer maps the first character of each two to the second.
func renamer(pairs string) func(rune) rune {
	names := make(map[rune]rune)
	all := []rune(pairs)
	for i := 0; i < len(all); i += 2 {
		names[all[i]] = all[i+1]
	}
	return func(r rune) rune {
		if name, ok := names[r]; ok {
			return name
		}
		return r
	}
}

var (
	renamedBig5  = renamer("‧•﹑､¯‾～∼⊕♁⊙☉∕／﹨＼￠¢￡£￭▓")
	renamedKOI8U = renamer("ў╝Ў╬")
)
