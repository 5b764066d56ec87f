package replay_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// refusing is a server that takes no lock because its memory is full.
type refusing struct {
	queue.Backend
	attempts int
}

func (r *refusing) SetIfNotExists(context.Context, string, string, time.Duration) (bool, error) {
	r.attempts++
	return false, fmt.Errorf("redis: %w", queue.ErrFull)
}

// Memory does not get free by waiting: the reason is told at once.
func TestFullQueueServerIsNotWaitedFor(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "page")
	o := s.options()
	full := &refusing{Backend: s.backend}
	o.Backend = full
	_, err := replay.Run(t.Context(), nil, o)
	if !errors.Is(err, queue.ErrFull) || full.attempts != 1 {
		t.Errorf("%d attempts, %v", full.attempts, err)
	}
	if n := s.waiting(t); n != 1 {
		t.Errorf("%d entries left", n)
	}
}
