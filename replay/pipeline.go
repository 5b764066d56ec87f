package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// This file has the stages of a batch in the order in which it passes them; the figure in doc.go shows them all. Those
// of batches that overlap are in inflight.go.

// batches processes some batches of a queue. Each is read ahead while those in front of it are played and written.
func (w *worker) batches(ctx context.Context, id int, held *lock.Lock) (worked bool, err error) {
	var j *job // the next one, when it has been read ahead
	defer func() {
		if j != nil {
			j.discard()
		}
		if _, e := w.overlap.drain(ctx, 0, nil); err == nil && e != nil {
			err = ofQueue(id, e)
		}
	}()
	since := w.options.Clock()
	for n := 1; !w.stopped(ctx); n++ {
		more := n < batchesPerLock || w.options.Clock().Sub(since) < timePerLock
		if j == nil {
			if _, err := w.overlap.drain(ctx, 0, nil); err != nil {
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

// enough reports whether so many entries make a batch.
func (w *worker) enough(entries int) bool {
	return entries > 0 && entries >= min(w.options.Threshold, w.options.BatchSize)
}

// track puts the batch in flight or, if it cannot overlap with others, processes it alone. It returns the batch behind
// it, if the look-ahead has read one.
func (w *worker) track(ctx context.Context, j *job, more bool) (next *job, err error) {
	if w.overlap.native == nil {
		return nil, w.processAlone(ctx, j)
	}
	if more {
		j.startLookAhead(ctx)
	}
	err = w.overlap.putInFlight(ctx, j)
	if err == nil {
		_, err := w.overlap.drain(ctx, maxInFlight, nil) // out of order: the look-ahead is discarded by now
		return j.next(!w.stopped(ctx)), err
	}
	if !errors.Is(err, errNoOverlap) {
		j.options.Log.Debug("batch is processed step by step", append(j.where(), "error", err)...)
		if retryable(err) {
			w.summary.Retries++
		}
	}
	if inOrder, err := w.overlap.drain(ctx, 0, j); err != nil || !inOrder {
		return nil, err
	}
	err = w.processAlone(ctx, j)
	return j.next(err == nil && j.removedAlone && !w.stopped(ctx)), err
}

// errStale says that the batch was removed from the queue by somebody else after it was read.
var errStale = errors.New("batch is no longer at the head of the queue")

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

// process tracks the entries and removes them from the queue. Entries that hold no request set, and requests that
// cannot be written, go to the dead letters.
func (j *job) process(ctx context.Context) (*tracker.Result, error) {
	result, err := j.write(ctx)
	if err != nil {
		return nil, err
	}
	after, cancel := outlast(ctx)
	defer cancel()
	return result, j.finishCommitted(after)
}

// write makes attempts until the batch is committed. Each attempt reads the checkpoint first: when the outcome of a
// COMMIT is unknown, because no answer came, the attempt is not repeated if it did succeed.
func (j *job) write(ctx context.Context) (result *tracker.Result, err error) {
	for again := 0; ; {
		err = j.retry(ctx, func() error {
			result, err = j.attempt(ctx)
			return err
		})
		if err == nil || !blamesData(err) || ctx.Err() != nil {
			return result, err
		}
		isolated, e := j.isolate(ctx, err, j.rehearse)
		if e != nil {
			return result, e
		}
		if !isolated { // another worker's rows were in the way
			if again++; again == minAttempts {
				return result, err
			}
		}
	}
}

// attempt is one transaction.
func (j *job) attempt(ctx context.Context) (result *tracker.Result, err error) {
	defer catchPanic(&err)
	j.run.at(BeforeBegin)
	tx, err := j.worker.engine.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	if j.options.Fault != nil {
		tx.AfterWrites(func() { j.run.at(AfterWrite) })
	}
	cp, err := j.readCheckpoint(ctx, tx)
	if err != nil {
		return nil, err
	}
	if cp == nil {
		return j.committedResult(), nil
	}
	if result, err = tx.Track(ctx, j.task); err != nil {
		return result, err
	}
	if cause := j.refused(result); cause != nil && !j.wroteOne {
		if !result.Wrote() {
			return result, cause
		}
		j.wroteOne = true
	}
	deadLetters := j.deadLetters(result)
	if err := j.roomFor(ctx, len(deadLetters)); err != nil {
		return result, err
	}
	if deadLetters, err = j.finishInTx(ctx, tx, deadLetters); err != nil {
		return result, err
	}
	j.checkpoint = cp.after(j.head, deadLetters)
	if err := tx.SaveCheckpoint(ctx, j.list, j.checkpoint); err != nil {
		return result, err
	}
	if err := tx.Flush(ctx); err != nil {
		return result, fmt.Errorf("rows of the batch: %w", err)
	}
	if err := j.commit(ctx, tx, result); err != nil {
		return result, err
	}
	j.worker.checkpoints[j.list] = j.checkpoint
	return result, nil
}

// checkpointReader is a transaction of any engine, or of the store.
type checkpointReader interface {
	Checkpoint(ctx context.Context, list string) (store.Checkpoint, error)
}

// readCheckpoint reads and locks the checkpoint, and finds out whether the batch, or a part of it, is committed
// already: then it returns none.
func (j *job) readCheckpoint(ctx context.Context, tx checkpointReader) (*checkpoint, error) {
	stored, err := tx.Checkpoint(ctx, j.list)
	if err != nil {
		return nil, err
	}
	cp := parseCheckpoint(stored)
	if j.attemptCommitted(cp) {
		return nil, nil
	}
	if j.committedBefore, err = j.worker.committed(ctx, j.list, j.head, cp); err != nil {
		return nil, err
	}
	if j.committedBefore > 0 {
		j.checkpoint = stored
		return nil, nil
	}
	return &cp, nil
}

// committedResult is the result of a batch that was committed already. When that was an attempt of ours whose COMMIT
// was not answered, its result holds.
func (j *job) committedResult() *tracker.Result {
	if j.unconfirmed != nil && (j.committedBefore == 0 || j.committedBefore >= int64(len(j.head.Elements))) {
		j.committedByUs = true
		return j.unconfirmed // what was behind it was in flight with it
	}
	return &tracker.Result{}
}

// committer is a transaction of any engine.
type committer interface {
	Commit(ctx context.Context) error
}

// commit makes sure of the lock before it commits: a PHP worker that has taken over knows nothing of the checkpoint.
func (j *job) commit(ctx context.Context, tx committer, result *tracker.Result) error {
	asked := time.Now()
	if err := j.lock.Extend(ctx, j.options.LockTTL); err != nil {
		return err
	}
	j.run.at(BeforeCommit)
	if time.Since(asked) > j.options.LockTTL/2 { // this process, or its machine, was frozen
		return fmt.Errorf("%s: %w", j.lock.Key(), lock.ErrLost)
	}
	j.unconfirmed = result
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	j.run.at(AfterCommit)
	return nil
}

// finishCommitted puts the dead letters of the committed batch aside and removes its entries from the queue. When a
// worker is killed in here, the next one does what is left to do.
func (j *job) finishCommitted(ctx context.Context) error {
	if j.removedByCommit() {
		j.countDeadLetters(j.lettersInTx)
		j.removedAlone = true
		return nil
	}
	if err := j.putAside(ctx); err != nil {
		return fmt.Errorf("committed, but dead letters not put aside: %w", err)
	}
	removed := false
	err := j.retry(ctx, func() (err error) {
		removed, err = j.remove(ctx)
		return err
	})
	j.removedAlone = removed && j.committedBefore == 0
	if err != nil {
		return fmt.Errorf("committed, but not yet removed from the queue: %w", err)
	}
	if !removed {
		j.options.Log.Info("the batch was removed from the queue already", j.where()...)
	}
	j.run.at(AfterRemoval)
	return nil
}

// maxRecovered is how many committed entries are removed at once. The next batch finds those behind them.
const maxRecovered = 5000

// remove takes what is committed from the queue, unless somebody else has. It counts what an earlier run had committed.
func (j *job) remove(ctx context.Context) (bool, error) {
	if j.committedBefore == 0 {
		return j.options.Backend.RemoveFirst(ctx, j.list, j.head)
	}
	done, err := j.options.Backend.Head(ctx, j.list, int(min(j.committedBefore, maxRecovered)))
	if err != nil || done.Offset != j.head.Offset || int64(len(done.Elements)) > j.committedBefore {
		return false, err
	}
	removed, err := j.options.Backend.RemoveFirst(ctx, j.list, done)
	if removed && !j.committedByUs {
		j.worker.summary.Recovered += len(done.Elements)
		j.options.Log.Warn("entries that were committed already are removed from the queue",
			append(j.where(), "entries", len(done.Elements))...)
	}
	return removed, err
}

// done counts a batch that is in the database and out of the queue, and derives the size of the next ones from it.
func (j *job) done(ctx context.Context, result *tracker.Result, repeated bool) {
	took := j.options.Clock().Sub(j.started)
	j.report(took, *result)
	j.adapt(ctx, took, repeated)
}
