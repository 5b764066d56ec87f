package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay"
)

// A host loses its network in the middle of a batch: nobody is told, and the database keeps its transaction open. A
// worker on another host, whose clock is 90 seconds ahead, takes its queues. Then the first one is back.
func TestHostLosesItsNetwork(t *testing.T) {
	t.Parallel()
	for _, point := range []replay.Point{replay.AfterRead, replay.AfterWrite, replay.BeforeCommit, replay.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			const requests = 800
			redis, number := testserver.RedisDatabase(t)
			// in place of the three minutes after which the database gives a silent connection up
			s := newSiteOn(t, testserver.MariaDB(t, testserver.WithFlags("--wait-timeout=3")), redis, number)
			s.push(t, corpus(t, requests))
			near := s.job()
			s.dbAddr, s.redisAddr = newProxy(t, s.maria.Addr), newProxy(t, redis.Addr)
			lost := s.start(t, func(j *job) { j.Point, j.Nth, j.Forever = point, 4, true })
			if !lost.until("at") {
				t.Fatal("never there")
			}
			s.dbAddr.network.Lock()
			s.redisAddr.network.Lock()
			other := s.start(t, func(j *job) {
				j.DBHost, j.DBPort, j.Queue = near.DBHost, near.DBPort, near.Queue
				j.Ahead, j.Forever = 90*time.Second, true
			})
			testserver.Eventually(t, "the other host has done everything", func() bool { return s.waiting(t) == 0 })
			s.dbAddr.network.Unlock()
			s.redisAddr.network.Unlock()
			made.add("hosts without network for a while", 1)
			for _, c := range []*child{lost, other} {
				c.signal(syscall.SIGTERM)
				c.done()
			}
			got := s.read(t)
			for i := range got { // the one moment that is a worker's clock
				got[i] = strings.Replace(got[i], "occurred=2026-11-20 12:01:30", "occurred=2026-11-20 12:00:00", 1)
			}
			equal(t, got, undisturbed(t, requests))
		})
	}
}
