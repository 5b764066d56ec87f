package replay

import (
	"testing"
	"time"
)

func TestBatchSizeFollowsBacklogAndSpeed(t *testing.T) {
	const fast, slow = 10 * time.Millisecond, 300 * time.Millisecond
	s := &sizer{least: 25, most: 1000, latency: 250 * time.Millisecond, size: 25}
	for _, step := range []struct {
		about string
		pace  pace
		want  int
	}{
		{"long queue, fast", pace{entries: 25, left: 10_000, took: fast}, 50},
		{"again", pace{entries: 50, left: 10_000, took: fast}, 100},
		{"not twice as much is left", pace{entries: 100, left: 199, took: fast}, 100},
		{"the batch was not full", pace{entries: 60, left: 10_000, took: fast}, 100},
		{"twice as many would take too long", pace{entries: 100, left: 10_000, took: 125 * time.Millisecond}, 100},
		{"slow", pace{entries: 100, left: 10_000, took: slow}, 50},
		{"somebody waits", pace{entries: 50, left: 10_000, took: fast, inTheWay: true}, 25},
		{"never below what the settings say", pace{entries: 25, left: 10_000, took: slow}, 25},
		{"large entries", pace{entries: 25, bytes: 25 * maxBatchBytes / 40, left: 10_000, took: fast}, 40},
		{"huge entries", pace{entries: 40, bytes: 40 * maxBatchBytes, left: 10_000, took: fast}, 25},
	} {
		if s.adapt(step.pace); s.size != step.want {
			t.Fatalf("%s: %d, want %d", step.about, s.size, step.want)
		}
	}
	for range 20 {
		s.adapt(pace{entries: s.size, left: 1_000_000, took: fast})
	}
	if s.size != 1000 {
		t.Errorf("%d at most", s.size)
	}
	fixed := newSizer(&Options{BatchSize: 25, MaxLatency: time.Second})
	if fixed.adapt(pace{entries: 25, left: 1_000_000, took: fast}); fixed.size != 25 {
		t.Errorf("a fixed size became %d", fixed.size)
	}
}
