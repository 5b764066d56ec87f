package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

const failedHelp = `Shows what process has put aside as dead letters: entries that hold no requests, and requests that the database refused or
that this program has a bug with. The other requests of their batches are tracked; these wait here until somebody puts
them back into their queue or deletes them.

Requests that Matomo itself refuses (an unknown site, a time without a token …) are no dead letters.`

const failedExample = `  queuedtracking failed list
  queuedtracking failed show 4f1c
  queuedtracking failed retry 4f1c              when the cause is gone
  queuedtracking failed retry --all --reason "data refused"
  queuedtracking failed show --all --json >letters.json
  queuedtracking failed delete --all --queue-id 2`

// failedCommand: queuedtracking failed.
type failedCommand struct {
	*program
	queueID optionalNumber
	reason  string
	limit   int
	all     bool
	yes     bool
	json    bool

	conn *connection
	box  *letters.Box
}

func newFailedCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use: "failed", Short: "List, retry or delete what could not be tracked", Long: failedHelp,
		Example: failedExample,
	}
	command.AddCommand(
		newFailedList(&failedCommand{program: p}), newFailedShow(&failedCommand{program: p}),
		newFailedRetry(&failedCommand{program: p}), newFailedDelete(&failedCommand{program: p}),
	)
	return command
}

func newFailedList(c *failedCommand) *cobra.Command {
	command := &cobra.Command{
		Use: "list", Short: "List the dead letters", Long: "Lists the dead letters, the oldest of each queue first.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.withLetters(command, c.list) },
	}
	flags := command.Flags()
	c.selection(command)
	flags.IntVar(&c.limit, "limit", 100, "at most this `number` of dead letters, 0 for all")
	flags.BoolVar(&c.json, "json", false, "print JSON, one object per dead letter")
	return command
}

func newFailedShow(c *failedCommand) *cobra.Command {
	command := &cobra.Command{
		Use: "show ID… | --all", Short: "Show dead letters with what they hold", Args: c.idsOrAll,
		ValidArgsFunction: c.completeIDs,
		Long: "Shows dead letters with what they hold; tokens, passwords and cookies are masked. Of an ID the first digits " +
			"will do.",
		RunE: func(command *cobra.Command, ids []string) error {
			return c.withLetters(command, func(ctx context.Context) error { return c.show(ctx, ids) })
		},
	}
	c.selection(command)
	command.Flags().BoolVar(&c.all, "all", false, "all, or all of a queue or reason")
	command.Flags().BoolVar(&c.json, "json", false, "print JSON, one object per dead letter")
	return command
}

func newFailedRetry(c *failedCommand) *cobra.Command {
	command := &cobra.Command{
		Use: "retry ID… | --all", Short: "Put dead letters back into their queues", Args: c.idsOrAll,
		ValidArgsFunction: c.completeIDs,
		Long: `Puts what failed, and only that, back at the end of its queue, where the next run of process takes it. The dead letter is
gone then; if it fails again there will be a new one.`,
		RunE: func(command *cobra.Command, ids []string) error {
			return c.withLetters(command,
				func(ctx context.Context) error { return c.each(ctx, ids, c.box.Retry, "put back into the queue") })
		},
	}
	c.selection(command)
	command.Flags().BoolVar(&c.all, "all", false, "all, or all of a queue or reason")
	return command
}

func newFailedDelete(c *failedCommand) *cobra.Command {
	command := &cobra.Command{
		Use: "delete ID… | --all", Short: "Delete dead letters", Args: c.idsOrAll, ValidArgsFunction: c.completeIDs,
		Long: `Deletes dead letters for good: what they hold will never be tracked. On a terminal it asks first; without one --all wants
--yes. To keep a copy, without secrets: queuedtracking failed show --all --json >letters.json`,
		RunE: func(command *cobra.Command, ids []string) error {
			return c.withLetters(command, func(ctx context.Context) error { return c.delete(ctx, ids) })
		},
	}
	c.selection(command)
	command.Flags().BoolVar(&c.all, "all", false, "all, or all of a queue or reason")
	yesFlag(command.Flags(), &c.yes)
	return command
}

func (c *failedCommand) selection(command *cobra.Command) {
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&c.queueID, "queue-id", "only those of this `queue` (0, 1, …)")
	flags.StringVar(&c.reason, "reason", "", "only those with this `text` in reason or error")
	c.withoutDatabaseFlag(flags)
}

// withLetters opens the queues for do.
func (c *failedCommand) withLetters(command *cobra.Command, do func(context.Context) error) error {
	ctx := command.Context()
	c.conn = c.newConnection(command.Flags())
	defer c.conn.close()
	if err := c.conn.openQueues(ctx); err != nil {
		return err
	}
	c.box = letters.NewBox(c.conn.backend)
	return do(ctx)
}

// visit calls f with the letters that the flags select.
func (c *failedCommand) visit(ctx context.Context, f func(letters.Stored) error) error {
	counts, err := c.box.Counts(ctx)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		if c.queueID.set && id != c.queueID.value {
			continue
		}
		err := c.box.Each(ctx, id, func(l letters.Stored) (bool, error) {
			if !strings.Contains(l.Reason, c.reason) && !strings.Contains(l.Error, c.reason) {
				return true, nil
			}
			return true, f(l)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find returns the letters with these IDs, or beginnings of IDs; every one must be there.
func (c *failedCommand) find(ctx context.Context, ids []string) ([]letters.Stored, error) {
	found := make([]*letters.Stored, len(ids))
	err := c.visit(ctx, func(l letters.Stored) error {
		for i, id := range ids {
			if id == "" || !strings.HasPrefix(l.ID, id) {
				continue
			}
			if found[i] != nil && found[i].ID != l.ID {
				return usage("%q may be %s or %s: give more digits", id, found[i].ID, l.ID)
			}
			found[i] = &l
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]letters.Stored, len(ids))
	for i, l := range found {
		if l == nil {
			return nil, fmt.Errorf("no dead letter %q: failed list shows what there is", ids[i])
		}
		all[i] = *l
	}
	return all, nil
}

// idsOrAll wants either.
func (c *failedCommand) idsOrAll(_ *cobra.Command, ids []string) error {
	if c.all != (len(ids) == 0) {
		return usage("wants either the IDs of dead letters, which failed list shows, or --all")
	}
	return nil
}

// choose finds the letters that are named, or selected with --all.
func (c *failedCommand) choose(ctx context.Context, ids []string) (chosen []letters.Stored, err error) {
	if !c.all {
		return c.find(ctx, ids)
	}
	err = c.visit(ctx, func(l letters.Stored) error {
		chosen = append(chosen, l)
		return nil
	})
	return chosen, err
}

// delete asks before it deletes.
func (c *failedCommand) delete(ctx context.Context, ids []string) error {
	chosen, err := c.choose(ctx, ids)
	if err != nil {
		return err
	}
	if len(chosen) > 0 {
		question := fmt.Sprintf("Delete %s for good? (failed show --json makes a copy.)",
			terminal.Count(len(chosen), "dead letter"))
		if err := c.consent(ctx, c.all, c.yes, question); err != nil {
			return err
		}
	}
	return c.every(ctx, chosen, c.box.Delete, "deleted")
}

// action does something with a letter and reports whether it was still there.
type action func(context.Context, letters.Stored) (bool, error)

// each does something with the letters that are named, or selected with --all.
func (c *failedCommand) each(ctx context.Context, ids []string, do action, done string) error {
	chosen, err := c.choose(ctx, ids)
	if err != nil {
		return err
	}
	return c.every(ctx, chosen, do, done)
}

func (c *failedCommand) every(ctx context.Context, chosen []letters.Stored, do action, done string) error {
	n := 0
	var failed error
	for _, l := range chosen {
		was, err := do(ctx, l)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			c.logs.Error("dead letter stays", "id", l.ID, "error", err)
			failed = err
		case was:
			n++
			c.warnOfOrphan(l, done)
		}
	}
	fmt.Fprintf(c.out(), "%s %s\n", terminal.Count(n, "dead letter"), done)
	return failed
}

// warnOfOrphan tells of a letter that went to a queue beyond the number of queues.
func (c *failedCommand) warnOfOrphan(l letters.Stored, done string) {
	if queues := c.conn.settings.queue.NumQueueWorkers; l.Queue >= queues {
		c.logs.Warn("queue of the dead letter is beyond the number of queues", "id", l.ID, "queue", l.Queue, "queues", queues,
			"dead letter", done)
	}
}
