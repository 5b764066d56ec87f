package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Tracker turns request sets into rows. *tracker.Tracker is one.
type Tracker interface {
	Prepare(ctx context.Context, sets []queue.RequestSet) (*tracker.Prepared, error)
	Prefetch(ctx context.Context, batches []*tracker.Prepared, front *tracker.Prepared) error
	Discard(batch *tracker.Prepared)
	Play(ctx context.Context, batch *tracker.Prepared, begin func(ctx context.Context) (*store.Tx, error),
	) (*tracker.Play, error)
	Write(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error)
	Preview(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error)
}

// native is the engine in this program. What it can do beyond Engine, batches that overlap, is in overlap.
type native struct {
	tracker Tracker
	store   *store.Store
}

// NewNative returns the engine that tracks with t in transactions of s.
func NewNative(t Tracker, s *store.Store) Engine { return &native{t, s} }

func (n *native) Prepare(ctx context.Context, entries []Entry) (Task, error) {
	sets := make([]queue.RequestSet, len(entries))
	for i := range entries {
		sets[i] = entries[i].Set
	}
	prepared, err := n.tracker.Prepare(ctx, sets)
	if err != nil {
		return nil, err
	}
	return &nativeTask{n, prepared}, nil
}

func (n *native) Begin(ctx context.Context) (Transaction, error) {
	tx, err := n.store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &nativeTransaction{tx, n.tracker}, nil
}

func (n *native) Close() error { return nil }

// nativeTask is a batch that the tracker has prepared.
type nativeTask struct {
	engine   *native
	prepared *tracker.Prepared
}

func (t *nativeTask) Len() int          { return t.prepared.Len() }
func (t *nativeTask) Prefix(n int) Task { return &nativeTask{t.engine, t.prepared.Prefix(n)} }

func (t *nativeTask) Only(i int) Task            { return &nativeTask{t.engine, t.prepared.Only(i)} }
func (t *nativeTask) Fail(i int, err error) bool { return t.prepared.Fail(i, err) }
func (t *nativeTask) Discard()                   { t.engine.tracker.Discard(t.prepared) }

// nativeTransaction is a transaction of the store. Rows are sent when it is flushed.
type nativeTransaction struct {
	*store.Tx
	tracker Tracker
}

func (tx *nativeTransaction) Track(ctx context.Context, task Task) (*tracker.Result, error) {
	return tx.tracker.Write(ctx, tx.Tx, preparedBy(task))
}

func (tx *nativeTransaction) Preview(ctx context.Context, task Task) (*tracker.Result, error) {
	return tx.tracker.Preview(ctx, tx.Tx, preparedBy(task))
}

func (tx *nativeTransaction) SQL(ctx context.Context) (queue.Executor, error) { return tx.Tx.SQL(ctx) }

// preparedBy is the batch behind a task of the native engine.
func preparedBy(task Task) *tracker.Prepared { return task.(*nativeTask).prepared }
