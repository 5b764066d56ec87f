package testserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

const (
	clusterMasters = 3
	clusterSlots   = 16384
)

// ClusterServers are the six nodes of a Redis Cluster: three masters with a replica each. A dead master is replaced
// within some seconds.
type ClusterServers struct {
	Nodes []*RedisServer // the masters first, as they were at the beginning
	ids   map[string]*RedisServer
}

// Cluster starts a cluster for one test, which ends with it. It returns when all nodes serve and the replicas are in
// step.
func Cluster(t testing.TB, opts ...RedisOption) *ClusterServers {
	t.Helper()
	c := &ClusterServers{ids: map[string]*RedisServer{}}
	enabled := WithConfig("cluster-enabled yes", "cluster-node-timeout 2000", "cluster-replica-validity-factor 0")
	var first *RedisServer
	for range 2 * clusterMasters {
		node := startJoined(t, first, opts, enabled)
		if first == nil {
			first = node
		}
		c.Nodes = append(c.Nodes, node)
		c.ids[node.id(t)] = node
	}
	c.join(t)
	for i, node := range c.Nodes[clusterMasters:] {
		node.must(t, "CLUSTER", "REPLICATE", c.Nodes[i].id(t))
	}
	Eventually(t, "the cluster is complete", c.complete)
	return c
}

// join gives the masters their slots and makes all nodes meet.
func (c *ClusterServers) join(t testing.TB) {
	t.Helper()
	for i, node := range c.Nodes {
		node.must(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < clusterMasters {
			slots := []any{"ADDSLOTS"}
			for slot := i * clusterSlots / clusterMasters; slot < (i+1)*clusterSlots/clusterMasters; slot++ {
				slots = append(slots, slot)
			}
			node.must(t, "CLUSTER", slots...)
		}
		c.Nodes[0].must(t, "CLUSTER", "MEET", node.Host, node.Port)
	}
	Eventually(t, "the nodes know each other", func() bool {
		for _, node := range c.Nodes {
			if !strings.Contains(node.info("CLUSTER", "INFO"), fmt.Sprintf("cluster_known_nodes:%d\r", len(c.Nodes))) ||
				strings.Contains(node.info("CLUSTER", "NODES"), "handshake") {
				return false
			}
		}
		return true
	})
}

func (c *ClusterServers) complete() bool {
	for i, node := range c.Nodes {
		if !strings.Contains(node.info("CLUSTER", "INFO"), "cluster_state:ok") {
			return false
		}
		if i >= clusterMasters && !strings.Contains(node.info("INFO", "replication"), "master_link_status:up") {
			return false
		}
		if strings.Count(node.info("CLUSTER", "NODES"), "slave") != clusterMasters {
			return false
		}
	}
	return true
}

func (s *RedisServer) id(t testing.TB) string {
	t.Helper()
	id, err := redis.String(s.must(t, "CLUSTER", "MYID"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Addrs are the addresses of all nodes.
func (c *ClusterServers) Addrs() []string { return addrs(c.Nodes) }

// Master is the running node that says that the slot is its own, nil when none does.
func (c *ClusterServers) Master(slot int) *RedisServer {
	for _, node := range c.Nodes {
		if !node.Running() || !strings.Contains(node.info("INFO", "replication"), "role:master") {
			continue
		}
		ranges, _ := redis.Values(node.command("CLUSTER", "SLOTS"))
		for _, r := range ranges {
			if c.owns(node, r, slot) {
				return node
			}
		}
	}
	return nil
}

// ReplicaOf is the running node that copies a master.
func (c *ClusterServers) ReplicaOf(t testing.TB, master *RedisServer) *RedisServer {
	t.Helper()
	port := fmt.Sprintf("master_port:%d\r", master.Port)
	for _, node := range c.Nodes {
		if node.Running() && strings.Contains(node.info("INFO", "replication"), port) {
			return node
		}
	}
	t.Fatalf("%s has no replica", master.Addr)
	return nil
}

// owns reports whether an element of CLUSTER SLOTS gives the slot to the node: first and last slot, then the master.
func (c *ClusterServers) owns(node *RedisServer, element any, slot int) bool {
	fields, err := redis.Values(element, nil)
	if err != nil || len(fields) < 3 {
		return false
	}
	bounds, err := redis.Ints(fields[:2], nil)
	if err != nil || slot < bounds[0] || slot > bounds[1] {
		return false
	}
	master, err := redis.Values(fields[2], nil)
	if err != nil || len(master) < 3 {
		return false
	}
	id, _ := redis.String(master[2], nil)
	return c.ids[id] == node
}

// Replica is the node that replicates a master, nil when none does.
func (c *ClusterServers) Replica(master *RedisServer) *RedisServer {
	for _, node := range c.Nodes {
		if node.Running() &&
			strings.Contains(node.info("INFO", "replication"), fmt.Sprintf("master_port:%d\r", master.Port)) {
			return node
		}
	}
	return nil
}

// WaitForMasterOtherThan waits until a fail-over has given the slot to another node.
func (c *ClusterServers) WaitForMasterOtherThan(t testing.TB, old *RedisServer, slot int) *RedisServer {
	t.Helper()
	var now *RedisServer
	Eventually(t, fmt.Sprintf("another node has slot %d", slot), func() bool {
		now = c.Master(slot)
		return now != nil && now != old
	})
	return now
}

// MoveSlot moves a slot with its keys to the master to, as redis-cli --cluster reshard does. between, if not nil, is
// called while the slot is on its way, before any key has moved.
func (c *ClusterServers) MoveSlot(t testing.TB, slot int, to *RedisServer, between func()) {
	t.Helper()
	from := c.Master(slot)
	if from == nil || from == to {
		t.Fatalf("slot %d cannot be moved", slot)
	}
	to.must(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", from.id(t))
	from.must(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", to.id(t))
	if between != nil {
		between()
	}
	for {
		keys, err := redis.Strings(from.must(t, "CLUSTER", "GETKEYSINSLOT", slot, 100), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) == 0 {
			break
		}
		from.must(t, "MIGRATE", migrateArgs(to, keys)...)
	}
	to.must(t, "CLUSTER", "SETSLOT", slot, "NODE", to.id(t))
	from.must(t, "CLUSTER", "SETSLOT", slot, "NODE", to.id(t))
}

func migrateArgs(to *RedisServer, keys []string) []any {
	args := []any{to.Host, to.Port, "", 0, 5000}
	switch {
	case to.User != "":
		args = append(args, "AUTH2", adminUser, "any")
	case to.Password != "":
		args = append(args, "AUTH", to.Password)
	}
	args = append(args, "KEYS")
	for _, key := range keys {
		args = append(args, key)
	}
	return args
}
