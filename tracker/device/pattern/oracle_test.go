package pattern

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/internal/pcre"
)

// wordBoundary is what stands before a match, as device-detector writes it.
const wordBoundary = `(?:^|[^A-Z0-9_-]|[^A-Z0-9-]_|sprd-|MZ-)`

// oracle matches an expression with PCRE, in the form in which device-detector hands it over. The error says that PCRE
// has given up.
func oracle(tb testing.TB, expr, text string) (groups []string, ok bool, err error) {
	tb.Helper()
	re, err := pcre.Compile(wordBoundary+`(?:`+expr+`)`, pcre.Caseless)
	if err != nil {
		tb.Fatalf("%s: %v", expr, err)
	}
	offsets, err := re.Find(text, 0)
	if offsets == nil {
		return nil, false, err
	}
	for i := 2; i < len(offsets); i += 2 {
		if offsets[i] >= 0 {
			for len(groups) < i/2 {
				groups = append(groups, "")
			}
			groups[i/2-1] = text[offsets[i]:offsets[i+1]]
		}
	}
	return groups, true, nil
}

// expressions generates the syntax that data files use. Repetitions hold no empty bodies: engines differ in what groups
// remember then.
func expressions() *rapid.Generator[string] {
	atom := rapid.SampledFrom([]string{
		"a", "b", "c", "B", " ", "_", "-", "/", "1", ".", `\.`, "[ab]", "[^a]", "[a-c1]", `[^;/)]`, `\d`, `\w`, `\s`, `\W`,
		`[\d_]`, "ab", "sprd-",
	})
	zero := rapid.SampledFrom([]string{
		"^", "$", `\b`, `\B`, "(?=a)", "(?!b)", "(?<!a)", "(?<=b)", "(?<!ab|c)",
		"(?! [ab])",
	})
	quantifier := rapid.SampledFrom([]string{"", "", "", "?", "*", "+", "{2}", "{1,2}", "{0,1}", "*?", "+?", "??", "{1,}"})
	var solid func(depth int) *rapid.Generator[string]
	solid = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
				return atom.Draw(t, "atom")
			}
			open := rapid.SampledFrom([]string{"(", "(?:", "(?:"}).Draw(t, "open")
			branch := rapid.SliceOfN(solid(depth-1), 1, 3)
			var branches []string
			for range rapid.IntRange(1, 3).Draw(t, "branches") {
				branches = append(branches, strings.Join(branch.Draw(t, "branch"), ""))
			}
			return open + strings.Join(branches, "|") + ")"
		})
	}
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "items") {
			if rapid.IntRange(0, 4).Draw(t, "zero") == 0 {
				b.WriteString(zero.Draw(t, "assertion"))
			}
			b.WriteString(solid(2).Draw(t, "item"))
			b.WriteString(quantifier.Draw(t, "quantifier"))
			if rapid.IntRange(0, 8).Draw(t, "bar") == 0 {
				b.WriteByte('|')
			}
		}
		return b.String()
	})
}

func TestMatchesLikePCRE(t *testing.T) {
	texts := rapid.StringOfN(rapid.SampledFrom([]rune("aabbcABC  ;/_-.1")), 0, 14, -1)
	rapid.Check(t, func(rt *rapid.T) {
		expr := expressions().Draw(rt, "expression")
		text := texts.Draw(rt, "text")
		if rapid.IntRange(0, 5).Draw(rt, "prefix") == 0 {
			text = "x sprd-" + text
		}
		var index Index
		id, err := index.Add(expr, AfterWord)
		if err != nil {
			rt.Fatalf("%s: %v", expr, err)
		}
		got, ok := index.Subject(text).Match(id)
		want, wantOK, err := oracle(t, expr, text)
		if err != nil {
			return
		}
		if ok != wantOK || !slices.Equal([]string(got), want) {
			rt.Fatalf("%q on %q: %s, want %s", expr, text, show(got, ok), show(want, wantOK))
		}
	})
}

func show(groups []string, ok bool) string { return fmt.Sprintf("%v %q", ok, groups) }
