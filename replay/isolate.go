package replay

import (
	"context"
	"errors"

	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// blamesData reports whether an error may be about some request of the batch. Everything else, such as a table that is
// missing, would hit the next batch as well: then nothing must be put aside.
func blamesData(err error) bool { return store.IsDataError(err) || isBug(err) }

// isSure reports whether an error is a request's own fault, whatever becomes of the others.
func isSure(err error) bool { return store.IsValueError(err) || isBug(err) }

func isBug(err error) bool {
	var bug *tracker.PanicError
	return errors.As(err, &bug)
}

// rehearsal writes a part of a batch and takes it back. It reports whether there were rows to write.
type rehearsal func(ctx context.Context, part *tracker.Batch) (wrote bool, err error)

// isolate finds the first request with which the database refuses the batch and marks it as failed, so that the next
// attempt writes everything else. It reports false when the batch can be written after all.
func (j *job) isolate(ctx context.Context, prepared *tracker.Batch, cause error, rehearse rehearsal,
) (isolated bool, err error) {
	fine, bad := -1, prepared.Len() // the first fine requests can be written, the first bad ones cannot
	for middle := bad; bad-fine > 1; middle = (fine + bad) / 2 {
		err := j.try(ctx, prepared.Prefix(middle), rehearse)
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
	if bad == 0 {
		return false, cause
	}
	if !isSure(cause) && !j.wroteOne {
		if err := j.findWitness(ctx, prepared, cause, rehearse); err != nil {
			return false, err
		}
	}
	if !prepared.Fail(bad-1, cause) {
		return false, cause
	}
	j.options.Log.Warn("request cannot be written, batch tried again without it", append(j.where(), "error", cause)...)
	return true, nil
}

// try rehearses a part of the batch. Rows that can be written vouch for the database.
func (j *job) try(ctx context.Context, part *tracker.Batch, rehearse rehearsal) error {
	return j.retry(ctx, func() error {
		wrote, err := rehearse(ctx, part)
		j.wroteOne = j.wroteOne || wrote && err == nil
		return err
	})
}

// rehearse writes and rolls back.
func (j *job) rehearse(ctx context.Context, prepared *tracker.Batch) (wrote bool, err error) {
	defer catchPanic(&err)
	tx, err := j.options.Store.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // that is what it is for
	result, err := j.worker.tracker.Write(ctx, tx, prepared)
	if err != nil {
		return false, err
	}
	if err := tx.Flush(ctx); err != nil {
		return false, err
	}
	return result.Visits+result.Actions+result.Conversions+result.BotRequests > 0, nil
}
