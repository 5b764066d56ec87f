package faults

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay"
)

// The comparison itself must not depend on the sizes of batches or on which queue comes first.
func TestUndisturbedRunsAreEqual(t *testing.T) {
	t.Parallel()
	const requests = 800
	s := newSite(t)
	s.push(t, corpus(t, requests))
	s.start(t, func(j *job) { j.Batch, j.Workers = 3, 2 }).done()
	equal(t, s.read(t), undisturbed(t, requests))
}

func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, point := range replay.Points() {
			if point == replay.AfterLetters {
				continue // the poison's test kills there
			}
			t.Run(kind.name+"/"+string(point), func(t *testing.T) {
				const requests = 800
				s := kind.newSite(t)
				s.push(t, s.corpus(t, requests))
				for nth := range 4 {
					switch point {
					case replay.AfterWrite:
						nth *= 5 // another batch each time
					case replay.BeforeRelease, replay.AfterRelease:
						nth = 0 // a lock is held for longer than this takes
					}
					c := s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = point, nth, syscall.SIGKILL })
					c.killed()
					s.unlock(t)
				}
				s.drain(t)
				equal(t, s.read(t), s.undisturbed(t, requests))
			})
		}
	}
}

func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			killAtRandom(t, kind.newSite(t), times(int(100*kind.share)))
		})
	}
}

// longestWindow is the time within which workers are killed. It gets shorter where they are done sooner.
const longestWindow = 150 * time.Millisecond

func killAtRandom(t *testing.T, s *site, kills int) {
	requests := 60 * kills
	window := longestWindow
	for _, part := range parts(s.corpus(t, requests), 2*kills) {
		s.push(t, part)
		if kills == 0 {
			continue
		}
		c := s.start(t, func(j *job) { j.Batch = 2 })
		c.until("ready")
		time.Sleep(rand.N(window))
		c.signal(syscall.SIGKILL)
		if c.wait() == -1 {
			made.add("kills", 1)
			kills--
			window = min(window*21/20, longestWindow)
		} else { // it had finished before
			window = window * 3 / 4
		}
		s.unlock(t)
	}
	if kills > 0 {
		t.Errorf("%d kills came too late", kills)
	}
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}

// The queue of a killed worker is taken over when its lock has run out, which nobody extends any more.
func TestKilledWorkersQueueIsTakenOver(t *testing.T) {
	t.Parallel()
	const requests = 800
	s := newSite(t)
	s.push(t, corpus(t, requests))
	s.start(t, func(j *job) { j.Point, j.Nth, j.Signal = replay.AfterCommit, 2, syscall.SIGKILL }).killed()
	if len(s.locked(t)) != 1 {
		t.Fatal("the killed worker has left no lock")
	}
	if ttl := replay.DefaultLockTTL; ttl > time.Minute {
		t.Errorf("by default a lock stays for %s", ttl)
	}
	testserver.Eventually(t, "lock runs out", func() bool { return len(s.locked(t)) == 0 })
	s.start(t, nil).done()
	equal(t, s.read(t), undisturbed(t, requests))
}
