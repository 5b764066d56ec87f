package cmd

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// updateCaptures writes the captures anew: make captures. Look at the difference before it is committed.
var updateCaptures = flag.Bool("update", false, "write testdata/captures anew")

// outlet is where a command's output goes.
type outlet struct {
	name    string
	columns int    // 0: a pipe
	term    string // TERM
}

var outlets = []outlet{
	{"60 columns", 60, "xterm"},
	{"80 columns", 80, "xterm"},
	{"160 columns", 160, "xterm"},
	{"TERM=dumb, 80 columns", 80, "dumb"},
	{"a pipe", 0, "xterm"},
}

// capture is a command whose output is captured at each outlet. Before each there is an installation that stage has
// prepared.
type capture struct {
	name    string
	args    string
	stage   func(t *testing.T, i *installation) // nil: nothing is in the queues
	changes bool                                // what it shows: each outlet gets an installation of its own
	screens bool                                // it is about what only terminals get
	answer  string                              // to a question, if there is a terminal to ask at
	change  func(t *testing.T, i *installation, p *program)
}

// What each command says, on narrow and wide terminals, on one that knows no control sequences, and in a pipe: files
// for people to read. `make captures` writes them anew.
func TestCaptures(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp")
	empty := capture{}.installation(t)
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			i := empty
			if c.stage != nil || c.changes {
				i = c.installation(t)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "$ queuedtracking %s\n", c.args)
			seen := make(map[string]string) // text to the outlet that had it first
			for n, at := range outlets {
				if c.screens && (at.columns == 0 || at.term == "dumb") {
					continue
				}
				if c.changes && n > 0 {
					i = c.installation(t)
				}
				text := c.at(t, i, at)
				checkWidth(t, at, text)
				if first := seen[text]; first != "" {
					text = "(as at " + first + ")\n"
				} else {
					seen[text] = at.name
				}
				fmt.Fprintf(&b, "\n════ %s\n%s", at.name, text)
			}
			compareCapture(t, filepath.Join("testdata", "captures", c.name+".txt"), b.String())
		})
	}
}

// The progress bar is gone at the end of process; this is what it looks like while it is at work.
func TestCaptureOfTheProgressBar(t *testing.T) {
	var b strings.Builder
	b.WriteString("$ queuedtracking process\n")
	for _, at := range outlets {
		fmt.Fprintf(&b, "\n════ %s\n%s", at.name, progressAt(t, at))
	}
	compareCapture(t, filepath.Join("testdata", "captures", "process-progress.txt"), b.String())
}

func progressAt(t *testing.T, at outlet) string {
	t.Helper()
	p := newProgram(nil)
	p.lookupEnv = func(name string) (string, bool) { return at.term, name == "TERM" }
	_, tty := openTerminal(t)
	setWidth(t, tty, max(at.columns, 1))
	if at.columns == 0 {
		return "(nothing)\n"
	}
	var out strings.Builder
	now := captureTime
	bar := terminal.NewProgress(&out, p.device(tty), func() time.Time { return now })
	bar.Start(123_456)
	for range 9 {
		now = now.Add(10 * time.Second)
		bar.Add(6_789)
	}
	return visible(out.String())
}

// checkWidth wants each line to fit. What is for machines, logs and JSON, and commands to copy may be longer.
func checkWidth(t *testing.T, at outlet, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		forMachines := strings.HasPrefix(line, "time=") || strings.Contains(line, `": `) || strings.HasPrefix(line, "{")
		command := strings.HasPrefix(line, "  ") && !strings.Contains(strings.TrimSpace(line), "  ") && at.columns < 80
		if at.columns > 0 && terminal.Width(line) > at.columns && !forMachines && !command {
			t.Errorf("%s: longer than that: %q", at.name, line)
		}
	}
}

func compareCapture(t *testing.T, file, got string) {
	t.Helper()
	if *updateCaptures {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not what it says now; make captures writes it anew:\n%s", file, diff)
	}
}

// at runs the command and returns what a person sees in the end.
func (c capture) at(t *testing.T, i *installation, where outlet) string {
	t.Helper()
	i.env["TERM"] = where.term
	change := func(p *program) {
		if c.change != nil {
			c.change(t, i, p)
		}
	}
	var text string
	var status int
	if where.columns == 0 {
		out := new(testserver.Buffer)
		r := i.run(t, strings.Fields(c.args), func(p *program) { p.stdout, p.stderr = out, out; change(p) })
		text, status = out.String(), r.status
	} else {
		text, status = c.onTerminal(t, i, where.columns, change)
	}
	if status != statusDone {
		text += fmt.Sprintf("(exit status %d)\n", status)
	}
	return i.normal(visible(text))
}

// endOfCapture is written behind the output, to know when all of it has arrived.
const endOfCapture = "\x00end"

func (c capture) onTerminal(t *testing.T, i *installation, columns int, change func(*program)) (text string, status int) {
	t.Helper()
	user, tty := openTerminal(t)
	setWidth(t, tty, columns)
	s := watchTerminal(user)
	if c.answer != "" {
		go func() {
			s.await(t, "[y/N]")
			s.press(t, c.answer)
		}()
	}
	r := i.run(t, strings.Fields(c.args), func(p *program) { p.stdin, p.stdout, p.stderr = tty, tty, tty; change(p) })
	if _, err := tty.WriteString(endOfCapture); err != nil {
		t.Fatal(err)
	}
	s.await(t, endOfCapture)
	text, _, _ = strings.Cut(s.String(), endOfCapture)
	return text, r.status
}

var (
	secondScreen = regexp.MustCompile(`(?s)\x1b\[\?1049h.*?\x1b\[\?1049l`)
	modes        = regexp.MustCompile(`\x1b\[\?\d+[hl]`)
	erased       = regexp.MustCompile(`[^\n]*\r\x1b\[K`)
)

// visible is what is left on a terminal: without what was on the second screen or was erased again.
func visible(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = modes.ReplaceAllString(secondScreen.ReplaceAllString(text, ""), "")
	text = erased.ReplaceAllString(text, "")
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// normal replaces what is another with each run or on each machine.
func (i *installation) normal(text string) string {
	for name, usual := range map[string]string{"DB_PORT": "3306", "REDIS_PORT": "6379", "DB_NAME": "matomo"} {
		text = regexp.MustCompile(`\b`+i.env["QUEUEDTRACKING_"+name]+`\b`).ReplaceAllString(text, usual)
	}
	text = strings.ReplaceAll(text, i.dir, "/var/www/matomo")
	if host, err := os.Hostname(); err == nil {
		text = strings.ReplaceAll(text, " on "+host, " on web1")
	}
	for _, r := range replacements {
		text = r.pattern.ReplaceAllString(text, r.by)
	}
	return text
}

var replacements = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`time=\S+`), "time=2026-11-30T12:00:00.000Z"},
	{regexp.MustCompile(`for another \d+ s`), "for another 59 s"},
	{regexp.MustCompile(`[\d.]+ MiB memory used(\s+)\([\d.]+ MiB`), "21.5 MiB memory used${1}(21.6 MiB"},
	{regexp.MustCompile(`took=\S+`), "took=12.345ms"},
	{regexp.MustCompile(`go1\.\S+ \S+`), "go1.26 linux/amd64"},
	{regexp.MustCompile(`queuedtracking (development|\d+\.\d)\S*\n(commit .*\ndate .*\n)?`), "queuedtracking 1.0.0\n"},
	{regexp.MustCompile(`requests at 127\.0\.0\.1:\d+\n`), "requests at 127.0.0.1:8080\n"},
	{regexp.MustCompile(`"(used|peak)_bytes":\d+`), `"${1}_bytes":1572864`},
	{regexp.MustCompile(`\d+\.\d+\.\d+-MariaDB\S*`), "11.8.2-MariaDB"},
	{regexp.MustCompile(`redis \d+\.\d+\.\d+,`), "redis 8.0.0,"},
	{regexp.MustCompile(`in [\d.]+ seconds, [\d,]+ req/s`), "in 0.25 seconds, 2,345 req/s"},
	{regexp.MustCompile(`/\S*/queuedtracking-demo-\d+`), "/tmp/queuedtracking-demo-1"},
}

// captureTime is when all captures are made.
var captureTime = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func (c capture) installation(t *testing.T) *installation {
	t.Helper()
	i := newInstallation(t)
	i.clock = func() time.Time { return captureTime }
	i.ownRedis(t)
	i.shortDir(t)
	if c.stage != nil {
		c.stage(t, i)
	}
	return i
}

func TestEachCommandIsCaptured(t *testing.T) {
	p := newProgram(nil)
	p.logs = newLogger(p.stderr)
	everyCommand(p.rootCommand(), func(command *cobra.Command) {
		name := strings.TrimPrefix(command.CommandPath(), "queuedtracking ")
		if command.HasSubCommands() || strings.HasPrefix(name, "completion") || name == "help" || name == "settings" {
			return
		}
		if !slices.ContainsFunc(captures, func(c capture) bool { return strings.HasPrefix(c.args, name) }) {
			t.Errorf("testdata/captures has nothing of %s", name)
		}
	})
}
