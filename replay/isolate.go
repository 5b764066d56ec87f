package replay

import (
	"context"
	"errors"

	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// blamesData reports whether an error is about some request of the batch. Everything else, such as a table that is missing, would hit the
// next batch as well: then nothing must be put aside.
func blamesData(err error) bool {
	var bug *tracker.PanicError
	return store.IsDataError(err) || errors.As(err, &bug)
}

// isolate finds the first request with which the database refuses the batch and marks it as failed, so that the next attempt writes
// everything else. It reports false when the batch can be written after all. rehearse tells whether a part of the batch can be.
func (b *batch) isolate(ctx context.Context, prepared *tracker.Batch, cause error,
	rehearse func(context.Context, *tracker.Batch) error,
) (isolated bool, err error) {
	fine, bad := -1, prepared.Len() // the first fine requests can be written, the first bad ones cannot
	for middle := bad; bad-fine > 1; middle = (fine + bad) / 2 {
		err := b.retry(ctx, func() error { return rehearse(ctx, prepared.Prefix(middle)) })
		switch {
		case err == nil && middle == prepared.Len():
			return false, nil
		case err == nil:
			fine = middle
		case !blamesData(err) || ctx.Err() != nil:
			return false, err
		default:
			bad, cause = middle, err
		}
	}
	if bad == 0 || !prepared.Fail(bad-1, cause) {
		return false, cause
	}
	b.Log.Warn("request cannot be written, batch tried again without it", append(b.where(), "error", cause)...)
	return true, nil
}

// rehearse writes and rolls back.
func (b *batch) rehearse(ctx context.Context, prepared *tracker.Batch) (err error) {
	defer recovered(&err)
	tx, err := b.Store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // that is what it is for
	if _, err = b.tracker.Write(ctx, tx, prepared); err != nil {
		return err
	}
	return tx.Flush(ctx)
}
