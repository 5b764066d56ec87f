package replay

import (
	"context"
	"time"
)

const (
	// DefaultMaxLatency is how long a batch of variable size should take: so long other writers may have to wait for
	// its locks.
	DefaultMaxLatency = 250 * time.Millisecond
	// maxBatchBytes bounds the entries of a batch that has grown, as they are in the queue: they are in memory while
	// it is tracked, and those of the batch behind it.
	maxBatchBytes = 4 << 20
	// waitersInterval is how often the database is asked whether somebody waits for a lock.
	waitersInterval = 250 * time.Millisecond
)

// sizer finds the number of entries per batch. It doubles while the queue is long and a batch is fast, and halves
// when a batch was slow, had to be repeated, or somebody waits for a lock. It stays between BatchSize and
// MaxBatchSize.
type sizer struct {
	least, most int
	latency     time.Duration
	size        int
}

func newSizer(o *Options) *sizer {
	return &sizer{least: o.BatchSize, most: max(o.BatchSize, o.MaxBatchSize), latency: o.MaxLatency, size: o.BatchSize}
}

// grown reports whether batches are larger than they have to be.
func (s *sizer) grown() bool { return s.size > s.least }

// pace is what a batch tells about the size of the next one.
type pace struct {
	entries  int
	bytes    int
	left     int64 // entries behind it
	took     time.Duration
	inTheWay bool // it was in somebody's way, or somebody in its
}

func (s *sizer) adapt(p pace) {
	switch {
	case p.inTheWay, p.took > s.latency:
		s.size /= 2
	case p.entries >= s.size && p.left >= int64(2*s.size) && 2*p.took < s.latency:
		s.size *= 2
	}
	if p.bytes > 0 {
		s.size = min(s.size, maxBatchBytes*max(p.entries, 1)/p.bytes)
	}
	s.size = min(max(s.size, s.least), s.most)
}

// adapt lets the size of the worker's next batch follow from this one.
func (j *job) adapt(ctx context.Context, took time.Duration, repeated bool) {
	s := j.worker.sizer
	if s.most == s.least {
		return
	}
	inTheWay := repeated || s.grown() && j.worker.hinders(ctx)
	s.adapt(pace{entries: len(j.head.Elements), bytes: j.bytes(), left: j.left(), took: took, inTheWay: inTheWay})
}

// hinders reports whether somebody waits for a lock in the database, which may well be one of ours. Our own batches
// in flight wait for each other.
func (w *worker) hinders(ctx context.Context) bool {
	if now := w.options.Clock(); now.Sub(w.askedForWaiters) >= waitersInterval {
		w.askedForWaiters = now
		own := w.run.sending.Load()
		waiting, err := w.options.Store.LockWaits(ctx)
		return err == nil && waiting > own
	}
	return false
}
