package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"
	"github.com/mna/redisc"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestClusterOptionsThatCannotWork(t *testing.T) {
	if _, err := NewRedisCluster(RedisOptions{}, nil); err == nil || !strings.Contains(err.Error(), "redisHost") {
		t.Errorf("error %v", err)
	}
	if _, err := NewRedisCluster(RedisOptions{Database: 1}, []string{nobody}); err == nil ||
		!strings.Contains(err.Error(), "redisDatabase") {
		t.Errorf("error %v", err)
	}
	b := opened(t)(NewRedisCluster(RedisOptions{}, []string{nobody}))
	for _, call := range []func() error{
		func() error { _, err := b.Len(t.Context(), testList); return err },
		func() error { _, err := b.Lens(t.Context(), testList); return err },
		func() error { _, err := b.Info(t.Context()); return err },
	} {
		if err := call(); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), nobody) {
			t.Errorf("error %v", err)
		}
	}
}

// Servers of another kind than the settings say, and passwords, are told as of one server.
func TestServersOfAnotherKind(t *testing.T) {
	t.Parallel()
	c, s := testserver.Cluster(t), testserver.Sentinel(t)
	alone := testserver.Redis(t)
	locked := testserver.Redis(t, testserver.WithPassword("top secret"))
	other, watcher := otherMaster(c, redisc.Slot(testList)), s.Sentinels[0]
	at := func(s *testserver.RedisServer, database int) *Redis {
		return newRedis(t, RedisOptions{Host: s.Host, Port: s.Port, Database: database})
	}
	for _, test := range []struct {
		name string
		b    Backend
		want string
	}{
		{"cluster, one server", opened(t)(NewRedisCluster(RedisOptions{}, []string{alone.Addr})), isNoCluster},
		{"cluster, Sentinel", opened(t)(NewRedisCluster(RedisOptions{}, []string{watcher.Addr})), isSentinel},
		{"cluster, no password", opened(t)(NewRedisCluster(RedisOptions{}, []string{locked.Addr})), "a password is needed"},
		{
			"cluster, needless password", opened(t)(NewRedisCluster(RedisOptions{Password: "x"}, c.Addrs())),
			"no password, but one is set",
		},
		{"one server, cluster", at(other, 0), isCluster},
		{"one server, cluster, database", at(other, 3), isCluster},
		{"one server, Sentinel", at(watcher, 0), isSentinel},
		{"one server, Sentinel, database", at(watcher, 3), isSentinel},
		{"Sentinel, one server", opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, []string{alone.Addr})), isNoSentinel},
		{"Sentinel, cluster", opened(t)(NewRedisSentinel(RedisOptions{}, s.Name, []string{other.Addr})), isNoSentinel},
	} {
		calls := map[string]func() error{
			"Len":    func() error { _, err := test.b.Len(t.Context(), testList); return err },
			"Lens":   func() error { _, err := test.b.Lens(t.Context(), testList, Key(0)); return err },
			"Append": func() error { return test.b.Append(t.Context(), testList, []byte("x")) },
			"Info": func() error {
				info, err := test.b.Info(t.Context())
				if info.Mismatch != "" {
					return &backendError{cause: errors.New(info.Mismatch), text: info.Mismatch, kind: ErrDenied}
				}
				return err
			},
		}
		for name, call := range calls {
			for range 2 { // the second time, too
				if err := call(); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %s: %v", test.name, name, err)
				}
			}
		}
	}
}

// otherMaster is a master that does not have the slot.
func otherMaster(c *testserver.ClusterServers, slot int) *testserver.RedisServer {
	has := c.Master(slot)
	i := slices.IndexFunc(c.Nodes[:3], func(s *testserver.RedisServer) bool { return s != has })
	return c.Nodes[i]
}

func TestClusterIsUsedWhileSlotsMove(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	r := opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs()[:1])).Backend.(*Redis)
	ctx := t.Context()
	slot := redisc.Slot(testList)
	must(t, r.Append(ctx, testList, numbered(0, 5)...))
	head, err := r.Head(ctx, testList, 2)
	must(t, err)
	expect(t, true)(r.RemoveFirst(ctx, testList, head))
	lens, err := r.Lens(ctx, Keys(0, 10)...)
	must(t, err)

	servers.MoveSlot(t, slot, otherMaster(servers, slot), func() {
		must(t, r.Append(ctx, testList, numbered(5, 6)...)) // ASK would be for keys that are not here
		expect(t, true)(r.SetIfNotExists(ctx, FailedKey(testList), "new key, on its way", lockTime))
		if _, err := r.Head(ctx, testList, 2); err != nil {
			t.Errorf("head while moving: %v", err)
		}
	})

	stale, err := r.Lens(ctx, Keys(0, 10)...) // asks the old node for the list that has moved
	lens[3]++
	if diff := cmp.Diff(lens, stale); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	head, err = r.Head(ctx, testList, 2)
	if diff := cmp.Diff(Batch{Elements: numbered(2, 4), Offset: 2, Len: 4}, head, ignoreRows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	expect(t, true)(r.RemoveFirst(ctx, testList, head))
}

// A script about two keys, of which one has moved already, has to wait.
func TestCallAboutKeysThatArePartlyMovedIsForLater(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	r := opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs())).Backend.(*Redis)
	slot := redisc.Slot(testList)
	must(t, r.Append(t.Context(), testList, numbered(0, 3)...)) // there is no counter yet
	servers.MoveSlot(t, slot, otherMaster(servers, slot), func() {
		_, err := r.Head(t.Context(), testList, 2)
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	})
	head, err := r.Head(t.Context(), testList, 2)
	if err != nil || len(head.Elements) != 2 {
		t.Errorf("%+v, %v", head, err)
	}
}

func TestLensOfAllQueuesAreAFewRoundTripsPerNode(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	b := opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs()))
	_, err := b.Lens(t.Context(), Keys(0, 10)...)
	must(t, err)
	reads := func() (n int) {
		for _, node := range servers.Nodes[:3] {
			text, err := redis.String(node.Dial(t).Do("INFO", "commandstats"))
			must(t, err)
			for line := range strings.Lines(text) {
				var calls int
				if _, err := fmt.Sscanf(line, "cmdstat_llen:calls=%d", &calls); err == nil {
					n += calls
				}
			}
		}
		return n
	}
	before := reads()
	_, err = b.Lens(t.Context(), Keys(0, MaxQueues)...)
	must(t, err)
	if n := reads() - before; n != MaxQueues {
		t.Errorf("%d commands for %d lists", n, MaxQueues)
	}
	groups := b.Backend.(*Redis).topology.groups(Keys(0, MaxQueues))
	if len(groups) != 3 {
		t.Errorf("%d groups", len(groups))
	}
}

func TestClusterInfoNamesTheNodes(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	b := opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs()[4:]))
	for id := range 20 { // masters do not list replicas that they have not written to
		must(t, b.Append(t.Context(), Key(id), []byte("x")))
	}
	info, err := b.Info(t.Context())
	for deadline := time.Now().Add(testserver.Patience); err == nil && len(info.Nodes) < 6 &&
		time.Now().Before(deadline); {
		<-time.After(50 * time.Millisecond)
		info, err = b.Info(t.Context())
	}
	must(t, err)
	nodes := strings.Join(info.Nodes, "\n")
	if info.Mode != "cluster" || info.Role != "master" || len(info.Nodes) != 6 || info.MemoryUsed <= 0 ||
		!strings.Contains(nodes, servers.Nodes[0].Addr+" master of slots 0-5460") ||
		strings.Count(nodes, " replica of ") != 3 {
		t.Errorf("%+v", info)
	}
}
