package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker"
)

// ahead are the batches behind another one. They are read, decoded, prepared and asked about while that one is written, which is most of the
// work that needs no transaction. Small batches are read several at once: much of what a question costs does not depend on how much it asks for.
//
// Nothing of a batch counts before the batch in front of it has left the queue as its worker meant it to: then it is the head of the queue.
// What goes wrong here is no error: the batch is read again when its turn comes.
type ahead struct {
	cancel context.CancelFunc
	done   chan *batch // the first of them, or nil
}

// So much is read at once, unless a batch is larger.
const (
	entriesAtOnce = 100
	bytesAtOnce   = 1 << 20
)

// atOnce is how many batches like b are read at once. Where batches can grow, the next one does not wait for the end of a row of small ones.
func (b *batch) atOnce() int {
	if b.worker.sizes.most > b.size {
		return 1
	}
	return max(1, min(entriesAtOnce/max(b.size, 1), bytesAtOnce/max(b.bytes(), 1)))
}

// readAhead begins to read what follows b and the batches that were read with it, if they are as large as can be and nobody does.
func (b *batch) readAhead(ctx context.Context) {
	last := b
	for last.behind != nil {
		last = last.behind
	}
	if last.ahead != nil || len(last.head.Elements) < last.size {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{cancel, make(chan *batch, 1)}
	size := b.worker.sizes.size
	go func() { a.done <- last.following(ctx, size) }()
	last.ahead = a
}

// following reads batches of this size behind b. It returns the first of them, nil for none.
func (b *batch) following(ctx context.Context, size int) *batch {
	head, err := b.options.Backend.Next(ctx, b.list, b.head, size*b.atOnce())
	if err != nil {
		return nil
	}
	var batches []*batch
	var prepared []*tracker.Batch
	for _, part := range head.Parts(size) {
		if !b.worker.enough(len(part.Elements)) {
			break
		}
		next := b.worker.newBatch(b.queue, b.held, size)
		next.head = part
		next.decode()
		if next.prepared, err = next.prepareSafely(ctx, next.sets); err != nil {
			break
		}
		if n := len(batches); n > 0 {
			batches[n-1].behind = next
		}
		batches, prepared = append(batches, next), append(prepared, next.prepared)
	}
	if len(batches) == 0 {
		return nil
	}
	if err := b.prefetchSafely(ctx, prepared); err != nil {
		batches[0].abandon()
		return nil
	}
	return batches[0]
}

// abandon gives a batch up that will not be written, and those behind it.
func (b *batch) abandon() {
	b.next(false)
	b.worker.tracker.Discard(b.prepared)
}

// next waits for the batch behind b, nil when there is none. When it is not wanted the work on it is ended instead, and it is given up.
func (b *batch) next(wanted bool) *batch {
	next := b.behind
	b.behind = nil
	if a := b.ahead; a != nil {
		b.ahead = nil
		defer a.cancel()
		if !wanted {
			a.cancel()
		}
		next = <-a.done
	}
	if next == nil {
		return nil
	}
	if !wanted {
		next.abandon()
		return nil
	}
	next.run.at(AfterRead)
	return next
}

func (b *batch) prefetchSafely(ctx context.Context, behind []*tracker.Batch) (err error) {
	defer recovered(&err)
	return b.worker.tracker.Prefetch(ctx, behind, b.prepared)
}
