package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/internal/traces"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const uninstallHelp = `Removes what this program has left beside the queues and in Matomo's database: how far each queue
is tracked, counters, marks and statistics. Queues, locks and log tables are Matomo's and stay as they are.

Put Matomo's own worker back first and stop every "process" and "serve" of this program: then nothing needs any of it. A
queue that a worker has locked is left alone and named; the exit status is 1 then, and the command can be repeated. What
a killed worker has tracked and not yet removed from a queue is removed from it before, so that PHP does not track it
again.

Dead letters are kept: "failed retry" puts them back into their queues, for Matomo's worker as well. --dead-letters
deletes them, too, for good.

It asks first; where there is no terminal to ask at it wants --yes.`

const uninstallExample = `  queuedtracking uninstall --dry-run     what is there?
  queuedtracking uninstall
  queuedtracking uninstall --yes         in a script`

// uninstallCommand: queuedtracking uninstall.
type uninstallCommand struct {
	*program
	dryRun, yes, letters, json bool
}

func newUninstallCommand(p *program) *cobra.Command {
	c := &uninstallCommand{program: p}
	command := &cobra.Command{
		Use: "uninstall", Short: "Remove what this program has left in Redis and the database", Long: uninstallHelp,
		Example: uninstallExample, Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.BoolVar(&c.dryRun, "dry-run", false, "list what is there and remove nothing")
	flags.BoolVar(&c.letters, "dead-letters", false, "delete dead letters as well: what they hold will never be tracked")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask; needed where there is no terminal to ask at")
	flags.BoolVar(&c.json, "json", false, "print JSON, one object per trace")
	return command
}

// foundTrace is a trace in JSON.
type foundTrace struct {
	Kind    traces.Kind `json:"kind"`
	Name    string      `json:"name"`
	Queue   *int        `json:"queue"` // null: of all queues
	Count   int64       `json:"count"`
	Removed bool        `json:"removed"`
	Kept    string      `json:"kept,omitempty"` // why
}

func (c *uninstallCommand) run(command *cobra.Command) error {
	ctx := command.Context()
	conn := c.newConnection(command.Flags())
	defer conn.close()
	if err := conn.openQueues(ctx); err != nil {
		return err
	}
	s, err := store.Open(ctx, conn.db, store.Options{
		Prefix: conn.config.Database().Prefix, Features: matomo.FeaturesOf(conn.installation.Plugins().Native),
	})
	if err != nil {
		return err
	}
	defer s.Close()
	o := replay.Options{Backend: conn.backend, Store: s, Clock: c.clock, Random: rand.Reader, Log: c.logs.Logger}
	all, err := traces.Find(ctx, o)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b traces.Trace) int { return a.Queue - b.Queue })
	list := make([]foundTrace, len(all))
	for i, t := range all {
		list[i] = c.found(t)
	}
	if !c.dryRun && len(all) > 0 {
		err = c.remove(ctx, o, all, list)
	}
	return errors.Join(c.tell(list), err)
}

func (c *uninstallCommand) found(t traces.Trace) foundTrace {
	f := foundTrace{Kind: t.Kind, Name: t.Name, Count: t.Count}
	if t.Queue != traces.NoQueue {
		f.Queue = &t.Queue
	}
	if t.Kind == traces.Letters && !c.letters {
		f.Kept = "failed retry or failed delete first, or --dead-letters"
	}
	return f
}

// remove removes queue by queue what shall not be kept, and notes in list what became of it.
func (c *uninstallCommand) remove(ctx context.Context, o replay.Options, all []traces.Trace, list []foundTrace) error {
	question := fmt.Sprintf("Remove %s?", terminal.Count(len(all), "trace"))
	if !c.yes && !c.canAsk() {
		return usage("uninstall without a terminal to ask at wants --yes")
	}
	if err := c.consent(ctx, true, c.yes, question); err != nil {
		return err
	}
	var locked []int
	for start, end := 0, 0; start < len(all); start = end {
		id := all[start].Queue
		for end < len(all) && all[end].Queue == id {
			end++
		}
		var chosen []traces.Trace
		for i := start; i < end; i++ {
			if list[i].Kept == "" {
				chosen = append(chosen, all[i])
			}
		}
		err := traces.Remove(ctx, o, id, chosen)
		switch {
		case errors.Is(err, replay.ErrLocked):
			locked = append(locked, id)
		case err != nil:
			return fmt.Errorf("queue %d: %w", id, err)
		}
		for i := start; i < end; i++ {
			switch {
			case err != nil:
				list[i].Kept = "a worker has locked the queue"
			case list[i].Kept == "":
				list[i].Removed = true
			}
		}
	}
	if len(locked) > 0 {
		return fmt.Errorf("queues %v are locked: stop their workers, or see lock-status, and repeat", locked)
	}
	return nil
}

// tell prints what is there and what became of it.
func (c *uninstallCommand) tell(list []foundTrace) error {
	if c.json {
		for _, f := range list {
			if err := printJSON(c.stdout, f); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "Nothing of this program is left beside the queues or in the database.")
		return nil
	}
	var rows [][]string
	for _, f := range list {
		id := "all"
		if f.Queue != nil {
			id = strconv.Itoa(*f.Queue)
		}
		what := string(f.Kind)
		if f.Kind == traces.Letters {
			what = terminal.Count(int(f.Count), "dead letter")
		}
		rows = append(rows, []string{id, what, clean(f.Name), becameOf(f)})
	}
	if err := c.table(c.stdout, []string{"#Queue", "What", "Name", "Now"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(c.sentences(), "\nMarks that serve has left expire within 30 days. "+
		"Rows of the log tables, queues and locks are Matomo's.")
	return nil
}

func becameOf(f foundTrace) string {
	switch {
	case f.Removed:
		return "removed"
	case f.Kept != "":
		return "kept: " + f.Kept
	}
	return "there"
}
