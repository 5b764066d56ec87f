package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// MoveOrphans takes the entries of queues that were left behind when the number of queues shrank into the remaining ones, in order, and
// returns how many entries it moved. A queue that another worker has locked, because that one still goes by the old number, is left
// to it.
func MoveOrphans(ctx context.Context, o Options, visitor queue.VisitorFunc) (moved int, err error) {
	manager, err := queue.NewManager(o.Backend, o.Queues)
	if err != nil {
		return 0, err
	}
	orphans, err := manager.Orphans(ctx)
	if err != nil {
		return 0, err
	}
	locker := lock.New(o.Backend, o.Random)
	for _, orphan := range orphans {
		n, err := moveOrphan(ctx, manager, locker, orphan.ID, visitor)
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

func moveOrphan(ctx context.Context, manager *queue.Manager, locker *lock.Locker, id int, visitor queue.VisitorFunc) (moved int, err error) {
	held, ok, err := locker.Acquire(ctx, id, lock.TTL)
	if err != nil || !ok {
		return 0, err
	}
	defer func() {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		if e := held.Release(release); err == nil && !errors.Is(e, lock.ErrLost) {
			err = e
		}
	}()
	return manager.Move(ctx, id, visitor, func(ctx context.Context) error { return held.Extend(ctx, lock.TTL) })
}
