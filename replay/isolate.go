package replay

import (
	"context"
	"errors"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker"
)

// rehearsal writes a part of a batch and takes it back. It reports whether there were rows to write.
type rehearsal func(ctx context.Context, part Task) (wrote bool, err error)

// isolate finds the first request with which the database refuses the batch and marks it as failed, so that the next
// attempt writes everything else. It reports false when the batch can be written after all.
func (j *job) isolate(ctx context.Context, cause error, rehearse rehearsal) (isolated bool, err error) {
	if guilty, ok := errors.AsType[*GuiltyError](cause); ok {
		return j.fail(guilty.Request, guilty.Err)
	}
	fine, bad := -1, j.task.Len() // the first fine requests can be written, the first bad ones cannot
	for middle := bad; bad-fine > 1; middle = (fine + bad) / 2 {
		err := j.try(ctx, j.task.Prefix(middle), rehearse)
		switch {
		case err == nil && middle == j.task.Len():
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
		if err := j.findWitness(ctx, cause, rehearse); err != nil {
			return false, err
		}
	}
	return j.fail(bad-1, cause)
}

// fail takes a request out of the attempts to come.
func (j *job) fail(request int, cause error) (failed bool, err error) {
	if !j.task.Fail(request, cause) {
		return false, cause
	}
	j.failed = append(j.failed, cause)
	j.options.Log.Warn("request cannot be written, batch tried again without it", append(j.where(), "error", cause)...)
	return true, nil
}

// try rehearses a part of the batch. Rows that can be written vouch for the database.
func (j *job) try(ctx context.Context, part Task, rehearse rehearsal) error {
	return j.retry(ctx, func() error {
		wrote, err := rehearse(ctx, part)
		j.wroteOne = j.wroteOne || wrote && err == nil
		return err
	})
}

// rehearse writes and rolls back.
func (j *job) rehearse(ctx context.Context, part Task) (wrote bool, err error) {
	defer catchPanic(&err)
	tx, err := j.worker.engine.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback() // that is what it is for
	result, err := tx.Track(ctx, part)
	if err != nil {
		return false, err
	}
	if err := tx.Flush(ctx); err != nil {
		return false, err
	}
	return result.Wrote(), j.refused(result)
}

// refused is the first new error for which a request may be to blame, and may not be: an engine that takes back what
// the database refuses has gone on with the next request.
func (j *job) refused(result *tracker.Result) error {
	for _, refusal := range result.Refusals {
		known := func(err error) bool { return errors.Is(refusal.Err, err) }
		if refusal.Failed && !isSure(refusal.Err) && !slices.ContainsFunc(j.failed, known) {
			return refusal.Err
		}
	}
	return nil
}
