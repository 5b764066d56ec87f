package cmd

import (
	"context"
	"fmt"
)

// readAgain reads, between two cycles, what may change while a run goes on: the number of queues and of requests per
// batch, for which changed tells that they are others now, and what is cached of sites and goals. It is a query or two;
// sites are read when a batch comes. What cannot change within a run ends it: the error is that of again.
//
// While the database is away the last settings hold: the cycle finds out and waits.
func (c *processCommand) readAgain(ctx context.Context) (changed bool, err error) {
	if file := c.conn.watch.Files(); file != "" {
		return false, c.again(file + " has changed")
	}
	if err := c.checkOptions(ctx); err != nil {
		return false, err
	}
	fresh, err := c.conn.freshSettings(ctx)
	if err != nil {
		return false, c.hold(ctx, err)
	}
	now, before := fresh.queue, c.conn.settings.queue
	switch {
	case !now.SamePlace(before):
		return false, c.again("settings of plugin QueuedTracking: the queues are elsewhere now")
	case c.queueID.set && c.queueID.value >= now.NumQueueWorkers:
		return false, c.again(fmt.Sprintf("--queue-id %d: the number of queues is %d now", c.queueID.value,
			now.NumQueueWorkers))
	}
	c.conn.settings = fresh
	c.conn.installation.Renew()
	if now.NumQueueWorkers == before.NumQueueWorkers && now.NumRequestsToProcess == before.NumRequestsToProcess {
		return false, nil
	}
	fmt.Fprintf(c.out(), "Settings have changed: %s\n", now)
	return true, c.conn.countQueues(now.NumQueueWorkers)
}

// checkOptions ends the run when an option has changed that is only looked at in the beginning.
func (c *processCommand) checkOptions(ctx context.Context) error {
	option, err := c.conn.watch.Options(ctx, c.conn.installation)
	if err != nil {
		return c.hold(ctx, err)
	}
	if option != "" {
		return c.again("Matomo's option " + option + " has changed")
	}
	return nil
}

// lookAfter does, in later cycles, what a run does at its beginning and what takes too long for each cycle: queues that
// were left behind are moved. At once after a change of settings, else now and then.
func (c *processCommand) lookAfter(ctx context.Context, changed bool) error {
	if !changed && c.clock().Sub(c.looked) < lookAfterInterval {
		return nil
	}
	if err := c.moveOrphans(ctx); err != nil {
		return c.hold(ctx, fmt.Errorf("queues that were left behind: %w", err))
	}
	return nil
}

// hold goes on although something could not be read again, unless ctx has ended.
func (c *processCommand) hold(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.logs.Warn("settings cannot be read again, the last ones hold", "error", err)
	return nil
}

// again ends the run in order, with a status that makes service managers start it anew.
func (c *processCommand) again(reason string) error {
	c.logs.Warn("this run ends, to be started anew", "reason", reason)
	return &exitError{status: statusAgain}
}
