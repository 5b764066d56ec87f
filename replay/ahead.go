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

// readAhead begins to read what follows b, if b is as large as can be.
func (b *batch) readAhead(ctx context.Context) {
	if len(b.head.Elements) < b.size {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{cancel, make(chan *batch, 1)}
	size := b.sizes.size
	go func() { a.done <- b.following(ctx, size) }()
	b.ahead = a
}

func (b *batch) following(ctx context.Context, size int) *batch {
	head, err := b.Backend.Next(ctx, b.list, b.head, size)
	if err != nil || !b.enough(len(head.Elements)) {
		return nil
	}
	next := b.newBatch(b.queue, b.held, size)
	next.head = head
	next.decode()
	if next.prepared, err = next.prepareSafely(ctx, next.sets); err != nil {
		return nil
	}
	if err := b.prefetchSafely(ctx, next.prepared); err != nil {
		next.abandon()
		return nil
	}
	return next
}

// abandon gives a batch up that will not be written, and those behind it. It may be nil.
func (b *batch) abandon() {
	if b != nil {
		b.next(false)
		b.tracker.Discard(b.prepared)
	}
}

// next waits for the batch behind b, nil when there is none. When it is not wanted the work on it is ended instead, and it is given up.
func (b *batch) next(wanted bool) *batch {
	a := b.ahead
	if b.ahead = nil; a == nil {
		return nil
	}
	defer a.cancel()
	if !wanted {
		a.cancel()
	}
	next := <-a.done
	switch {
	case !wanted:
		next.abandon()
		return nil
	case next != nil:
		next.at(AfterRead)
	}
	return next
}

func (b *batch) prefetchSafely(ctx context.Context, next *tracker.Batch) (err error) {
	defer recovered(&err)
	return b.tracker.Prefetch(ctx, next, b.prepared)
}
