package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// batch is the head of a queue on its way into the database.
type batch struct {
	*worker
	queue int
	list  string
	head  queue.Batch
	held  *lock.Lock

	positions []int // entry of each request set: undecodable entries have none
	letters   []letter
}

// process tracks the entries and removes them from the queue. Entries that hold no request set, and requests that cannot be written, go
// to the dead letters.
func (b *batch) process(ctx context.Context) (tracker.Result, error) {
	sets := b.decode()
	prepared, err := b.prepare(ctx, sets)
	if err != nil {
		return tracker.Result{}, err
	}
	result, err := b.write(ctx, prepared)
	if err != nil {
		return tracker.Result{}, err
	}
	removed, err := b.Backend.RemoveFirst(ctx, b.list, b.head)
	if err != nil {
		return result, fmt.Errorf("removing committed entries: %w", err)
	}
	if !removed {
		b.Log.Warn("somebody else removed the batch from the queue while it was tracked", "queue", b.queue, "offset", b.head.Offset)
	}
	return result, nil
}

// decode opens the entries.
func (b *batch) decode() []queue.RequestSet {
	sets := make([]queue.RequestSet, 0, len(b.head.Elements))
	for i, element := range b.head.Elements {
		set, err := queue.Decode(element)
		if err != nil {
			b.summary.Undecodable++
			b.Log.Warn("undecodable entry moved to the dead letters", "queue", b.queue, "offset", b.head.Offset+int64(i), "error", err)
			b.letters = append(b.letters, b.letter(i, noRequest, err))
			continue
		}
		sets = append(sets, set)
		b.positions = append(b.positions, i)
	}
	return sets
}

func (b *batch) prepare(ctx context.Context, sets []queue.RequestSet) (prepared *tracker.Batch, err error) {
	err = b.retry(ctx, func() error {
		prepared, err = b.tracker.Prepare(ctx, sets)
		return err
	})
	return prepared, err
}

// write makes attempts until the batch is committed. Each attempt looks at the checkpoint first, so that an attempt whose COMMIT was
// answered by silence is not repeated when it did succeed.
func (b *batch) write(ctx context.Context, prepared *tracker.Batch) (result tracker.Result, err error) {
	err = b.retry(ctx, func() error {
		result, err = b.attempt(ctx, prepared)
		if err == nil || store.IsRetryable(err) || errors.Is(err, lock.ErrLost) || ctx.Err() != nil {
			return err
		}
		return b.isolate(ctx, prepared, err)
	})
	if errors.Is(err, errIsolated) {
		return b.write(ctx, prepared)
	}
	return result, err
}

// attempt is one transaction.
func (b *batch) attempt(ctx context.Context, prepared *tracker.Batch) (result tracker.Result, err error) {
	tx, err := b.Store.Begin(ctx)
	if err != nil {
		return result, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	cp, err := tx.Checkpoint(ctx, b.list)
	if err != nil {
		return result, err
	}
	known, err := b.committed(ctx, b.list, b.head, cp)
	if err != nil {
		return result, err
	}
	if len(known.Elements) > 0 {
		b.summary.Recovered += len(known.Elements)
		b.Log.Warn("entries that are committed already are removed from the queue", "queue", b.queue, "offset", known.Offset, "entries", len(known.Elements))
		b.head = known
		return result, nil
	}
	if result, err = b.tracker.Write(ctx, tx, prepared); err != nil {
		return result, err
	}
	if err := tx.SaveCheckpoint(ctx, b.list, checkpointAfter(b.head)); err != nil {
		return result, err
	}
	if err := b.bury(ctx, result); err != nil {
		return result, err
	}
	if err := b.held.Extend(ctx, lock.TTLForCommit(len(b.head.Elements))); err != nil {
		return result, err
	}
	return result, tx.Commit()
}

var errIsolated = errors.New("a request was isolated")

// isolate finds the first request with which the database refuses the batch and marks it as failed, so that the next attempt writes
// everything else. It returns errIsolated, or the error when no request is to blame.
func (b *batch) isolate(ctx context.Context, prepared *tracker.Batch, cause error) error {
	fine, bad := 0, prepared.Len() // the first fine requests can be written, the first bad ones cannot
	for bad-fine > 1 {
		middle := (fine + bad) / 2
		err := b.rehearse(ctx, prepared.Prefix(middle))
		switch {
		case err == nil:
			fine = middle
		case store.IsRetryable(err) || ctx.Err() != nil:
			return err
		default:
			bad, cause = middle, err
		}
	}
	if bad == 0 || !prepared.Fail(bad-1, cause) {
		return cause
	}
	b.Log.Warn("request cannot be written, batch tried again without it", "queue", b.queue, "offset", b.head.Offset, "error", cause)
	return errIsolated
}

// rehearse writes and rolls back.
func (b *batch) rehearse(ctx context.Context, prepared *tracker.Batch) error {
	tx, err := b.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // that is what it is for
	_, err = b.tracker.Write(ctx, tx, prepared)
	return err
}

const (
	maxAttempts  = 8
	firstBackOff = 50 * time.Millisecond
	maxBackOff   = 5 * time.Second
)

// retry repeats what a deadlock, a lock wait time-out or a lost connection ended, with growing pauses, and keeps the lock meanwhile.
func (b *batch) retry(ctx context.Context, do func() error) error {
	pause := firstBackOff
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || !store.IsRetryable(err) || attempt == maxAttempts {
			return err
		}
		b.summary.Retries++
		b.Log.Warn("database asks for another attempt", "queue", b.queue, "offset", b.head.Offset, "attempt", attempt, "error", err)
		if err := b.held.Extend(ctx, lock.TTL); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, maxBackOff)
	}
}
