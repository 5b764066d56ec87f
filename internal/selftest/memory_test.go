package selftest

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/queue"
)

func TestMemoryIsJudgedByPolicyAndUse(t *testing.T) {
	const gib = 1 << 30
	for _, test := range []struct {
		policy string
		limit  int64
		share  float64
		want   Status
		says   string
	}{
		{"noeviction", 0, 0, OK, "none (maxmemory 0)"},
		{"allkeys-lru", 0, 0, OK, "none (maxmemory 0), policy allkeys-lru"},
		{"noeviction", gib, 0.5, OK, "maxmemory 1.0 GiB, 50 % used, policy noeviction"},
		{"noeviction", gib, 0.79, OK, "79 %"},
		{"noeviction", gib, 0.8, Notice, "80 % used; when it is full Matomo answers tracking requests with status 500"},
		{"noeviction", gib, 1, NotOK, "it is full: Matomo answers"},
		{"allkeys-lru", gib, 0.5, Notice, "policy allkeys-lru throws whole queues away, with all requests in them"},
		{"allkeys-lru", gib, 0.9, NotOK, "throws whole queues away"},
		{"volatile-ttl", gib, 0.5, NotOK, "throws locks away: two workers may then take the same queue"},
		{"", gib, 0.5, Notice, "does not tell"},
	} {
		var r Report
		r.memory(queue.Info{
			MemoryUsed: int64(test.share * float64(test.limit)), MemoryLimit: test.limit, MemoryShare: test.share,
			EvictionPolicy: test.policy,
		})
		if c := r.Checks[0]; c.Status != test.want || !strings.Contains(c.Detail, test.says) {
			t.Errorf("%s, %v used: %s %s; want %s %s", test.policy, test.share, c.Status, c.Detail, test.want, test.says)
		}
	}
}

// In a cluster one node may be full while the others have room.
func TestFullestNodeCounts(t *testing.T) {
	var r Report
	r.memory(queue.Info{
		MemoryUsed: 1 << 20, MemoryLimit: 3 << 20, MemoryShare: 0.9, Fullest: "10.0.0.2:7000", EvictionPolicy: "noeviction",
	})
	const want = "maxmemory 3.0 MiB in all, 90 % used of 10.0.0.2:7000"
	if c := r.Checks[0]; c.Status != Notice || !strings.Contains(c.Detail, want) {
		t.Errorf("%+v", c)
	}
}
