package receive

import (
	"errors"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"
	"github.com/mna/redisc"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// newReplicatedWriter waits for one replica.
func newReplicatedWriter(t *testing.T, r *queue.Redis, s *Spool) (*Writer, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	t.Cleanup(func() { _ = r.Close() })
	w := NewWriter(WriterOptions{
		Backend: r.Replicated(1, 3*time.Second), Queues: 1, Spool: s, Timeout: testserver.Patience,
		Log: discard(), Metrics: NewMetrics(registry),
	})
	t.Cleanup(w.Close)
	return w, registry
}

// counted is the value of a counter without labels.
func counted(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// elements are those of queue 0 on one server.
func elements(t *testing.T, server *testserver.RedisServer) []string {
	t.Helper()
	conn := server.Dial(t)
	_, _ = conn.Do("READONLY") // a replica of a cluster; others do not know it
	all, err := redis.Strings(conn.Do("LRANGE", queue.Key(0), 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantElements(t *testing.T, server *testserver.RedisServer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, elements(t, server)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", server.Addr, diff)
	}
}

func TestWithoutSpoolAnEntryThatNoReplicaHasIsRefused(t *testing.T) {
	t.Parallel()
	servers := testserver.Sentinel(t)
	r, err := queue.NewRedisSentinel(queue.RedisOptions{}, servers.Name, servers.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	w, registry := newReplicatedWriter(t, r, nil)
	if err := put(t, w, 0, "a"); err != nil {
		t.Fatal(err)
	}
	wantElements(t, servers.Data[1], "a")
	servers.Data[1].Kill(t)
	if err := put(t, w, 0, "b"); !errors.Is(err, ErrFull) || !errors.Is(err, queue.ErrNotReplicated) {
		t.Errorf("error %v", err)
	}
	wantElements(t, servers.Data[0], "a", "b")
	if n := counted(t, registry, "queuedtracking_received_unreplicated_entries_total"); n != 1 {
		t.Errorf("%g entries are counted", n)
	}
}

func TestEntriesThatNoReplicaHasWaitInTheSpoolAndAreQueuedOnce(t *testing.T) {
	t.Parallel()
	servers := testserver.Sentinel(t)
	r, err := queue.NewRedisSentinel(queue.RedisOptions{}, servers.Name, servers.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	s := openSpool(t, t.TempDir(), 1<<20)
	w, _ := newReplicatedWriter(t, r, s)
	master, replica := servers.Data[0], servers.Data[1]
	replica.Kill(t)
	want := []string{"a", "b", "c"}
	for _, element := range want {
		if err := put(t, w, 0, element); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := s.Waiting(); entries != 3 {
		t.Errorf("%d entries are on disk", entries)
	}
	replica.Start(t)
	testserver.Eventually(t, "the spool is drained", func() bool { entries, _ := s.Waiting(); return entries == 0 })
	wantElements(t, master, want...)
	wantElements(t, replica, want...)
}

func TestEntryThatIsLostWithItsMasterIsQueuedAgain(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	r, err := queue.NewRedisCluster(queue.RedisOptions{}, servers.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	s := openSpool(t, t.TempDir(), 1<<20)
	w, _ := newReplicatedWriter(t, r, s)
	slot := redisc.Slot(queue.Key(0))
	master := servers.Master(slot)
	replica := servers.ReplicaOf(t, master)
	replica.Kill(t)
	if err := put(t, w, 0, "a"); err != nil {
		t.Fatal(err)
	}
	wantElements(t, master, "a")
	master.Kill(t)
	replica.Start(t) // without the entry
	if now := servers.WaitForMasterOtherThan(t, master, slot); now != replica {
		t.Fatalf("%s is master", now.Addr)
	}
	testserver.Eventually(t, "the entry is queued again", func() bool { return len(elements(t, replica)) > 0 })
	master.Start(t) // now as the replica, which confirms
	testserver.Eventually(t, "the spool is drained", func() bool { entries, _ := s.Waiting(); return entries == 0 })
	wantElements(t, replica, "a")
}
