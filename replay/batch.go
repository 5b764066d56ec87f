package replay

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/parallel"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// batch is the head of a queue on its way into the database.
type batch struct {
	worker  *worker
	run     *run
	options *Options // of the run

	queue int
	list  string
	size  int // entries that were asked for
	head  queue.Batch
	held  *lock.Lock

	sets      []queue.RequestSet
	positions []int  // entry of each request set: undecodable entries have none
	notes     []note // entries that are put aside as a whole
	prepared  *tracker.Batch
	behind    *batch // the next one, if it was read together with this one
	ahead     *ahead // reads what is behind this one; nil: nobody does

	started time.Time

	sent      *tracker.Result // of the attempt whose COMMIT was sent
	saved     store.Checkpoint
	recovered int64  // entries that were committed before this batch, at least its own
	ours      bool   // they are those of our own attempt, whose COMMIT was not answered
	within    []note // dead letters that are put aside within the transaction
	removed   bool   // the batch, and nothing else, has left the queue
	vouched   bool   // a request could be written: the database is well
}

// errStale says that the batch was removed from the queue by somebody else after it was read.
var errStale = errors.New("batch is no longer at the head of the queue")

// process tracks the entries and removes them from the queue. Entries that hold no request set, and requests that cannot be written, go
// to the dead letters.
func (b *batch) process(ctx context.Context) (*tracker.Result, error) {
	result, err := b.write(ctx, b.prepared)
	if err != nil {
		return nil, err
	}
	after, cancel := outlast(ctx)
	defer cancel()
	return result, b.clear(after)
}

// where are the attributes that name the batch in the log.
func (b *batch) where() []any { return []any{"queue", b.queue, "offset", b.head.Offset} }

func (b *batch) retry(ctx context.Context, do func() error) error {
	return b.worker.retry(ctx, do, b.where()...)
}

// bytes is the size of the entries as they are in the queue.
func (b *batch) bytes() (n int) {
	for _, element := range b.head.Elements {
		n += len(element)
	}
	return n
}

// worthACore is how many entries a goroutine needs to open.
const worthACore = 20

// decode opens the entries.
func (b *batch) decode() {
	n := len(b.head.Elements)
	sets, errs := make([]queue.RequestSet, n), make([]error, n)
	parallel.Each(n, b.options.Cores, worthACore, func(i int) { sets[i], errs[i] = decodeSafely(b.head.Elements[i]) })
	b.sets, b.positions = sets[:0], make([]int, 0, n)
	for i, err := range errs {
		if err != nil {
			b.notes = append(b.notes, b.note(i, letters.WholeEntry, err))
			continue
		}
		b.sets, b.positions = append(b.sets, sets[i]), append(b.positions, i)
	}
}

func decodeSafely(element []byte) (set queue.RequestSet, err error) {
	defer recovered(&err)
	return queue.Decode(element)
}

// recovered turns a panic into an error.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &tracker.PanicError{Value: v, Stack: string(debug.Stack())}
	}
}

// prepare lets the tracker read the requests.
func (b *batch) prepare(ctx context.Context) error {
	err := b.retry(ctx, func() (err error) {
		b.prepared, err = b.prepareSafely(ctx, b.sets)
		return err
	})
	var bug *tracker.PanicError
	if errors.As(err, &bug) && b.setAside(ctx) {
		return b.prepare(ctx)
	}
	return err
}

func (b *batch) prepareSafely(ctx context.Context, sets []queue.RequestSet) (prepared *tracker.Batch, err error) {
	defer recovered(&err)
	return b.worker.tracker.Prepare(ctx, sets)
}

// setAside takes out the entries that make the preparation panic, and reports whether there are any.
func (b *batch) setAside(ctx context.Context) bool {
	var sets []queue.RequestSet
	var positions []int
	for i := range b.sets {
		_, err := b.prepareSafely(ctx, b.sets[i:i+1])
		var bug *tracker.PanicError
		if errors.As(err, &bug) {
			b.notes = append(b.notes, b.note(b.positions[i], letters.WholeEntry, err))
			continue
		}
		sets, positions = append(sets, b.sets[i]), append(positions, b.positions[i])
	}
	found := len(sets) < len(b.sets)
	b.sets, b.positions = sets, positions
	return found
}

// write makes attempts until the batch is committed. Each attempt looks at the checkpoint first, so that an attempt whose COMMIT was
// answered by silence is not repeated when it did succeed.
func (b *batch) write(ctx context.Context, prepared *tracker.Batch) (result *tracker.Result, err error) {
	for again := 0; ; {
		err = b.retry(ctx, func() error {
			result, err = b.attempt(ctx, prepared)
			return err
		})
		if err == nil || !blamesData(err) || ctx.Err() != nil {
			return result, err
		}
		isolated, e := b.isolate(ctx, prepared, err, b.rehearse)
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
func (b *batch) attempt(ctx context.Context, prepared *tracker.Batch) (result *tracker.Result, err error) {
	defer recovered(&err)
	b.run.at(BeforeBegin)
	tx, err := b.options.Store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	if b.options.Fault != nil {
		tx.AfterWrites(func() { b.run.at(AfterWrite) })
	}
	cp, err := b.lookBack(ctx, tx)
	if err != nil {
		return nil, err
	}
	if cp == nil {
		return b.tracked(), nil
	}
	if result, err = b.worker.tracker.Write(ctx, tx, prepared); err != nil {
		return result, err
	}
	notes := b.allNotes(result)
	if err := b.roomFor(ctx, len(notes)); err != nil {
		return result, err
	}
	if notes, err = b.finishWithin(ctx, tx, notes); err != nil {
		return result, err
	}
	b.saved = cp.after(b.head, notes)
	if err := tx.SaveCheckpoint(ctx, b.list, b.saved); err != nil {
		return result, err
	}
	if err := tx.Flush(ctx); err != nil {
		return result, fmt.Errorf("rows of the batch: %w", err)
	}
	if err := b.commit(ctx, tx, result); err != nil {
		return result, err
	}
	b.worker.last[b.list] = b.saved
	return result, nil
}

// lookBack reads and locks the checkpoint, and finds out whether the batch, or a part of it, is committed already: then it returns none.
func (b *batch) lookBack(ctx context.Context, tx *store.Tx) (*checkpoint, error) {
	stored, err := tx.Checkpoint(ctx, b.list)
	if err != nil {
		return nil, err
	}
	cp := readCheckpoint(stored)
	if b.wasCommitted(cp) {
		return nil, nil
	}
	if b.recovered, err = b.worker.committed(ctx, b.list, b.head, cp); err != nil {
		return nil, err
	}
	if b.recovered > 0 {
		b.saved = stored
		return nil, nil
	}
	return &cp, nil
}

// commit makes sure of the lock before it commits: a PHP worker that has taken over knows nothing of the checkpoint.
func (b *batch) commit(ctx context.Context, tx *store.Tx, result *tracker.Result) error {
	asked := time.Now()
	if err := b.held.Extend(ctx, b.options.LockTTL); err != nil {
		return err
	}
	b.run.at(BeforeCommit)
	if time.Since(asked) > b.options.LockTTL/2 { // this process, or its machine, was frozen
		return fmt.Errorf("%s: %w", b.held.Key(), lock.ErrLost)
	}
	b.sent = result
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	b.run.at(AfterCommit)
	return nil
}

// tracked is the result of a batch that was committed already. When that was an attempt of ours whose COMMIT was not answered, its result
// holds.
func (b *batch) tracked() *tracker.Result {
	if b.sent != nil && (b.recovered == 0 || b.recovered >= int64(len(b.head.Elements))) {
		b.ours = true
		return b.sent // what was behind it was in the air with it
	}
	return &tracker.Result{}
}

// clear puts the dead letters of the committed batch aside and removes its entries from the queue. Whoever comes after a worker that is
// killed in here does what is left to do.
func (b *batch) clear(ctx context.Context) error {
	if b.finishes() {
		b.count(b.within)
		b.removed = true
		return nil
	}
	if err := b.bury(ctx); err != nil {
		return fmt.Errorf("committed, but dead letters not put aside: %w", err)
	}
	removed := false
	err := b.retry(ctx, func() (err error) {
		removed, err = b.remove(ctx)
		return err
	})
	b.removed = removed && b.recovered == 0
	if err != nil {
		return fmt.Errorf("committed, but not yet removed from the queue: %w", err)
	}
	if !removed {
		b.options.Log.Info("the batch was removed from the queue already", b.where()...)
	}
	b.run.at(AfterRemoval)
	return nil
}

// maxRecovered is how many committed entries are removed at once. The next batch finds those behind them.
const maxRecovered = 5000

// remove takes what is committed from the queue, unless somebody else has. It counts what an earlier run had committed.
func (b *batch) remove(ctx context.Context) (bool, error) {
	if b.recovered == 0 {
		return b.options.Backend.RemoveFirst(ctx, b.list, b.head)
	}
	done, err := b.options.Backend.Head(ctx, b.list, int(min(b.recovered, maxRecovered)))
	if err != nil || done.Offset != b.head.Offset || int64(len(done.Elements)) > b.recovered {
		return false, err
	}
	removed, err := b.options.Backend.RemoveFirst(ctx, b.list, done)
	if removed && !b.ours {
		b.worker.summary.Recovered += len(done.Elements)
		b.options.Log.Warn("entries that were committed already are removed from the queue",
			append(b.where(), "entries", len(done.Elements))...)
	}
	return removed, err
}
