package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/queue"
)

// finishInTx removes the batch from a queue that is in the same database, and puts its dead letters aside there, as a
// part of the transaction. It returns the dead letters that are left to be put aside after the commit: all of them
// where the queue is elsewhere.
func (j *job) finishInTx(ctx context.Context, tx Transaction, all []deadLetter) (left []deadLetter, err error) {
	if j.run.transactional == nil {
		return all, nil
	}
	j.lettersInTx = all
	elements, err := j.encodeLetters(ctx, all)
	if err != nil {
		return nil, err
	}
	conn, err := tx.SQL(ctx)
	if err != nil {
		return nil, err
	}
	if len(elements) > 0 {
		if err := j.run.transactional.AppendTx(ctx, conn, queue.FailedKey(j.list), elements...); err != nil {
			return nil, err
		}
		j.run.at(AfterLetters)
	}
	removed, err := j.run.transactional.RemoveFirstTx(ctx, conn, j.list, j.head)
	if err == nil && !removed {
		err = errStale
	}
	j.run.at(AfterRemoval)
	return nil, err
}

// removedByCommit reports whether the batch has left the queue with its commit. What a worker has committed that could
// not do that, because it is an older one or the queue was elsewhere, is removed as from any other queue.
func (j *job) removedByCommit() bool { return j.run.transactional != nil && j.committedBefore == 0 }

// attemptCommitted reports whether the checkpoint is that of an earlier attempt of this batch, whose COMMIT was not
// answered. Its entries have left the queue, so nothing else would show it.
func (j *job) attemptCommitted(cp checkpoint) bool {
	if j.run.transactional == nil || j.unconfirmed == nil {
		return false
	}
	saved := parseRecord(j.checkpoint.Digest)
	return cp.offset == j.checkpoint.Offset && cp.last == saved.last && cp.past == saved.past
}
