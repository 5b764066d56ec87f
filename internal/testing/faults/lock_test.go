package faults

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/replay"
)

// frozen are the points at which a worker is stopped while others go on.
var frozen = []replay.Point{
	replay.AfterRead, replay.BeforeBegin, replay.AfterWrite, replay.BeforeCommit, replay.AfterCommit, replay.AfterRemoval,
	replay.BeforeRelease,
}

// A frozen worker wakes up when its lock has long been somebody else's.
func TestWorkerFrozenForLongerThanItsLockLives(t *testing.T) {
	t.Parallel()
	for _, point := range frozen {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newSite(t)
			s.push(t, corpus(t, requests))
			nth, waits := 3, true // the other one waits for the transaction of the batch that is in flight
			if point == replay.AfterRead || point == replay.BeforeBegin {
				nth, waits = 0, false // none is
			}
			c := s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = point, nth, syscall.SIGSTOP })
			if !c.until("at") {
				t.Fatal("never there")
			}
			testserver.Eventually(t, "lock runs out", func() bool { return len(s.locked(t)) == 0 })
			other := s.start(t, nil)
			if waits {
				time.Sleep(500 * time.Millisecond)
			} else {
				other.done()
			}
			c.signal(syscall.SIGCONT)
			made.add("workers frozen", 1)
			c.done()
			other.done()
			s.drain(t)
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}

// Locks vanish or change hands all the time, and two workers are always there to use it.
func TestLocksDeletedAndStolen(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			loseLocks(t, kind.newSite(t))
		})
	}
}

func loseLocks(t *testing.T, s *site) {
	requests := 2000 * times(1)
	s.push(t, s.corpus(t, requests))
	ctx, cancel := context.WithCancel(context.Background())
	thief := make(chan int)
	go func() {
		thefts := 0
		for ; ctx.Err() == nil; time.Sleep(3 * time.Millisecond) {
			key := lock.Key(thefts % queues)
			if deleted, err := s.backend.Delete(ctx, key); err != nil || !deleted {
				thefts++
				continue
			}
			if thefts++; thefts%3 == 0 {
				_, _ = s.backend.SetIfNotExists(ctx, key, "thief", 50*time.Millisecond)
			}
			made.add("locks deleted or stolen", 1)
		}
		thief <- thefts
	}()
	for range 20 {
		a := s.start(t, func(j *job) { j.Workers, j.Batch = 2, 5 })
		b := s.start(t, func(j *job) { j.Workers, j.Batch = 2, 8 })
		a.done()
		b.done()
		if s.waiting(t) == 0 {
			break
		}
	}
	cancel()
	<-thief
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}

// A batch that takes longer than the lock lives keeps it: the heartbeat extends it.
func TestLockIsKeptAliveWhileABatchRuns(t *testing.T) {
	t.Parallel()
	const requests = 800
	s := newSite(t)
	s.push(t, corpus(t, requests))
	// Rows of the first queue are locked by another transaction for longer than the lock of the queue would live.
	s.start(t, func(j *job) { j.Only, j.Point, j.Signal = 0, replay.AfterRemoval, syscall.SIGTERM }).done()
	tx := s.db.MustBegin()
	tx.MustExec("SELECT * FROM matomo_option WHERE option_name LIKE 'QueuedTracking.replayed%' FOR UPDATE")
	const ttl = 3 * time.Second // a busy machine may let a process wait for as long as a second
	c := s.start(t, func(j *job) { j.Only, j.LockTTL = 0, ttl })
	testserver.Eventually(t, "queue is locked", func() bool { return len(s.locked(t)) == 1 })
	for waited := time.Duration(0); waited < 3*ttl; waited += ttl / 8 {
		if len(s.locked(t)) != 1 {
			t.Fatalf("the lock is gone after %s", waited)
		}
		time.Sleep(ttl / 8)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	c.done()
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}
