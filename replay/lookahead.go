package replay

import (
	"context"

	"github.com/queuedtracking/queuedtracking/tracker"
)

// lookAhead reads the batches behind another one. They are read, decoded, prepared and prefetched while that one is
// written: this is most of the work that needs no transaction. Small batches are read several at once: much of the cost
// of a question does not depend on how much it asks for.
//
// Nothing of a batch counts before the batch in front of it has left the queue as its worker meant it to: then it is
// the head of the queue. A failure here is no error: the batch is read again when its turn comes.
type lookAhead struct {
	cancel context.CancelFunc
	done   chan *job // the first of them, or nil
}

// So much is read at once, unless a batch is larger.
const (
	entriesAtOnce = 100
	bytesAtOnce   = 1 << 20
)

// atOnce is how many batches like j are read at once. Where batches can grow, the next one does not wait for the end of
// a row of small ones.
func (j *job) atOnce() int {
	if j.worker.sizer.most > j.size {
		return 1
	}
	return max(1, min(entriesAtOnce/max(j.size, 1), bytesAtOnce/max(j.bytes(), 1)))
}

// startLookAhead begins to read what follows j and the batches that were read with it, unless it is being read, or the
// queue ends there: the last batch is not full.
func (j *job) startLookAhead(ctx context.Context) {
	last := j
	for last.behind != nil {
		last = last.behind
	}
	if last.lookAhead != nil || len(last.head.Elements) < last.size {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &lookAhead{cancel, make(chan *job, 1)}
	size := j.worker.sizer.size
	go func() { a.done <- last.readFollowing(ctx, size) }()
	last.lookAhead = a
}

// readFollowing reads batches of this size behind j. It returns the first of them, nil for none.
func (j *job) readFollowing(ctx context.Context, size int) *job {
	head, err := j.options.Backend.Next(ctx, j.list, j.head, size*j.atOnce())
	if err != nil {
		return nil
	}
	var batches []*job
	var tasks []Task
	for _, part := range head.Parts(size) {
		if !j.worker.enough(len(part.Elements)) {
			break
		}
		next := j.worker.newJob(j.queue, j.lock, size)
		next.head = part
		next.decode()
		if next.task, err = next.prepareSafely(ctx, next.entries); err != nil {
			break
		}
		if n := len(batches); n > 0 {
			batches[n-1].behind = next
		}
		batches, tasks = append(batches, next), append(tasks, next.task)
	}
	if len(batches) == 0 {
		return nil
	}
	if err := j.prefetchSafely(ctx, tasks); err != nil {
		batches[0].discard()
		return nil
	}
	return batches[0]
}

// discard gives up a batch that will not be written, and those behind it.
func (j *job) discard() {
	j.next(false)
	j.task.Discard()
}

// next waits for the batch behind j, nil when there is none. When it is not wanted, the work on it is ended instead,
// and it is discarded.
func (j *job) next(wanted bool) *job {
	next := j.behind
	j.behind = nil
	if a := j.lookAhead; a != nil {
		j.lookAhead = nil
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
		next.discard()
		return nil
	}
	next.run.at(AfterRead)
	return next
}

func (j *job) prefetchSafely(ctx context.Context, behind []Task) (err error) {
	defer catchPanic(&err)
	batches := make([]*tracker.Prepared, len(behind))
	for i, task := range behind {
		batches[i] = preparedBy(task)
	}
	return j.worker.overlap.native.tracker.Prefetch(ctx, batches, preparedBy(j.task))
}
