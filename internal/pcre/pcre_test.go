package pcre

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustCompile(tb testing.TB, pattern string, options Option) *Regexp {
	tb.Helper()
	r, err := Compile(pattern, options)
	if err != nil {
		tb.Fatalf("%.60q: %v", pattern, err)
	}
	return r
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		options Option
		subject string
		from    int
		want    []int
	}{
		{"", 0, "", 0, []int{0, 0}},
		{"b", 0, "ab", 0, []int{1, 2}},
		{"b", 0, "a", 0, nil},
		{"(a)|(b)|(c)", 0, "b", 0, []int{0, 1, -1, -1, 0, 1, -1, -1}},
		{"(?<=a)b", 0, "ab", 1, []int{1, 2}},
		{"b", Anchored, "abb", 2, []int{2, 3}},
		{"b", Anchored, "abb", 0, nil},
		{"^b", 0, "ab", 1, nil},
		{"A.B$", Caseless | DotAll, "a\nb\n", 0, []int{0, 3}},
		{"a$", DollarEndOnly, "a\n", 0, nil},
		{"^b$", Multiline, "a\nb\nc", 0, []int{2, 3}},
		{"a b # c", Extended, "ab", 0, []int{0, 2}},
		{"a+", Ungreedy, "aa", 0, []int{0, 1}},
		{"(a)", NoAutoCapture, "a", 0, []int{0, 1}},
		{"(?<n>a)|(?<n>b)", DupNames, "b", 0, []int{0, 1, -1, -1, 0, 1}},
		{`\w`, 0, "é1", 0, []int{2, 3}},
		{`\w`, UTF, "é1", 0, []int{0, 2}},
		{"a\x00b", 0, "xa\x00b", 0, []int{1, 4}},
	} {
		got, err := mustCompile(t, tt.pattern, tt.options).Find(tt.subject, tt.from)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q on %q from %d: got %v, %v; want %v", tt.pattern, tt.subject, tt.from, got, err, tt.want)
		}
	}
}

func TestBrokenPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"a(b":   "missing closing parenthesis at offset 3",
		"a)":    "unmatched closing parenthesis at offset 1",
		"[z-a]": "range out of order in character class at offset 3",
		`\1`:    "reference to non-existent subpattern at offset 1",
	} {
		if _, err := Compile(pattern, 0); err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", pattern, err, want)
		}
	}
}

func TestErrorsOfMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		options Option
		subject string
		want    string
	}{
		{`^(a|aa)+$`, 0, strings.Repeat("a", 60) + "b", "match limit exceeded"},
		{`^(a|b)*$`, 0, strings.Repeat("a", 200_000), "matching depth limit exceeded"},
		{`^(?:a|` + strings.Repeat("(b)", 1000) + `)*$`, 0, strings.Repeat("a", 10_000), "matching depth limit exceeded"},
		{"a", UTF, "a\xff", "UTF-8 error: illegal byte (0xfe or 0xff)"},
		{"(*UTF)a", 0, "a\xff", "UTF-8 error: illegal byte (0xfe or 0xff)"},
	} {
		r := mustCompile(t, tt.pattern, tt.options)
		if found, err := r.Match(tt.subject); found || err == nil || err.Error() != tt.want {
			t.Errorf("%.30q on %.30q: got %v, error %v; want error %s", tt.pattern, tt.subject, found, err, tt.want)
		}
		if found, err := r.Find(tt.subject, 0); found != nil || err == nil || err.Error() != tt.want {
			t.Errorf("%.30q on %.30q: got %v, error %v; want error %s", tt.pattern, tt.subject, found, err, tt.want)
		}
	}
}

func TestManyGroupsAndLongTexts(t *testing.T) {
	const groups = 3 * firstPairs
	r := mustCompile(t, strings.Repeat("(a)", groups)+"$", 0)
	subject := strings.Repeat("x", 2*idleSize) + strings.Repeat("a", groups)
	got, err := r.Find(subject, 0)
	if err != nil || len(got) != 2*groups+2 || got[len(got)-1] != len(subject) {
		t.Errorf("got %v, error %v", got, err)
	}
	if m := borrow(); m.size > idleSize {
		t.Errorf("%d bytes for texts are kept", m.size)
	}
}

func TestConcurrentUse(t *testing.T) {
	r := mustCompile(t, `(\w+)-(?:x(?R))?(\d+)`, Caseless)
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() {
			for n := range 500 {
				subject := strings.Repeat(" ", i) + "foo-" + strconv.Itoa(n)
				want := []int{i, len(subject), i, i + 3, i + 4, len(subject)}
				if got, err := r.Find(subject, 0); err != nil || !slices.Equal(got, want) {
					t.Errorf("%q: got %v, error %v; want %v", subject, got, err, want)
					return
				}
				mustCompile(t, subject, 0)
			}
		})
	}
	workers.Wait()
}

// The memory of patterns is not Go's, but goes with them.
func TestPatternsAreFreed(t *testing.T) {
	const patterns = 1000
	for i := range patterns {
		mustCompile(t, strconv.Itoa(i), 0)
	}
	deadline := time.Now().Add(time.Minute)
	for compiled.Load() > patterns/2 {
		if time.Now().After(deadline) {
			t.Fatalf("got %d patterns in memory, want at most %d", compiled.Load(), patterns/2)
		}
		runtime.GC()
	}
}
