package replay

import (
	"context"
	"errors"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
)

const (
	// DefaultLockTTL is how long a queue stays locked when its worker is killed. PHP's workers lock for up to half an
	// hour, because they cannot extend a lock while they track; here a heartbeat does.
	DefaultLockTTL = 40 * time.Second
	// heartbeats is how often a lock is extended in its time to live.
	heartbeats = 4

	releaseTimeout = 5 * time.Second
)

// acquire locks a queue; ok is false when somebody else has it. When ctx ends meanwhile the answer is waited for: a
// lock that was got has to be given back.
func (w *worker) acquire(ctx context.Context, id int) (held *lock.Lock, ok bool, err error) {
	err = w.retry(ctx, func() (err error) {
		patient, cancel := outlast(ctx)
		defer cancel()
		held, ok, err = w.locker.Acquire(patient, id, w.options.LockTTL)
		return err
	}, "queue", id)
	return held, ok, err
}

// keepLocked keeps the lock alive until release is called, which gives it back. The context ends with lock.ErrLost as
// its cause when the lock is no longer ours. A server of the queue that is away for a while is no reason to end
// anything: before a commit the lock is extended again, and that decides.
func (w *worker) keepLocked(parent context.Context, held *lock.Lock) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.heartbeat(ctx, cancel, held)
	}()
	return ctx, func() {
		cancel(nil)
		<-done
		w.release(parent, held)
	}
}

// heartbeat extends the lock now and then.
func (w *worker) heartbeat(ctx context.Context, cancel context.CancelCauseFunc, held *lock.Lock) {
	ticker := time.NewTicker(w.options.LockTTL / heartbeats)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := held.Extend(ctx, w.options.LockTTL); errors.Is(err, lock.ErrLost) {
			cancel(err)
			return
		}
	}
}

// release gives the lock back, also when the run was stopped. A lock that cannot be given back runs out by itself.
func (w *worker) release(ctx context.Context, held *lock.Lock) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	w.run.at(BeforeRelease)
	err := w.retry(ctx, func() error { return held.Release(ctx) }, "queue", held.QueueID())
	if err != nil && !errors.Is(err, lock.ErrLost) {
		w.options.Log.Warn("lock not released, it will run out",
			"queue", held.QueueID(), "after", w.options.LockTTL, "error", err)
	}
	w.run.at(AfterRelease)
}

// outlast is a context for what must be finished once a batch is committed: it goes on for a moment when ctx is
// cancelled.
func outlast(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(releaseTimeout, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() {
		stop()
		cancel()
	}
}
