package receive

import "github.com/prometheus/client_golang/prometheus"

// Totals are the HTTP requests of trackers so far, by what became of them.
type Totals struct {
	Queued, Tracked, Empty, Refused, Limited, Unavailable int
}

// All is the number of requests.
func (t Totals) All() int {
	return t.Queued + t.Tracked + t.Empty + t.Refused + t.Limited + t.Unavailable
}

// Totals reads the counters.
func (m *Metrics) Totals() (t Totals) {
	of := map[string]*int{
		outcomeQueued: &t.Queued, outcomeTracked: &t.Tracked, outcomeEmpty: &t.Empty,
		outcomeRefused: &t.Refused, outcomeLimited: &t.Limited, outcomeFull: &t.Unavailable,
	}
	registry := prometheus.NewRegistry() // a counter tells its value in no other way
	registry.MustRegister(m.byOutcome)
	families, err := registry.Gather()
	if err != nil {
		return t
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			*of[metric.GetLabel()[0].GetValue()] = int(metric.GetCounter().GetValue())
		}
	}
	return t
}
