package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// preview plays the batches of a queue against the database as it is and rolls back; nothing is removed (process --dry-run). Each batch
// is judged by itself: it does not see the visits that the one before it would have begun.
func (w *worker) preview(ctx context.Context, id int, held *lock.Lock) error {
	list := queue.Key(id)
	for start := int64(0); !w.stopped(ctx); start += int64(w.BatchSize) {
		elements, err := w.Backend.Range(ctx, list, start, w.BatchSize)
		if err != nil {
			return err
		}
		if len(elements) == 0 || len(elements) < min(w.Threshold, w.BatchSize) {
			return nil
		}
		b := w.newBatch(id, held, w.BatchSize)
		b.head = queue.Batch{Elements: elements, Offset: start}
		if err := b.preview(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) preview(ctx context.Context) error {
	started := b.Clock()
	b.decode()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	tx, err := b.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	result, err := b.tracker.Preview(ctx, tx, b.prepared)
	if err != nil {
		return err
	}
	for _, n := range b.allNotes(result) {
		if n.Request == letters.WholeEntry {
			b.summary.Undecodable++
		}
	}
	b.finished(b.Clock().Sub(started), *result)
	return nil
}
