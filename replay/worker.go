package replay

import (
	"context"
	"errors"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// worker takes one queue after the other.
type worker struct {
	run      *run
	options  *Options // of the run
	engine   Engine
	manager  *queue.Manager
	locker   *lock.Locker
	rounds   *queue.Rotation
	stop     <-chan struct{}
	summary  Summary
	reported Summary // the summary at the last report

	overlap         overlap
	checkpoints     map[string]store.Checkpoint // by list, as this worker has left them
	blocked         map[int]error               // queues that cannot go on
	locksLost       int                         // lost in a row, since the last batch
	sizer           *sizer
	askedForWaiters time.Time // when the database was asked last who waits for a lock
}

// maxLocksLost is how many locks a worker loses in a row before it leaves: it seems to be the one too many.
const maxLocksLost = 3

func (w *worker) stopped(ctx context.Context) bool {
	select {
	case <-w.stop:
		return true
	default:
		begun := w.summary.Batches + len(w.overlap.inFlight)
		return ctx.Err() != nil || w.options.MaxBatches > 0 && begun >= w.options.MaxBatches
	}
}

// work makes rounds over the queues until a whole round found nothing to do.
func (w *worker) work(ctx context.Context) error {
	for !w.stopped(ctx) {
		worked, err := w.round(ctx)
		if errors.Is(err, errAway) {
			w.options.Log.Warn("stopped while a server was away; what was not committed is still in the queue")
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		if !worked {
			break
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var full []error
	for id, err := range w.blocked {
		full = append(full, err)
		if errors.Is(err, ErrAllRefused) {
			w.summary.Refused = append(w.summary.Refused, id)
		} else {
			w.summary.Full = append(w.summary.Full, id)
		}
	}
	return errors.Join(full...)
}

// round visits every queue that holds enough sets once.
func (w *worker) round(ctx context.Context) (worked bool, err error) {
	var waiting []int64
	err = w.retry(ctx, func() error {
		waiting, err = w.manager.Waiting(ctx)
		return err
	})
	if err != nil {
		return false, err
	}
	w.summary.Busy = 0
	for id := range w.rounds.Round() {
		mayTake := w.options.Only == AnyQueue || id == w.options.Only
		if !mayTake || waiting[id] < int64(w.options.Threshold) || w.blocked[id] != nil {
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
	held, ok, err := w.acquire(ctx, id)
	if err != nil {
		return false, err
	}
	if !ok {
		w.summary.Busy++
		return false, nil
	}
	locked, release := w.keepLocked(ctx, held)
	defer release()
	if w.options.DryRun {
		return false, w.preview(locked, id, held) // nothing is removed: a second round would see the same entries
	}
	worked, err = w.batches(locked, id, held)
	switch {
	case errors.Is(err, lock.ErrLost), err != nil && errors.Is(context.Cause(locked), lock.ErrLost):
		w.locksLost++
		w.options.Log.Warn("lock lost, what was not committed is left to whoever has it", "queue", id)
		return worked || w.locksLost < maxLocksLost, nil
	case errors.Is(err, ErrTooManyLetters), errors.Is(err, ErrAllRefused):
		w.blocked[id] = ofQueue(id, err)
		w.options.Log.Error("queue not processed any further", "queue", id, "error", err)
		return worked, nil
	}
	return worked, err
}
