package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// MoveOrphans takes the entries of queues that were left behind when the number of queues shrank into the remaining
// ones, in order, and returns how many entries it moved. A queue that another worker has locked, because that one
// still goes by the old number, is left to it.
//
// What a killed worker has committed and not removed is removed, not moved: in another queue nobody would recognise it.
func MoveOrphans(ctx context.Context, o Options, visitor queue.VisitorFunc) (moved int, err error) {
	manager, err := queue.NewManager(o.Backend, o.Queues)
	if err != nil {
		return 0, err
	}
	w := newSettler(o)
	w.manager = manager
	var orphans []queue.Orphan
	err = w.retry(ctx, func() (err error) {
		orphans, err = manager.Orphans(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, orphan := range orphans {
		n, err := w.moveOrphan(ctx, orphan.ID, visitor)
		moved += n
		if err != nil {
			return moved, fmt.Errorf("queue %d, left behind: %w", orphan.ID, err)
		}
		if n > 0 {
			o.Log.Info("moved a queue that was left behind", "queue", orphan.ID, "entries", n)
		}
	}
	return moved, nil
}

func (w *worker) moveOrphan(ctx context.Context, id int, visitor queue.VisitorFunc) (moved int, err error) {
	err = w.withQueue(ctx, id, func(ctx context.Context, held *lock.Lock) error {
		stillOurs := func(ctx context.Context) error { return held.Extend(ctx, w.options.LockTTL) }
		moved, err = w.manager.Move(ctx, id, visitor, stillOurs)
		return err
	})
	if errors.Is(err, ErrLocked) {
		return 0, nil
	}
	return moved, err
}

// ErrLocked says that somebody else has locked a queue.
var ErrLocked = errors.New("somebody else has locked the queue")

// WithQueue calls do while it holds the lock of a queue, which then begins with an entry that is not tracked yet: what
// a killed worker has committed is removed before. Where somebody else holds the lock the error is ErrLocked.
func WithQueue(ctx context.Context, o Options, id int, do func(ctx context.Context) error) error {
	return newSettler(o).withQueue(ctx, id, func(ctx context.Context, held *lock.Lock) error {
		if err := held.Extend(ctx, DefaultLockTTL); err != nil {
			return err
		}
		return do(ctx)
	})
}

// newSettler is a worker that tracks nothing.
func newSettler(o Options) *worker {
	r := newRun(o)
	return &worker{
		run: r, options: &r.options, locker: lock.New(o.Backend, o.Random), checkpoints: make(map[string]store.Checkpoint),
	}
}

func (w *worker) withQueue(ctx context.Context, id int, do func(context.Context, *lock.Lock) error) error {
	held, ok, err := w.acquire(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return ErrLocked
	}
	locked, release := w.keepLocked(ctx, held)
	defer release()
	if err := w.removeCommitted(locked, id, held); err != nil {
		return err
	}
	return do(locked, held)
}

// removeCommitted removes what is committed already from the head of a queue.
func (w *worker) removeCommitted(ctx context.Context, id int, held *lock.Lock) error {
	for {
		j := w.newJob(id, held, 1)
		var err error
		if j.head, err = w.options.Backend.Head(ctx, j.list, 1); err != nil || len(j.head.Elements) == 0 {
			return err
		}
		if err := j.findCommitted(ctx); err != nil || j.committedBefore == 0 {
			return err
		}
		if err := j.finishCommitted(ctx); err != nil {
			return err
		}
	}
}

// findCommitted finds out whether the head is committed.
func (j *job) findCommitted(ctx context.Context) error {
	tx, err := j.options.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	cp, err := j.readCheckpoint(ctx, tx)
	if err == nil && cp == nil {
		j.committedResult()
	}
	return err
}
