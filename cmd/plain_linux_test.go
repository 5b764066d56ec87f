package cmd

import (
	"strings"
	"testing"
)

// Terminals that know no control sequences, or whose users want none, get none, and no bar either.
func TestTerminalsThatAreDumbGetPlainText(t *testing.T) {
	i := newInstallation(t)
	for _, test := range []struct {
		name, variable, value string
		flag                  string
		plain                 bool
	}{
		{"dumb", "TERM", "dumb", "", true},
		{"without colours", "NO_COLOR", "1", "", true},
		{"--no-ansi", "TERM", "xterm", "--no-ansi", true},
		{"--ansi counts more", "NO_COLOR", "1", "--ansi", false},
		{"usual", "TERM", "xterm", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			i.env[test.variable] = test.value
			defer delete(i.env, test.variable)
			i.fill(t, 60, 4)
			user, tty := openTerminal(t)
			s := watchTerminal(user)
			for _, args := range [][]string{
				{"process", "--force-num-requests-process-at-once", "7", "-v"},
				{"monitor", "--iterations", "1"},
			} {
				if test.flag != "" {
					args = append(args, test.flag)
				}
				if r := i.run(t, args, func(p *program) { p.stdout, p.stderr = tty, tty }); r.status != statusDone {
					t.Fatalf("%v: exit status %d: %s", args, r.status, s.String())
				}
			}
			s.await(t, "worker")
			if plain := !strings.Contains(s.String(), "\x1b"); plain != test.plain {
				t.Errorf("plain: %v, want %v: %q", plain, test.plain, s.String())
			}
		})
	}
}
