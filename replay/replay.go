package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Options say what a run processes and how.
type Options struct {
	Backend   queue.Backend
	Store     *store.Store  // the database that is tracked into
	NewEngine func() Engine // each worker has its own. A run does not close it
	Clock     func() time.Time
	Random    io.Reader // for the values of locks
	Log       *slog.Logger

	Queues    int // number of queues, setting numQueueWorkers
	Only      int // the one queue to take, AnyQueue for all
	BatchSize int // request sets per transaction
	// MaxBatchSize, when it is greater, lets batches grow up to so many sets while the queue is long, see sizer.
	MaxBatchSize int
	MaxLatency   time.Duration // of a batch that has grown; 0: DefaultMaxLatency
	Threshold    int           // a queue with fewer sets is left alone, at least 1
	MaxBatches   int           // per worker and run, 0: no limit
	Workers      int           // workers of this run, at least 1
	Cores        int           // goroutines per worker that open the entries of a large batch; 0: one
	Start        int           // queue from which the first worker starts its rounds
	DryRun       bool

	LockTTL    time.Duration // how long a queue stays locked after its worker was killed; 0: DefaultLockTTL
	Patience   time.Duration // how long to wait for a server that is away; 0: DefaultPatience
	MaxLetters int           // dead letters that a queue may have; 0: DefaultMaxLetters

	OnBatch func(Report) // called after each batch, from the worker's goroutine; may be nil
	Fault   func(Point)  // called at each point, for tests; nil otherwise
}

// DefaultPatience is how long a run waits for a server that is away.
const DefaultPatience = time.Minute

func (o *Options) setDefaults() {
	if o.LockTTL <= 0 {
		o.LockTTL = DefaultLockTTL
	}
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if o.MaxLatency <= 0 {
		o.MaxLatency = DefaultMaxLatency
	}
	if o.MaxLetters <= 0 {
		o.MaxLetters = DefaultMaxLetters
	}
}

// run is what the workers of one run share.
type run struct {
	options       Options             // with defaults in place of what the caller left out
	transactional queue.Transactional // the queue takes part in the transactions of Store; nil when it is elsewhere
	sending       atomic.Int64        // batches in flight, of all workers, whose rows are on their way to the database
	faults        sync.Mutex          // held while Options.Fault is called
}

func newRun(o Options) *run {
	o.setDefaults()
	r := &run{options: o}
	if joint, ok := queue.InTransaction(o.Backend, o.Store.DB()); ok {
		r.transactional = joint
	}
	return r
}

// AnyQueue lets workers take every queue.
const AnyQueue = -1

// QueueError is an error that concerns one queue.
type QueueError struct {
	Queue int
	Err   error
}

func (e *QueueError) Error() string { return fmt.Sprintf("queue %d: %v", e.Queue, e.Err) }

// Unwrap gives the error itself.
func (e *QueueError) Unwrap() error { return e.Err }

// ofQueue adds the queue that an error concerns, unless it has one already.
func ofQueue(id int, err error) error {
	if _, told := errors.AsType[*QueueError](err); told {
		return err
	}
	return &QueueError{id, err}
}

// ErrStopped is the cause of a context that is cancelled to stop a run at once, without finishing the batch.
var ErrStopped = errors.New("stopped")

// batchesPerLock is how many batches a worker takes, at least, before it lets others have the queue, as the plugin
// does; timePerLock how long it goes on, at least, as long as the plugin's worker needs for them: only the first
// batch under a lock is not read ahead.
const (
	batchesPerLock = 10
	timePerLock    = 500 * time.Millisecond
)

// Run processes the queues until none that it may take holds Threshold sets, or until stop is closed: then every
// worker finishes its batch first. When ctx is cancelled the batches under way are rolled back; the queue is left as
// it was.
func Run(ctx context.Context, stop <-chan struct{}, o Options) (Summary, error) {
	r := newRun(o)
	manager, err := queue.NewManager(o.Backend, o.Queues)
	if err != nil {
		return Summary{}, err
	}
	type outcome struct {
		Summary
		err error
	}
	workers := max(1, o.Workers)
	outcomes := make(chan outcome, workers)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for n := range workers {
		w := &worker{
			run:         r,
			options:     &r.options,
			engine:      o.NewEngine(),
			manager:     manager,
			locker:      lock.New(o.Backend, o.Random),
			rounds:      manager.NewRotation((o.Start + n) % o.Queues),
			stop:        stop,
			checkpoints: make(map[string]store.Checkpoint),
			blocked:     make(map[int]error),
			sizer:       newSizer(&r.options),
		}
		w.overlap = newOverlap(w)
		go func() {
			err := w.work(ctx)
			outcomes <- outcome{w.summary, err}
		}()
	}
	var total Summary
	for range workers {
		done := <-outcomes
		total.Add(done.Summary)
		if done.err != nil && err == nil {
			err = done.err
			cancel(ErrStopped) // one worker's broken server is everybody's
		}
	}
	if total.Busy > 0 && err == nil {
		last := &worker{run: r, options: &r.options, stop: stop}
		err = last.retry(ctx, func() (err error) {
			total.Busy, err = stillBusy(ctx, manager, o)
			return err
		})
	}
	return total, err
}

// stillBusy counts queues with enough sets that somebody else has locked: the workers of this run have given their
// locks back.
func stillBusy(ctx context.Context, manager *queue.Manager, o Options) (n int, err error) {
	waiting, err := manager.Waiting(ctx)
	if err != nil {
		return 0, err
	}
	var keys []string
	for id, sets := range waiting {
		if sets >= int64(o.Threshold) && (o.Only == AnyQueue || o.Only == id) {
			keys = append(keys, lock.Key(id))
		}
	}
	left, err := o.Backend.TTLs(ctx, keys...)
	for _, ttl := range left {
		if ttl != 0 {
			n++
		}
	}
	return n, err
}
