package metrics

import "github.com/prometheus/client_golang/prometheus"

// PHP is what is counted of the children of the PHP engine, of all workers of this process.
type PHP struct {
	Started, Deaths, Leaked int
	Seconds                 float64 // of processor time
}

// NewEngine tells which engine tracks in this process, "native" or "php". php gives the counters of PHP's children; nil
// where there are none.
func NewEngine(registry prometheus.Registerer, name string, php func() PHP) {
	engine := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "queuedtracking_engine_info", Help: "What tracks: native, this program, or php, Matomo's own; always 1.",
	}, []string{"engine"})
	engine.WithLabelValues(name).Set(1)
	registry.MustRegister(engine)
	if php == nil {
		return
	}
	counter := func(name, help string, count func(PHP) float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return count(php()) }))
	}
	counter("queuedtracking_php_children_started_total", "PHP processes that were started.",
		func(p PHP) float64 { return float64(p.Started) })
	counter("queuedtracking_php_children_died_total", "PHP processes that ended without being told to.",
		func(p PHP) float64 { return float64(p.Deaths) })
	counter("queuedtracking_php_transactions_leaked_total",
		"Transactions that a plugin has ended before they were complete.", func(p PHP) float64 { return float64(p.Leaked) })
	counter("queuedtracking_php_processor_seconds_total", "Processor time of PHP processes.",
		func(p PHP) float64 { return p.Seconds })
}
