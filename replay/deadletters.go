package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// DefaultMaxLetters is how many dead letters a queue may have.
const DefaultMaxLetters = 100_000

// ErrTooManyLetters is the error of a queue that has as many dead letters as it may have: it is not processed until
// somebody has looked.
var ErrTooManyLetters = errors.New("too many dead letters")

// roomFor makes sure that n more dead letters may be put aside.
func (j *job) roomFor(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	there, err := j.options.Backend.Len(ctx, queue.FailedKey(j.list))
	if err == nil && there+int64(n) > int64(j.options.MaxLetters) {
		return fmt.Errorf("%w: %d, and %d more in this batch, at most %d are kept: see queuedtracking failed list",
			ErrTooManyLetters, there, n, j.options.MaxLetters)
	}
	return err
}

// newDeadLetter describes what is put aside at a position of the batch.
func (j *job) newDeadLetter(position, request int, err error) deadLetter {
	return deadLetter{
		Offset: j.head.Offset + int64(position), Request: request, Reason: reason(err),
		Error: shorten(redact.Text(err.Error())), Time: j.options.Clock().UTC().Format(time.RFC3339),
	}
}

func reason(err error) string {
	var bug *tracker.PanicError
	switch {
	case errors.Is(err, queue.ErrUndecodable):
		return letters.Undecodable
	case errors.As(err, &bug):
		return letters.Bug
	}
	return letters.BadData
}

func shorten(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
}

// deadLetters are those of an attempt. It numbers the refusals of the result by entry; before, they are numbered by
// request set.
func (j *job) deadLetters(result *tracker.Result) []deadLetter {
	all := j.undecodable[:len(j.undecodable):len(j.undecodable)]
	for i := range result.Refusals {
		refusal := &result.Refusals[i]
		refusal.Set = j.entries[refusal.Set].Position
		if refusal.Failed {
			all = append(all, j.newDeadLetter(refusal.Set, refusal.Request, refusal.Err))
		}
	}
	return all
}

// markTTL is how long an interrupted batch may wait for its continuation.
const markTTL = 30 * 24 * time.Hour

// MarkKey names the mark that says whose dead letters of a list were put aside last.
func MarkKey(list string) string { return "queuedtracking:buried:{" + list + "}" }

// putAside appends the dead letters of the committed batch to those of the queue, unless the mark says that it has been
// done. They come from the checkpoint: perhaps it is a killed worker's batch, of which nothing else is known.
func (j *job) putAside(ctx context.Context) error {
	saved := parseRecord(j.checkpoint.Digest)
	if len(saved.deadLetters) == 0 {
		return nil
	}
	err := j.retry(ctx, func() error {
		mark := queue.Mark{
			Key: MarkKey(j.list), Value: fmt.Sprintf("%d %s", j.checkpoint.Offset, saved.last), TTL: markTTL, WhenFull: true,
		}
		if value, _, err := j.options.Backend.Get(ctx, mark.Key); err != nil || value == mark.Value {
			return err
		}
		elements, err := j.encodeLetters(ctx, saved.deadLetters)
		if err != nil {
			return err
		}
		if err := j.lock.Extend(ctx, j.options.LockTTL); err != nil {
			return err // whoever has the lock now does it
		}
		return j.options.Backend.AppendMarked(ctx, queue.FailedKey(j.list), mark, elements...)
	})
	j.run.at(AfterLetters)
	if errors.Is(err, lock.ErrLost) {
		return err
	}
	j.countDeadLetters(saved.deadLetters)
	return err
}

// encodeLetters joins dead letters with their entries, which are still in the queue.
func (j *job) encodeLetters(ctx context.Context, all []deadLetter) ([][]byte, error) {
	var elements [][]byte
	for _, n := range all {
		entry, err := j.entryAt(ctx, n.Offset-j.head.Offset)
		if err != nil {
			return nil, err
		}
		if entry == nil {
			j.options.Log.Error("entry of a dead letter is gone: the queue's server has lost it",
				"queue", j.queue, "offset", n.Offset, "error", n.Error)
			continue
		}
		letter := letters.Letter{
			Queue: j.queue, Offset: n.Offset, Request: n.Request, Reason: n.Reason, Error: n.Error, Time: n.Time, Entry: entry,
		}
		element, err := letter.Encode()
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, nil
}

// entryAt is the entry at a position from the head, nil when it is not there.
func (j *job) entryAt(ctx context.Context, position int64) ([]byte, error) {
	switch {
	case j.committedBefore == 0: // the batch is our own: it may have been removed by somebody else meanwhile
		return j.head.Elements[position], nil
	case position < 0 || position >= j.committedBefore:
		return nil, nil
	}
	found, err := j.options.Backend.Range(ctx, j.list, position, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// countDeadLetters counts and logs what was put aside.
func (j *job) countDeadLetters(all []deadLetter) {
	for _, n := range all {
		if n.Request == letters.WholeEntry {
			j.worker.summary.Undecodable++
		}
		j.options.Log.Warn("put aside as a dead letter",
			"queue", j.queue, "offset", n.Offset, "request", n.Request, "reason", n.Reason, "error", n.Error)
	}
}
