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

// job is one batch on its way from the head of a queue into the database: its entries as the queue has them (head), what
// they hold (sets), and what the tracker has made of these (prepared).
type job struct {
	worker  *worker
	run     *run
	options *Options // of the run

	queue int
	list  string
	size  int // entries that were asked for
	head  queue.Batch
	lock  *lock.Lock

	sets        []queue.RequestSet
	positions   []int        // of the entry of each request set: undecodable entries have none
	undecodable []deadLetter // entries that become dead letters as a whole
	prepared    *tracker.Batch
	behind      *job       // the next one, if it was read together with this one
	lookAhead   *lookAhead // that reads what is behind this one; nil: none

	started time.Time

	unconfirmed     *tracker.Result  // of the attempt whose COMMIT was sent
	checkpoint      store.Checkpoint // that the batch leaves or, when it was committed already, that it found
	committedBefore int64            // entries that were committed before this batch, at least its own
	committedByUs   bool             // they are those of our own attempt, whose COMMIT was not answered
	lettersInTx     []deadLetter     // that are appended within the transaction
	removedAlone    bool             // the batch, and nothing else, has left the queue
	wroteOne        bool             // a request could be written: the database is well
}

// errStale says that the batch was removed from the queue by somebody else after it was read.
var errStale = errors.New("batch is no longer at the head of the queue")

// process tracks the entries and removes them from the queue. Entries that hold no request set, and requests that cannot be written, go
// to the dead letters.
func (j *job) process(ctx context.Context) (*tracker.Result, error) {
	result, err := j.write(ctx, j.prepared)
	if err != nil {
		return nil, err
	}
	after, cancel := outlast(ctx)
	defer cancel()
	return result, j.finishCommitted(after)
}

// where are the attributes that name the batch in the log.
func (j *job) where() []any { return []any{"queue", j.queue, "offset", j.head.Offset} }

func (j *job) retry(ctx context.Context, do func() error) error {
	return j.worker.retry(ctx, do, j.where()...)
}

// bytes is the size of the entries as they are in the queue.
func (j *job) bytes() (n int) {
	for _, element := range j.head.Elements {
		n += len(element)
	}
	return n
}

// worthACore is how many entries a goroutine needs to open.
const worthACore = 20

// decode opens the entries.
func (j *job) decode() {
	n := len(j.head.Elements)
	sets, errs := make([]queue.RequestSet, n), make([]error, n)
	parallel.Each(n, j.options.Cores, worthACore, func(i int) { sets[i], errs[i] = decodeSafely(j.head.Elements[i]) })
	j.sets, j.positions = sets[:0], make([]int, 0, n)
	for i, err := range errs {
		if err != nil {
			j.undecodable = append(j.undecodable, j.newDeadLetter(i, letters.WholeEntry, err))
			continue
		}
		j.sets, j.positions = append(j.sets, sets[i]), append(j.positions, i)
	}
}

func decodeSafely(element []byte) (set queue.RequestSet, err error) {
	defer catchPanic(&err)
	return queue.Decode(element)
}

// catchPanic turns a panic into an error.
func catchPanic(err *error) {
	if v := recover(); v != nil {
		*err = &tracker.PanicError{Value: v, Stack: string(debug.Stack())}
	}
}

// prepare lets the tracker read the requests.
func (j *job) prepare(ctx context.Context) error {
	err := j.retry(ctx, func() (err error) {
		j.prepared, err = j.prepareSafely(ctx, j.sets)
		return err
	})
	var bug *tracker.PanicError
	if errors.As(err, &bug) && j.setAside(ctx) {
		return j.prepare(ctx)
	}
	return err
}

func (j *job) prepareSafely(ctx context.Context, sets []queue.RequestSet) (prepared *tracker.Batch, err error) {
	defer catchPanic(&err)
	return j.worker.tracker.Prepare(ctx, sets)
}

// setAside takes out the entries that make the preparation panic, and reports whether there are any.
func (j *job) setAside(ctx context.Context) bool {
	var sets []queue.RequestSet
	var positions []int
	for i := range j.sets {
		_, err := j.prepareSafely(ctx, j.sets[i:i+1])
		var bug *tracker.PanicError
		if errors.As(err, &bug) {
			j.undecodable = append(j.undecodable, j.newDeadLetter(j.positions[i], letters.WholeEntry, err))
			continue
		}
		sets, positions = append(sets, j.sets[i]), append(positions, j.positions[i])
	}
	found := len(sets) < len(j.sets)
	j.sets, j.positions = sets, positions
	return found
}

// write makes attempts until the batch is committed. Each attempt reads the checkpoint first: when the outcome of a
// COMMIT is unknown, because no answer came, the attempt is not repeated if it did succeed.
func (j *job) write(ctx context.Context, prepared *tracker.Batch) (result *tracker.Result, err error) {
	for again := 0; ; {
		err = j.retry(ctx, func() error {
			result, err = j.attempt(ctx, prepared)
			return err
		})
		if err == nil || !blamesData(err) || ctx.Err() != nil {
			return result, err
		}
		isolated, e := j.isolate(ctx, prepared, err, j.rehearse)
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
func (j *job) attempt(ctx context.Context, prepared *tracker.Batch) (result *tracker.Result, err error) {
	defer catchPanic(&err)
	j.run.at(BeforeBegin)
	tx, err := j.options.Store.Begin(ctx)
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
	if result, err = j.worker.tracker.Write(ctx, tx, prepared); err != nil {
		return result, err
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

// readCheckpoint reads and locks the checkpoint, and finds out whether the batch, or a part of it, is committed already:
// then it returns none.
func (j *job) readCheckpoint(ctx context.Context, tx *store.Tx) (*checkpoint, error) {
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

// commit makes sure of the lock before it commits: a PHP worker that has taken over knows nothing of the checkpoint.
func (j *job) commit(ctx context.Context, tx *store.Tx, result *tracker.Result) error {
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

// committedResult is the result of a batch that was committed already. When that was an attempt of ours whose COMMIT was
// not answered, its result holds.
func (j *job) committedResult() *tracker.Result {
	if j.unconfirmed != nil && (j.committedBefore == 0 || j.committedBefore >= int64(len(j.head.Elements))) {
		j.committedByUs = true
		return j.unconfirmed // what was behind it was in flight with it
	}
	return &tracker.Result{}
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
