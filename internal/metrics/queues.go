// Package metrics tells Prometheus about queues and about the batches that workers track. All names begin with
// queuedtracking_.
package metrics

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Queues looks at the queues whenever it is asked. While their server is away queuedtracking_queue_up is 0 and nothing
// else is told.
type Queues struct {
	backend queue.Backend
	queues  func() int
	clock   func() time.Time
	timeout time.Duration

	up, length, age, failed, locked *prometheus.Desc
}

var _ prometheus.Collector = (*Queues)(nil)

// NewQueues makes the collector for as many queues as count says at each look. A look takes no longer than timeout.
func NewQueues(backend queue.Backend, count func() int, clock func() time.Time, timeout time.Duration) *Queues {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("queuedtracking_queue_"+name, help, labels, nil)
	}
	return &Queues{
		backend: backend, queues: count, clock: clock, timeout: timeout,
		up:     describe("up", "Whether the server of the queues answers."),
		length: describe("length", "Request sets that wait in a queue.", "queue"),
		age:    describe("oldest_age_seconds", "Age of the oldest request set of a queue, 0 when it is empty.", "queue"),
		failed: describe("dead_letters", "Dead letters of a queue.", "queue"),
		locked: describe("lock_seconds", "Time left of the lock that a worker holds on a queue, 0 when none does.", "queue"),
	}
}

// Describe implements prometheus.Collector.
func (q *Queues) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{q.up, q.length, q.age, q.failed, q.locked} {
		to <- d
	}
}

// QueueState is what the server says of a queue.
type QueueState struct {
	ID                int
	Sets, DeadLetters int64
	Oldest            time.Duration // age of the oldest set; 0: empty, or it cannot be decoded
	Lock              time.Duration // time left of the lock that a worker holds; 0: none does
}

// Collect implements prometheus.Collector.
func (q *Queues) Collect(to chan<- prometheus.Metric) {
	states, err := q.Look(context.Background())
	if err != nil {
		to <- prometheus.MustNewConstMetric(q.up, prometheus.GaugeValue, 0)
		return
	}
	to <- prometheus.MustNewConstMetric(q.up, prometheus.GaugeValue, 1)
	for _, s := range states {
		label := strconv.Itoa(s.ID)
		gauge := func(d *prometheus.Desc, v float64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
		}
		gauge(q.length, float64(s.Sets))
		gauge(q.age, s.Oldest.Seconds())
		gauge(q.failed, float64(s.DeadLetters))
		gauge(q.locked, s.Lock.Seconds())
	}
}

// Look looks at all queues, within the timeout.
func (q *Queues) Look(ctx context.Context) ([]QueueState, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	n := q.queues()
	lists := queue.Keys(0, n)
	failed, locks := make([]string, n), make([]string, n)
	for id, list := range lists {
		failed[id], locks[id] = queue.FailedKey(list), lock.Key(id)
	}
	waiting, err := q.backend.Lens(ctx, lists...)
	if err != nil {
		return nil, err
	}
	letters, err := q.backend.Lens(ctx, failed...)
	if err != nil {
		return nil, err
	}
	held, err := q.backend.TTLs(ctx, locks...)
	if err != nil {
		return nil, err
	}
	states := make([]QueueState, n)
	for id, list := range lists {
		states[id] = QueueState{ID: id, Sets: waiting[id], DeadLetters: letters[id], Lock: held[id]}
		if waiting[id] == 0 {
			continue
		}
		if states[id].Oldest, err = q.oldest(ctx, list); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// oldest is the age of a list's first entry, 0 when that cannot be decoded.
func (q *Queues) oldest(ctx context.Context, list string) (time.Duration, error) {
	first, err := q.backend.Range(ctx, list, 0, 1)
	if err != nil || len(first) == 0 {
		return 0, err
	}
	set, err := queue.Decode(first[0])
	if err != nil || set.Time == 0 {
		return 0, nil // workers put such an entry aside
	}
	return max(0, q.clock().Sub(time.Unix(set.Time, 0))), nil
}
