package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/replay"
)

// Worker counts what workers of this process have tracked.
type Worker struct {
	requests *prometheus.CounterVec
	rows     *prometheus.CounterVec
	batches  prometheus.Histogram
	errors   prometheus.Counter
}

// NewWorker makes the metrics and registers them.
func NewWorker(registry prometheus.Registerer) *Worker {
	w := &Worker{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "queuedtracking_tracked_requests_total",
			Help: "Tracking requests taken out of the queues, by what became of them: tracked, excluded, rejected or failed (a dead letter).",
		}, []string{"result"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "queuedtracking_written_rows_total", Help: "Rows written: visits, actions, conversions, requests of AI bots.",
		}, []string{"table"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "queuedtracking_batch_duration_seconds", Help: "Time from reading a batch to its removal from the queue.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_run_errors_total", Help: "Runs over the queues that ended with an error.",
		}),
	}
	registry.MustRegister(w.requests, w.rows, w.batches, w.errors)
	return w
}

// Batch counts a batch: replay.Options.OnBatch. It may be called by several goroutines.
func (w *Worker) Batch(b replay.Batch) {
	w.batches.Observe(b.Duration.Seconds())
	count := func(result string, n int) { w.requests.WithLabelValues(result).Add(float64(n)) }
	count("tracked", b.Result.Tracked)
	count("failed", b.Result.Failed)
	for _, n := range b.Result.Excluded {
		count("excluded", n)
	}
	for _, n := range b.Result.Rejected {
		count("rejected", n)
	}
	w.rows.WithLabelValues("visits").Add(float64(b.Result.Visits))
	w.rows.WithLabelValues("actions").Add(float64(b.Result.Actions))
	w.rows.WithLabelValues("conversions").Add(float64(b.Result.Conversions))
	w.rows.WithLabelValues("bot_requests").Add(float64(b.Result.BotRequests))
}

// RunFailed counts a run that ended with an error.
func (w *Worker) RunFailed() { w.errors.Inc() }
