package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// flight is a batch whose rows have been sent to the database and are not committed. It is the short way of a batch that nothing is wrong
// with: the worker knows the checkpoint, which its transaction moves first (store.Tx.MoveCheckpoint), so nothing need be read.
//
// While one batch lands, that is, is committed and removed from its queue, the next one takes off: its requests are applied, and its
// rows wait in the database for the lock on the checkpoint, which the first one's commit releases. It may not land before the first one
// has left the queue. Whatever goes wrong on the way ends the flight; the batch is then processed step by step (batch.process), and the
// one behind it is given up.
type flight struct {
	tx     *store.Tx
	result *tracker.Result
}

// takeOff tries to send the batch's rows behind a checkpoint. The batch is airborne afterwards, or nothing has happened.
func (b *batch) takeOff(ctx context.Context, last store.Checkpoint) {
	b.started = b.Clock()
	if b.joint != nil || len(b.notes) > 0 || last.Offset != b.head.Offset {
		return
	}
	if err := b.climb(ctx, last); err != nil {
		b.Log.Debug("batch is processed step by step", append(b.where(), "error", err)...)
		if retryable(err) {
			b.summary.Retries++
		}
	}
}

// errNotes says that there are dead letters, which are noted in the checkpoint.
var errNotes = errors.New("requests that cannot be written")

func (b *batch) climb(ctx context.Context, last store.Checkpoint) (err error) {
	defer recovered(&err)
	b.at(BeforeBegin)
	tx, err := b.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if b.flight == nil {
			_ = tx.Rollback()
		}
	}()
	if b.Fault != nil {
		tx.AfterWrites(func() { b.at(AfterWrite) })
	}
	saved := readCheckpoint(last).after(b.head, nil)
	if err := tx.MoveCheckpoint(ctx, b.list, last, saved); err != nil {
		return err
	}
	result, err := b.tracker.Write(ctx, tx, b.prepared)
	if err != nil {
		return err
	}
	for _, refusal := range result.Refusals {
		if refusal.Failed {
			return errNotes
		}
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	b.allNotes(result) // tells refusals by their positions
	b.saved, b.flight = saved, &flight{tx, result}
	return nil
}

// landing is what became of a flight.
type landing struct {
	committed bool
	removed   bool // and nothing else has left the queue
	err       error
}

// land begins to commit the batch that is airborne and to remove it from the queue.
func (b *batch) land(ctx context.Context) <-chan landing {
	landed := make(chan landing, 1)
	go func() {
		var l landing
		l.err = b.commitSafely(ctx)
		l.committed = l.err == nil
		close(b.down)
		if l.committed {
			after, cancel := outlast(ctx)
			defer cancel()
			l.removed, l.err = b.Backend.RemoveFirst(after, b.list, b.head)
			b.at(AfterRemoval)
		}
		landed <- l
	}()
	return landed
}

func (b *batch) commitSafely(ctx context.Context) (err error) {
	defer recovered(&err)
	defer b.flight.tx.Rollback() // after a commit there is nothing to roll back
	return b.commit(ctx, b.flight.tx, b.flight.result)
}

// arrive waits for the landing of a batch that is airborne, and lets the next one take off meanwhile.
func (b *batch) arrive(ctx context.Context, more bool) (next *batch, result *tracker.Result, err error) {
	landed := b.land(ctx)
	if next = b.ahead.take(true); next != nil && !b.stopped(ctx) {
		next.at(AfterRead)
		if more {
			next.readAhead(ctx, b.down)
		}
		next.takeOff(ctx, b.saved)
	}
	l := <-landed
	result, b.flight = b.flight.result, nil
	if l.committed {
		b.last[b.list] = b.saved
	}
	if b.removed = l.removed; l.removed {
		return next, result, nil
	}
	next.abandon()
	switch {
	case l.committed:
		after, cancel := outlast(ctx)
		defer cancel()
		return nil, result, b.clear(after)
	case errors.Is(l.err, lock.ErrLost), ctx.Err() != nil:
		return nil, nil, fmt.Errorf("offset %d: %w", b.head.Offset, l.err)
	}
	b.Log.Warn("batch not committed, processed step by step", append(b.where(), "error", l.err)...)
	b.summary.Retries++
	result, err = b.process(ctx)
	return nil, result, err
}

// abandon gives a batch up that will not be written, and those behind it. It may be nil.
func (b *batch) abandon() {
	if b == nil {
		return
	}
	b.ahead.take(false)
	if b.flight != nil {
		_ = b.flight.tx.Rollback()
		b.flight = nil
	}
	b.tracker.Discard(b.prepared)
}
