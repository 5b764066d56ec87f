package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Patience says how a Backend is to wait for servers that are away.
type Patience struct {
	// Wait is how long one call may go on trying since its first failure; a fail-over of Sentinels takes their down-after-milliseconds,
	// 30 s by default, and some seconds more.
	Wait time.Duration
	// OnWait is called before each pause, from several goroutines; may be nil.
	OnWait func(err error, pause time.Duration)
}

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// Patient makes calls of a backend again, with growing pauses, while the servers are away: when they fail over, are resharded, loading
// or out of reach. A call that may have had its effect, because the connection broke before the answer came, is only made again if
// that does no harm: Append, AppendMarked, Take and Move are not.
//
// What has waited in vain returns the last error, which is an ErrUnavailable.
func Patient(b Backend, p Patience) Backend { return &patient{b, p} }

type patient struct {
	backend Backend
	Patience
}

// harm says what a call does that is made once more after it has had its effect.
type harm bool

const (
	harmless harm = false
	harmful  harm = true
)

// try makes the call until it succeeds, cannot succeed or has waited in vain. again reports whether an earlier attempt may have had its effect.
func try[T any](ctx context.Context, p *patient, h harm, call func() (T, error)) (value T, again bool, err error) {
	var deadline time.Time
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		value, err = call()
		undone := isUndone(err)
		if err == nil || !errors.Is(err, ErrUnavailable) || h == harmful && !undone {
			return value, again, err
		}
		again = again || !undone
		now := time.Now()
		if deadline.IsZero() {
			deadline = now.Add(p.Wait)
		}
		wait := pause/2 + rand.N(pause)
		if now.Add(wait).After(deadline) {
			return value, again, err
		}
		if p.OnWait != nil {
			p.OnWait(err, wait)
		}
		select {
		case <-ctx.Done():
			return value, again, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// isUndone reports whether a failed call has had no effect, for certain.
func isUndone(err error) bool {
	failed, ok := errors.AsType[*backendError](err)
	return ok && failed.undone
}

// read is try for calls that change nothing, or the same once more.
func read[T any](ctx context.Context, p *patient, call func() (T, error)) (T, error) {
	value, _, err := try(ctx, p, harmless, call)
	return value, err
}

// write is try for calls that would change more the second time.
func write[T any](ctx context.Context, p *patient, call func() (T, error)) (T, error) {
	value, _, err := try(ctx, p, harmful, call)
	return value, err
}

// nothing is the value of calls that have only an error.
type nothing = struct{}
