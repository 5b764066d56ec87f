package pattern

import (
	"slices"
	"strings"
	"testing"
)

// try matches one expression through an index.
func try(tb testing.TB, expr, text string, boundary Boundary) (Groups, bool) {
	tb.Helper()
	var index Index
	id, err := index.Add(expr, boundary)
	if err != nil {
		tb.Fatal(err)
	}
	return index.Subject(text).Match(id)
}

func TestSyntax(t *testing.T) {
	for _, c := range []struct {
		expr, text string
		match      bool
		groups     string // joined by |
	}{
		{"", "", true, ""},
		{"", "x", true, ""},
		{"abc", "xyz ABC", true, ""},
		{"ABC", "xyz abc", true, ""},
		{"a.c", "a\nc", false, ""},
		{"a.c", "a\xffc", true, ""},
		{`(\d+)\.(\d+)`, "v 12.34", true, "12|34"},
		{`(\w+)`, "été", true, "t"}, // bytes from 0x80 on are no word characters
		{"É", "é", false, ""},       // and have no case
		{"é", "é", true, ""},
		{`\s+(x)`, " \v\fx", true, "x"},
		{`\D(\W)\S`, "a b", true, " "},
		{`\t\n\r\f\x41`, "\t\n\r\fa", true, ""},
		{`[\t\]\-a-c\d_]+$`, "\t]-b5_", true, ""},
		{`[]a]+$`, "]a", true, ""},
		{`[^]a]$`, "]", false, ""},
		{`[a\d-z]+$`, "-5z", true, ""},
		{`[+--]+$`, ",-+", true, ""},
		{`[a-]+$`, "-a", true, ""},
		{`[\b]$`, "\b", true, ""},
		{`a{2}$`, "aa", true, ""},
		{`a{2,}$`, "aaaa", true, ""},
		{`a{2,3}$`, "aaaa", false, ""},
		{`a{,2}`, "a{,2}", true, ""},
		{`a{x`, "a{x", true, ""},
		{`(?:ab){2,3}(c)?$`, "ababab", true, ""},
		{`(?:ab){1,2}?(a?)`, "abab", true, "a"},
		{`(a+?)(a*)`, "aaa", true, "a|aa"},
		{`(a*?)$`, "aaa", true, "aaa"},
		{`(a|ab)(c|bcd)(d*)`, "abcd", true, "a|bcd|"},
		{`(?>a+)a`, "aaa", false, ""},
		{`a++b`, "aab", true, ""},
		{`a*+a`, "aaa", false, ""},
		{`(a)|(b)|(c)`, "b", true, "|b"},
		{`(?:(a)|b)*`, "ab", true, "a"},
		{`(?:a?)*b`, "aab", true, ""},
		{`(?:a?)*?b`, "aab", true, ""},
		{`(?:(?=a)|x)*ab`, "ab", true, ""},
		{`a(?=(b))`, "ab", true, "b"},
		{`a(?!b)`, "ab ac", true, ""},
		{`a(?!(b))`, "ab", false, ""},
		{`\w+(?<=foo|ba)x`, "bax", true, ""},
		{`\w+(?<!foo|ba)x`, "bax", false, ""},
		{`(?<!like )Gecko`, "like Gecko", false, ""},
		{`(?<!like )Gecko`, "(Gecko", true, ""},
		{`(?<=^| )a`, "a", true, ""},
		{`(?<=(?:a|b){2})c`, "x c", false, ""},
		{`a$`, "a\n", true, ""},
		{`a\Z`, "a\n", true, ""},
		{`a\z`, "a\n", false, ""},
		{`\Aa\b.\B`, "a  ", true, ""},
		{`^b`, "a b", false, ""},
		{`a|b|`, "x", true, ""},
		{`.*-tablet$`, "x-tablet", true, ""},
	} {
		groups, ok := try(t, c.expr, c.text, AfterWord)
		if ok != c.match || strings.Join(groups, "|") != c.groups {
			t.Errorf("%s on %q: %v %q", c.expr, c.text, ok, groups)
		}
	}
}

func TestBoundaries(t *testing.T) {
	for _, c := range []struct {
		text         string
		word, letter bool
	}{
		{"x", true, true},
		{" x", true, true},
		{"1x", false, true},
		{"ax", false, false},
		{"-x", false, false},
		{"_x", false, false}, // the underscore needs something before it
		{" _x", true, false},
		{"__x", true, false},
		{"a_x", false, false},
		{"1_x", false, false},
		{"\xffx", true, true},
		{"sprd-x", true, false},
		{"aSPRD-x", true, false},
		{"MZ-x", true, false},
		{"Z-x", false, false},
	} {
		if _, ok := try(t, "x", c.text, AfterWord); ok != c.word {
			t.Errorf("after word: %q: %v", c.text, ok)
		}
		if _, ok := try(t, "x", c.text, AfterLetter); ok != c.letter {
			t.Errorf("after letter: %q: %v", c.text, ok)
		}
	}
}

// The first place that PCRE gets to wins, not the first expression that fits: at place 0 "MZ-" comes after a single
// byte.
func TestEarliestPlaceWins(t *testing.T) {
	for text, want := range map[string]string{
		"a1 b2":   "a1",
		"MZ-a1":   "mz-a1",
		" _b2":    "_b2",
		"x_ a1":   "a1",
		"sprd-a1": "sprd-a1",
	} {
		groups, ok := try(t, `([a-z_-]+\d)`, text, AfterWord)
		if !ok || strings.ToLower(groups[0]) != want {
			t.Errorf("%q: %q, want %q", text, groups, want)
		}
	}
}

func TestBrokenExpressions(t *testing.T) {
	for expr, want := range map[string]string{
		"a(b":      "missing )",
		"a)b":      "unmatched )",
		"*a":       "nothing to repeat",
		"a|+":      "nothing to repeat",
		"[a":       "missing ]",
		"[":        "missing ]",
		"[a-":      "missing ]",
		"[z-a]":    "range out of order",
		`a\`:       `\ at end`,
		`[\`:       `\ at end`,
		"a{3,2}":   "out of order",
		"(?<name":  "pattern",
		"(?=a":     "missing )",
		"(?<=a+)b": "not fixed length",
		`(?i`:      "pattern",
	} {
		_, err := New(expr, AfterWord)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "pattern") {
			t.Errorf("%q: error %v, want %s", expr, err, want)
		}
		var index Index
		if _, err := index.Add(expr, AfterWord); err == nil || index.Len() != 0 {
			t.Errorf("%q: added", expr)
		}
	}
}

// Syntax beyond this matcher goes to PCRE, with the same meaning of bytes, boundaries and groups.
func TestOtherSyntax(t *testing.T) {
	for _, c := range []struct {
		expr, text string
		match      bool
		groups     string
	}{
		{`(a)\1`, "xaa aa", true, "a"},
		{`(a)\1(b)?(c)`, "aac", true, "a||c"},
		{`(?<name>\d+)(x)`, "12x", true, "12|x"},
		{`a(?R)?b`, "aabb", true, ""},
		{`a(?i:B)c`, "ABC", true, ""},
		{`[[:alpha:]]`, "5", false, ""},
		{`(é)\1`, "éé", true, "é"},
		{`(\w)\1`, "éé", false, ""},
		{`a{1001}`, strings.Repeat("a", 1001), true, ""},
	} {
		p, err := New(c.expr, AfterWord)
		if err != nil || p.foreign == nil {
			t.Errorf("%s: not handed on: %v", c.expr, err)
			continue
		}
		groups, ok := try(t, c.expr, c.text, AfterWord)
		if ok != c.match || strings.Join(groups, "|") != c.groups {
			t.Errorf("%s on %q: %v %q", c.expr, c.text, ok, groups)
		}
	}
}

func TestFirstMatchInOrder(t *testing.T) {
	var index Index
	for _, expr := range slices.Concat([]string{"zero", `\w+ two`, "one"}, slices.Repeat([]string{"filler"}, 100), []string{"last", "one"}) {
		if _, err := index.Add(expr, AfterWord); err != nil {
			t.Fatal(err)
		}
	}
	subject := index.Subject("the one, the last, one two")
	for _, c := range []struct {
		from, to, id int
		ok           bool
	}{
		{0, 105, 1, true},
		{2, 105, 2, true},
		{3, 105, 103, true},
		{104, 105, 104, true},
		{3, 103, 0, false},
		{0, 1, 0, false},
		{105, 105, 0, false},
	} {
		if id, _, ok := subject.First(c.from, c.to); id != c.id || ok != c.ok {
			t.Errorf("first of %d to %d: %d %v", c.from, c.to, id, ok)
		}
	}
	if _, ok := subject.Match(0); ok {
		t.Error("zero matches")
	}
}

func TestTryNeedsNoIndex(t *testing.T) {
	p, err := New("b(.)", AfterLetter)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != "b(.)" {
		t.Errorf("expression %s", p)
	}
	var index Index
	for range 2 {
		if groups, ok := index.Subject("1bX").Try(p); !ok || groups[0] != "X" {
			t.Errorf("%v %q", ok, groups)
		}
	}
}

// A pattern that backtracks without end counts as no match, and the patterns after it are still tried.
func TestBacktrackingIsBounded(t *testing.T) {
	var index Index
	bad, err := index.Add(`(?:a*)*(?:a|aa)*b`, AfterWord)
	if err != nil {
		t.Fatal(err)
	}
	good, err := index.Add("a+$", AfterWord)
	if err != nil {
		t.Fatal(err)
	}
	subject := index.Subject(strings.Repeat("a", 5000))
	subject.allowed[0] |= 1 << bad // "b" is missing, the index would know
	if _, ok := subject.Match(bad); ok {
		t.Error("matches")
	}
	if _, ok := subject.Match(good); !ok {
		t.Error("the next pattern does not match")
	}
}

func TestLongSubjectsAreBounded(t *testing.T) {
	var index Index
	for range 200 {
		if _, err := index.Add("Android.*x.*y$", AfterWord); err != nil {
			t.Fatal(err)
		}
	}
	subject := index.Subject(strings.Repeat("Android x y; ", 20_000))
	if _, _, ok := subject.First(0, index.Len()); ok {
		t.Error("matches")
	}
	if subject.machine.budget > 0 {
		t.Errorf("budget left: %d", subject.machine.budget)
	}
}

func TestGrams(t *testing.T) {
	for literal, want := range map[string]string{
		"":                "",
		"a":               "",
		"xq":              "xq",
		"mozilla/qx":      "la/q",
		"chrome/":         "chro",
		"windows unheard": "ws u",
	} {
		if got, _ := gram(literal); got != want {
			t.Errorf("%q: %q, want %q", literal, got, want)
		}
	}
}
