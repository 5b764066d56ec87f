package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/replay"
)

// newRecorder keeps what workers of this process do beside the queues.
func (c *connection) newRecorder(log *slog.Logger) *history.Recorder {
	p := c.program
	host, err := p.hostname()
	if err != nil {
		host = "unknown"
	}
	return history.NewRecorder(c.backend, p.clock, host, log)
}

// beginHistory makes the recorder. A dry run does nothing that is worth to be kept.
func (c *processCommand) beginHistory() error {
	if c.dryRun {
		return nil
	}
	c.history = c.conn.newRecorder(c.logs.Logger)
	c.history.Engine(c.chosen.Name())
	if c.metricsFile == "" {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(c.metricsFile))
	if err == nil && !folder.IsDir() {
		err = fmt.Errorf("%s is no directory", filepath.Dir(c.metricsFile))
	}
	if err != nil {
		return fmt.Errorf("--metrics-file: %w", err)
	}
	return nil
}

// recordRefusal keeps why a run is refused at start, where the queues can be reached: cron tells nobody who would look.
func (c *processCommand) recordRefusal(ctx context.Context, refusal error) {
	open := c.conn.backend != nil // and is what does not work
	if c.dryRun || open || c.conn.installation == nil || isUsage(refusal) || ctx.Err() != nil {
		return
	}
	if c.conn.readSettings(ctx) != nil || c.conn.openQueue(ctx, 1) != nil {
		return
	}
	recorder := c.conn.newRecorder(slog.New(slog.DiscardHandler)) // the refusal is what is to be told
	recorder.Failed(refusal)
	recorder.Write()
	_ = c.writeMetricsFile() // likewise
}

func (c *processCommand) recordBatch(b replay.Report) {
	if c.metrics != nil {
		c.metrics.Batch(b)
		c.metrics.Looked(c.clock())
	}
	if c.history != nil && c.history.Batch(b) {
		c.refreshMetricsFile()
	}
}

// recordLook notes that the queues were gone over.
func (c *processCommand) recordLook() {
	if c.metrics != nil {
		c.metrics.Looked(c.clock())
	}
	if c.history != nil && c.history.Looked() {
		c.refreshMetricsFile()
	}
}

// endHistory writes what is not written yet, and gives the error of the run or else that of the metrics file.
func (c *processCommand) endHistory(ctx context.Context, failed error) error {
	if c.history == nil {
		return failed
	}
	if failure(failed) != nil && ctx.Err() == nil {
		c.history.Failed(failed)
	}
	c.history.Looked()
	c.history.Write()
	if err := c.writeMetricsFile(); failed == nil {
		return err
	}
	return failed
}

// refreshMetricsFile writes it while the run goes on.
func (c *processCommand) refreshMetricsFile() {
	if err := c.writeMetricsFile(); err != nil {
		c.logs.Warn("metrics file not written", "error", err)
	}
}

// writeMetricsFile puts a new file in the place of --metrics-file, for the textfile collector of Prometheus'
// node_exporter. It holds what runs have counted since statistics are kept, so that its counters go on from run to run.
func (c *processCommand) writeMetricsFile() error {
	if c.metricsFile == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	total, err := history.ReadTotal(ctx, c.conn.backend)
	if err != nil {
		return fmt.Errorf("metrics file: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.NewKept(total), c.conn.queueMetrics())
	if err := prometheus.WriteToTextfile(c.metricsFile, registry); err != nil {
		return fmt.Errorf("metrics file: %w", err)
	}
	return nil
}
