package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// insideWorker tracks within the process that receives: requests that ask for it at once, and what is queued.
type insideWorker struct {
	command  *serveCommand
	assembly *assembly.Assembly
	metrics  *metrics.Worker
	history  *history.Recorder
	always   bool // also what is queued

	mu     sync.Mutex // a tracker belongs to one goroutine
	direct *assembly.Tracker
}

// openInside prepares tracking in this process. Where rows would come out wrong it refuses if that was asked for, and
// leaves the work to others if only the plugin's setting asks for it.
func (c *serveCommand) openInside(ctx context.Context, flagSet bool) error {
	asked := flagSet && c.process
	always := c.process
	if !flagSet {
		always = c.conn.settings.queue.ProcessDuringTrackingRequest
	}
	always = always && c.conn.config.Tracker(0).RecordStatistics
	if c.conn.installation == nil {
		if asked {
			return usage("--process needs the database, --without-database does without it")
		}
		return nil
	}
	check := &processCommand{
		program: c.program, conn: c.conn, ignorePlugins: asked && c.ignorePlugins, engine: nativeEngine,
	}
	if err := check.checkInstallation(ctx); err != nil {
		if asked {
			return err
		}
		c.logs.Warn("nothing is tracked in this process, requests with queuedtracking=0 are queued", "error", err)
		return nil
	}
	built, err := assembly.Assemble(ctx, c.conn.installation, c.conn.db, assembly.Options{
		Clock: c.clock, Random: rand.Reader, Cores: max(1, runtime.GOMAXPROCS(0)/2), Log: c.logs.Logger,
	})
	if err != nil {
		return err
	}
	c.warnOfMissingColumns(built.Store().Schema())
	c.inside = &insideWorker{
		command: c, assembly: built, metrics: metrics.NewWorker(c.registry), history: c.conn.newRecorder(c.logs.Logger),
		always: always,
		direct: built.NewTracker(),
	}
	return nil
}

func (w *insideWorker) close() { _ = w.assembly.Close() } // files that were read

// maxDirectAttempts is how often a request is tried that a deadlock or a lost connection ended.
const maxDirectAttempts = 3

// track tracks a set at once.
func (w *insideWorker) track(ctx context.Context, set queue.RequestSet) (result tracker.Result, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range maxDirectAttempts {
		result, err = w.attempt(ctx, set)
		if err == nil || !store.IsRetryable(err) {
			break
		}
	}
	return result, err
}

func (w *insideWorker) attempt(ctx context.Context, set queue.RequestSet) (tracker.Result, error) {
	batch, err := w.direct.Prepare(ctx, []queue.RequestSet{set})
	if err != nil {
		return tracker.Result{}, err
	}
	tx, err := w.assembly.Store().Begin(ctx)
	if err != nil {
		return tracker.Result{}, err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	result, err := w.direct.Write(ctx, tx, batch)
	if err != nil {
		return tracker.Result{}, err
	}
	if err := tx.Commit(ctx); err != nil {
		return tracker.Result{}, err
	}
	return *result, nil
}

// isSuperuser reports whether a token is a superuser's.
func (w *insideWorker) isSuperuser(ctx context.Context, token string, secure bool) (bool, error) {
	conn := w.command.conn
	return conn.installation.SuperuserToken(ctx, conn.db, matomo.TokenHash(token, conn.config.String("General", "salt")),
		secure)
}

func (w *insideWorker) onBatch(b replay.Report) {
	w.metrics.Batch(b)
	w.metrics.Looked(w.command.clock())
	w.history.Batch(b)
}

const (
	lookInterval = 200 * time.Millisecond // between two looks at the queues
	errorPause   = 5 * time.Second
)

// run tracks what is queued until stop is closed: queues that hold a batch, and after a quiet time also those that
// hold less. An error is logged and tried again: requests are received meanwhile.
func (w *insideWorker) run(ctx context.Context, stop <-chan struct{}) error {
	c := w.command
	own := w.assembly.NewEngine()
	o := replay.Options{
		Backend: c.conn.backend, Store: w.assembly.Store(), Clock: c.clock, Random: rand.Reader, Log: c.logs.Logger,
		NewEngine: func() replay.Engine { return own },
		Only:      replay.AnyQueue, Workers: 1, OnBatch: w.onBatch,
	}
	lastTracked := c.clock()
	defer w.history.Write()
	for {
		o.Queues, o.BatchSize = c.conn.queueCount(), int(c.batchSize.Load())
		o.Threshold = o.BatchSize
		if c.clock().Sub(lastTracked) > idleBeforeWipeOut {
			o.Threshold = 1
			lastTracked = c.clock()
		}
		pause := lookInterval
		summary, err := replay.Run(ctx, stop, o)
		if err != nil && ctx.Err() == nil && !errors.Is(err, replay.ErrStopped) {
			w.metrics.RunFailed()
			w.history.Failed(err)
			c.logs.Error("queued requests cannot be tracked, they stay in the queue", "error", err)
			pause = errorPause
		}
		w.metrics.Looked(c.clock())
		w.history.Looked()
		if summary.Tracked > 0 {
			lastTracked = c.clock()
		}
		select {
		case <-stop:
			return nil
		case <-time.After(pause):
		}
	}
}
