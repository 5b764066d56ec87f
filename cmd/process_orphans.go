package cmd

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
)

// moveOrphans brings the sets of queues beyond the number of queues, which nobody takes, into the ones that remain. A
// run that shall change nothing, or is about one queue only, just names them.
func (c *processCommand) moveOrphans(ctx context.Context) error {
	c.looked = c.clock()
	orphans, err := c.conn.manager.Orphans(ctx)
	if err != nil || len(orphans) == 0 {
		return err
	}
	if c.dryRun || c.queueID.set {
		for _, o := range orphans {
			c.logs.Warn("queue left behind when the number of queues was lowered; a run without --queue-id moves its sets",
				"queue", o.ID, "sets", o.Waiting)
		}
		return nil
	}
	visitors, err := c.assembly.NewTracker().Visitors(ctx)
	if err != nil {
		return err
	}
	moved, err := replay.MoveOrphans(ctx, c.options(), visitors)
	if moved > 0 {
		fmt.Fprintf(c.out(), "Moved %s of queues that were left behind when the number of queues was lowered.\n",
			terminal.Count(moved, "request set"))
	}
	return err
}
