package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// finishWithin removes the batch from a queue that is in the same database, and puts its dead letters aside there, as a part of the
// transaction. It returns the letters that are left to be put aside after the commit: all of them where the queue is elsewhere.
func (b *batch) finishWithin(ctx context.Context, tx *store.Tx, notes []note) (left []note, err error) {
	if b.run.joint == nil {
		return notes, nil
	}
	b.within = notes
	elements, err := b.letters(ctx, notes)
	if err != nil {
		return nil, err
	}
	conn, err := tx.SQL(ctx)
	if err != nil {
		return nil, err
	}
	if len(elements) > 0 {
		if err := b.run.joint.AppendTx(ctx, conn, queue.FailedKey(b.list), elements...); err != nil {
			return nil, err
		}
		b.run.at(AfterLetters)
	}
	removed, err := b.run.joint.RemoveFirstTx(ctx, conn, b.list, b.head)
	if err == nil && !removed {
		err = errStale
	}
	b.run.at(AfterRemoval)
	return nil, err
}

// finishes reports whether the batch has left the queue with its commit. What a worker has committed that could not do that, because it is an
// older one or the queue was elsewhere, is removed as from any other queue.
func (b *batch) finishes() bool { return b.run.joint != nil && b.recovered == 0 }

// wasCommitted reports whether the checkpoint is that of an earlier attempt of this batch, whose COMMIT was not answered. Its entries have
// left the queue, so nothing else would tell.
func (b *batch) wasCommitted(cp checkpoint) bool {
	if b.run.joint == nil || b.sent == nil {
		return false
	}
	saved := parseRecord(b.saved.Digest)
	return cp.offset == b.saved.Offset && cp.last == saved.last && cp.past == saved.past
}
