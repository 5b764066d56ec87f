package faults

import (
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay"
)

// Workers that speak the protocol of the PHP plugin and ours take turns on four queues.
func TestMixedFleet(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			mixFleet(t, kind.newSite(t), int(4000*kind.share)*times(1))
		})
	}
}

func mixFleet(t *testing.T, s *site, requests int) {
	entries := s.corpus(t, requests)
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
	testserver.Eventually(t, "queues are empty", func() bool { return s.waiting(t) == 0 })
	cancel()
	fleet.Wait()
	if held := s.locked(t); len(held) > 0 {
		t.Errorf("locks are left: %v", held)
	}
	if ours == 0 {
		t.Error("our workers got nothing to do")
	}
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}

// A worker of ours is killed around its commit, and the next one to take the queue is a PHP worker, which knows no
// checkpoint. Where queue and rows are in one database it needs none.
func TestPHPWorkerTakesAKilledWorkersQueue(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRemoval, replay.BeforeCommit, replay.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newMySQLSite(t)
			s.push(t, corpus(t, requests))
			s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = point, 3, syscall.SIGKILL }).killed()
			s.unlock(t)
			p := newPHPWorker(t, s)
			for s.waiting(t) > 0 {
				for id := range queues {
					if err := p.take(id); err != nil {
						t.Fatal(err)
					}
				}
			}
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}

// A frozen worker of ours finds its queue in the hands of a PHP worker, which knows no checkpoint: it must not commit.
func TestPHPWorkerTakesAFrozenWorkersQueue(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRead, replay.BeforeBegin, replay.BeforeCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			s := newSite(t)
			s.push(t, corpus(t, requests))
			c := s.start(t, func(j *job) { j.Point, j.Signal = point, syscall.SIGSTOP }) // nothing is in flight
			if !c.until("at") {
				t.Fatal("never there")
			}
			testserver.Eventually(t, "lock runs out", func() bool { return len(s.locked(t)) == 0 })
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
