package replay

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// preview plays the batches of a queue against the database as it is and rolls back; nothing is removed (process
// --dry-run). Each batch is judged by itself: it does not see the visits that the one before it would have begun.
func (w *worker) preview(ctx context.Context, id int, held *lock.Lock) error {
	list := queue.Key(id)
	for start := int64(0); !w.stopped(ctx); start += int64(w.options.BatchSize) {
		elements, err := w.options.Backend.Range(ctx, list, start, w.options.BatchSize)
		if err != nil {
			return err
		}
		if len(elements) == 0 || len(elements) < min(w.options.Threshold, w.options.BatchSize) {
			return nil
		}
		j := w.newJob(id, held, w.options.BatchSize)
		j.head = queue.Batch{Elements: elements, Offset: start}
		if err := j.preview(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) preview(ctx context.Context) error {
	started := j.options.Clock()
	j.decode()
	if err := j.prepare(ctx); err != nil {
		return err
	}
	result, err := j.judge(ctx)
	if err != nil {
		return err
	}
	for _, n := range j.deadLetters(result) {
		if n.Request == letters.WholeEntry {
			j.worker.summary.Undecodable++
		}
	}
	j.report(j.options.Clock().Sub(started), *result)
	return nil
}

// judge plays the batch without the requests that the database would refuse, as write does.
func (j *job) judge(ctx context.Context) (*tracker.Result, error) {
	for {
		result, err := j.played(ctx, j.task)
		if err == nil || !blamesData(err) {
			return result, err
		}
		isolated, e := j.isolate(ctx, err, func(ctx context.Context, part Task) (bool, error) {
			result, err := j.played(ctx, part)
			return err == nil && result.Tracked > 0, err
		})
		if e != nil || !isolated {
			return nil, fmt.Errorf("queue %d, offset %d: %w", j.queue, j.head.Offset, err)
		}
	}
}

func (j *job) played(ctx context.Context, task Task) (result *tracker.Result, err error) {
	defer catchPanic(&err)
	tx, err := j.worker.engine.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // nothing was written
	return tx.Preview(ctx, task)
}
