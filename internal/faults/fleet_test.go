package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// Workers that speak the protocol of the PHP plugin and ours take turns on four queues.
func TestMixedFleet(t *testing.T) {
	t.Parallel()
	requests := 4000 * times(1)
	s := newSite(t)
	entries := corpus(t, requests)
	s.push(t, entries[:len(entries)/3])
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var fleet sync.WaitGroup
	for range 2 {
		p := newPHPWorker(t, s)
		fleet.Go(func() {
			if err := p.run(ctx); err != nil {
				t.Errorf("PHP worker: %v", err)
			}
			made.add("batches of PHP workers beside ours", p.batches)
		})
	}
	ours := 0
	for _, part := range parts(entries[len(entries)/3:], 10) {
		s.push(t, part)
		a := s.start(t, func(j *job) { j.Batch = 7 })
		b := s.start(t, func(j *job) { j.Batch = 15 })
		ours += a.done()["tracked"] + b.done()["tracked"]
	}
	eventually(t, "queues are empty", func() bool { return s.waiting(t) == 0 })
	cancel()
	fleet.Wait()
	if held := s.locked(t); len(held) > 0 {
		t.Errorf("locks are left: %v", held)
	}
	if ours == 0 {
		t.Error("our workers got nothing to do")
	}
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}

// A frozen worker of ours finds its queue in the hands of a PHP worker, which knows no checkpoint: it must not commit.
func TestPHPWorkerTakesAFrozenWorkersQueue(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRead, replay.BeforeBegin} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newSite(t)
			s.push(t, corpus(t, requests))
			c := s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = point, 3, syscall.SIGSTOP })
			if !c.until("at") {
				t.Fatal("never there")
			}
			eventually(t, "lock runs out", func() bool { return len(s.locked(t)) == 0 })
			p := newPHPWorker(t, s)
			for range 3 {
				for id := range queues {
					if err := p.take(id); err != nil {
						t.Fatal(err)
					}
				}
			}
			made.add("workers frozen", 1)
			c.signal(syscall.SIGCONT)
			c.done()
			s.drain(t)
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}

// phpWorker does what the plugin's worker does: it knows no checkpoint and no counter. What a request means it leaves to our tracker.
type phpWorker struct {
	redis    redis.Conn
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
	return &phpWorker{redis: s.redis.DialDatabase(t, s.redisDB), assembly: a, tracker: a.NewTracker()}
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

const (
	phpExpire  = `if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("expire",KEYS[1], ARGV[2]) else return 0 end`
	phpRelease = `if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end`
)

// take locks a queue and processes up to ten batches.
func (p *phpWorker) take(id int) error {
	const most, size = 10, 10
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	key, value := lock.Key(id), hex.EncodeToString(random[:])
	reply, err := p.redis.Do("SET", key, value, "NX", "EX", 60)
	if err != nil || reply == nil {
		return err
	}
	for range most {
		n, err := p.batch(id, size, key, value)
		if err != nil || n == 0 {
			break
		}
		p.batches++
	}
	_, releaseErr := p.redis.Do("EVAL", phpRelease, 1, key, value)
	return errors.Join(err, releaseErr)
}

// phpTTL is for how long the plugin extends a lock before it tracks, or commits, so many things.
func phpTTL(least, things int) time.Duration { return time.Duration(max(least, 2*things)) * time.Second }

func (p *phpWorker) extend(key, value string, ttl time.Duration) error {
	ok, err := redis.Bool(p.redis.Do("EVAL", phpExpire, 1, key, value, int(ttl.Seconds())))
	if err == nil && !ok {
		err = errors.New("rolled back, no longer have lock")
	}
	return err
}

// batch reads, tracks in one transaction, commits, and then trims the list.
func (p *phpWorker) batch(id, size int, key, value string) (int, error) {
	ctx := context.Background()
	elements, err := redis.ByteSlices(p.redis.Do("LRANGE", queue.Key(id), 0, size-1))
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
	_, err = p.redis.Do("LTRIM", queue.Key(id), len(elements), -1)
	return len(elements), err
}
