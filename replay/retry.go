package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const (
	minAttempts  = 8
	firstBackOff = 50 * time.Millisecond
	maxBackOff   = 5 * time.Second
)

// Connections is how many connections to the database a worker may have at once: of the batches in flight and the one
// that is played, for new names, and for what is read ahead. It goes on, more slowly, with two.
const (
	Connections    = maxInFlight + 3
	MinConnections = 2
)

// errAway stops a run that was told to stop while a server was away: there is no sense in waiting for it.
var errAway = errors.New("stopped while a server was away")

// retryable reports whether the same work may succeed when it is done again: after a deadlock, a time-out, a lost
// connection.
func retryable(err error) bool {
	return !errors.Is(err, queue.ErrDenied) && (errors.Is(err, queue.ErrUnavailable) || store.IsRetryable(err))
}

// isAway reports whether a server cannot be reached, in contrast to one that asks for another attempt.
func isAway(err error) bool {
	return errors.Is(err, queue.ErrUnavailable) || store.IsConnectionLost(err)
}

// retry calls do until it succeeds or fails for good, with growing pauses of random length. It gives up when Patience
// is over, but not before minAttempts; a run that was told to stop does not wait for a server that is away. where are
// attributes for the log.
func (w *worker) retry(ctx context.Context, do func() error, where ...any) error {
	var since time.Time
	pause := firstBackOff
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || !retryable(err) || ctx.Err() != nil {
			return err
		}
		if attempt == 1 {
			since = time.Now()
		}
		waited := time.Since(since)
		if attempt >= minAttempts && waited > w.options.Patience {
			return fmt.Errorf("%s, given up after %d attempts in %s: %w", incident(err), attempt, waited.Round(time.Second), err)
		}
		w.summary.Retries++
		w.options.Log.Warn(incident(err)+", trying again", append(where, "attempt", attempt, "error", err)...)
		if err := w.pause(ctx, pause/2+rand.N(pause), isAway(err)); err != nil {
			return err
		}
		pause = min(2*pause, maxBackOff)
	}
}

// incident names what happened.
func incident(err error) string {
	switch {
	case errors.Is(err, queue.ErrUnavailable):
		return "queue server away"
	case errors.Is(err, ErrEngineEnded):
		return "engine ended"
	case store.HasNoConnectionLeft(err):
		return "database has no connection left"
	case isAway(err):
		return "database away"
	}
	return "batch rolled back by the database"
}

// pause waits; with away set it does not outlast the run.
func (w *worker) pause(ctx context.Context, d time.Duration, away bool) error {
	var stop <-chan struct{}
	if away {
		stop = w.stop
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-stop:
		return errAway
	case <-timer.C:
		return nil
	}
}
