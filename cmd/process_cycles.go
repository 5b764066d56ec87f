package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/replay"
)

// idleBeforeWipeOut is how long nothing may have been tracked before a cycle also takes queues that hold less than a
// batch.
const idleBeforeWipeOut = 10 * time.Second

// lookAfterInterval is how often a run that goes on for ever does what is too much for each cycle (lookAfter).
const lookAfterInterval = time.Minute

// cycles goes over the queues as often as --cycle says, or until the first signal.
func (c *processCommand) cycles(ctx context.Context, o replay.Options) (total replay.Summary, err error) {
	engines, end := c.newEngines()
	defer end()
	if c.cycle != 1 {
		if err := c.checkOptions(ctx); err != nil { // notes what they are now
			return total, err
		}
	}
	lastTracked := c.clock()
	for cycle := 1; ; cycle++ {
		if cycle > 1 {
			changed, err := c.readAgain(ctx)
			if err != nil {
				return total, err
			}
			if changed {
				o = c.options()
			}
			if err := c.lookAfter(ctx, changed); err != nil {
				return total, err
			}
		}
		threshold := o.Threshold
		if c.clock().Sub(lastTracked) > idleBeforeWipeOut {
			o.Threshold = 1
			lastTracked = c.clock()
		}
		o.NewEngine = inTurn(engines)
		summary, err := c.oneCycle(ctx, o, threshold)
		o.Threshold = threshold
		total.Add(summary)
		if err != nil || c.stopped() || cycle == c.cycle {
			return total, err
		}
		if summary.Tracked > 0 {
			lastTracked = c.clock()
		}
		if c.reloaded() {
			continue
		}
		c.announceNap(cycle)
		if c.nap(ctx, time.Duration(c.sleep)*time.Second); c.stopped() || ctx.Err() != nil {
			return total, context.Cause(ctx)
		}
		c.reloaded()
	}
}

// reloaded tells whether SIGHUP asks a service to read its settings again, and takes note of it.
func (c *processCommand) reloaded() bool {
	if !c.program.reloaded() {
		return false
	}
	fmt.Fprintln(c.out(), "SIGHUP: settings are read again.")
	return true
}

// inTurn hands out engines one after the other.
func inTurn(engines []replay.Engine) func() replay.Engine {
	next := 0
	return func() replay.Engine {
		next++
		return engines[next-1]
	}
}

func (c *processCommand) oneCycle(ctx context.Context, o replay.Options, threshold int) (replay.Summary, error) {
	if o.Threshold < threshold {
		c.logs.Info("nothing was tracked for a while: this cycle also takes queues that hold less than a batch")
	}
	if err := c.startProgress(ctx, o); err != nil {
		return replay.Summary{}, err
	}
	started := c.clock()
	stop, forget := c.stopOrReload()
	summary, err := replay.Run(ctx, stop, o)
	forget()
	c.stopProgress()
	c.printCycle(summary, c.clock().Sub(started))
	return summary, err
}
