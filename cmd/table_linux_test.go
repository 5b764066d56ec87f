package cmd

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// setWidth makes a terminal that many columns wide.
func setWidth(t *testing.T, tty *os.File, columns int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ,
		&unix.Winsize{Row: 50, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
}

// tableAt is a small table as it is written to a terminal of that many columns, 0: to a pipe.
func tableAt(t *testing.T, columns int, env map[string]string) string {
	t.Helper()
	p := newProgram(nil)
	p.lookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	p.stdout = new(strings.Builder)
	if columns > 0 {
		_, tty := openTerminal(t)
		setWidth(t, tty, columns)
		p.stdout = tty
	}
	var b strings.Builder
	err := p.table(&b, []string{"#Entry", "Visitor", "Request"}, [][]string{
		{"1", "0123456789abcdef", "page https://garden.example.org/tulips and how to grow them"},
		{"12", "", "order 日本語"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTablesFitTheTerminal(t *testing.T) {
	for _, test := range []struct {
		name    string
		columns int
		env     map[string]string
		want    string
	}{
		{"wide", 100, nil, `
┌───────┬──────────────────┬─────────────────────────────────────────────────────────────┐
│ Entry │ Visitor          │ Request                                                     │
├───────┼──────────────────┼─────────────────────────────────────────────────────────────┤
│     1 │ 0123456789abcdef │ page https://garden.example.org/tulips and how to grow them │
│    12 │                  │ order 日本語                                                │
└───────┴──────────────────┴─────────────────────────────────────────────────────────────┘
`},
		{"without lines", 86, nil, plainTable},
		{"wrapped", 60, nil, `
Entry  Visitor           Request
    1  0123456789abcdef  page
                         https://garden.example.org/tulips
                         and how to grow them
   12                    order 日本語
`},
		{"blocks", 40, nil, `
Entry:   1
Visitor: 0123456789abcdef
Request: page
         https://garden.example.org/tuli
         ps and how to grow them

Entry:   12
Request: order 日本語
`},
		{"dumb", 100, map[string]string{"TERM": "dumb"}, plainTable},
		{"without colours", 100, map[string]string{"NO_COLOR": "1"}, plainTable},
		{"pipe", 0, nil, plainTable},
	} {
		got := tableAt(t, test.columns, test.env)
		if got != test.want[1:] {
			t.Errorf("%s: \n%s\nwant%s", test.name, got, test.want)
		}
		for line := range strings.SplitSeq(got, "\n") {
			if test.columns > 0 && terminal.Width(line) > test.columns {
				t.Errorf("%s: wider than the terminal: %q", test.name, line)
			}
		}
	}
}

func TestCellsOfSeveralLinesAreBlocksInAPipe(t *testing.T) {
	p := newProgram(nil)
	p.stdout = new(strings.Builder)
	var b strings.Builder
	if err := p.table(&b, []string{"#Entry", "Request"}, [][]string{
		{"1", "page x\n  rec = 1"},
		{"2", "ping"},
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "Entry:   1\nRequest: page x\n           rec = 1\n\nEntry:   2\nRequest: ping\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

const plainTable = `
Entry  Visitor           Request
    1  0123456789abcdef  page https://garden.example.org/tulips and how to grow them
   12                    order 日本語
`

func TestHelpFitsTheTerminalAndBreaksNoWord(t *testing.T) {
	for _, columns := range []int{60, 80, 160} {
		_, tty := openTerminal(t)
		setWidth(t, tty, columns)
		p := newProgram(nil)
		p.stdout, p.logs = tty, newLogger(p.stderr)
		root := p.rootCommand()
		everyCommand(root, func(c *cobra.Command) {
			if c.Name() == "completion" || c.HasParent() && c.Parent().Name() == "completion" {
				return // cobra's own texts
			}
			var b strings.Builder
			root.SetOut(&b)
			p.printHelp(c, nil)
			b.WriteString(settingsHelp(p.helpColumns()))
			for line := range strings.SplitSeq(b.String(), "\n") {
				isCommand := strings.HasPrefix(line, "  ") && !strings.Contains(strings.TrimSpace(line), "  ") && columns < 80
				if terminal.Width(line) > min(columns, helpWidth) && !isCommand {
					t.Errorf("%s at %d columns: %q", c.CommandPath(), columns, line)
				}
			}
			long := strings.Join(strings.Fields(c.Long), " ")
			if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), long) {
				t.Errorf("%s at %d columns: words were changed", c.CommandPath(), columns)
			}
		})
	}
}
