package cmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completed returns what a shell would propose, each with its explanation, and the directive.
func (i *installation) completed(t *testing.T, args ...string) (proposed []string, directive string) {
	t.Helper()
	r := i.ok(t, append([]string{"__complete"}, args...)...)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// noFiles is cobra's directive ShellCompDirectiveNoFileComp.
const noFiles = ":4"

func TestCompletionKnowsQueuesLocksAndDeadLetters(t *testing.T) {
	i := withFailures(t)
	i.lock(t, 0)
	var ids []string
	for _, l := range i.listed(t) {
		ids = append(ids, l.ID)
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"process", "--queue-id", ""}, []string{"0\t0 request sets"}},
		{[]string{"unlock", ""}, []string{"QueuedTrackingLock0\tlocked for another "}},
		{[]string{"unlock", "QueuedTrackingLock1"}, nil},
		{[]string{"unlock", "QueuedTrackingLock0", ""}, nil},
		{[]string{"lock-status", "--unlock", "Q"}, []string{"QueuedTrackingLock0\t"}},
		{[]string{"failed", "show", ""}, ids},
		{[]string{"failed", "retry", ids[0][:5]}, []string{ids[0] + "\tqueue 0: "}},
		{[]string{"failed", "delete", ids[0], ""}, ids[1:]},
		{[]string{"process", "--batch", ""}, []string{"auto"}},
		{[]string{"process", ""}, nil},
		{[]string{"monitor", ""}, nil},
	} {
		got, directive := i.completed(t, test.args...)
		if len(got) != len(test.want) || directive != noFiles {
			t.Errorf("%q: %q with %s, want %q", test.args, got, directive, test.want)
			continue
		}
		for n, want := range test.want {
			if !strings.HasPrefix(got[n], want) {
				t.Errorf("%q: %q, want %q", test.args, got[n], want)
			}
		}
	}
}

func TestCompletionIsSilentWithoutServers(t *testing.T) {
	i := newInstallation(t)
	i.env["QUEUEDTRACKING_REDIS_PORT"] = "1"
	if got, directive := i.completed(t, "unlock", ""); len(got) != 0 || directive != noFiles {
		t.Errorf("%q %s", got, directive)
	}
}

// fileFlags take files although their values have no such name.
var fileFlags = []string{
	"redis-tls-ca", "redis-tls-cert", "redis-tls-key", "db-tls-ca", "db-tls-cert", "db-tls-key",
	"db-socket",
}

func TestOnlyFlagsForFilesCompleteFiles(t *testing.T) {
	p := newProgram(nil)
	p.logs = newLogger(p.stderr)
	everyCommand(p.rootCommand(), func(c *cobra.Command) {
		if c.ValidArgsFunction == nil && !c.HasSubCommands() {
			t.Errorf("%s completes files", c.CommandPath())
		}
		check := func(f *pflag.Flag) {
			if strings.Contains(f.Usage, "`") {
				t.Errorf("%s --%s: quotes in %q", c.CommandPath(), f.Name, f.Usage)
			}
			complete, ok := c.GetFlagCompletionFunc(f.Name)
			if !ok {
				return // help and version, which cobra adds
			}
			if f.Name == "queue-id" || f.Name == "unlock" {
				return // these look into the queues
			}
			_, directive := complete(c, nil, "")
			isFile := directive == cobra.ShellCompDirectiveDefault || directive == cobra.ShellCompDirectiveFilterDirs
			if value := valueName(f); isFile != (value == "file" || value == "directory" || slices.Contains(fileFlags, f.Name)) {
				t.Errorf("%s --%s (%s): directive %d", c.CommandPath(), f.Name, f.Usage, directive)
			}
		}
		c.LocalNonPersistentFlags().VisitAll(check)
		c.PersistentFlags().VisitAll(check)
	})
}
