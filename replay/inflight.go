package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// inFlight is a batch whose transaction overlaps with those of others. Only a batch with which nothing is wrong can be
// in flight: the worker knows the checkpoint, which the transaction moves last (store.Tx.MoveCheckpoint), so that it
// need not be read.
//
// Several batches are in flight at once. While one is committed and removed from its queue, the rows of the next are on
// their way to the database, and the one behind that is played. Rows travel in two messages. The first has what is new:
// the visits and actions whose ids the batch behind waits for. The second has the rest, with the changes of rows that
// exist. It is sent when that of the batch in front has been answered, so that batches lock the visits which they have
// in common in order. The checkpoint is the last row to change: a batch cannot move it before the one in front is
// committed, so the later one is never committed without the earlier one. Entries leave the queue in order as well.
//
// After any error the batch and those behind it are rolled back. Then the first batch that is not committed is
// processed alone (job.process), and what was behind it is read again.
//
// On SQLite no batch is in flight: there only one transaction can write, and new names are a part of it. Nor is one on
// a Galera cluster: the connection may be to another node than that of the batch in front, where the rows of this one
// are not locked, but missing.
type inFlight struct {
	job    *job
	front  *inFlight // nil: none
	tx     *store.Tx
	result *tracker.Result

	rowsInserted chan struct{} // closed when the server has the visits and actions, or will not have them
	idsKnown     bool          // after that: it has
	rowsSent     chan struct{} // closed when the server has all rows, or will not have them
	ended        chan struct{} // closed at the end
	committed    bool          // valid after that
	removed      bool          // valid after that: the batch, and nothing else, has left the queue
	err          error
}

// overlap is what a worker with the native engine has in flight. With any other engine there is nothing.
type overlap struct {
	worker   *worker
	native   *native     // nil: the engine is another one
	inFlight []*inFlight // in the order of their batches
}

func newOverlap(w *worker) overlap {
	n, _ := w.engine.(*native)
	return overlap{worker: w, native: n}
}

// maxInFlight is how many batches of a worker may be in flight.
const maxInFlight = 2

// errFront says that a batch cannot be committed because the one in front of it was not.
var errFront = errors.New("the batch in front was given up")

// putInFlight plays the batch, hands its rows to a transaction and starts it. On an error nothing has happened.
func (o *overlap) putInFlight(ctx context.Context, j *job) (err error) {
	defer catchPanic(&err)
	f := &inFlight{job: j, rowsInserted: make(chan struct{}), rowsSent: make(chan struct{}), ended: make(chan struct{})}
	last, known := o.worker.checkpoints[j.list]
	if n := len(o.inFlight); n > 0 {
		f.front = o.inFlight[n-1]
		last, known = f.front.job.checkpoint, true
	}
	if !known || last.Offset != j.head.Offset || !j.canOverlap() {
		return errNoOverlap
	}
	defer func() {
		if err != nil && f.tx != nil {
			_ = f.tx.Rollback()
		}
	}()
	// If the look-ups of this batch have seen the rows of the one in front, these have their ids before they are met
	// again in memory.
	if f.front != nil && f.front.insertsAnswered() {
		if err := f.front.awaitIDs(); err != nil {
			return err
		}
	}
	play, err := o.native.tracker.Play(ctx, preparedBy(j.task), func(ctx context.Context) (*store.Tx, error) {
		if err := o.allEnded(); err != nil {
			return nil, err
		}
		return f.tx, f.begin(ctx)
	})
	if err != nil {
		return err
	}
	f.result = play.Result()
	for _, refusal := range f.result.Refusals {
		if refusal.Failed { // a dead letter, which is noted in the checkpoint
			return errNoOverlap
		}
	}
	if err := play.Name(ctx); err != nil {
		return err
	}
	if f.front != nil {
		if err := f.front.awaitIDs(); err != nil {
			return err
		}
	}
	if f.tx == nil {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	if err := play.Write(ctx, f.tx); err != nil {
		return err
	}
	j.checkpoint = parseCheckpoint(last).after(j.head, nil)
	if err := f.tx.MoveCheckpoint(ctx, j.list, last, j.checkpoint); err != nil {
		return err
	}
	delete(o.worker.checkpoints, j.list)
	o.inFlight = append(o.inFlight, f)
	go f.complete(ctx)
	return nil
}

// errNoOverlap says that a batch has to be processed alone.
var errNoOverlap = errors.New("not a batch that can overlap with others")

// canOverlap reports whether the batch may be in flight, as far as can be seen before it is played: what has dead
// letters, or is removed from the queue by its transaction, is processed alone.
func (j *job) canOverlap() bool {
	return j.run.transactional == nil && !j.options.Store.OneWriter() && !j.options.Store.Clustered() &&
		len(j.undecodable) == 0
}

func (f *inFlight) begin(ctx context.Context) (err error) {
	f.job.started = f.job.options.Clock()
	f.job.run.at(BeforeBegin)
	if f.tx, err = f.job.options.Store.Begin(ctx); err == nil && f.job.options.Fault != nil {
		f.tx.AfterWrites(func() { f.job.run.at(AfterWrite) })
	}
	return err
}

// insertsAnswered reports whether the server has the batch's visits and actions, or will not have them. They are not
// committed before.
func (f *inFlight) insertsAnswered() bool {
	select {
	case <-f.rowsInserted:
		return true
	default:
		return false
	}
}

// awaitIDs waits until the server has the batch's visits and actions, which then get their ids.
func (f *inFlight) awaitIDs() error {
	<-f.rowsInserted
	if !f.idsKnown {
		return errFront
	}
	f.tx.Number()
	return nil
}

// complete sends the rows, commits them and removes the batch from the queue.
func (f *inFlight) complete(ctx context.Context) {
	defer close(f.ended)
	if f.err = f.send(ctx); !f.idsKnown {
		close(f.rowsInserted)
	}
	close(f.rowsSent)
	if f.err == nil {
		f.err = f.commit(ctx)
		f.committed = f.err == nil
	}
	if f.err != nil {
		_ = f.tx.Rollback() // so that nobody waits for its locks
	}
	if f.front != nil {
		<-f.front.ended
		if !f.front.removed {
			f.err = errFront
			return
		}
		f.front = nil
	}
	if !f.committed {
		return
	}
	after, cancel := outlast(ctx)
	defer cancel()
	f.removed, f.err = f.job.options.Backend.RemoveFirst(after, f.job.list, f.job.head)
	f.job.run.at(AfterRemoval)
}

func (f *inFlight) send(ctx context.Context) (err error) {
	defer catchPanic(&err)
	f.job.run.sending.Add(1)
	defer f.job.run.sending.Add(-1)
	return f.tx.Send(ctx, func() {
		f.idsKnown = true
		close(f.rowsInserted)
		if f.front != nil { // whose changes to rows that exist come first
			<-f.front.rowsSent
		}
	})
}

func (f *inFlight) commit(ctx context.Context) (err error) {
	defer catchPanic(&err)
	return f.job.commit(ctx, f.tx, f.result)
}

// allEnded waits until every batch in flight is committed and removed, and has its ids.
func (o *overlap) allEnded() error {
	for _, f := range o.inFlight {
		if <-f.ended; !f.removed {
			return errFront
		}
		f.tx.Settle()
	}
	return nil
}

// drain waits until at most so many batches are in flight. It reports false when something went wrong with one of them.
// Then everything behind it has been discarded and has to be read again, also the batch that is to follow, if given.
func (o *overlap) drain(ctx context.Context, most int, behind *job) (inOrder bool, err error) {
	for len(o.inFlight) > most {
		f := o.inFlight[0]
		if <-f.ended; !f.removed {
			return false, o.rollBack(ctx, behind)
		}
		f.tx.Settle()
		o.inFlight = slices.Delete(o.inFlight, 0, 1) // which forgets it: it keeps the entries of its batch
		o.worker.checkpoints[f.job.list] = f.job.checkpoint
		f.job.done(ctx, f.result, false)
	}
	return true, nil
}

// rollBack ends what is in flight after the first of it was not committed, or not removed. Batches that are committed
// all the same are removed from the queue, the first one is processed again, and the others are discarded: they are
// read again, or left to another worker.
func (o *overlap) rollBack(ctx context.Context, behind *job) (err error) {
	batches := o.inFlight
	o.inFlight = nil
	if behind != nil {
		behind.discard()
	}
	batches[len(batches)-1].job.next(false)
	for _, f := range batches {
		<-f.ended
		f.tx.Settle()
	}
	var discarded []*inFlight
	for i, f := range batches {
		switch {
		case err != nil:
		case f.committed:
			err = f.removeCommitted(ctx)
		case i == 0:
			err = f.processAgain(ctx)
		case f.job.head.End() > batches[0].job.head.Offset+batches[0].job.committedBefore:
		default: // committed like the first one, and removed with it: neither answer came
			f.job.done(ctx, f.result, true)
			continue
		}
		if err != nil || i > 0 && !f.committed {
			discarded = append(discarded, f)
		}
	}
	for _, f := range slices.Backward(discarded) {
		f.job.task.Discard()
	}
	return err
}

// removeCommitted removes a batch that is committed from the queue.
func (f *inFlight) removeCommitted(ctx context.Context) error {
	after, cancel := outlast(ctx)
	defer cancel()
	if err := f.job.finishCommitted(after); err != nil {
		return fmt.Errorf("offset %d: %w", f.job.head.Offset, err)
	}
	f.job.done(ctx, f.result, false)
	return nil
}

// processAgain processes a batch alone that was not committed, as far as anybody knows.
func (f *inFlight) processAgain(ctx context.Context) error {
	if errors.Is(f.err, lock.ErrLost) || ctx.Err() != nil {
		return fmt.Errorf("offset %d: %w", f.job.head.Offset, f.err)
	}
	f.job.options.Log.Warn("batch not committed, processed step by step", append(f.job.where(), "error", f.err)...)
	f.job.worker.summary.Retries++
	return f.job.worker.processAlone(ctx, f.job)
}
