package phpchild

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// program makes an executable script.
func program(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "php")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUnfitBinariesAreNamedWithTheReason(t *testing.T) {
	for _, test := range []struct{ script, want string }{
		{"exit 1", "it does not run a script on its command line: exit status 1"},
		{"echo 'Usage: php-cgi'; exit 0", "Usage: php-cgi"},
		{`echo '{"op":"php","php":"8.2.1","sapi":"cgi-fcgi"}' >&4; cat <&3 >/dev/null`, `it is PHP's "cgi-fcgi"`},
		{`echo '{"op":"php","php":"7.2.4","sapi":"cli"}' >&4; cat <&3 >/dev/null`, "it is PHP 7.2.4, Matomo needs 7.2.5"},
		{`echo '{"op":"php","php":"5.6.40","sapi":"cli"}' >&4; cat <&3 >/dev/null`, "it is PHP 5.6.40"},
		{`echo '{"op":"hello"}' >&4; cat <&3 >/dev/null`, `it says "hello"`},
		{`echo 'no JSON' >&4; cat <&3 >/dev/null`, "no answer of the child's protocol"},
	} {
		binary := program(t, test.script)
		_, _, err := Find(t.Context(), Options{Dir: t.TempDir()}, Wanted{Binary: binary})
		_, none := errors.AsType[*NotFoundError](err)
		if !none || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), binary) {
			t.Errorf("%s: error %v, want %q", test.script, err, test.want)
		}
	}
}

func TestSilentBinaryIsKilled(t *testing.T) {
	o := Options{Dir: t.TempDir(), Binary: program(t, "sleep 1000"), StartLimit: 50 * time.Millisecond}
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "nothing was heard of it for 50ms") {
		t.Errorf("error %v, want one of silence", err)
	}
}

func TestPHPVersions(t *testing.T) {
	for version, good := range map[string]bool{
		"7.2.4": false, "7.2.5": true, "7.3.0": true, "8.4.1-dev": true, "10.0.0": true,
		"7.1.33": false, "x": false, "": false,
	} {
		if err := fit(&answer{Op: "php", SAPI: "cli", PHP: version}); (err == nil) != good {
			t.Errorf("PHP %q: %v, want fit %v", version, err, good)
		}
	}
}

func TestErrorsAreJudgedLikeThoseOfTheDriver(t *testing.T) {
	for _, test := range []struct {
		words                 words
		retryable, data, lost bool
	}{
		{words{Errno: 1213, State: "40001", Text: "Deadlock found"}, true, false, false},
		{words{Errno: 2006, Text: "MySQL server has gone away"}, true, false, true},
		{words{Errno: 2002, Text: "Connection refused"}, true, false, true},
		{words{Errno: 1927, Text: "Connection was killed"}, true, false, true},
		{words{Errno: 1406, State: "22001", Text: "Data too long"}, false, true, false},
		{words{Errno: 1146, State: "42S02", Text: "no table"}, false, false, false},
		{words{Errno: -1, Text: "Connect failed"}, false, true, false},
		{words{Class: "Error", Text: "Call to undefined function"}, false, false, false},
	} {
		err := test.words.err()
		got := [3]bool{store.IsRetryable(err), store.IsDataError(err), store.IsConnectionLost(err)}
		if want := [3]bool{test.retryable, test.data, test.lost}; got != want {
			t.Errorf("%v: retryable, of the data, connection lost %v, want %v", err, got, want)
		}
	}
	if _, ok := errors.AsType[*mysql.MySQLError]((&words{Errno: 1062}).err()); !ok {
		t.Error("an error of the server is no *mysql.MySQLError")
	}
}

func TestPrintedLinesAreEscapedAndCounted(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := printed{clock: func() time.Time { return now }}
	p.log.Store(slog.New(slog.NewTextHandler(&out, nil)))
	p.read(strings.NewReader("\x1b[31mred\nDEBUG hidden\n" + strings.Repeat("again\n", 100) +
		strings.Repeat("x", 3*longestPrint)))
	got := out.String()
	if strings.Contains(got, "\x1b") || !strings.Contains(got, "[31mred") {
		t.Errorf("not escaped: %.300q", got)
	}
	if strings.Contains(got, "hidden") {
		t.Errorf("a line for debugging is logged: %.300q", got)
	}
	if n := strings.Count(got, "again"); n != linesAtOnce-2 {
		t.Errorf("%d lines are logged, want %d", n, linesAtOnce-2)
	}
	if !strings.Contains(got, "PHP prints more than the log takes") {
		t.Errorf("nothing tells of the lines that were left out: %.300q", got)
	}
	out.Reset()
	now = now.Add(linesPeriod)
	p.print("later")
	if !strings.Contains(out.String(), "later") {
		t.Errorf("a line of the next period is not logged: %q", out.String())
	}
}

func TestCandidatesAreTriedInOrder(t *testing.T) {
	configured, other := program(t, "exit 1"), program(t, "exit 1")
	t.Setenv("PATH", filepath.Dir(other))
	found := candidates(Wanted{Configured: configured})
	if len(found) < 2 || found[0] != configured || found[1] != other {
		t.Errorf("candidates %q, want first %q, then %q", found, configured, other)
	}
	if found := candidates(Wanted{Binary: "/there", Configured: configured}); len(found) != 1 || found[0] != "/there" {
		t.Errorf("candidates %q, want only the one that is named", found)
	}
}
