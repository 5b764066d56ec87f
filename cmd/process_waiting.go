package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/replay"
)

// whyLeft is why a run has left request sets in a queue. It is a word for machines.
type whyLeft string

const (
	leftSwitchedOff whyLeft = "tracking_switched_off"
	leftNotAskedFor whyLeft = "not_asked_for"
	leftDeadLetters whyLeft = "too_many_dead_letters"
	leftRefused     whyLeft = "all_refused"
	leftTooFew      whyLeft = "too_few"
	leftLocked      whyLeft = "locked"
	leftStopped     whyLeft = "stopped"
	leftError       whyLeft = "error"
	leftMaxBatches  whyLeft = "max_batches"
	leftNew         whyLeft = "new"
)

// leftQueue is a queue in which request sets wait at the end of a run.
type leftQueue struct {
	Queue int     `json:"queue"`
	Sets  int64   `json:"request_sets"`
	Why   whyLeft `json:"reason"`
	Text  string  `json:"explanation"`
}

// left finds what waits after a run with this summary and error, nil when it cannot be found out.
func (c *processCommand) left(ctx context.Context, s replay.Summary, failed error) []leftQueue {
	if c.flags.quiet && !c.json || ctx.Err() != nil {
		return nil
	}
	all, err := c.find(ctx, s, failed)
	if err != nil && failed == nil { // otherwise it is told why
		c.logs.Warn("cannot find out what waits in the queues", "error", err)
	}
	return all
}

func (c *processCommand) find(ctx context.Context, s replay.Summary, failed error) ([]leftQueue, error) {
	waiting, err := c.conn.manager.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	all := []leftQueue{}
	var keys []string
	for id, sets := range waiting {
		if sets > 0 {
			all, keys = append(all, leftQueue{Queue: id, Sets: sets}), append(keys, lock.Key(id))
		}
	}
	locks, err := c.conn.backend.TTLs(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		q := &all[i]
		q.Why = c.whyLeft(s, *q, locks[i] != 0, failed)
		q.Text = c.explain(q.Why)
	}
	return slices.DeleteFunc(all, func(q leftQueue) bool { return q.Text == "" }), nil
}

func (c *processCommand) whyLeft(s replay.Summary, q leftQueue, locked bool, failed error) whyLeft {
	switch {
	case !c.conn.config.Tracker(0).RecordStatistics:
		return leftSwitchedOff
	case c.queueID.set && c.queueID.value != q.Queue:
		return leftNotAskedFor
	case slices.Contains(s.Full, q.Queue):
		return leftDeadLetters
	case slices.Contains(s.Refused, q.Queue):
		return leftRefused
	case q.Sets < int64(c.threshold()):
		return leftTooFew
	case locked:
		return leftLocked
	case c.stopped(), failed != nil && failure(failed) == nil:
		return leftStopped
	case failed != nil:
		return leftError
	case c.maxBatches > 0:
		return leftMaxBatches
	}
	return leftNew
}

// explain says it for people, "" when a dry run has looked at what it leaves.
func (c *processCommand) explain(why whyLeft) string {
	if c.dryRun && (why == leftMaxBatches || why == leftNew) {
		return ""
	}
	return map[whyLeft]string{
		leftSwitchedOff: "tracking is switched off (record_statistics = 0)",
		leftNotAskedFor: fmt.Sprintf("left by --queue-id %d", c.queueID.value),
		leftDeadLetters: "as many dead letters as there may be; see \"queuedtracking failed list\", retry or delete them",
		leftRefused:     "the database refuses every request, see the error; once a request can be written they are tracked",
		leftTooFew: fmt.Sprintf("fewer than %d, left for later. --force-num-requests-process-at-once 1 takes them",
			c.threshold()),
		leftLocked:     "locked by another worker; \"queuedtracking lock-status\" says for how long",
		leftStopped:    "this run was stopped",
		leftError:      "this run ended with an error",
		leftMaxBatches: fmt.Sprintf("--max-batches %d is reached", c.maxBatches),
		leftNew:        "they came in while this run ended",
	}[why]
}

// waitingLines says for each reason what waits, in one line.
func waitingLines(all []leftQueue) (lines []string) {
	var told []whyLeft
	for _, first := range all {
		if slices.Contains(told, first.Why) {
			continue
		}
		told = append(told, first.Why)
		var sets int64
		var ids []int
		for _, q := range all {
			if q.Why == first.Why {
				sets, ids = sets+q.Sets, append(ids, q.Queue)
			}
		}
		text := first.Text
		if first.Why == leftTooFew && len(ids) > 1 {
			text = strings.Replace(text, ",", " in each,", 1)
		}
		verb := " wait in "
		if sets == 1 {
			verb = " waits in "
		}
		lines = append(lines, terminal.Count(sets, "request set")+verb+queueNames(ids)+": "+text)
	}
	return lines
}

// queueNames names queues by their numbers, which ascend: "queue 3", "5 queues (0-3, 7)".
func queueNames(ids []int) string {
	if len(ids) == 1 {
		return fmt.Sprint("queue ", ids[0])
	}
	var ranges []string
	for i := 0; i < len(ids); {
		end := i
		for end+1 < len(ids) && ids[end+1] == ids[end]+1 {
			end++
		}
		switch end - i {
		case 0:
			ranges = append(ranges, fmt.Sprint(ids[i]))
		case 1:
			ranges = append(ranges, fmt.Sprint(ids[i]), fmt.Sprint(ids[end]))
		default:
			ranges = append(ranges, fmt.Sprintf("%d-%d", ids[i], ids[end]))
		}
		i = end + 1
	}
	return fmt.Sprintf("%s (%s)", terminal.Count(len(ids), "queue"), strings.Join(ranges, ", "))
}
