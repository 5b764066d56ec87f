package queue

import (
	"errors"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"
	"github.com/mna/redisc"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

const (
	longWait  = testserver.Patience
	shortWait = 50 * time.Millisecond
)

func TestWritesWaitForReplicas(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name  string
		start func(t *testing.T) (r *Redis, master, replica *testserver.RedisServer)
	}{
		{"sentinel", func(t *testing.T) (*Redis, *testserver.RedisServer, *testserver.RedisServer) {
			s := testserver.Sentinel(t)
			r := opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, s.Addrs()))
			return r.Backend.(*Redis), s.Data[0], s.Data[1]
		}},
		{"cluster", func(t *testing.T) (*Redis, *testserver.RedisServer, *testserver.RedisServer) {
			s := testserver.Cluster(t)
			r := opened(t)(NewRedisCluster(RedisOptions{}, s.Addrs()[:1]))
			master := s.Master(redisc.Slot(testList))
			return r.Backend.(*Redis), master, s.ReplicaOf(t, master)
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			redis, master, replica := kind.start(t)
			must(t, redis.Replicated(1, shortWait).Check(t.Context()))
			patient, hasty := redis.Replicated(1, longWait), redis.Replicated(1, shortWait)
			mark := Mark{Key: movedKey(testList, 1), Value: "1", TTL: time.Minute}
			must(t, patient.Append(t.Context(), testList, []byte("a")))
			must(t, patient.AppendMarked(t.Context(), testList, mark, []byte("b")))
			wantOn(t, replica, "a", "b")

			replica.Kill(t)
			if err := hasty.Append(t.Context(), testList, []byte("c")); !errors.Is(err, ErrNotReplicated) {
				t.Errorf("replica away: %v", err)
			}
			if err := hasty.AppendMarked(t.Context(), testList, mark, []byte("d")); !errors.Is(err, ErrNotReplicated) {
				t.Errorf("replica away, with a mark: %v", err)
			}
			wantOn(t, master, "a", "b", "c", "d")

			replica.Start(t)
			must(t, patient.AppendMarked(t.Context(), testList, mark)) // nothing new: waits for what was written before, too
			wantOn(t, replica, "a", "b", "c", "d")

			master.Kill(t)
			if err := hasty.Append(t.Context(), testList, []byte("e")); err == nil || errors.Is(err, ErrNotReplicated) {
				t.Errorf("master away: %v", err)
			}
		})
	}
}

// wantOn checks the list as one server has it.
func wantOn(t *testing.T, s *testserver.RedisServer, want ...string) {
	t.Helper()
	conn := s.Dial(t)
	_, _ = conn.Do("READONLY") // a replica of a cluster; others do not know it
	got, err := redis.Strings(conn.Do("LRANGE", testList, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", s.Addr, diff)
	}
}

func TestReplicasThatMayNotBeWaitedFor(t *testing.T) {
	t.Parallel()
	s := testserver.Redis(t, testserver.WithUser("u", "p", "~* +@all -wait"))
	r := opened(t)(NewRedis(RedisOptions{Host: s.Host, Port: s.Port, User: "u", Password: "p"})).Backend.(*Redis)
	if err := r.Replicated(1, shortWait).Check(t.Context()); !errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
	if err := r.Replicated(1, shortWait).Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrNotReplicated) ||
		!errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
}
