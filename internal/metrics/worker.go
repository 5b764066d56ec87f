package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/replay"
)

// Worker counts what workers of this process have tracked.
type Worker struct {
	requests *prometheus.CounterVec
	rows     *prometheus.CounterVec
	batches  prometheus.Histogram
	errors   prometheus.Counter
	lastRun  *prometheus.GaugeVec // without labels; not told before there was a run
}

// Names and explanations of the metrics of workers.
const (
	requestsName = "queuedtracking_tracked_requests_total"
	requestsHelp = "Tracking requests taken out of the queues, by what became of them: tracked, excluded, rejected or " +
		"failed (a dead letter)."
	rowsName    = "queuedtracking_written_rows_total"
	rowsHelp    = "Rows written: visits, actions, conversions, requests of AI bots."
	batchesName = "queuedtracking_batch_duration_seconds"
	batchesHelp = "Time from reading a batch to its removal from the queue."
	errorsName  = "queuedtracking_run_errors_total"
	errorsHelp  = "Runs over the queues that ended with an error."
	lastRunName = "queuedtracking_last_run_timestamp_seconds"
	lastRunHelp = "When a worker has looked at the queues last."
)

// NewWorker makes the metrics and registers them.
func NewWorker(registry prometheus.Registerer) *Worker {
	w := &Worker{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: requestsName, Help: requestsHelp,
		}, []string{"result"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: rowsName, Help: rowsHelp,
		}, []string{"table"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: batchesName, Help: batchesHelp, Buckets: history.DurationBuckets,
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: errorsName, Help: errorsHelp,
		}),
		lastRun: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: lastRunName, Help: lastRunHelp}, nil),
	}
	registry.MustRegister(w.requests, w.rows, w.batches, w.errors, w.lastRun)
	return w
}

// Batch counts a batch: replay.Options.OnBatch. It may be called by several goroutines.
func (w *Worker) Batch(b replay.Report) {
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

// Looked notes that the queues were gone over.
func (w *Worker) Looked(now time.Time) { w.lastRun.WithLabelValues().Set(float64(now.Unix())) }

// RunFailed counts a run that ended with an error.
func (w *Worker) RunFailed() { w.errors.Inc() }
