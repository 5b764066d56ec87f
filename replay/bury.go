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

// ErrTooManyLetters is the error of a queue that has as many dead letters as it may have: it is not processed until somebody has looked.
var ErrTooManyLetters = errors.New("too many dead letters")

// roomFor makes sure that n more dead letters may be put aside.
func (b *batch) roomFor(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	there, err := b.options.Backend.Len(ctx, queue.FailedKey(b.list))
	if err == nil && there+int64(n) > int64(b.options.MaxLetters) {
		return fmt.Errorf("%w: %d, and %d more in this batch, at most %d are kept: see queuedtracking failed list",
			ErrTooManyLetters, there, n, b.options.MaxLetters)
	}
	return err
}

// note describes what is put aside at a position of the batch.
func (b *batch) note(position, request int, err error) note {
	return note{
		Offset: b.head.Offset + int64(position), Request: request, Reason: reason(err),
		Error: shorten(redact.Text(err.Error())), Time: b.options.Clock().UTC().Format(time.RFC3339),
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
	return strings.ToValidUTF8(text[:min(len(text), maxNote)], "")
}

// allNotes are the dead letters of an attempt. Refusals of the result are told by their position among the entries from now on.
func (b *batch) allNotes(result *tracker.Result) []note {
	notes := b.notes[:len(b.notes):len(b.notes)]
	for i := range result.Refusals {
		refusal := &result.Refusals[i]
		refusal.Set = b.positions[refusal.Set]
		if refusal.Failed {
			notes = append(notes, b.note(refusal.Set, refusal.Request, refusal.Err))
		}
	}
	return notes
}

// markTTL is how long an interrupted batch may wait for its continuation.
const markTTL = 30 * 24 * time.Hour

// buriedKey names the mark that says whose dead letters were put aside last.
func buriedKey(list string) string { return "queuedtracking:buried:{" + list + "}" }

// bury puts the dead letters of the committed batch aside, unless the mark says that it has been done. They come from the checkpoint: it is
// a killed worker's batch perhaps, of which nothing else is known.
func (b *batch) bury(ctx context.Context) error {
	saved := parseRecord(b.saved.Digest)
	if len(saved.notes) == 0 {
		return nil
	}
	err := b.retry(ctx, func() error {
		mark := queue.Mark{
			Key: buriedKey(b.list), Value: fmt.Sprintf("%d %s", b.saved.Offset, saved.last), TTL: markTTL, WhenFull: true,
		}
		if value, _, err := b.options.Backend.Get(ctx, mark.Key); err != nil || value == mark.Value {
			return err
		}
		elements, err := b.letters(ctx, saved.notes)
		if err != nil {
			return err
		}
		if err := b.held.Extend(ctx, b.options.LockTTL); err != nil {
			return err // whoever has the lock now does it
		}
		return b.options.Backend.AppendMarked(ctx, queue.FailedKey(b.list), mark, elements...)
	})
	b.run.at(AfterLetters)
	if errors.Is(err, lock.ErrLost) {
		return err
	}
	b.count(saved.notes)
	return err
}

// letters joins notes with their entries, which are still in the queue.
func (b *batch) letters(ctx context.Context, notes []note) ([][]byte, error) {
	var elements [][]byte
	for _, n := range notes {
		entry, err := b.entry(ctx, n.Offset-b.head.Offset)
		if err != nil {
			return nil, err
		}
		if entry == nil {
			b.options.Log.Error("entry of a dead letter is gone: the queue's server has lost it", "queue", b.queue, "offset", n.Offset, "error", n.Error)
			continue
		}
		letter := letters.Letter{
			Queue: b.queue, Offset: n.Offset, Request: n.Request, Reason: n.Reason, Error: n.Error, Time: n.Time, Entry: entry,
		}
		element, err := letter.Encode()
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, nil
}

// entry is the entry at a position from the head, nil when it is not there.
func (b *batch) entry(ctx context.Context, position int64) ([]byte, error) {
	switch {
	case b.recovered == 0: // the batch is our own: it may have been removed by somebody else meanwhile
		return b.head.Elements[position], nil
	case position < 0 || position >= b.recovered:
		return nil, nil
	}
	found, err := b.options.Backend.Range(ctx, b.list, position, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// count tells of what was put aside.
func (b *batch) count(notes []note) {
	for _, n := range notes {
		if n.Request == letters.WholeEntry {
			b.worker.summary.Undecodable++
		}
		b.options.Log.Warn("put aside as a dead letter",
			"queue", b.queue, "offset", n.Offset, "request", n.Request, "reason", n.Reason, "error", n.Error)
	}
}
