package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker"
)

// ahead is the batch behind another one. It is read, decoded, prepared and asked about while that one is written, which is most of the
// work that needs no transaction.
//
// Nothing of it counts before the batch in front of it has left the queue as its worker meant it to: then it is the head of the queue.
// What goes wrong here is no error: the batch is read again when its turn comes.
type ahead struct {
	cancel context.CancelFunc
	done   chan *batch
}

// readAhead begins to read what follows b.
func (b *batch) readAhead(ctx context.Context) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{cancel, make(chan *batch, 1)}
	size := b.sizes.size
	go func() { a.done <- b.following(ctx, size) }()
	return a
}

func (b *batch) following(ctx context.Context, size int) *batch {
	head, err := b.Backend.Next(ctx, b.list, b.head, size)
	if err != nil || !b.enough(len(head.Elements)) {
		return nil
	}
	next := &batch{worker: b.worker, queue: b.queue, list: b.list, size: size, held: b.held, head: head}
	next.decode()
	if next.prepared, err = next.prepareSafely(ctx, next.sets); err != nil {
		return nil
	}
	if err := b.prefetchSafely(ctx, next.prepared); err != nil {
		next.discard()
		return nil
	}
	return next
}

func (b *batch) prefetchSafely(ctx context.Context, next *tracker.Batch) (err error) {
	defer recovered(&err)
	return b.tracker.Prefetch(ctx, next, b.prepared)
}

// take waits for the batch, nil when there is none. When it is not wanted the work on it is ended instead.
func (a *ahead) take(wanted bool) *batch {
	if a == nil {
		return nil
	}
	defer a.cancel()
	if !wanted {
		a.cancel()
	}
	next := <-a.done
	if !wanted && next != nil {
		next.discard()
		return nil
	}
	return next
}

// discard lets the tracker forget a batch that was prepared and will not be written.
func (b *batch) discard() {
	if b.prepared != nil {
		b.tracker.Discard(b.prepared)
	}
}
