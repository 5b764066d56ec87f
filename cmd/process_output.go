package cmd

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
)

// out is where output for people goes: nowhere with -q.
func (p *program) out() io.Writer {
	if p.flags.quiet {
		return io.Discard
	}
	return p.sentences()
}

// showProgress makes a bar if stderr is a terminal.
func (c *processCommand) showProgress() {
	if device := c.device(c.stderr); device.IsTerminal() && !c.flags.quiet {
		c.progress = terminal.NewProgress(c.stderr, device, c.clock)
	}
}

// startProgress counts what the cycle will find.
func (c *processCommand) startProgress(ctx context.Context, o replay.Options) error {
	if c.progress == nil {
		return nil
	}
	waiting, err := c.conn.manager.Waiting(ctx)
	if err != nil {
		return err
	}
	var total int64
	for id, n := range waiting {
		if n >= int64(o.Threshold) && (o.Only == replay.AnyQueue || o.Only == id) {
			total += n
		}
	}
	if total > 0 {
		c.logs.to.set(c.progress)
		c.progress.Start(total)
	}
	return nil
}

func (c *processCommand) stopProgress() {
	if c.progress != nil {
		c.progress.Stop()
		c.logs.to.set(c.stderr)
	}
}

// onBatch is called by the workers after each batch.
func (c *processCommand) onBatch(b replay.Batch) {
	if c.progress != nil {
		c.progress.Add(int64(b.Result.Sets))
	}
	if c.metrics != nil {
		c.metrics.Batch(b)
	}
	for _, r := range b.Result.Refusals {
		if r.Failed {
			continue // the worker has said so when it put the dead letter aside
		}
		c.logs.Info("request rejected", "queue", b.Queue, "batch", b.Offset, "set", r.Set, "request", r.Request, "reason", r.Err)
	}
	c.logs.Debug("batch", "queue", b.Queue, "offset", b.Offset, "sets", b.Result.Sets, "requests", b.Result.Requests,
		"tracked", b.Result.Tracked, "left", b.Left, "took", b.Duration.Round(time.Microsecond))
}

func (c *processCommand) printCycle(s replay.Summary, took time.Duration) {
	rate := float64(s.Requests)
	if took > 0 {
		rate /= took.Seconds()
	}
	fmt.Fprintf(c.out(), "%s in %.2f seconds, %s req/s\n", terminal.Count(s.Requests, "request"), took.Seconds(), terminal.Number(int64(rate)))
}

func (c *processCommand) announceNap(cycle int) {
	left := "for ever"
	if c.cycle > 0 {
		left = terminal.Count(c.cycle-cycle, "cycle") + " to go"
	}
	c.logs.Info("sleeping before the next cycle", "seconds", c.sleep, "cycles", left)
}

// printSummary tells what became of everything that was taken from the queues.
func (c *processCommand) printSummary(s replay.Summary) {
	w := c.out()
	tracked := terminal.Number(s.Tracked) + " of " + terminal.Count(s.Requests, "request")
	if c.dryRun { // which visits and conversions are new depends on the batches in front
		fmt.Fprintf(w, "Dry run, nothing was written. Would be tracked: %s\n", tracked)
	} else {
		bots := ""
		if s.BotRequests > 0 {
			bots = ", " + terminal.Count(s.BotRequests, "bot request")
		}
		fmt.Fprintf(w, "Tracked: %s (%s, %s, %s%s)\n", tracked,
			terminal.Count(s.Visits, "new visit"), terminal.Count(s.Actions, "action"), terminal.Count(s.Conversions, "conversion"), bots)
	}
	printReasons(w, "Excluded", s.Excluded)
	printReasons(w, "Rejected", s.Rejected)
	for _, line := range []struct {
		n    int
		text string
	}{
		{s.Failed, "put aside as dead letters: requests that could not be written"},
		{s.Undecodable, "put aside as dead letters: entries that hold no requests"},
		{s.Recovered, "entries that an earlier run had committed and not removed: removed"},
		{s.Retries, "transactions repeated after a deadlock, a time-out or a lost connection"},
	} {
		if line.n > 0 {
			fmt.Fprintf(w, "  %s %s\n", terminal.Number(line.n), line.text)
		}
	}
	if s.Busy > 0 {
		fmt.Fprintf(w, "  %s left to another worker, who had it locked\n", terminal.Count(s.Busy, "queue"))
	}
	if letters := s.Failed + s.Undecodable; letters > 0 && !c.dryRun {
		fmt.Fprintln(w, "See the dead letters with: queuedtracking failed list")
	}
}

// printReasons prints how many requests met each reason, the most frequent first.
func printReasons[K ~string](w io.Writer, title string, counts map[K]int) {
	total := 0
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %s\n", title, terminal.Number(total))
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, reason := range reasons {
		fmt.Fprintf(w, "  %s %s\n", terminal.Number(counts[reason]), reason)
	}
}
