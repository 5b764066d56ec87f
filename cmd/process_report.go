package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
)

// reportEvery is the least time between two lines of a process that goes over the queues again and again.
const reportEvery = time.Minute

// report is what was done since the last line was printed.
type report struct {
	mu      sync.Mutex
	done    replay.Summary
	began   time.Time // of the first batch
	printed time.Time // of the last line
	total   time.Duration
}

// goesOn reports whether the queues are gone over more than once.
func (c *processCommand) goesOn() bool { return c.cycle != 1 }

// reportBatch counts a batch, and prints a line when the last one is a while ago, unless a bar shows how things are.
func (c *processCommand) reportBatch(b replay.Report) {
	if !c.goesOn() {
		return
	}
	r := &c.report
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done.Batches == 0 {
		r.began = c.clock().Add(-b.Duration)
	}
	r.done.Add(replay.Summary{
		Result: b.Result, Batches: 1, Undecodable: b.Undecodable, Recovered: b.Recovered,
		Retries: b.Retries,
	})
	if c.progress == nil && c.clock().Sub(r.began) >= reportEvery {
		c.printReport()
	}
}

// printCycle is called after each cycle. What a single one has done is told; of many there is a line each minute in
// which something was done, or one for each with -v.
func (c *processCommand) printCycle(s replay.Summary, took time.Duration) {
	c.report.total += took
	c.recordLook()
	if !c.goesOn() || c.flags.verbose > 0 {
		fmt.Fprintf(c.out(), "%s\n", speed(s.Requests, took))
	}
	r := &c.report
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done.Batches > 0 && c.clock().Sub(r.printed) >= reportEvery {
		c.printReport()
	}
}

// printReport prints what was done since the last line.
func (c *processCommand) printReport() {
	r := &c.report
	took := c.clock().Sub(r.began)
	switch {
	case c.json:
		c.printSummaryJSON(summaryOf(r.done, took))
	case c.flags.verbose == 0: // otherwise each cycle has been told of
		fmt.Fprintf(c.out(), "%s: %s\n", speed(r.done.Requests, took), outcomes(r.done))
	}
	r.done, r.printed = replay.Summary{}, c.clock()
}

// speed is how many requests were taken how fast.
func speed(requests int, took time.Duration) string {
	rate := float64(requests)
	if took > 0 {
		rate /= took.Seconds()
	}
	return fmt.Sprintf("%s in %.2f seconds, %s req/s", terminal.Count(requests, "request"), took.Seconds(),
		terminal.Number(int64(rate)))
}

// outcomes are the numbers of a summary in one line.
func outcomes(s replay.Summary) string {
	parts := []string{terminal.Number(s.Tracked) + " tracked"}
	for _, part := range []struct {
		n    int
		text string
	}{
		{sum(s.Excluded), terminal.Number(sum(s.Excluded)) + " excluded"},
		{sum(s.Rejected), terminal.Number(sum(s.Rejected)) + " rejected"},
		{s.Failed + s.Undecodable, terminal.Count(s.Failed+s.Undecodable, "dead letter")},
		{s.Recovered, entries(s.Recovered) + " recovered"},
	} {
		if part.n > 0 {
			parts = append(parts, part.text)
		}
	}
	return strings.Join(parts, ", ")
}

// failure is the error of a run that has failed, nil when it ends in order to be started anew.
func failure(err error) error {
	if exit, ok := errors.AsType[*exitError](err); ok && exit.err == nil {
		return nil
	}
	return err
}

// conclude tells at the end what was done in all cycles, and what waits.
func (c *processCommand) conclude(ctx context.Context, s replay.Summary, err error) {
	left := c.left(ctx, s, err)
	if c.json {
		all := summaryOf(s, c.report.total)
		all.finish(left, failure(err))
		c.printSummaryJSON(all)
		return
	}
	c.printSummary(s)
	c.printEngine()
	for _, line := range waitingLines(left) {
		fmt.Fprintln(c.out(), line)
	}
}

// tellSwitchedOff says that nothing is processed because Matomo does not track.
func (c *processCommand) tellSwitchedOff(ctx context.Context) {
	if c.json {
		c.logs.Warn(recordStatisticsOff)
		c.conclude(ctx, replay.Summary{}, nil)
		return
	}
	fmt.Fprintln(c.out(), recordStatisticsOff)
}
