package cmd

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// out is where output for people goes: nowhere with -q, and where stdout is for JSON.
func (p *program) out() io.Writer {
	if p.flags.quiet || p.flags.json {
		return io.Discard
	}
	return p.sentences()
}

// showProgress makes a bar if stderr is a terminal, and for people.
func (c *processCommand) showProgress() {
	if device := c.device(c.stderr); device.IsTerminal() && !c.flags.quiet && !c.flags.json && !c.logs.json {
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
func (c *processCommand) onBatch(b replay.Report) {
	if c.progress != nil {
		c.progress.Add(int64(b.Result.Sets))
	}
	for _, r := range b.Result.Refusals {
		if !r.Failed { // of the others the worker has told when it put them aside
			c.logRefusal(b, r)
		}
	}
	c.logs.Debug("batch", "queue", b.Queue, "offset", b.Offset, "sets", b.Result.Sets, "requests", b.Result.Requests,
		"tracked", b.Result.Tracked, "left", b.Left, "took", b.Duration.Round(time.Microsecond))
	c.recordBatch(b)
	c.reportBatch(b)
}

// shownURL is how much of a URL is logged.
const shownURL = 200

// logRefusal names a request that Matomo refuses as well: it is gone then.
func (c *processCommand) logRefusal(b replay.Report, r tracker.Refusal) {
	param := func(name string) string { return "" }
	if params := b.Request(r); params != nil {
		param = func(name string) string { return cell(php.ToString(params.Value(name)), shownURL) }
	}
	c.logs.Info("request rejected", "queue", b.Queue, "offset", b.Offset+int64(r.Set), "set", r.Set, "request", r.Request,
		"idsite", param("idsite"), "url", param("url"), "reason", r.Err)
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
	title := func(did, would string) string { return did }
	tracked := terminal.Number(s.Tracked) + " of " + terminal.Count(s.Requests, "request")
	if c.dryRun { // which visits and conversions are new depends on the batches in front
		title = func(did, would string) string { return would }
		fmt.Fprintf(w, "Dry run, nothing was written. Would be tracked: %s\n", tracked)
	} else {
		bots := ""
		if s.BotRequests > 0 {
			bots = ", " + terminal.Count(s.BotRequests, "bot request")
		}
		rows := fmt.Sprintf(" (%s, %s, %s%s)", terminal.Count(s.Visits, "new visit"), terminal.Count(s.Actions, "action"),
			terminal.Count(s.Conversions, "conversion"), bots)
		if s.RowsNotCounted {
			rows = ""
		}
		fmt.Fprintf(w, "Tracked: %s%s\n", tracked, rows)
	}
	printReasons(w, title("Excluded", "Would be excluded"), s.Excluded)
	printReasons(w, title("Rejected", "Would be rejected"), s.Rejected)
	c.printLetters(w, title("Dead letters", "Would be put aside as dead letters"), s)
	if s.Recovered > 0 {
		fmt.Fprintf(w, "Recovered: %s that an earlier run had committed and not removed: removed\n", entries(s.Recovered))
	}
	if s.Retries > 0 {
		fmt.Fprintf(w, "Repeated: %s, after a deadlock, a time-out or a lost connection\n",
			terminal.Count(s.Retries, "transaction"))
	}
}

// printLetters prints how many dead letters there are of each kind.
func (c *processCommand) printLetters(w io.Writer, title string, s replay.Summary) {
	if s.Failed+s.Undecodable == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %s\n", title, terminal.Number(s.Failed+s.Undecodable))
	cannot := "could not"
	if c.dryRun {
		cannot = "cannot"
	}
	if s.Failed > 0 {
		fmt.Fprintf(w, "  %s that %s be written\n", terminal.Count(s.Failed, "request"), cannot)
	}
	if s.Undecodable > 0 {
		fmt.Fprintf(w, "  %s that %s be read\n", entries(s.Undecodable), cannot)
	}
	if !c.dryRun {
		fmt.Fprintln(w, "  see them with: queuedtracking failed list")
	}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return terminal.Number(n) + " entries"
}

// printReasons prints how many requests met each reason, the most frequent first.
func printReasons[K ~string](w io.Writer, title string, counts map[K]int) {
	total := sum(counts)
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

func sum[K ~string](counts map[K]int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}
