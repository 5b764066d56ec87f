package surroundings

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// fullKinds are the ways in which Redis servers work together, each of them a site's.
var fullKinds = []struct {
	name string
	open func(t *testing.T) (s *site, servers []*testserver.RedisServer)
}{
	{"stand-alone", func(t *testing.T) (*site, []*testserver.RedisServer) {
		redis := testserver.Redis(t)
		return newSiteOn(t, testserver.MariaDB(t), redis, 0), []*testserver.RedisServer{redis}
	}},
	{"sentinel", func(t *testing.T) (*site, []*testserver.RedisServer) {
		servers := testserver.Sentinel(t)
		s := newSiteOn(t, testserver.MariaDB(t), servers.Data[0], 0)
		s.worksWith(matomo.RedisSentinel, servers.Sentinels)
		return s, servers.Data
	}},
	{"cluster", func(t *testing.T) (*site, []*testserver.RedisServer) {
		servers := testserver.Cluster(t)
		s := newSiteOn(t, testserver.MariaDB(t), servers.Nodes[0], 0)
		s.worksWith(matomo.RedisCluster, servers.Nodes)
		backend, err := queue.NewRedisCluster(queue.RedisOptions{}, servers.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = backend.Close() })
		s.backend = backend
		return s, servers.Nodes
	}},
}

// worksWith changes the settings to servers of a kind.
func (s *site) worksWith(kind matomo.RedisType, servers []*testserver.RedisServer) {
	var hosts, ports []string
	for _, server := range servers {
		hosts, ports = append(hosts, server.Host), append(ports, fmt.Sprint(server.Port))
	}
	s.set("QueuedTracking", "useWhatRedisBackendType", int(kind))
	s.set("QueuedTracking", "redisHost", strings.Join(hosts, ","))
	s.set("QueuedTracking", "redisPort", strings.Join(ports, ","))
}

// A Redis whose memory is full stays so while it is drained: what else is in it takes more than it may. Matomo can
// queue nothing then; what is queued is tracked, and what cannot be tracked is put aside.
func TestFullRedisIsDrained(t *testing.T) {
	for _, kind := range fullKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, servers := kind.open(t)
			s.push(t, []byte("damaged"))
			s.push(t, corpus(t)...)
			queued := s.waiting(t)
			unlock := s.lockLikePHP(t)
			for _, server := range servers {
				server.Fill(t)
			}
			if err := s.backend.Append(t.Context(), queue.Key(0), []byte("x")); !errors.Is(err, queue.ErrFull) {
				t.Fatalf("Redis is not full: %v", err)
			}

			s.run(t, "test").wants(t, 1, "ok       set a lock", "not ok   append to a list", "its memory is full (used_memory ",
				"not ok   memory limit", "Matomo answers tracking requests with status 500 and loses them",
				"-> raise maxmemory, or empty the queues: queuedtracking process works in a full Redis, too")

			s.run(t, "process").wants(t, 0, "Tracked: 0 of 0")
			if n := s.waiting(t); n != queued {
				t.Fatalf("%d of %d entries left beside the lock of PHP", n, queued)
			}
			unlock()

			s.drain(t).wants(t, 0, "put aside as a dead letter")
			s.equal(t, undisturbed(t))
			all := s.letters(t) // those of the corpus, too
			if len(all) < 2 || all[0].Reason != letters.Undecodable || string(all[0].Entry) != "damaged" {
				t.Errorf("dead letters %+v", all)
			}
			if offset, err := s.backend.Offset(t.Context(), queue.Key(0)); err != nil || offset != int64(queued) {
				t.Errorf("%d of %d entries counted as removed, %v", offset, queued, err)
			}
			held, err := lock.New(s.backend, nil).List(t.Context())
			if err != nil || len(held) > 0 {
				t.Errorf("locks left: %v, %v", held, err)
			}
		})
	}
}

// lockLikePHP locks the queue as a worker of the plugin does.
func (s *site) lockLikePHP(t *testing.T) (unlock func()) {
	t.Helper()
	const value = "0123456789ab"
	ok, err := s.backend.SetIfNotExists(t.Context(), lock.Key(0), value, 10*time.Minute)
	if err != nil || !ok {
		t.Fatalf("lock: %v, %v", ok, err)
	}
	return func() {
		ours, err := s.backend.DeleteIfValue(t.Context(), lock.Key(0), value)
		if err != nil || !ours {
			t.Errorf("lock of PHP: %v, %v", ours, err)
		}
	}
}
