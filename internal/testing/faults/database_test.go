package faults

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// Connections break in the middle of anything.
func TestDatabaseConnectionsCutAtRandomBytes(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			requests := 1500 * times(1)
			s := kind.newSite(t)
			s.dbAddr = newProxy(t, s.maria.Addr)
			s.dbAddr.most.Store(120_000)
			s.push(t, s.corpus(t, requests))
			s.start(t, func(j *job) { j.Workers = 2 }).done()
			made.add("database connections cut", int(s.dbAddr.cuts.Load()))
			if s.dbAddr.cuts.Load() < 10 {
				t.Errorf("only %d cuts", s.dbAddr.cuts.Load())
			}
			if s.redis == nil { // locks, too, are taken over connections that are cut
				testserver.Eventually(t, "locks whose answer was cut run out", func() bool { return len(s.locked(t)) == 0 })
				s.drain(t)
			}
			if n := s.waiting(t); n != 0 {
				t.Errorf("%d entries are left", n)
			}
			equal(t, s.read(t), s.undisturbed(t, requests))
		})
	}
}

// A third of all commits take place without the worker being told.
func TestAnswersToCommitLost(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			requests := 1500 * times(1)
			calm := kind.newSite(t)
			calm.push(t, calm.corpus(t, requests))
			want := calm.start(t, nil).done()["tracked"]
			s := kind.newSite(t)
			s.dbAddr = newProxy(t, s.maria.Addr)
			s.dbAddr.silent.Store(3)
			s.push(t, s.corpus(t, requests))
			done := s.start(t, nil).done()
			made.add("answers to COMMIT lost", int(s.dbAddr.mutes.Load()))
			if n := s.waiting(t); n != 0 || s.dbAddr.mutes.Load() < 10 {
				t.Errorf("%d entries are left after %d lost answers", n, s.dbAddr.mutes.Load())
			}
			if done["recovered"] != 0 || done["tracked"] != want {
				t.Errorf("%d requests are counted as tracked and %d entries as somebody else's, want %d and none", done["tracked"],
					done["recovered"], want)
			}
			equal(t, s.read(t), s.undisturbed(t, requests))
		})
	}
}

func TestDatabaseRestarted(t *testing.T) {
	t.Parallel()
	t.Run("queues in Redis", func(t *testing.T) {
		t.Parallel()
		redis, number := testserver.RedisDatabase(t)
		restartDatabase(t, newSiteOn(t, testserver.MariaDB(t, testserver.Private()), redis, number))
	})
	t.Run("queues in the database", func(t *testing.T) {
		t.Parallel()
		restartDatabase(t, newSiteWith(t, testserver.MariaDB(t, testserver.Private()), inDatabase()))
	})
}

func restartDatabase(t *testing.T, s *site) {
	const requests = 3000
	for i, part := range parts(corpus(t, requests), times(4)) {
		s.push(t, part)
		c := s.start(t, nil)
		c.until("ready")
		time.Sleep(rand.N(300 * time.Millisecond))
		if i%2 == 0 {
			s.maria.Restart(t)
		} else {
			s.maria.Kill(t)
			s.maria.Start(t)
		}
		made.add("restarts of the database", 1)
		c.done()
	}
	equal(t, s.read(t), undisturbed(t, requests))
}

// A worker waits for a database that is away for 30 seconds; one that is not so patient leaves the queue as it is and
// says why.
func TestDatabaseAwayForHalfAMinute(t *testing.T) {
	t.Parallel()
	requests := 1500
	redis, number := testserver.RedisDatabase(t)
	s := newSiteOn(t, testserver.MariaDB(t, testserver.Private()), redis, number)
	s.push(t, corpus(t, requests))
	pushed := s.waiting(t)
	patient := s.start(t, func(j *job) { j.Only = 0 })
	testserver.Eventually(t, "at work", func() bool { return s.waiting(t) < pushed })
	hasty := s.start(t, func(j *job) { j.Only, j.Patience = 1, time.Second })
	testserver.Eventually(t, "both at work", func() bool { return s.waiting(t) < int64(requests*9/10) })
	s.maria.Kill(t)
	away := time.After(30 * time.Second)
	if status := hasty.wait(); status != exitFailed && status != exitDone {
		t.Errorf("the hasty worker's exit status is %d", status)
	}
	<-away
	s.maria.Start(t)
	made.add("half minutes without database", 1)
	patient.done()
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}
