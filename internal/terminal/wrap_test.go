package terminal

import (
	"strings"
	"testing"
)

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "größe": 5, "日本語": 6, "e\u0301": 1, "…": 1, "│": 1, "😀": 2} {
		if got := Width(text); got != want {
			t.Errorf("Width(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		in    string
		width int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"äöüß", 4, "äöüß"},
		{"äöüßx", 4, "äöü…"},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
	} {
		if got := Shorten(test.in, test.width); got != test.want {
			t.Errorf("Shorten(%q, %d) = %q", test.in, test.width, got)
		}
	}
}

func TestWrapBreaksBetweenWords(t *testing.T) {
	for _, test := range []struct {
		in      string
		columns int
		indent  string
		want    string
	}{
		{"one two three", 80, "", "one two three"},
		{"one two three", 7, "", "one two\nthree"},
		{"one two three", 6, "  ", "one\n  two\n  three"},
		{"a --very-long-option b", 5, "", "a\n--very-long-option\nb"},
		{"", 5, "", ""},
		{"at 12:00  two spaces", 15, "", "at 12:00  two\nspaces"},
		{"used 1.5 MiB (1.6 MiB), for 3m 20s", 9, "", "used\n1.5 MiB\n(1.6 MiB),\nfor\n3m 20s"},
	} {
		if got := Wrap(test.in, test.columns, test.indent); got != test.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", test.in, test.columns, got, test.want)
		}
	}
}

func TestFoldKeepsLinesAndBreaksWhatIsTooLong(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"page https://garden.example.org/tulips", "page\nhttps://ga\nrden.examp\nle.org/tul\nips"},
		{"other\n  url = x\n  uid = a b c d", "other\n  url = x\n  uid = a\n  b c d"},
		{"日本語日本語", "日本語日本\n語"},
		{"", ""},
	} {
		got := Fold(test.in, 10)
		if got != test.want {
			t.Errorf("Fold(%q) = %q, want %q", test.in, got, test.want)
		}
		for line := range strings.SplitSeq(got, "\n") {
			if Width(line) > 10 {
				t.Errorf("%q is longer than 10", line)
			}
		}
	}
}

const helpText = `Takes requests out of the queues and writes them
into tables, as long as there are any.

    queuedtracking test           is everything there that is needed?
    queuedtracking process --force-num-requests-process-at-once 1     to the last request

Second paragraph.`

func TestReflow(t *testing.T) {
	for columns, want := range map[int]string{
		80: `Takes requests out of the queues and writes them into tables, as long as there
are any.

    queuedtracking test           is everything there that is needed?
    queuedtracking process --force-num-requests-process-at-once 1
        to the last request

Second paragraph.`,
		60: `Takes requests out of the queues and writes them into
tables, as long as there are any.

    queuedtracking test           is everything there that
                                  is needed?
    queuedtracking process --force-num-requests-process-at-once 1
        to the last request

Second paragraph.`,
	} {
		if got := Reflow(helpText, columns); got != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", columns, got, want)
		}
	}
}
