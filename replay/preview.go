package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/queue"
)

// preview plays the batches of a queue against the database as it is and rolls back; nothing is removed (process --dry-run). Each batch
// is judged by itself: it does not see the visits that the one before it would have begun.
func (w *worker) preview(ctx context.Context, id int) error {
	list := queue.Key(id)
	for start := int64(0); !w.stopped(ctx); start += int64(w.BatchSize) {
		elements, err := w.Backend.Range(ctx, list, start, w.BatchSize)
		if err != nil {
			return err
		}
		if len(elements) == 0 || len(elements) < min(w.Threshold, w.BatchSize) {
			return nil
		}
		b := &batch{worker: w, queue: id, list: list, head: queue.Batch{Elements: elements, Offset: start}}
		prepared, err := w.tracker.Prepare(ctx, b.decode())
		if err != nil {
			return err
		}
		tx, err := w.Store.Begin(ctx)
		if err != nil {
			return err
		}
		result, err := w.tracker.Preview(ctx, tx, prepared)
		tx.Rollback() //nolint:errcheck // nothing was written
		if err != nil {
			return err
		}
		w.summary.Batches++
		w.summary.Result.Add(result)
		if w.OnBatch != nil {
			w.OnBatch(Batch{Queue: id, Offset: start, Result: result})
		}
	}
	return nil
}
