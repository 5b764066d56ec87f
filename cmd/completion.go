package cmd

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// Short names of cobra's: what is proposed, and what the shell is to do with it.
type (
	completion = cobra.Completion
	directive  = cobra.ShellCompDirective
)

// completionTime is how long the shell may wait for what the queues hold.
const completionTime = 2 * time.Second

// complete tells cobra what the shell may propose: no file names but where a file is wanted.
func (p *program) complete(c *cobra.Command) {
	if c.ValidArgsFunction == nil && !c.HasSubCommands() {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	complete := func(f *pflag.Flag) {
		if _, known := c.GetFlagCompletionFunc(f.Name); !known {
			_ = c.RegisterFlagCompletionFunc(f.Name, p.valuesOf(f))
		}
		plainUsage(f)
	}
	c.LocalNonPersistentFlags().VisitAll(complete)
	c.PersistentFlags().VisitAll(complete)
	for _, sub := range c.Commands() {
		p.complete(sub)
	}
}

// plainUsage takes the quotes out of a flag's explanation, which completions would show. The name that is quoted is
// kept.
func plainUsage(f *pflag.Flag) {
	name, usage := pflag.UnquoteUsage(f)
	if usage == f.Usage {
		return
	}
	f.Usage = usage
	if f.Annotations == nil {
		f.Annotations = make(map[string][]string)
	}
	f.Annotations[valueAnnotation] = []string{name}
}

// valueAnnotation names the value that a flag wants.
const valueAnnotation = "value"

// fixedValues are the values of flags that have few.
var fixedValues = map[string][]completion{
	"backend":    {"redis", "mysql"},
	"redis-type": {"stand-alone", "sentinel", "cluster"},
	"batch":      {"auto"},
	"listen":     {"127.0.0.1:8080", "systemd", "unix:"},
}

// valuesOf finds out by a flag's name and explanation how its values are completed.
func (p *program) valuesOf(f *pflag.Flag) cobra.CompletionFunc {
	name, usage := pflag.UnquoteUsage(f)
	switch {
	case f.Name == "queue-id":
		return p.completeQueues
	case fixedValues[f.Name] != nil:
		return cobra.FixedCompletions(fixedValues[f.Name], cobra.ShellCompDirectiveNoFileComp)
	case f.Value.Type() == "bool":
		return cobra.FixedCompletions([]completion{"true", "false"}, cobra.ShellCompDirectiveNoFileComp)
	case name == "directory":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	case name == "file" || strings.HasPrefix(usage, "PEM file") || strings.HasPrefix(usage, "path of "):
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.NoFileCompletions
}

// completeFrom proposes what find finds in the queues. What goes wrong on the way is nothing to propose.
func (p *program) completeFrom(command *cobra.Command, args []string, toComplete string,
	find func(context.Context, *connection) ([]completion, error),
) ([]completion, directive) {
	ctx, cancel := context.WithTimeout(command.Context(), completionTime)
	defer cancel()
	conn := p.newConnection(command.Flags())
	defer conn.close()
	if err := conn.openQueues(ctx); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, err := find(ctx, conn)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found = slices.DeleteFunc(found, func(proposed completion) bool {
		value, _, _ := strings.Cut(proposed, "\t")
		return !strings.HasPrefix(value, toComplete) || slices.Contains(args, value)
	})
	return found, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) completeQueues(command *cobra.Command, _ []string, toComplete string) ([]completion, directive) {
	return p.completeFrom(command, nil, toComplete,
		func(ctx context.Context, conn *connection) (found []completion, err error) {
			waiting, err := conn.manager.Waiting(ctx)
			for id, n := range waiting {
				found = append(found, cobra.CompletionWithDesc(strconv.Itoa(id), terminal.Count(n, "request set")))
			}
			return found, err
		})
}

func (p *program) completeLocks(command *cobra.Command, args []string, toComplete string) ([]completion, directive) {
	return p.completeFrom(command, args, toComplete,
		func(ctx context.Context, conn *connection) (found []completion, err error) {
			held, err := lock.New(conn.backend, rand.Reader).List(ctx)
			for _, h := range held {
				found = append(found, cobra.CompletionWithDesc(h.Key, "locked"+timeLeft(h.Left)))
			}
			return found, err
		})
}

// mostLetters is how many dead letters are proposed at most.
const mostLetters = 100

func (c *failedCommand) completeIDs(
	command *cobra.Command, args []string, toComplete string,
) ([]completion, directive) {
	return c.completeFrom(command, args, toComplete,
		func(ctx context.Context, conn *connection) (found []completion, err error) {
			c.box = letters.NewBox(conn.backend)
			err = c.visit(ctx, func(l letters.Stored) error {
				if len(found) < mostLetters {
					found = append(found, cobra.CompletionWithDesc(l.ID, "queue "+strconv.Itoa(l.Queue)+": "+cell(l.Reason, 40)))
				}
				return nil
			})
			return found, err
		})
}
