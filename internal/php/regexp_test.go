package php

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPatternsMatchAsPCREDoes(t *testing.T) {
	for _, tt := range []struct {
		pattern, subject string
		want             []string
	}{
		{`^utm_`, "utm_source", []string{"utm_"}},
		{`/category/([^/?#]+)`, "http://h/category/Shoes?x", []string{"/category/Shoes", "Shoes"}},
		{`Article (.*) by`, "Article One by Two by", []string{"Article One by Two by", "One by Two"}},
		{`a$`, "a\n", []string{"a"}},
		{`a\Z`, "a\n", []string{"a"}},
		{`a\z`, "a\n", nil},
		{`(a)|(b)`, "b", []string{"b", "", "b"}},
		{`\w+`, "é_1", []string{"_1"}},
		{`[^a]`, "é", []string{"\xc3"}},
		{`..`, "é", []string{"é"}},
		{`\xe9`, "caf\xe9", []string{"\xe9"}},
		{`(?<=x)(\d+)(?!\d)`, "x12", []string{"12", "12"}},
		{`(?<!x|yy)\d`, "x1yy23", []string{"3"}},
		{`(\w)\1`, "hello", []string{"ll", "l"}},
		{`(?i)(L)\1`, "lL", []string{"lL", "l"}},
		{`a++b`, "aaab", []string{"aaab"}},
		{`a++a`, "aaa", nil},
		{`[[:alpha:]]+[[:^digit:]]`, "ab-1", []string{"ab-"}},
		{`a{,2}`, "a{,2}", []string{"a{,2}"}},
		{`x{2,3}?`, "xxx", []string{"xx"}},
		{`x{2}y{1,}`, "xxyy", []string{"xxyy"}},
		{`\Qa.b\E+`, "a.bb", []string{"a.bb"}},
		{`\h\R\N`, "\t\r\nx", []string{"\t\r\nx"}},
		{`(?m)^b$`, "a\nb\nc", []string{"b"}},
		{`(?m)^$`, "a\n", nil},
		{`(?s)a.b(?-s).`, "a\nb\n", nil},
		{`(?x) a  b # comment`, "ab", []string{"ab"}},
		{`(?U)a+`, "aaa", []string{"a"}},
		{`(?:a|ab)(?:c|bcd)(d*)`, "abcd", []string{"abcd", ""}},
		{`(a*)*`, "b", []string{"", ""}},
		{`(?P<y>\d{4})-(?<m>\d\d)\k<m>(?P=y)`, "2024-01012024", []string{"2024-01012024", "2024", "01"}},
		{`\p{Lu}\P{L}\pN\p{^L}\p{L&}`, "A-1-a", []string{"A-1-a"}},
		{`[\d\-x.]+[\x41-\x43]`, "1-x.B", []string{"1-x.B"}},
		{`[]a]+[^]a]`, "]a]b", []string{"]a]b"}},
		{`[\Qa-b\E]+`, "a-", []string{"a-"}},
		{`\101\x{42}\o{103}\cA\e\a\f\0`, "ABC\x01\x1b\x07\f\x00", []string{"ABC\x01\x1b\x07\f\x00"}},
		{`(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10`, "abcdefghijj", []string{"abcdefghijj", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
		{`\12`, "\n", []string{"\n"}},
		{`(a)\g1\g{1}\g{-1}`, "aaaa", []string{"aaaa", "a"}},
		{`\bfoo\B.`, "a foox", []string{"foox"}},
		{`(?>a|ab)c`, "abc", nil},
		{`(?=a)*b`, "b", []string{"b"}},
		{`(?#note)a(?^i:B)`, "ab", []string{"ab"}},
		{`a{1001}`, strings.Repeat("a", 1001), []string{strings.Repeat("a", 1001)}},
		{`[^\x00-\xff]`, "a", nil},
		{`(?=(a))[^\x00-\xff]|b`, "ab", []string{"b", ""}},
		{`(a)-|B`, "x\xc3\xa9B", []string{"B", ""}},
		{`\Ga`, "ba", nil},
		{`(?n)(a)`, "a", []string{"a"}},
	} {
		re, err := CompileRegexp(tt.pattern, false)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := re.FindSubmatch(tt.subject); !slices.Equal(got, tt.want) || re.Match(tt.subject) != (tt.want != nil) {
			t.Errorf("%s on %q gives %q, want %q", tt.pattern, tt.subject, got, tt.want)
		}
	}
}

func TestLiteralsWithDelimitersAndModifiers(t *testing.T) {
	for _, tt := range []struct {
		literal, subject string
		match            bool
	}{
		{"/^TOK_.*/i", "tok_1", true},
		{"  ~a~", "a", true},
		{"{a{2}}", "aa", true},
		{"(a(b)c)", "abc", true},
		{"<a>s", "a", true},
		{"[a]", "a", true},
		{"/a.b/s", "a\nb", true},
		{"/^b/m", "a\nb", true},
		{"/a b/x", "ab", true},
		{"/b/A", "ab", false},
		{"/a$/D", "a\n", false},
		{"/a+?b/U", "aab", true},
		{"/a/SX \n", "a", true},
		{"/^.$/u", "é", true},
		{"/É/iu", "é", true},
		{"/É/i", "é", false},
		{"/^\\w\\b/u", "é", true},
		{"/\\Bb/u", "éb", true},
		{"/^\\d\\s[[:alpha:]][[:space:]]$/u", "٣\u00a0é\u2003", true},
		{"/./u", "\xe9", false},
		{"/[а-я]+/iu", "ПРИ", true},
		{"/\\x{1F600}/u", "😀", true},
		{"/(?<n>a)|(?<n>b)/J", "b", true},
		{"/\\p{Greek}\\p{Any}/u", "αx", true},
		{"/a\\/b/", "a/b", true},
		{"/a\\Kb/", "ab", true},
		{"/(a\\K)+b/", "aab", true},
		{"/^(?:\\K)+(?<!b)a/", "a", true},
		{"/a(?#c)+b/", "aab", true},
		{"/a+(?#c)+ab/", "aab", false}, // possessive
		{"/a+\\E+ab/", "aab", false},
		{"/a+\\Q\\E+ab/", "aab", false},
		{"/a+\\Q+\\E/", "aa+", true},
		{"/^a+ +ab/x", "aab", false},
		{"/^xa+(?#c)?$/", "x", false}, // lazy
	} {
		re, err := CompileLiteral(tt.literal)
		if err != nil {
			t.Errorf("%s: %v", tt.literal, err)
			continue
		}
		if got := re.Match(tt.subject); got != tt.match {
			t.Errorf("%s on %q: %v", tt.literal, tt.subject, got)
		}
	}
}

func TestLiteralsThatPHPRefuses(t *testing.T) {
	for _, s := range []string{
		"", " ", "a", "abc", "\\a\\", "\x00a\x00", "/a", "/a/e", "/a/ix?", "/(/", "/)/", "/[/", "/[]/", "/*/", "/a**/", "/a|*b/", "/^*/", "/\\b+/", "/(?<=a+)b/", "/(?<!a(b|cd))e/", "/[[:foo:]]/",
		"/[:alpha:]/", "/[[.a.]]/", "/[z-a]/", "/[\\d-z]/", "/[a-\\d]/", "/[\\w-.]/", "/a{2,1}/", "/a{65536}/", "/{2}/", "/\\1/", "/(a)\\2/", "/\\k<n>/", "/\\k/", "/\\g/", "/\\g{0}/", "/\\g{1/", "/\\x{100}/",
		"/\\400/", "/\\x{/", "/\\x{}/", "/\\x{zz}/", "/\\o7/", "/\\o{8}/", "/\\c/", "/\\cé/", "/\\y/", "/\\u/", "/\\L/", "/\\N{x}/", "/\\p{Foo}/", "/\\p/", "/\\p{L/", "/(?<1>a)/", "/(?<n/", "/(?<>a)/", "/(?<n-m>a)/",
		"/a\\K+b/", "/a+?(?#c)?/", "/xa{2} {2}/x", "/(?#c)+b/",
		"/(?<n>a)(?<n>b)/", "/(?i/", "/(?z)/", "/(?i-s-m)/", "/(?#foo/", "/(?P=n/", "/[\\B]/", "/[a-", "/[a\\", "/[a\\/", "/\xff/u", "/(?=a/", "/" + strings.Repeat("(", 300) + strings.Repeat(")", 300) + "/", "/(?:a/", "/(?<n>a/",
	} {
		if _, err := CompileLiteral(s); !errors.Is(err, errPattern) {
			t.Errorf("%.30q: %v", s, err)
		}
	}
}

func TestUnsupportedFeaturesAreErrors(t *testing.T) {
	for _, s := range []string{"/(?R)/", "/(a)(?1)/", "/(?|a|b)/", "/(?(1)a)/", "/(*UTF8)a/", "/(?=a\\Kb)/", "/\\X/", "/\\C/", "/(?&n)/", "/(?+1)(a)/", "/(?P>n)/", "/\\g<1>(a)/", "/(?C)/"} {
		if _, err := CompileLiteral(s); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestHopelessMatchesEnd(t *testing.T) {
	re, err := CompileRegexp(`(?=a)(a|aa|aaa)*(a|aa)*(a+)+$`, false)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if re.Match(strings.Repeat("a", 200)+"b") || re.FindSubmatch(strings.Repeat("a", 200)+"b") != nil {
		t.Error("matches")
	}
	if took := time.Since(start); took > 20*matchTimeout {
		t.Errorf("took %v", took)
	}
}
