package faults

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

func TestRedisConnectionsCutAtRandomBytes(t *testing.T) {
	t.Parallel()
	requests := 1500 * times(1)
	s := newSite(t)
	s.redisAddr = newProxy(t, s.redis.Addr)
	s.redisAddr.most.Store(60_000)
	s.push(t, corpus(t, requests))
	s.start(t, func(j *job) { j.Workers = 2 }).done()
	made.add("Redis connections cut", int(s.redisAddr.cuts.Load()))
	if s.redisAddr.cuts.Load() < 10 {
		t.Errorf("only %d cuts", s.redisAddr.cuts.Load())
	}
	testserver.Eventually(t, "locks whose answer was cut run out", func() bool { return len(s.locked(t)) == 0 })
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}

func TestRedisRestartedWithItsData(t *testing.T) {
	t.Parallel()
	requests := 3000
	s := newSiteOn(t, testserver.MariaDB(t), testserver.Redis(t, testserver.WithAOF()), 0)
	for i, part := range parts(corpus(t, requests), times(4)) {
		s.push(t, part)
		c := s.start(t, nil)
		c.until("ready")
		time.Sleep(rand.N(300 * time.Millisecond))
		if i%2 == 0 {
			s.redis.Restart(t)
		} else {
			s.redis.Kill(t)
			s.redis.Start(t)
		}
		made.add("restarts of Redis", 1)
		c.done()
		testserver.Eventually(t, "Redis answers", func() bool {
			_, err := s.backend.Len(t.Context(), queue.Key(0))
			return err == nil
		})
	}
	s.drain(t)
	equal(t, s.read(t), undisturbed(t, requests))
}

// A replica that takes over, or a server restored from a snapshot, has forgotten the last removals, and with them
// entries that were added last. What it holds again of the old entries is recognised, whatever was added since.
func TestRedisForgetsTheLastRemovals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, between, after int }{
		"a list as it was":                     {8, 0, 0},
		"entries added and lost":               {0, 3, 0},
		"entries added, lost, and others come": {1, 3, 3},
		"a long list, others come":             {40, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			const requests, pieces = 2000, 100
			all := parts(corpus(t, requests), pieces)
			take := func(n int) []entry {
				piece := slices.Concat(all[:n]...)
				all = all[n:]
				return piece
			}
			s := newSite(t)
			for round := 0; len(all) >= test.before+test.between+test.after && round < 4; round++ {
				s.push(t, take(test.before))
				snapshot := s.snapshot(t)
				s.push(t, take(test.between))
				s.start(t, func(j *job) { j.Batch = 7 }).done()
				s.restore(t, snapshot)
				made.add("older states of Redis", 1)
				s.push(t, take(test.after))
				s.start(t, func(j *job) { j.Batch = 7 }).done()
			}
			s.push(t, take(len(all)))
			s.drain(t)
			equal(t, s.read(t), undisturbed(t, requests))
		})
	}
}

// snapshot is what Redis holds.
type snapshot map[string]string

func (s *site) snapshot(t *testing.T) snapshot {
	t.Helper()
	conn := s.redis.DialDatabase(t, s.redisDB)
	state := make(snapshot)
	for _, list := range queue.Keys(0, queues) {
		for _, key := range []string{list, queue.OffsetKey(list), queue.FailedKey(list)} {
			dump, err := redis.String(conn.Do("DUMP", key))
			if err != nil && err != redis.ErrNil { // redigo returns it as it is
				t.Fatal(err)
			}
			state[key] = dump
		}
	}
	return state
}

func (s *site) restore(t *testing.T, state snapshot) {
	t.Helper()
	conn := s.redis.DialDatabase(t, s.redisDB)
	for key, dump := range state {
		if _, err := conn.Do("DEL", key); err != nil {
			t.Fatal(err)
		}
		if dump == "" {
			continue
		}
		if _, err := conn.Do("RESTORE", key, 0, dump); err != nil {
			t.Fatal(err)
		}
	}
}
