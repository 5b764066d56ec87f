package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/history"
)

// Kept tells what workers have counted in a period, by the names under which Worker tells it of one process.
type Kept struct {
	total history.Period

	requests, rows, batches, errors, lastRun *prometheus.Desc
}

var _ prometheus.Collector = (*Kept)(nil)

// NewKept makes the collector for a period, which should be all days: counters must not go back.
func NewKept(total history.Period) *Kept {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Kept{
		total:    total,
		requests: describe(requestsName, requestsHelp, "result"),
		rows:     describe(rowsName, rowsHelp, "table"),
		batches:  describe(batchesName, batchesHelp),
		errors:   describe(errorsName, errorsHelp),
		lastRun:  describe(lastRunName, lastRunHelp),
	}
}

// Describe implements prometheus.Collector.
func (k *Kept) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{k.requests, k.rows, k.batches, k.errors, k.lastRun} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (k *Kept) Collect(to chan<- prometheus.Metric) {
	all := k.total.All()
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	counter(k.requests, all.Tracked, "tracked")
	counter(k.requests, all.DeadLetters, "failed")
	counter(k.requests, history.Sum(all.Excluded), "excluded")
	counter(k.requests, history.Sum(all.Rejected), "rejected")
	counter(k.rows, all.Visits, "visits")
	counter(k.rows, all.Actions, "actions")
	counter(k.rows, all.Conversions, "conversions")
	counter(k.rows, all.BotRequests, "bot_requests")
	counter(k.errors, k.total.Errors)
	buckets := make(map[float64]uint64)
	upTo := uint64(0)
	for i, bound := range history.DurationBuckets {
		upTo += uint64(max(0, k.total.Durations.Classes[i]))
		buckets[bound] = upTo
	}
	to <- prometheus.MustNewConstHistogram(k.batches, uint64(max(0, k.total.Durations.Count())),
		k.total.Durations.Seconds, buckets)
	if last := k.total.LastRun; last != nil {
		to <- prometheus.MustNewConstMetric(k.lastRun, prometheus.GaugeValue, float64(last.Time.Unix()))
	}
}
