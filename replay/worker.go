package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// worker takes one queue after the other.
type worker struct {
	run     *run
	options *Options // of the run
	tracker Tracker
	manager *queue.Manager
	locker  *lock.Locker
	rounds  *queue.Rotation
	stop    <-chan struct{}
	summary Summary
	told    Summary // when OnBatch was called last

	air   []*flight                   // in the order of their batches
	last  map[string]store.Checkpoint // of lists, as this worker has left them
	full  map[int]error               // queues that cannot go on
	lost  int                         // locks lost since the last batch
	sizes *sizer
	asked time.Time // when it was asked whether somebody waits for a lock
}

// maxLost is how many locks a worker loses in a row before it leaves: it seems to be the one too many.
const maxLost = 3

func (w *worker) stopped(ctx context.Context) bool {
	select {
	case <-w.stop:
		return true
	default:
		return ctx.Err() != nil || w.options.MaxBatches > 0 && w.summary.Batches+len(w.air) >= w.options.MaxBatches
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
	for id, err := range w.full {
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
		if w.options.Only != AnyQueue && id != w.options.Only || waiting[id] < int64(w.options.Threshold) || w.full[id] != nil {
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
	locked, release := w.hold(ctx, held)
	defer release()
	if w.options.DryRun {
		return false, w.preview(locked, id, held) // nothing is removed: a second round would see the same entries
	}
	worked, err = w.batches(locked, id, held)
	switch {
	case errors.Is(err, lock.ErrLost), err != nil && errors.Is(context.Cause(locked), lock.ErrLost):
		w.lost++
		w.options.Log.Warn("lock lost, what was not committed is left to whoever has it", "queue", id)
		return worked || w.lost < maxLost, nil
	case errors.Is(err, ErrTooManyLetters), errors.Is(err, ErrAllRefused):
		w.full[id] = ofQueue(id, err)
		w.options.Log.Error("queue not processed any further", "queue", id, "error", err)
		return worked, nil
	}
	return worked, err
}

// batches processes some batches of a queue. Each is read ahead while those in front of it are played and written.
func (w *worker) batches(ctx context.Context, id int, held *lock.Lock) (worked bool, err error) {
	var b *batch // the next one, when it has been read ahead
	defer func() {
		if b != nil {
			b.abandon()
		}
		if _, e := w.land(ctx, 0, nil); err == nil && e != nil {
			err = ofQueue(id, e)
		}
	}()
	since := w.options.Clock()
	for n := 1; !w.stopped(ctx); n++ {
		more := n < batchesPerLock || w.options.Clock().Sub(since) < timePerLock
		if b == nil {
			if _, err := w.land(ctx, 0, nil); err != nil {
				return worked, ofQueue(id, err)
			}
			if w.stopped(ctx) {
				break
			}
			if b, err = w.readBatch(ctx, id, held); err != nil || b == nil {
				return worked, err
			}
		}
		if b, err = w.track(ctx, b, more); err != nil {
			return worked, &QueueError{id, err}
		}
		worked, w.lost = true, 0
		if !more && b == nil {
			break
		}
	}
	return worked, nil
}

// enough reports whether so many entries make a batch.
func (w *worker) enough(entries int) bool {
	return entries > 0 && entries >= min(w.options.Threshold, w.options.BatchSize)
}

// newBatch is a batch of a queue of which so many entries are asked for.
func (w *worker) newBatch(id int, held *lock.Lock, size int) *batch {
	return &batch{worker: w, run: w.run, options: w.options, queue: id, list: queue.Key(id), held: held, size: size}
}

// readBatch reads and prepares the queue's oldest entries, nil when the queue holds too few.
func (w *worker) readBatch(ctx context.Context, id int, held *lock.Lock) (*batch, error) {
	b := w.newBatch(id, held, w.sizes.size)
	err := w.retry(ctx, func() (err error) {
		b.head, err = w.options.Backend.Head(ctx, b.list, b.size)
		return err
	}, "queue", id)
	if err != nil || !w.enough(len(b.head.Elements)) {
		return nil, err
	}
	b.run.at(AfterRead)
	b.decode()
	if err := b.prepare(ctx); err != nil {
		return nil, &QueueError{id, fmt.Errorf("offset %d: %w", b.head.Offset, err)}
	}
	return b, nil
}

// track lets the batch fly or, if it cannot, processes it step by step. It returns the one behind it, if that has been read ahead.
func (w *worker) track(ctx context.Context, b *batch, more bool) (next *batch, err error) {
	if more {
		b.readAhead(ctx)
	}
	err = w.takeOff(ctx, b)
	if err == nil {
		straight, err := w.land(ctx, maxFlights, nil)
		return b.next(err == nil && straight && !w.stopped(ctx)), err
	}
	if !errors.Is(err, errSteps) {
		b.options.Log.Debug("batch is processed step by step", append(b.where(), "error", err)...)
		if retryable(err) {
			w.summary.Retries++
		}
	}
	if straight, err := w.land(ctx, 0, b); err != nil || !straight {
		return nil, err
	}
	err = w.step(ctx, b)
	return b.next(err == nil && b.removed && !w.stopped(ctx)), err
}

// step processes a batch with nothing in the air.
func (w *worker) step(ctx context.Context, b *batch) error {
	retries := w.summary.Retries
	delete(w.last, b.list) // until it is committed again
	b.started = b.options.Clock()
	result, err := b.process(ctx)
	if errors.Is(err, errStale) {
		b.options.Log.Info("batch left: somebody else has just removed it", b.where()...)
		return nil
	}
	if err != nil {
		return fmt.Errorf("offset %d: %w", b.head.Offset, err)
	}
	b.landed(ctx, result, w.summary.Retries > retries)
	return nil
}

// landed counts a batch that is in the database and out of the queue, and lets it decide the size of the next ones.
func (b *batch) landed(ctx context.Context, result *tracker.Result, repeated bool) {
	took := b.options.Clock().Sub(b.started)
	b.finished(took, *result)
	b.adapt(ctx, took, repeated)
}

// finished counts a batch and tells of it.
func (b *batch) finished(took time.Duration, result tracker.Result) {
	b.worker.summary.Batches++
	b.worker.summary.Result.Add(result)
	b.trace(result)
	if b.options.OnBatch != nil {
		now := b.worker.summary
		b.options.OnBatch(Batch{
			Queue: b.queue, Offset: b.head.Offset, Left: b.left(), Duration: took, Result: result, request: b.request,
			Undecodable: now.Undecodable - b.worker.told.Undecodable, Recovered: now.Recovered - b.worker.told.Recovered, Retries: now.Retries - b.worker.told.Retries,
		})
		b.worker.told = now
	}
}

// request gives the parameters of a request of an entry, nil when there is none.
func (b *batch) request(entry, request int) *php.Array {
	i, found := slices.BinarySearch(b.positions, entry)
	if !found || request < 0 || request >= len(b.sets[i].Requests) {
		return nil
	}
	return b.sets[i].Requests[request]
}

// left is how many entries there were behind the batch.
func (b *batch) left() int64 { return max(0, b.head.Len-int64(len(b.head.Elements))) }
