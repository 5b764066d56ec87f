package receive

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what a receiver does.
type Metrics struct {
	byOutcome     *prometheus.CounterVec
	requests      map[string]prometheus.Counter // its counters
	entries       prometheus.Counter
	replaced      prometheus.Counter
	duration      prometheus.Histogram
	groups        prometheus.Histogram
	backendErrors prometheus.Counter
	unreplicated  prometheus.Counter
	spoolErrors   prometheus.Counter
	spooled       prometheus.Counter
	drained       prometheus.Counter
}

// What became of a request, for the label outcome.
const (
	outcomeQueued  = "queued"
	outcomeTracked = "tracked"
	outcomeEmpty   = "empty"
	outcomeRefused = "refused" // limits, or what cannot be queued
	outcomeLimited = "limited" // too many from one address
	outcomeFull    = "unavailable"
)

var outcomes = []string{outcomeQueued, outcomeTracked, outcomeEmpty, outcomeRefused, outcomeLimited, outcomeFull}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "queuedtracking_http_requests_total", Help: "HTTP requests of trackers, by what became of them.",
	}, []string{"outcome"})
	m := &Metrics{
		byOutcome: requests, requests: make(map[string]prometheus.Counter),
		entries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_received_entries_total", Help: "Entries that were acknowledged: in a queue or in the spool.",
		}),
		replaced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_received_invalid_utf8_total", Help: "Requests with text that was no UTF-8 and was replaced.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "queuedtracking_http_request_duration_seconds",
			Help:    "Time from the headers of a queued request to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		groups: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "queuedtracking_received_group_entries", Help: "Entries that were written to the queues together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		backendErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_received_backend_errors_total", Help: "Writes that the queue's server did not take.",
		}),
		unreplicated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_received_unreplicated_entries_total",
			Help: "Entries that are in a queue and that too few replicas had in time: they went to the spool, or were refused.",
		}),
		spoolErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_spool_errors_total", Help: "Writes that the spool did not take: it is full or its disk fails.",
		}),
		spooled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_spool_entries_total", Help: "Entries that went to the spool because the queue was away.",
		}),
		drained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "queuedtracking_spool_drained_entries_total", Help: "Entries that went from the spool into a queue.",
		}),
	}
	for _, outcome := range outcomes {
		m.requests[outcome] = requests.WithLabelValues(outcome)
	}
	registry.MustRegister(requests, m.entries, m.replaced, m.duration, m.groups, m.backendErrors, m.unreplicated,
		m.spoolErrors, m.spooled, m.drained)
	return m
}

// WatchSpool adds gauges of what waits in a spool.
func WatchSpool(registry prometheus.Registerer, s *Spool) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "queuedtracking_spool_waiting_entries", Help: "Entries in the spool.",
		}, func() float64 { entries, _ := s.Waiting(); return float64(entries) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "queuedtracking_spool_waiting_bytes", Help: "Size of the spool on disk.",
		}, func() float64 { _, bytes := s.Waiting(); return float64(bytes) }),
	)
}
