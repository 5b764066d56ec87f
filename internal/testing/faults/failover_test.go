package faults

import (
	"flag"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mna/redisc"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

var failoverEntries = flag.Int("faults.failover", 4000, "entries that are written while servers fail over")

// failoverWorkers are the processes that drain the queues meanwhile.
const failoverWorkers = 4

// The master dies, a replica takes over, and the old master comes back empty, believing at first that it still is the
// master. Then the new master freezes for so long that it is replaced, and goes on where it was.
func TestSentinelMasterKilledUnderLoad(t *testing.T) {
	t.Parallel()
	servers := testserver.Sentinel(t)
	settings := matomo.DefaultQueueSettings()
	settings.RedisType, settings.SentinelName = matomo.RedisSentinel, servers.Name
	settings.RedisHost, settings.RedisPort = hostsAndPorts(t, servers.Addrs())
	master := func(string) *testserver.RedisServer { return servers.Master(t) }
	first, second := servers.Data[0], servers.Data[1]
	underLoad(t, settings, master, func(s *site) {
		s.forget(t, first, second)
		servers.WaitForMasterOtherThan(t, first)
		first.Start(t)
		made.add("Sentinel masters killed under load", 1)
	}, func(*site) {
		second.Freeze(t)
		servers.WaitForMasterOtherThan(t, second)
		second.Thaw(t)
		made.add("Sentinel masters frozen under load", 1)
	})
}

// A range of slots moves, with a queue in it, and then the master of another queue dies.
func TestClusterMasterKilledAndSlotsMovedUnderLoad(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	settings := matomo.DefaultQueueSettings()
	settings.RedisType = matomo.RedisCluster
	settings.RedisHost, settings.RedisPort = hostsAndPorts(t, servers.Addrs()[:2])
	master := func(list string) *testserver.RedisServer { return servers.Master(redisc.Slot(list)) }
	underLoad(t, settings, master, func(*site) {
		slot := redisc.Slot(queue.Key(1))
		from := servers.Master(slot)
		to := servers.Nodes[0]
		if to == from {
			to = servers.Nodes[1]
		}
		for moving := slot - 5; moving <= slot+5; moving++ {
			servers.MoveSlot(t, moving, to, nil)
		}
		made.add("ranges of slots moved under load", 1)
	}, func(s *site) {
		slot := redisc.Slot(queue.Key(0))
		old := servers.Master(slot)
		s.forget(t, old, servers.Replica(old))
		servers.WaitForMasterOtherThan(t, old, slot)
		old.Start(t)
		made.add("cluster masters killed under load", 1)
	})
}

// forget kills a master whose replica has not heard of what was done last.
func (s *site) forget(t *testing.T, master, replica *testserver.RedisServer) {
	t.Helper()
	const forgotten = 100
	replica.Freeze(t)
	defer replica.Thaw(t)
	if _, err := master.Dial(t).Do("CLIENT", "KILL", "TYPE", "replica"); err != nil {
		t.Fatal(err)
	}
	before := s.actions(t)
	testserver.Eventually(t, "workers go on", func() bool { return s.actions(t) > before+forgotten })
	master.Kill(t)
}

// underLoad lets workers drain the queues while a writer adds to them and the events happen one after the other. What
// the servers acknowledged and replicated has to be tracked once, and all rows have to be those of a calm run with the
// same entries.
func underLoad(
	t *testing.T, settings matomo.QueueSettings, master func(list string) *testserver.RedisServer, events ...func(*site),
) {
	t.Helper()
	s := newSiteWith(t, testserver.MariaDB(t), settings)
	w := newWriter(t, wave(t, *failoverEntries), master)
	go w.run()
	fleet := make([]*child, failoverWorkers)
	for i := range fleet {
		fleet[i] = s.start(t, func(j *job) { j.Forever, j.Batch, j.LockTTL = true, 25, 5*time.Second })
	}
	for i, event := range events {
		due := *failoverEntries * (i + 1) / (len(events) + 2)
		testserver.Eventually(t, "workers are at work", func() bool { return s.actions(t) >= due })
		event(s)
		if s.actions(t) == *failoverEntries {
			t.Error("everything was tracked before the event was over")
		}
	}
	testserver.Eventually(t, "everything is written", w.ended)
	testserver.Eventually(t, "the queues are empty", func() bool {
		lens, err := s.backend.Lens(t.Context(), queue.Keys(0, queues)...)
		return err == nil && total(lens) == 0
	})
	counts := map[string]int{}
	for _, c := range fleet {
		c.signal(syscall.SIGTERM)
		for what, n := range c.done() {
			counts[what] += n
		}
	}
	if counts["recovered"] == 0 {
		t.Error("the servers have forgotten no removal")
	}
	tracked := w.verify(t, s)
	t.Logf("%d entries confirmed, %d not; %d tracked; %v", len(w.confirmed), len(w.unsure), len(tracked), counts)

	calm := newSite(t)
	calm.push(t, tracked)
	calm.start(t, func(j *job) { j.Batch, j.Workers = 100, 2 }).done()
	equal(t, s.read(t), calm.read(t))
}

// actions is the number of actions that are tracked.
func (s *site) actions(t *testing.T) (n int) {
	t.Helper()
	if err := s.db.Get(&n, "SELECT COUNT(*) FROM matomo_log_link_visit_action"); err != nil {
		t.Fatal(err)
	}
	return n
}

func total(numbers []int64) (sum int64) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}

// hostsAndPorts are addresses as the plugin's settings have them.
func hostsAndPorts(t *testing.T, addresses []string) (hosts, ports string) {
	t.Helper()
	var h, p []string
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		h, p = append(h, host), append(p, port)
	}
	return strings.Join(h, ","), strings.Join(p, ",")
}
