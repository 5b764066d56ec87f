package queue

import (
	"context"
	"errors"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

const (
	// maxRedirections bounds how often one command follows a key.
	maxRedirections = 8
	// tryAgainDelay is the pause before a command about keys that are just being moved is sent again.
	tryAgainDelay = 20 * time.Millisecond
)

// NewRedisCluster makes the backend on a cluster, of which addresses ("host:port") are some nodes. The others, and who
// has which key, are learned from it.
func NewRedisCluster(o RedisOptions, addresses []string) (*Redis, error) {
	if len(addresses) == 0 {
		return nil, errors.New("redis: no node of the cluster set (settings redisHost and redisPort)")
	}
	if o.Database != 0 {
		return nil, errors.New("redis: a cluster has only database 0 (setting redisDatabase)")
	}
	c := &cluster{}
	c.nodes = &redisc.Cluster{
		StartupNodes: addresses,
		DialOptions:  o.dialOptions(),
		CreatePool: func(addr string, _ ...redis.DialOption) (*redis.Pool, error) {
			return o.newPool(func(ctx context.Context) (redis.Conn, error) {
				conn, err := o.connect(ctx, "tcp", addr)
				if c.failed.Store(nil); err != nil {
					c.failed.Store(&err)
				}
				return conn, err
			}), nil
		},
		LayoutRefresh: func(_, now [redisc.HashSlots][]string) { c.layout.Store(&now) },
	}
	return makeRedis("redis cluster "+addresses[0], o, c), nil
}

// cluster is the topology of a Redis Cluster.
type cluster struct {
	nodes      *redisc.Cluster
	layout     atomic.Pointer[[redisc.HashSlots][]string] // by slot, the address of its master and then of its replicas
	refreshing atomic.Bool
	asked      atomic.Bool           // whether the servers are a cluster
	failed     atomic.Pointer[error] // why a node could not be connected to: the errors of redisc are nothing but text
}

// errNoCluster is what a server without cluster answers to questions about it. To all else it answers like a node that
// has every key.
const errNoCluster = redis.Error("ERR This instance has cluster support disabled")

// check finds out whether the servers are a cluster.
func (c *cluster) check() error {
	if c.layout.Load() != nil || c.asked.Swap(true) {
		return nil
	}
	if err := c.nodes.Refresh(); err != nil && strings.Contains(err.Error(), string(errNoCluster)) {
		c.asked.Store(false)
		return errNoCluster
	}
	return nil
}

// conn binds a connection to the node of the key, or to any node; MOVED and ASK are followed.
func (c *cluster) conn(ctx context.Context, key string) (redis.Conn, error) {
	conn, err := c.pipe(ctx, key)
	if err != nil {
		return nil, err
	}
	return redisc.RetryConn(conn, maxRedirections, tryAgainDelay)
}

func (c *cluster) pipe(_ context.Context, key string) (redis.Conn, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	conn := c.nodes.Get()
	var keys []string
	if key != "" {
		keys = []string{key}
	}
	if err := redisc.BindConn(conn, keys...); err != nil {
		_ = conn.Close()
		if failed := c.failed.Swap(nil); failed != nil {
			err = *failed
		}
		return nil, err
	}
	return conn, nil
}

// groups sorts keys by the node that has them. Where the layout is out of date the answer says so.
func (c *cluster) groups(keys []string) [][]int {
	if c.layout.Load() == nil {
		_ = c.nodes.Refresh() // without it every key goes the long way, or the first node says what is wrong
	}
	layout := c.layout.Load()
	if layout == nil {
		return oneGroup(keys)
	}
	var groups [][]int
	at := map[string]int{}
	for i, key := range keys {
		node := master(layout, redisc.Slot(key))
		g, known := at[node]
		if !known {
			g = len(groups)
			at[node] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

func master(layout *[redisc.HashSlots][]string, slot int) string {
	if nodes := layout[slot]; len(nodes) > 0 {
		return nodes[0]
	}
	return ""
}

// lost asks the cluster for its layout anew: the node that did not answer may have been replaced.
func (c *cluster) lost() {
	if !c.refreshing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer c.refreshing.Store(false)
		_ = c.nodes.Refresh() // the next call that fails asks again
	}()
}

func (c *cluster) close() error { return c.nodes.Close() }

// describe sums up the memory of all masters and lists the nodes with their slots.
func (c *cluster) describe(ctx context.Context, r *Redis, info *Info) {
	info.Mode, info.Role = "cluster", "master"
	err := c.nodes.Refresh()
	if err != nil {
		info.note("CLUSTER SLOTS", r.errs.wrap(ctx, "CLUSTER SLOTS", err))
		return
	}
	info.Nodes = describeLayout(c.layout.Load())
	sum := Info{EvictionPolicy: info.EvictionPolicy}
	err = c.nodes.EachNode(false, func(addr string, conn redis.Conn) error {
		text, err := redis.String(conn.Do("INFO"))
		if err != nil {
			return err
		}
		var node Info
		node.read(infoFields(text))
		sum.MemoryUsed += node.MemoryUsed
		sum.MemoryPeak += node.MemoryPeak
		sum.MemoryLimit += node.MemoryLimit
		if node.MemoryShare > sum.MemoryShare {
			sum.MemoryShare, sum.Fullest = node.MemoryShare, addr
		}
		if node.EvictionPolicy != noEviction {
			sum.EvictionPolicy = node.EvictionPolicy
		}
		return nil
	})
	if err == nil {
		info.MemoryUsed, info.MemoryPeak, info.MemoryLimit = sum.MemoryUsed, sum.MemoryPeak, sum.MemoryLimit
		info.MemoryShare, info.Fullest, info.EvictionPolicy = sum.MemoryShare, sum.Fullest, sum.EvictionPolicy
	}
}

const noEviction = "noeviction"

// describeLayout lists masters with their ranges of slots, and their replicas.
func describeLayout(layout *[redisc.HashSlots][]string) []string {
	ranges, replicas := map[string]string{}, map[string]string{}
	for first := 0; first < redisc.HashSlots; {
		node, last := master(layout, first), first
		for last+1 < redisc.HashSlots && master(layout, last+1) == node {
			last++
		}
		if node == "" {
			node = "no node"
		} else {
			for _, replica := range layout[first][1:] {
				replicas[replica] = node
			}
		}
		ranges[node] += " " + strconv.Itoa(first) + "-" + strconv.Itoa(last)
		first = last + 1
	}
	var lines []string
	for node, slots := range ranges {
		lines = append(lines, node+" master of slots"+slots)
	}
	for replica, node := range replicas {
		lines = append(lines, replica+" replica of "+node)
	}
	sort.Strings(lines)
	return lines
}
