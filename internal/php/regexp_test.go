package php

import (
	"slices"
	"strings"
	"testing"
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
		{
			`(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10`, "abcdefghijj",
			[]string{"abcdefghijj", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
		},
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
		re, err := CompileLiteral("~" + tt.pattern + "~")
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
		"", " ", "a", "abc", "\\a\\", "\x00a\x00", "/a", "/a/e", "/a/ix?", "/(/", "/)/", "/[/", "/[]/", "/*/", "/a**/",
		"/a|*b/", "/^*/", "/\\b+/", "/(?<=a+)b/", "/(?<!a(b|cd))e/", "/[[:foo:]]/",
		"/[:alpha:]/", "/[[.a.]]/", "/[z-a]/", "/[\\d-z]/", "/[a-\\d]/", "/[\\w-.]/", "/a{2,1}/", "/a{65536}/", "/{2}/",
		"/\\1/", "/(a)\\2/", "/\\k<n>/", "/\\k/", "/\\g/", "/\\g{0}/", "/\\g{1/", "/\\x{100}/",
		"/\\400/", "/\\x{/", "/\\x{}/", "/\\x{zz}/", "/\\o7/", "/\\o{8}/", "/\\c/", "/\\cé/", "/\\y/", "/\\u/", "/\\L/",
		"/\\N{x}/", "/\\p{Foo}/", "/\\p/", "/\\p{L/", "/(?<1>a)/", "/(?<n/", "/(?<>a)/", "/(?<n-m>a)/",
		"/a\\K+b/", "/a+?(?#c)?/", "/xa{2} {2}/x", "/(?#c)+b/",
		"/(?<n>a)(?<n>b)/", "/(?i/", "/(?z)/", "/(?i-s-m)/", "/(?#foo/", "/(?P=n/", "/[\\B]/", "/[a-", "/[a\\", "/[a\\/",
		"/\xff/u", "/(?=a/", "/" + strings.Repeat("(", 300) + strings.Repeat(")", 300) + "/", "/(?:a/", "/(?<n>a/",
	} {
		if _, err := CompileLiteral(s); err == nil {
			t.Errorf("%.30q: compiles", s)
		}
	}
}

// What only PCRE knows: recursion, conditions, verbs, groups with the same numbers, user-perceived characters, single
// bytes.
func TestRarePatterns(t *testing.T) {
	for _, tt := range []struct {
		literal, subject string
		want             []string
	}{
		{`/a(?R)?b/`, "xaabby", []string{"aabb"}},
		{`/^(\((?:[^()]|(?1))*\))$/`, "(a(b)c)", []string{"(a(b)c)", "(a(b)c)"}},
		{`/(?<n>a)(?&n)(?P>n)\g<1>/`, "aaaa", []string{"aaaa", "a"}},
		{`/(?(DEFINE)(?<d>\d))(?&d)x/`, "a1x", []string{"1x", ""}},
		{`/^(<)?a(?(1)>|b)/`, "<a>", []string{"<a>", "<"}},
		{`/(?|a(b)|c(d))/`, "cd", []string{"cd", "d"}},
		{`/a(*COMMIT)b/`, "acab", nil},
		{`/a+(*SKIP)(*F)|b/`, "aab", []string{"b"}},
		{`/a(?:b(*ACCEPT)|c)d/`, "abx", []string{"ab"}},
		{`/(*UTF8)^.$/`, "é", []string{"é"}},
		{`/(*UTF8)^./`, "a\xff", nil},
		{`/^\X$/u`, "e\u0301", []string{"e\u0301"}},
		{`/^.\C\C$/u`, "aé", []string{"aé"}},
		{`/(?=ab\K)ab/`, "ab", []string{""}},
		{`/a\Kb/`, "ab", []string{"b"}},
	} {
		re, err := CompileLiteral(tt.literal)
		if err != nil {
			t.Errorf("%s: %v", tt.literal, err)
			continue
		}
		if got := re.FindSubmatch(tt.subject); !slices.Equal(got, tt.want) || re.Match(tt.subject) != (tt.want != nil) {
			t.Errorf("%s on %q: got %q, want %q", tt.literal, tt.subject, got, tt.want)
		}
	}
}

// PHP finds such a match, but no groups for it.
func TestMatchThatEndsBeforeItBegins(t *testing.T) {
	re, err := CompileLiteral(`/(?=ab\K)/`)
	if err != nil {
		t.Fatal(err)
	}
	if groups := re.FindSubmatch("ab"); !re.Match("ab") || groups != nil {
		t.Errorf("got match %v, groups %q; want a match without groups", re.Match("ab"), groups)
	}
}

// PHP finds none of these unless pcre.jit is 0: the stack of its JIT is small.
func TestManyRepetitions(t *testing.T) {
	re, err := CompileLiteral(`/^(a|b)*$/`)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1_000, 10_000, 20_000} {
		if !re.Match(strings.Repeat("a", n)) {
			t.Errorf("%d repetitions do not match", n)
		}
	}
}

// preg_match returns false: there is no match.
func TestHopelessMatchesAreGivenUp(t *testing.T) {
	re, err := CompileLiteral(`/^(a|aa|aaa)*(a|aa)*(a+)+$/`)
	if err != nil {
		t.Fatal(err)
	}
	subject := strings.Repeat("a", 200) + "b"
	if groups := re.FindSubmatch(subject); re.Match(subject) || groups != nil {
		t.Errorf("got match %v, groups %q; want none", re.Match(subject), groups)
	}
}

// TestLookBehindOfVariableLength: PCRE2 knows it since 10.43, which is PHP 8.4's.
func TestLookBehindOfVariableLength(t *testing.T) {
	if _, err := CompileLiteral(`/(?<=a+)b/`); err == nil {
		t.Error("compiles: docs/differences.md says otherwise")
	}
}
