package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// phpWorker does what the plugin's worker does: it knows no checkpoint and no counter. What a request means it leaves
// to our tracker.
type phpWorker struct {
	queues   phpQueues
	assembly *assembly.Assembly
	tracker  *assembly.Tracker
	batches  int
}

func newPHPWorker(t *testing.T, s *site) *phpWorker {
	t.Helper()
	config, err := matomo.LoadConfig(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	installation, err := matomo.Open(t.Context(), config, s.db, clock, matomo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Assemble(t.Context(), installation, s.db, assembly.Options{
		Clock: clock, Random: randomness{}, Cores: 1, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	var queues phpQueues = newPHPMySQL(s.db)
	if s.redis != nil {
		queues = &phpRedis{s.redis.DialDatabase(t, s.redisDB)}
	}
	return &phpWorker{queues: queues, assembly: a, tracker: a.NewTracker()}
}

// run goes over the queues until ctx is done.
func (p *phpWorker) run(ctx context.Context) error {
	for ctx.Err() == nil {
		for id := range queues {
			if err := p.take(id); err != nil {
				return err
			}
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// take locks a queue and processes up to ten batches.
func (p *phpWorker) take(id int) error {
	const most, size = 10, 10
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	key, value := lock.Key(id), hex.EncodeToString(random[:])
	locked, err := p.queues.lock(key, value, 60)
	if err != nil || !locked {
		return err
	}
	for range most {
		n, err := p.batch(id, size, key, value)
		if err != nil || n == 0 {
			break // what failed is still in the queue
		}
		p.batches++
	}
	return p.queues.release(key, value)
}

// phpTTL is for how long the plugin extends a lock before it tracks, or commits, so many things.
func phpTTL(least, things int) time.Duration {
	return time.Duration(max(least, 2*things)) * time.Second
}

func (p *phpWorker) extend(key, value string, ttl time.Duration) error {
	ok, err := p.queues.extend(key, value, int(ttl.Seconds()))
	if err == nil && !ok {
		err = errors.New("rolled back, no longer have lock")
	}
	return err
}

// batch reads, tracks in one transaction, commits, and then trims the list.
func (p *phpWorker) batch(id, size int, key, value string) (int, error) {
	ctx := context.Background()
	elements, err := p.queues.read(queue.Key(id), size)
	if err != nil || len(elements) == 0 {
		return 0, err
	}
	var sets []queue.RequestSet
	for _, element := range elements {
		set, err := queue.Decode(element)
		if err != nil {
			return 0, err
		}
		if err := p.extend(key, value, phpTTL(30, len(set.Requests))); err != nil {
			return 0, err
		}
		sets = append(sets, set)
	}
	prepared, err := p.tracker.Prepare(ctx, sets)
	if err != nil {
		return 0, err
	}
	tx, err := p.assembly.Store().Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	if _, err := p.tracker.Write(ctx, tx, prepared); err != nil {
		return 0, err
	}
	if err := p.extend(key, value, phpTTL(20, len(sets))); err != nil {
		return 0, err
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	return len(elements), p.queues.trim(queue.Key(id), len(elements))
}
