package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/receive"
)

// probeTimeout bounds a look at the queues for metrics.
const probeTimeout = 2 * time.Second

// newRegistry holds the metrics that commands have in common: the program, the process and the queues.
func (c *connection) newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewBuild(versionName()),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), c.queueMetrics())
	return registry
}

func (c *connection) queueMetrics() *metrics.Queues {
	return metrics.NewQueues(c.backend, c.queueCount, c.program.clock, probeTimeout)
}

// metricsGrace is the longest time that a scrape under way gets at the end.
const metricsGrace = time.Second

// metricsServer listens for /metrics, /healthz and /readyz at an address of their own, and there for / unless when says
// that the page is not for this address; what it returns serves until stop is closed.
func (p *program) metricsServer(address string, health receive.Health, when pageFlag) (
	serve func(stop <-chan struct{}) error, err error,
) {
	l, err := receive.Listen(address, receive.DefaultMode, p.lookupEnv)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(p.out(), "Metrics at", l.Addr())
	if !when.at(l.Addr()) {
		health.Page = nil
	} else if l.Addr().Network() == "tcp" {
		fmt.Fprintf(p.out(), "Status page at http://%s/\n", l.Addr())
	}
	return func(stop <-chan struct{}) error {
		return receive.Serve(context.Background(), l, health.Handler(), receive.DefaultLimits(), metricsGrace, p.logs.Logger,
			stop)
	}, nil
}
