package replay

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/parallel"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// job is one batch on its way from the head of a queue into the database: its entries as the queue has them (head),
// what they hold, and what the engine has made of these (task).
type job struct {
	worker  *worker
	run     *run
	options *Options // of the run

	queue int
	list  string
	size  int // entries that were asked for
	head  queue.Batch
	lock  *lock.Lock

	entries     []Entry
	undecodable []deadLetter // entries that become dead letters as a whole
	task        Task         // what the engine has made of the entries
	behind      *job         // the next one, if it was read together with this one
	lookAhead   *lookAhead   // that reads what is behind this one; nil: none

	started time.Time

	unconfirmed     *tracker.Result  // of the attempt whose COMMIT was sent
	checkpoint      store.Checkpoint // that the batch leaves or, when it was committed already, that it found
	committedBefore int64            // entries that were committed before this batch, at least its own
	committedByUs   bool             // they are those of our own attempt, whose COMMIT was not answered
	lettersInTx     []deadLetter     // that are appended within the transaction
	removedAlone    bool             // the batch, and nothing else, has left the queue
	wroteOne        bool             // a request could be written: the database is well
	failed          []error          // for which requests were taken out of the task
}

// newJob is a batch of a queue; size is the number of entries to ask for.
func (w *worker) newJob(id int, held *lock.Lock, size int) *job {
	return &job{worker: w, run: w.run, options: w.options, queue: id, list: queue.Key(id), lock: held, size: size}
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

// left is how many entries there were behind the batch.
func (j *job) left() int64 { return max(0, j.head.Len-int64(len(j.head.Elements))) }

// worthACore is how many entries a goroutine needs to open.
const worthACore = 20

// decode opens the entries.
func (j *job) decode() {
	n := len(j.head.Elements)
	sets, errs := make([]queue.RequestSet, n), make([]error, n)
	parallel.Each(n, j.options.Cores, worthACore, func(i int) { sets[i], errs[i] = decodeSafely(j.head.Elements[i]) })
	j.entries = make([]Entry, 0, n)
	for i, err := range errs {
		if err != nil {
			j.undecodable = append(j.undecodable, j.newDeadLetter(i, letters.WholeEntry, err))
			continue
		}
		j.entries = append(j.entries, Entry{i, j.head.Elements[i], sets[i]})
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

// prepare lets the engine read the requests.
func (j *job) prepare(ctx context.Context) error {
	err := j.retry(ctx, func() (err error) {
		j.task, err = j.prepareSafely(ctx, j.entries)
		return err
	})
	if isBug(err) && j.setAside(ctx) {
		return j.prepare(ctx)
	}
	return err
}

func (j *job) prepareSafely(ctx context.Context, entries []Entry) (task Task, err error) {
	defer catchPanic(&err)
	return j.worker.engine.Prepare(ctx, entries)
}

// setAside takes out the entries that make the preparation panic, and reports whether there are any.
func (j *job) setAside(ctx context.Context) bool {
	var fine []Entry
	for i, entry := range j.entries {
		_, err := j.prepareSafely(ctx, j.entries[i:i+1])
		if isBug(err) {
			j.undecodable = append(j.undecodable, j.newDeadLetter(entry.Position, letters.WholeEntry, err))
			continue
		}
		fine = append(fine, entry)
	}
	found := len(fine) < len(j.entries)
	j.entries = fine
	return found
}
