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

// flight is a batch on the short way into the database, which a batch takes that nothing is wrong with: the worker knows the checkpoint,
// which the transaction moves last (store.Tx.MoveCheckpoint), so nothing need be read.
//
// Several batches fly at once. While one is being committed and removed from its queue, the rows of the next are on their way to the database,
// and the one behind that is played. Rows travel in two messages: the first has what is new, the visits and actions whose numbers the batch
// behind waits for; the second has the rest, with the changes of rows that exist, and goes when that of the batch in front has been answered, so
// that batches lock the visits which they have in common in order. The checkpoint is the last row to change: a batch cannot move it before the one in front is
// committed, so that the later one is never committed without the earlier one. Entries leave the queue in order as well.
//
// Whatever goes wrong on the way ends the flight and those behind it. Then the first batch that is not committed is processed step by step
// (batch.process), and what was behind it is read again.
//
// On SQLite no batch flies: there only one transaction can write, and new names are a part of it.
type flight struct {
	batch  *batch
	front  *flight // nil: none
	tx     *store.Tx
	result *tracker.Result

	inserted  chan struct{} // closed when the server has the visits and actions, or will not have them
	numbered  bool          // after that: it has
	sent      chan struct{} // closed when the server has all rows, or will not have them
	down      chan struct{} // closed at the end
	committed bool          // after that
	removed   bool          // and nothing else has left the queue
	err       error
}

// maxFlights is how many batches may be in the air.
const maxFlights = 2

// errFront says that a batch cannot be committed because the one in front of it was not.
var errFront = errors.New("the batch in front was given up")

// takeOff plays the batch, hands its rows to a transaction and lets it fly. On an error nothing has happened.
func (w *worker) takeOff(ctx context.Context, b *batch) (err error) {
	defer recovered(&err)
	f := &flight{batch: b, inserted: make(chan struct{}), sent: make(chan struct{}), down: make(chan struct{})}
	last, known := w.last[b.list]
	if n := len(w.air); n > 0 {
		f.front = w.air[n-1]
		last, known = f.front.batch.saved, true
	}
	if !known || b.run.joint != nil || b.options.Store.OneWriter() || len(b.notes) > 0 || last.Offset != b.head.Offset {
		return errSteps
	}
	defer func() {
		if err != nil && f.tx != nil {
			_ = f.tx.Rollback()
		}
	}()
	// If the look-ups of this batch have seen the rows of the one in front, these have their ids before they are met again in memory.
	if f.front != nil && f.front.hasInserted() {
		if err := f.front.settle(); err != nil {
			return err
		}
	}
	play, err := b.worker.tracker.Play(ctx, b.prepared, func(ctx context.Context) (*store.Tx, error) {
		if err := w.allDown(); err != nil {
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
			return errSteps
		}
	}
	if err := play.Name(ctx); err != nil {
		return err
	}
	if f.front != nil {
		if err := f.front.settle(); err != nil {
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
	b.saved = readCheckpoint(last).after(b.head, nil)
	if err := f.tx.MoveCheckpoint(ctx, b.list, last, b.saved); err != nil {
		return err
	}
	b.allNotes(f.result) // tells refusals by their positions
	delete(w.last, b.list)
	w.air = append(w.air, f)
	go f.fly(ctx)
	return nil
}

// errSteps says that a batch has to be processed step by step.
var errSteps = errors.New("not a batch that can fly")

func (f *flight) begin(ctx context.Context) (err error) {
	f.batch.started = f.batch.options.Clock()
	f.batch.run.at(BeforeBegin)
	if f.tx, err = f.batch.options.Store.Begin(ctx); err == nil && f.batch.options.Fault != nil {
		f.tx.AfterWrites(func() { f.batch.run.at(AfterWrite) })
	}
	return err
}

// hasInserted reports whether the server has the flight's visits and actions, or will not have them: they are not
// committed before.
func (f *flight) hasInserted() bool {
	select {
	case <-f.inserted:
		return true
	default:
		return false
	}
}

// settle waits until the server has the flight's visits and actions, which then get their ids.
func (f *flight) settle() error {
	<-f.inserted
	if !f.numbered {
		return errFront
	}
	f.tx.Number()
	return nil
}

// fly sends the rows, commits them and removes the batch from the queue.
func (f *flight) fly(ctx context.Context) {
	defer close(f.down)
	if f.err = f.sendSafely(ctx); !f.numbered {
		close(f.inserted)
	}
	close(f.sent)
	if f.err == nil {
		f.err = f.commitSafely(ctx)
		f.committed = f.err == nil
	}
	if f.err != nil {
		_ = f.tx.Rollback() // nobody need wait for its locks
	}
	if f.front != nil {
		<-f.front.down
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
	f.removed, f.err = f.batch.options.Backend.RemoveFirst(after, f.batch.list, f.batch.head)
	f.batch.run.at(AfterRemoval)
}

func (f *flight) sendSafely(ctx context.Context) (err error) {
	defer recovered(&err)
	f.batch.run.sending.Add(1)
	defer f.batch.run.sending.Add(-1)
	return f.tx.Send(ctx, func() {
		f.numbered = true
		close(f.inserted)
		if f.front != nil { // whose changes to rows that exist come first
			<-f.front.sent
		}
	})
}

func (f *flight) commitSafely(ctx context.Context) (err error) {
	defer recovered(&err)
	return f.batch.commit(ctx, f.tx, f.result)
}

// allDown waits until everything in the air is committed and removed, and has its ids.
func (w *worker) allDown() error {
	for _, f := range w.air {
		if <-f.down; !f.removed {
			return errFront
		}
		f.tx.Settle()
	}
	return nil
}

// land waits until no more than so many batches are in the air. It reports false when something went wrong with one of them: then everything
// behind it has been given up, also the batch that is about to take off, if there is one, and has to be read again.
func (w *worker) land(ctx context.Context, most int, behind *batch) (straight bool, err error) {
	for len(w.air) > most {
		f := w.air[0]
		if <-f.down; !f.removed {
			return false, w.crashed(ctx, behind)
		}
		f.tx.Settle()
		w.air = slices.Delete(w.air, 0, 1) // which forgets it: it keeps the entries of its batch
		w.last[f.batch.list] = f.batch.saved
		f.batch.landed(ctx, f.result, false)
	}
	return true, nil
}

// crashed deals with what is in the air after the first of it was not committed, or not removed. What has to be read again, or is left to
// others, is given up.
func (w *worker) crashed(ctx context.Context, behind *batch) (err error) {
	air := w.air
	w.air = nil
	if behind != nil {
		behind.abandon()
	}
	air[len(air)-1].batch.next(false)
	for _, f := range air {
		<-f.down
		f.tx.Settle()
	}
	var again []*flight
	for i, f := range air {
		switch {
		case err != nil:
		case f.committed:
			err = f.late(ctx)
		case i == 0:
			err = f.lost(ctx)
		case f.batch.head.End() > air[0].batch.head.Offset+air[0].batch.recovered:
		default: // committed like the first one, and removed with it: neither answer came
			f.batch.landed(ctx, f.result, true)
			continue
		}
		if err != nil || i > 0 && !f.committed {
			again = append(again, f)
		}
	}
	for _, f := range slices.Backward(again) {
		f.batch.worker.tracker.Discard(f.batch.prepared)
	}
	return err
}

// late removes a batch that is committed.
func (f *flight) late(ctx context.Context) error {
	after, cancel := outlast(ctx)
	defer cancel()
	if err := f.batch.clear(after); err != nil {
		return fmt.Errorf("offset %d: %w", f.batch.head.Offset, err)
	}
	f.batch.landed(ctx, f.result, false)
	return nil
}

// lost processes a batch that was not committed, as far as anybody knows, step by step.
func (f *flight) lost(ctx context.Context) error {
	if errors.Is(f.err, lock.ErrLost) || ctx.Err() != nil {
		return fmt.Errorf("offset %d: %w", f.batch.head.Offset, f.err)
	}
	f.batch.options.Log.Warn("batch not committed, processed step by step", append(f.batch.where(), "error", f.err)...)
	f.batch.worker.summary.Retries++
	return f.batch.worker.step(ctx, f.batch)
}
