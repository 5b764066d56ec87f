package replay

import (
	"context"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// convoy is how batches are in flight when the servers are far away. Nothing waits for the answer to one batch: as soon
// as the database has answered a message, all batches that were played meanwhile travel in the next one, each a
// transaction of its own with its COMMIT (store.Convoy). The database runs them one after the other; its checkpoint lets
// none of them happen without those in front.
//
// Whether the lock is still ours is asked when a message leaves, for the one behind it: so nobody waits for that answer
// either. Entries leave the queue while the next message is on its way, those of several batches at once.
type convoy struct {
	worker *worker
	lock   *lock.Lock
	store  *store.Convoy
	claim  *claim

	waiting chan *inFlight   // played, in order
	arrived chan []*inFlight // answered, or given up
	ended   chan struct{}    // closed at the end
}

// At most so many batches are in flight in a convoy, and so many bytes of entries unless one has more.
const (
	maxInConvoy      = 64
	maxBytesInConvoy = 8 << 20
	maxInMessage     = maxInConvoy / 2
)

// committedWithin bounds how long after its message came the database may commit a batch, of the lock's time to live.
// The message goes within the first half of it.
const committedWithin = 4

func newConvoy(ctx context.Context, w *worker, held *lock.Lock) *convoy {
	c := &convoy{
		worker: w, lock: held, store: w.options.Store.Convoy(w.options.LockTTL / committedWithin),
		waiting: make(chan *inFlight, maxInConvoy+1), arrived: make(chan []*inFlight, maxInConvoy+1),
		ended: make(chan struct{}),
	}
	c.ask(ctx)
	go c.sendAll(ctx)
	go c.removeAll(ctx)
	return c
}

// put lets a batch travel.
func (c *convoy) put(f *inFlight) { c.waiting <- f }

// close waits until all batches have ended.
func (c *convoy) close() {
	close(c.waiting)
	<-c.ended
}

// sendAll sends one message after the other. After an error nothing else is sent.
func (c *convoy) sendAll(ctx context.Context) {
	defer close(c.arrived)
	var failed error
	for group, rest := c.gather(nil); len(group) > 0; group, rest = c.gather(rest) {
		err := errFront
		if failed == nil {
			failed = c.send(ctx, group)
			err = failed
		}
		for _, f := range group {
			if f.err, f.committed = err, err == nil; err != nil {
				_ = f.tx.Rollback()
			}
			close(f.answered)
		}
		c.arrived <- group
	}
	c.store.Close(failed != nil)
}

// gather takes what waits, as far as it fits into one message. It waits if there is nothing; no group is the end.
func (c *convoy) gather(rest []*inFlight) (group, behind []*inFlight) {
	if len(rest) == 0 {
		f, ok := <-c.waiting
		if !ok {
			return nil, nil
		}
		rest = append(rest, f)
	}
	rest = c.more(rest)
	txs := make([]*store.Tx, min(len(rest), maxInMessage))
	for i := range txs {
		txs[i] = rest[i].tx
	}
	n := c.store.Fits(txs)
	return rest[:n:n], rest[n:]
}

// more adds what has come meanwhile.
func (c *convoy) more(waiting []*inFlight) []*inFlight {
	for {
		select {
		case f, ok := <-c.waiting:
			if !ok {
				return waiting
			}
			waiting = append(waiting, f)
		default:
			return waiting
		}
	}
}

// send sends batches in one message. A run that is cancelled waits a moment for the answer: what is on its way happens
// all the same.
func (c *convoy) send(ctx context.Context, group []*inFlight) (err error) {
	defer catchPanic(&err)
	asked, err := c.holds(ctx)
	if err != nil {
		return err
	}
	number := c.worker.overlap.messages.Add(1)
	txs := make([]*store.Tx, len(group))
	for i, f := range group {
		f.job.run.at(BeforeCommit)
		f.job.unconfirmed = f.result
		f.message.Store(number)
		txs[i] = f.tx
	}
	if err := c.worker.inTime(c.lock, asked); err != nil {
		return err
	}
	c.ask(ctx)
	patient, cancel := outlast(ctx)
	defer cancel()
	sent := c.worker.options.Clock()
	if err := c.store.Send(patient, txs); err != nil {
		return err
	}
	took := c.worker.options.Clock().Sub(sent) / time.Duration(len(group))
	for _, f := range group {
		f.job.took = took
		f.job.run.at(AfterCommit)
	}
	return nil
}

// claim is a question whether the lock is ours, which extends it.
type claim struct {
	asked  time.Time
	answer chan error
}

// An answer is good for so long, counted from when it was asked, and for a part of the lock's time to live. A lock that
// somebody else releases by force is noticed so much later. That it has not run out is sure for longer (inTime).
const (
	claimsLast   = 100 * time.Millisecond
	claimsLastOf = 8
)

func (c *convoy) ask(ctx context.Context) {
	asked := &claim{time.Now(), make(chan error, 1)}
	c.claim = asked
	go func() { asked.answer <- c.lock.Extend(ctx, c.worker.options.LockTTL) }()
}

// holds waits for the answer, and tells when it was asked.
func (c *convoy) holds(ctx context.Context) (asked time.Time, err error) {
	if time.Since(c.claim.asked) > min(claimsLast, c.worker.options.LockTTL/claimsLastOf) {
		c.ask(ctx)
	}
	return c.claim.asked, <-c.claim.answer
}

// removeAll removes what is committed from the queue, in order.
func (c *convoy) removeAll(ctx context.Context) {
	defer close(c.ended)
	inOrder := true
	for group := range c.arrived {
		for more := true; more; {
			select {
			case next, ok := <-c.arrived:
				group, more = append(group, next...), ok
			default:
				more = false
			}
		}
		inOrder = inOrder && c.remove(ctx, group)
		for _, f := range group {
			if f.removed = f.committed && inOrder; f.committed && !inOrder && f.err == nil {
				f.err = errFront
			}
			close(f.ended)
		}
	}
}

// remove removes the batches that are committed, which are the first ones. It reports false if they have not left the
// queue, all of them and nothing else.
func (c *convoy) remove(ctx context.Context, group []*inFlight) bool {
	var done []queue.Batch
	for _, f := range group {
		if f.committed {
			done = append(done, f.job.head)
		}
	}
	if len(done) == 0 {
		return false
	}
	after, cancel := outlast(ctx)
	defer cancel()
	removed, err := c.worker.options.Backend.RemoveFirst(after, group[0].job.list, queue.Join(done...))
	for _, f := range group[:len(done)] {
		f.err = err
		f.job.run.at(AfterRemoval)
	}
	return removed && err == nil
}

// distance finds out how far away the database is: by the shortest of the last round trips that ask little.
type distance struct {
	mu   sync.Mutex
	last [8]time.Duration
	n    int
}

func (d *distance) took(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last[d.n%len(d.last)] = max(t, 1)
	d.n++
}

// roundTrip is 0 as long as nothing is known.
func (d *distance) roundTrip() (shortest time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.last {
		if t > 0 && (shortest == 0 || t < shortest) {
			shortest = t
		}
	}
	return shortest
}
