package terminal

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEscape(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"plain", "plain"},
		{"größe 日本語 😀", "größe 日本語 😀"},
		{"a\nb\rc\td", `a\nb\rc\td`},
		{"\x1b[31mred\a", `\x1b[31mred\x07`},
		{"\x7f", `\x7f`},
		{"\u009b31m", `\u009b31m`}, // CSI in one character
		{"a\u202egnp.exe", `a\u202egnp.exe`},
		{"zero\u200bwidth", `zero\u200bwidth`},
		{"no\u00a0break", `no\u00a0break`},
		{"\xff\xfe", `\xff\xfe`},
		{"\ufffd", "\ufffd"},
	} {
		if got := Escape(test.in); got != test.want {
			t.Errorf("Escape(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 12: "12"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.0 GiB", 1 << 60: "1048576.0 TiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 200 * time.Second: "3m 20s", 125 * time.Minute: "2h 5m",
		76 * time.Hour: "3d 4h",
		time.Minute:    "1m", 2*time.Hour + 30*time.Second: "2h", 48 * time.Hour: "2d",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %s", d, got)
		}
	}
	if Count(1, "queue") != "1 queue" || Count(0, "queue") != "0 queues" || Count(int64(1200), "set") != "1,200 sets" {
		t.Error("Count")
	}
}

func TestKeys(t *testing.T) {
	got := parseKeys([]byte("q5\x1b[A\x1b[B\x1bOC\x1b[D\x03\x1b[Z\x00ü"))
	want := []Key{'q', '5', KeyUp, KeyDown, KeyRight, KeyLeft, KeyInterrupt}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestKeysEndWithTheInput(t *testing.T) {
	keys := make(chan Key, 2)
	readKeys(strings.NewReader("ab"), keys)
	if <-keys != 'a' || <-keys != 'b' {
		t.Error("wrong keys")
	}
}

func TestScreenWithoutKeyboard(t *testing.T) {
	var out bytes.Buffer
	s, err := OpenScreen(strings.NewReader(""), &out)
	if err != nil || s.Keys() != nil {
		t.Fatalf("%v", err)
	}
	if err := s.Show("one\ntwo\n"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if want := "\x1b[?1049h\x1b[?25l" + noWrap + "\x1b[Hone\x1b[K\r\ntwo\x1b[J" + wrap +
		"\x1b[?25h\x1b[?1049l"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	if IsTerminal(&out) {
		t.Error("a buffer is no terminal")
	}
}

func TestScreenThatIsTooLowShowsTheEnd(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{out: &out, rows: func() int { return 2 }}
	if err := s.Show("one\ntwo\nthree\n"); err != nil {
		t.Error(err)
	}
	if want := "\x1b[Htwo\x1b[K\r\nthree\x1b[J"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
