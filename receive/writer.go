package receive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
)

// Entry is one element for a queue.
type Entry struct {
	Queue   int
	Element []byte
}

// ErrFull is the error of entries that found no place: the queue's server is away, or too few of its replicas have
// them, and the spool is full, fails or is not set, or more requests wait than can be kept. The client should try again
// later.
var ErrFull = errors.New("no place for tracking requests")

// errClosed is the error of entries that come after Close.
var errClosed = fmt.Errorf("%w: shutting down", ErrFull)

// Appender is the part of a queue.Backend that writes.
type Appender interface {
	Append(ctx context.Context, list string, elements ...[]byte) error
	AppendMarked(ctx context.Context, list string, mark queue.Mark, elements ...[]byte) error
	Get(ctx context.Context, key string) (value string, ok bool, err error)
}

// WriterOptions say where entries go.
type WriterOptions struct {
	Backend Appender
	Queues  int
	Spool   *Spool        // keeps entries while the backend is away; nil: they are refused
	Timeout time.Duration // for one write to the backend, with the wait for replicas
	Log     *slog.Logger
	Metrics *Metrics
}

// Writer puts entries into the queues. Entries that arrive while a write is under way form a group and are written
// together by the next one: no entry waits for others to come, and under load one round trip serves many requests
// (group commit).
//
// Each queue is served by one goroutine, so that its entries keep the order in which Write took them, also through the
// spool: while the spool holds entries of a queue, further ones go behind them.
type Writer struct {
	o     WriterOptions
	lanes []*lane
	queue sync.WaitGroup // running lanes

	mu     sync.RWMutex // held for reading while entries are handed to lanes
	closed bool

	stop    context.CancelFunc
	drained sync.WaitGroup
}

const (
	maxLanes      = 8
	laneCapacity  = 4096    // jobs that may wait for a lane
	maxGroup      = 1024    // jobs of a group
	maxGroupBytes = 4 << 20 // of elements, from which on a group takes no more
)

// NewWriter starts a writer. Close ends it.
func NewWriter(o WriterOptions) *Writer {
	w := &Writer{o: o}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	for range max(1, min(o.Queues, maxLanes)) {
		l := &lane{writer: w, jobs: make(chan job, laneCapacity)}
		w.lanes = append(w.lanes, l)
		w.queue.Go(l.run)
	}
	if o.Spool != nil {
		w.drained.Go(func() { w.drain(ctx) })
	}
	return w
}

// Write returns when all entries are in their queues or on disk. An ErrFull says that some are not; those of other
// queues may be.
func (w *Writer) Write(entries []Entry) error {
	t := &ticket{done: make(chan struct{})}
	t.open.Store(int32(len(entries)))
	if err := w.hand(t, entries); err != nil {
		return err
	}
	<-t.done // bounded: each write to the backend has a time-out, the spool is a local disk
	if err := t.err.Load(); err != nil {
		return *err
	}
	return nil
}

// hand gives the entries to the lanes of their queues.
func (w *Writer) hand(t *ticket, entries []Entry) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	for _, e := range entries {
		select {
		case w.lanes[e.Queue%len(w.lanes)].jobs <- job{e, t}:
		default:
			return fmt.Errorf("%w: too many wait", ErrFull)
		}
	}
	return nil
}

// Close waits until what was taken is written and ends the writer. What is in the spool stays there.
func (w *Writer) Close() {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.closed = true
	for _, l := range w.lanes {
		close(l.jobs)
	}
	w.mu.Unlock()
	w.queue.Wait()
	w.stop()
	w.drained.Wait()
}

// ticket is what a request waits for.
type ticket struct {
	open atomic.Int32 // entries that are not settled yet
	err  atomic.Pointer[error]
	done chan struct{}
}

func (t *ticket) settle(err error) {
	if err != nil {
		t.err.Store(&err)
	}
	if t.open.Add(-1) == 0 {
		close(t.done)
	}
}

type job struct {
	Entry
	ticket *ticket
}

// lane writes the entries of some of the queues.
type lane struct {
	writer *Writer
	jobs   chan job
}

func (l *lane) run() {
	group := make([]job, 0, maxGroup)
	for first := range l.jobs {
		group = l.gather(append(group[:0], first))
		l.write(group)
		clear(group)
	}
}

// gather takes what waits.
func (l *lane) gather(group []job) []job {
	size := len(group[0].Element)
	for len(group) < maxGroup && size < maxGroupBytes {
		select {
		case j, ok := <-l.jobs:
			if !ok {
				return group
			}
			group = append(group, j)
			size += len(j.Element)
		default:
			return group
		}
	}
	return group
}

// write puts the jobs of a group into their queues, each in order, and settles their tickets.
func (l *lane) write(group []job) {
	l.writer.o.Metrics.groups.Observe(float64(len(group)))
	rest := group
	for len(rest) > 0 {
		id := rest[0].Queue
		var elements [][]byte
		var settled []*ticket
		others := rest[:0:0]
		for _, j := range rest {
			if j.Queue != id {
				others = append(others, j)
				continue
			}
			elements = append(elements, j.Element)
			settled = append(settled, j.ticket)
		}
		err := l.writer.put(id, elements)
		for _, t := range settled {
			t.settle(err)
		}
		rest = others
	}
}

// put appends elements to a queue, or to the spool when the backend is away or the spool holds entries of the queue
// already. What is in the queue but on too few replicas goes to the spool, too: there it stays until they have it, or
// is appended again when it was lost with its server.
func (w *Writer) put(id int, elements [][]byte) error {
	list := queue.Key(id)
	if w.o.Spool == nil {
		ctx, cancel := context.WithTimeout(context.Background(), w.o.Timeout)
		defer cancel()
		if err := w.o.Backend.Append(ctx, list, elements...); err != nil {
			w.failed(id, len(elements), "refused", err)
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		return nil
	}
	r := record{Sequence: w.o.Spool.nextSequence(), List: list, Elements: elements}
	if w.o.Spool.waits(list) == 0 {
		err := w.append(r)
		if err == nil {
			return nil
		}
		w.failed(id, len(elements), "spooled", err)
	}
	if err := w.o.Spool.Append(r); err != nil {
		w.o.Metrics.spoolErrors.Inc()
		w.o.Log.Error("spool takes no requests, they are refused", "queue", id, "requests", len(elements), "error", err)
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	w.o.Metrics.spooled.Add(float64(len(elements)))
	return nil
}

// failed tells of a write that the backend did not take, or not safely.
func (w *Writer) failed(id, requests int, fate string, err error) {
	w.o.Metrics.backendErrors.Inc()
	what := "queue is away"
	if errors.Is(err, queue.ErrNotReplicated) {
		w.o.Metrics.unreplicated.Add(float64(requests))
		what = "too few replicas have requests"
	}
	if errors.Is(err, queue.ErrFull) {
		what = "queue is full"
	}
	w.o.Log.Warn(what+", they are "+fate, "queue", id, "requests", requests, "error", err)
}
