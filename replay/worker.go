package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// worker takes one queue after the other.
type worker struct {
	Options
	tracker Tracker
	manager *queue.Manager
	locker  *lock.Locker
	rounds  *queue.Rotation
	stop    <-chan struct{}
	summary Summary
}

func (w *worker) stopped(ctx context.Context) bool {
	select {
	case <-w.stop:
		return true
	default:
		return ctx.Err() != nil || w.MaxBatches > 0 && w.summary.Batches >= w.MaxBatches
	}
}

// run makes rounds over the queues until a whole round found nothing to do.
func (w *worker) run(ctx context.Context) error {
	for !w.stopped(ctx) {
		worked, err := w.round(ctx)
		if err != nil {
			return err
		}
		if !worked {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// round visits every queue that holds enough sets once.
func (w *worker) round(ctx context.Context) (worked bool, err error) {
	waiting, err := w.manager.Waiting(ctx)
	if err != nil {
		return false, err
	}
	w.summary.Busy = 0
	for id := range w.rounds.Round() {
		if w.Only != AnyQueue && id != w.Only || waiting[id] < int64(w.Threshold) {
			continue
		}
		if w.stopped(ctx) {
			return worked, nil
		}
		took, err := w.takeQueue(ctx, id)
		if err != nil {
			return worked, err
		}
		worked = worked || took
	}
	return worked, nil
}

// takeQueue locks a queue and processes some of its batches. It reports whether there was anything to do.
func (w *worker) takeQueue(ctx context.Context, id int) (worked bool, err error) {
	held, ok, err := w.locker.Acquire(ctx, id, lock.TTL)
	if err != nil {
		return false, err
	}
	if !ok {
		w.summary.Busy++
		return false, nil
	}
	defer func() {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		if e := held.Release(release); e != nil && !errors.Is(e, lock.ErrLost) && err == nil {
			err = e
		}
	}()
	if w.DryRun {
		return false, w.preview(ctx, id) // nothing is removed: a second round would see the same entries
	}
	for range batchesPerLock {
		if w.stopped(ctx) {
			break
		}
		n, err := w.nextBatch(ctx, id, held)
		if errors.Is(err, lock.ErrLost) {
			w.Log.Warn("lock lost, batch rolled back", "queue", id)
			return worked, nil
		}
		if err != nil || n == 0 {
			return worked, err
		}
		worked = true
	}
	return worked, nil
}

const releaseTimeout = 5 * time.Second

// nextBatch processes the queue's oldest entries and returns how many it removed, 0 when the queue holds too few.
func (w *worker) nextBatch(ctx context.Context, id int, held *lock.Lock) (removed int, err error) {
	started := w.Clock()
	list := queue.Key(id)
	head, err := w.Backend.Head(ctx, list, w.BatchSize)
	if err != nil {
		return 0, err
	}
	if len(head.Elements) < min(w.Threshold, w.BatchSize) || len(head.Elements) == 0 {
		return 0, nil
	}
	b := &batch{worker: w, queue: id, list: list, head: head, held: held}
	result, err := b.process(ctx)
	if err != nil {
		return 0, fmt.Errorf("queue %d: %w", id, err)
	}
	w.summary.Batches++
	w.summary.Result.Add(result)
	if w.OnBatch != nil {
		w.OnBatch(Batch{id, head.Offset, head.Len - int64(len(head.Elements)), w.Clock().Sub(started), result})
	}
	return len(head.Elements), nil
}
