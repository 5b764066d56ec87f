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

// state is what the server says of all queues.
type state struct {
	lengths, failed []int64
	locks           []time.Duration
	ages            []float64
}

// Collect implements prometheus.Collector.
func (q *Queues) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), q.timeout)
	defer cancel()
	n := q.queues()
	s, err := q.look(ctx, n)
	if err != nil {
		to <- prometheus.MustNewConstMetric(q.up, prometheus.GaugeValue, 0)
		return
	}
	to <- prometheus.MustNewConstMetric(q.up, prometheus.GaugeValue, 1)
	for id := range n {
		label := strconv.Itoa(id)
		gauge := func(d *prometheus.Desc, v float64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
		}
		gauge(q.length, float64(s.lengths[id]))
		gauge(q.age, s.ages[id])
		gauge(q.failed, float64(s.failed[id]))
		gauge(q.locked, s.locks[id].Seconds())
	}
}

func (q *Queues) look(ctx context.Context, n int) (s state, err error) {
	lists := queue.Keys(0, n)
	failed, locks := make([]string, n), make([]string, n)
	for id, list := range lists {
		failed[id], locks[id] = queue.FailedKey(list), lock.Key(id)
	}
	if s.lengths, err = q.backend.Lens(ctx, lists...); err != nil {
		return s, err
	}
	if s.failed, err = q.backend.Lens(ctx, failed...); err != nil {
		return s, err
	}
	if s.locks, err = q.backend.TTLs(ctx, locks...); err != nil {
		return s, err
	}
	s.ages = make([]float64, n)
	for id, list := range lists {
		if s.lengths[id] == 0 {
			continue
		}
		if s.ages[id], err = q.oldest(ctx, list); err != nil {
			return s, err
		}
	}
	return s, nil
}

// oldest is the age of a list's first entry in seconds, 0 when that cannot be decoded.
func (q *Queues) oldest(ctx context.Context, list string) (float64, error) {
	first, err := q.backend.Range(ctx, list, 0, 1)
	if err != nil || len(first) == 0 {
		return 0, err
	}
	set, err := queue.Decode(first[0])
	if err != nil || set.Time == 0 {
		return 0, nil // workers put such an entry aside
	}
	return max(0, q.clock().Sub(time.Unix(set.Time, 0)).Seconds()), nil
}
