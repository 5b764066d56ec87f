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
	run      *run
	options  *Options // of the run
	tracker  Tracker
	manager  *queue.Manager
	locker   *lock.Locker
	rounds   *queue.Rotation
	stop     <-chan struct{}
	summary  Summary
	reported Summary // the summary at the last report

	inFlight        []*inFlight                 // in the order of their batches
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
		return ctx.Err() != nil || w.options.MaxBatches > 0 && w.summary.Batches+len(w.inFlight) >= w.options.MaxBatches
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
		if w.options.Only != AnyQueue && id != w.options.Only || waiting[id] < int64(w.options.Threshold) || w.blocked[id] != nil {
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

// batches processes some batches of a queue. Each is read ahead while those in front of it are played and written.
func (w *worker) batches(ctx context.Context, id int, held *lock.Lock) (worked bool, err error) {
	var j *job // the next one, when it has been read ahead
	defer func() {
		if j != nil {
			j.discard()
		}
		if _, e := w.drain(ctx, 0, nil); err == nil && e != nil {
			err = ofQueue(id, e)
		}
	}()
	since := w.options.Clock()
	for n := 1; !w.stopped(ctx); n++ {
		more := n < batchesPerLock || w.options.Clock().Sub(since) < timePerLock
		if j == nil {
			if _, err := w.drain(ctx, 0, nil); err != nil {
				return worked, ofQueue(id, err)
			}
			if w.stopped(ctx) {
				break
			}
			if j, err = w.read(ctx, id, held); err != nil || j == nil {
				return worked, err
			}
		}
		if j, err = w.track(ctx, j, more); err != nil {
			return worked, &QueueError{id, err}
		}
		worked, w.locksLost = true, 0
		if !more && j == nil {
			break
		}
	}
	return worked, nil
}

// enough reports whether so many entries make a batch.
func (w *worker) enough(entries int) bool {
	return entries > 0 && entries >= min(w.options.Threshold, w.options.BatchSize)
}

// newJob is a batch of a queue; size is the number of entries to ask for.
func (w *worker) newJob(id int, held *lock.Lock, size int) *job {
	return &job{worker: w, run: w.run, options: w.options, queue: id, list: queue.Key(id), lock: held, size: size}
}

// read reads and prepares the queue's oldest entries, nil when the queue holds too few.
func (w *worker) read(ctx context.Context, id int, held *lock.Lock) (*job, error) {
	j := w.newJob(id, held, w.sizer.size)
	err := w.retry(ctx, func() (err error) {
		j.head, err = w.options.Backend.Head(ctx, j.list, j.size)
		return err
	}, "queue", id)
	if err != nil || !w.enough(len(j.head.Elements)) {
		return nil, err
	}
	j.run.at(AfterRead)
	j.decode()
	if err := j.prepare(ctx); err != nil {
		return nil, &QueueError{id, fmt.Errorf("offset %d: %w", j.head.Offset, err)}
	}
	return j, nil
}

// track puts the batch in flight or, if it cannot overlap with others, processes it alone. It returns the batch behind
// it, if the look-ahead has read one.
func (w *worker) track(ctx context.Context, j *job, more bool) (next *job, err error) {
	if more {
		j.startLookAhead(ctx)
	}
	err = w.putInFlight(ctx, j)
	if err == nil {
		inOrder, err := w.drain(ctx, maxInFlight, nil)
		return j.next(err == nil && inOrder && !w.stopped(ctx)), err
	}
	if !errors.Is(err, errNoOverlap) {
		j.options.Log.Debug("batch is processed step by step", append(j.where(), "error", err)...)
		if retryable(err) {
			w.summary.Retries++
		}
	}
	if inOrder, err := w.drain(ctx, 0, j); err != nil || !inOrder {
		return nil, err
	}
	err = w.processAlone(ctx, j)
	return j.next(err == nil && j.removedAlone && !w.stopped(ctx)), err
}

// processAlone processes a batch step by step while no other is in flight.
func (w *worker) processAlone(ctx context.Context, j *job) error {
	retries := w.summary.Retries
	delete(w.checkpoints, j.list) // until it is committed again
	j.started = j.options.Clock()
	result, err := j.process(ctx)
	if errors.Is(err, errStale) {
		j.options.Log.Info("batch left: somebody else has just removed it", j.where()...)
		return nil
	}
	if err != nil {
		return fmt.Errorf("offset %d: %w", j.head.Offset, err)
	}
	j.done(ctx, result, w.summary.Retries > retries)
	return nil
}

// done counts a batch that is in the database and out of the queue, and derives the size of the next ones from it.
func (j *job) done(ctx context.Context, result *tracker.Result, repeated bool) {
	took := j.options.Clock().Sub(j.started)
	j.report(took, *result)
	j.adapt(ctx, took, repeated)
}

// report counts a batch and reports it to the caller.
func (j *job) report(took time.Duration, result tracker.Result) {
	j.worker.summary.Batches++
	j.worker.summary.Result.Add(result)
	j.trace(result)
	if j.options.OnBatch != nil {
		now, last := j.worker.summary, j.worker.reported
		j.options.OnBatch(Report{
			Queue: j.queue, Offset: j.head.Offset, Left: j.left(), Duration: took, Result: result, request: j.request,
			Undecodable: now.Undecodable - last.Undecodable,
			Recovered:   now.Recovered - last.Recovered,
			Retries:     now.Retries - last.Retries,
		})
		j.worker.reported = now
	}
}

// request gives the parameters of a request of an entry, nil when there is none.
func (j *job) request(entry, request int) *php.Array {
	i, found := slices.BinarySearch(j.positions, entry)
	if !found || request < 0 || request >= len(j.sets[i].Requests) {
		return nil
	}
	return j.sets[i].Requests[request]
}

// left is how many entries there were behind the batch.
func (j *job) left() int64 { return max(0, j.head.Len-int64(len(j.head.Elements))) }
