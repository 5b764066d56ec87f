package replay

import (
	"context"
	"errors"
	"fmt"
)

// ErrAllRefused is the error of a queue of which the database refuses every request, because a trigger is broken, say,
// or the partition of this month is missing. Nothing of it is put aside, and it is not processed any further.
var ErrAllRefused = errors.New("the database refuses every request")

// maxWitnesses is how many requests are tried before none is expected to be written.
const maxWitnesses = 100

// findWitness looks for a request that can be written: then the one that is refused is to blame, and not the rule that
// refuses it. Requests of the batch are tried, each alone, and those behind it in the queue. Those to which nothing
// belongs to be written, as an excluded one, show nothing.
func (j *job) findWitness(ctx context.Context, cause error, rehearse rehearsal) error {
	tried, err := j.tryEach(ctx, j.task, maxWitnesses, rehearse)
	if err != nil || j.wroteOne {
		return err
	}
	if left := maxWitnesses - tried; left > 0 {
		n, err := j.tryBehind(ctx, left, rehearse)
		if err != nil || j.wroteOne {
			return err
		}
		tried += n
	}
	return fmt.Errorf("%w that was tried (%d): none is put aside, the queue stays as it is until one can be "+
		"written: %w", ErrAllRefused, tried, cause)
}

// tryEach tries requests one by one until one can be written. It returns how many were refused.
func (j *job) tryEach(ctx context.Context, task Task, most int, rehearse rehearsal) (refused int, err error) {
	for i := 0; i < task.Len() && refused < most; i++ {
		switch err := j.try(ctx, task.Only(i), rehearse); {
		case err != nil && (!blamesData(err) || ctx.Err() != nil):
			return refused, err
		case err != nil:
			refused++
		case j.wroteOne:
			return refused, nil
		}
	}
	return refused, nil
}

// tryBehind does the same with requests behind the batch.
func (j *job) tryBehind(ctx context.Context, most int, rehearse rehearsal) (refused int, err error) {
	j.next(false) // they are prepared again when their turn comes
	behind := j.worker.newJob(j.queue, j.lock, most)
	err = j.retry(ctx, func() (err error) {
		behind.head.Elements, err = j.options.Backend.Range(ctx, j.list, int64(len(j.head.Elements)), most)
		return err
	})
	if err != nil {
		return 0, err
	}
	behind.decode()
	if behind.task, err = j.prepareSafely(ctx, behind.entries); err != nil {
		if isBug(err) { // it shows nothing
			return 0, nil
		}
		return 0, err
	}
	defer behind.task.Discard()
	return j.tryEach(ctx, behind.task, most, rehearse)
}
