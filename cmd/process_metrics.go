package cmd

import (
	"context"

	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/receive"
)

// openMetrics tells Prometheus about queues and batches until end is called, when --metrics-listen asks for it.
func (c *processCommand) openMetrics() (end func(), err error) {
	if c.metricsListen == "" {
		return func() {}, nil
	}
	registry := c.conn.newRegistry()
	c.metrics = metrics.NewWorker(registry)
	metrics.NewEngine(registry, c.chosen.Name(), c.chosen.counters())
	ready := func(ctx context.Context) error {
		_, err := c.conn.backend.Len(ctx, queue.Key(0))
		return err
	}
	serve, err := c.metricsServer(c.metricsListen, receive.Health{
		Ready: ready, Gatherer: registry, Page: c.conn.statusPage("process", c.chosen.Name(), nil),
	}, c.statusPage)
	if err != nil {
		return nil, err
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve(stop); err != nil {
			c.logs.Error("metrics are not told any more", "error", err)
		}
	}()
	return func() { close(stop); <-ended }, nil
}
