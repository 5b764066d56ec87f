package queue

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"

	"github.com/queuedtracking/queuedtracking/internal/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
)

var failoverEntries = flag.Int("queue.failover", 10_000, "entries of the tests that fail over under load")

const (
	loadQueues    = 4
	loadConsumers = 4
	loadBatch     = 25
	loadWrite     = 10 // entries per write
)

// ledger stands for the database: what was tracked, and per list the checkpoint that was committed with it (design.md §4).
type ledger struct {
	mu          sync.Mutex
	tracked     map[string]int
	checkpoints [loadQueues]checkpoint
	rows        [loadQueues]sync.Mutex // FOR UPDATE
	total       atomic.Int64
}

type checkpoint struct {
	offset int64
	count  int
	digest [sha256.Size]byte
}

func digestOf(elements [][]byte) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q", elements))
}

// load is a run of one writer and several consumers.
type load struct {
	t       *testing.T
	redis   *Redis  // single attempts, for the writer
	backend Backend // patient, for the consumers
	ledger  ledger

	written   atomic.Bool // the writer has ended
	confirmed []string    // acknowledged and replicated
	unsure    []string    // not acknowledged, or not by a replica
}

func startLoad(t *testing.T, r *Redis) *load {
	l := &load{t: t, redis: r, backend: Patient(r, Patience{Wait: time.Minute})}
	l.ledger.tracked = map[string]int{}
	return l
}

// run writes and drains, and calls each of the events when its share of the entries is tracked.
func (l *load) run(events ...func()) {
	var wg sync.WaitGroup
	l.write(0, *failoverEntries/2)
	wg.Go(func() {
		l.write(*failoverEntries/2, *failoverEntries)
		l.written.Store(true)
	})
	for range loadConsumers {
		wg.Go(l.consume)
	}
	for i, event := range events {
		due := int64(*failoverEntries) * int64(i+1) / int64(len(events)+2)
		for l.ledger.total.Load() < due && !l.t.Failed() {
			<-time.After(time.Millisecond)
		}
		event()
	}
	wg.Wait()
	l.verify()
}

// write adds entries and notes which of them a replica has.
func (l *load) write(from, to int) {
	for n := from; n < to; n += loadWrite {
		list := Key(n / loadWrite % loadQueues)
		var names []string
		args := []any{list}
		for i := n; i < min(n+loadWrite, to); i++ {
			names = append(names, fmt.Sprintf("entry %d", i))
			args = append(args, names[len(names)-1])
		}
		replicas, err := redis.Int(l.redis.on(l.t.Context(), list, "RPUSH", func(conn redis.Conn) (any, error) {
			if _, err := conn.Do("RPUSH", args...); err != nil {
				return nil, err
			}
			return conn.Do("WAIT", 1, 1000)
		}))
		if err == nil && replicas > 0 {
			l.confirmed = append(l.confirmed, names...)
			continue
		}
		l.unsure = append(l.unsure, names...)
		<-time.After(10 * time.Millisecond)
	}
}

// consume takes batches of all queues until nothing is left.
func (l *load) consume() {
	locker := lock.New(l.backend, rand.Reader)
	for !l.t.Failed() {
		last := l.written.Load()
		waiting, err := l.backend.Lens(l.t.Context(), Keys(0, loadQueues)...)
		if l.failed(err) {
			return
		}
		left := int64(0)
		for id, n := range waiting {
			left += n
			if n > 0 && l.failed(l.take(locker, id)) {
				return
			}
		}
		if last && left == 0 {
			return
		}
	}
}

func (l *load) failed(err error) bool {
	if err != nil {
		l.t.Error(err)
	}
	return err != nil
}

// take locks a queue and tracks some batches.
func (l *load) take(locker *lock.Locker, id int) error {
	ctx := l.t.Context()
	held, ok, err := locker.Acquire(ctx, id, lock.TTL)
	if err != nil || !ok {
		return err
	}
	defer held.Release(ctx) // lost with its server, or not
	for range 4 {
		head, err := l.backend.Head(ctx, Key(id), loadBatch)
		if err != nil || len(head.Elements) == 0 {
			return err
		}
		if head, err = l.ledger.track(ctx, l.backend, id, head); err != nil {
			return err
		}
		if _, err := l.backend.RemoveFirst(ctx, Key(id), head); err != nil {
			return err
		}
	}
	return nil
}

// track is the transaction. It returns what is to be removed: the batch, or what an earlier transaction has committed already.
func (g *ledger) track(ctx context.Context, b Backend, id int, head Batch) (Batch, error) {
	g.rows[id].Lock()
	defer g.rows[id].Unlock()
	cp := &g.checkpoints[id]
	distance := cp.offset - head.Offset
	if cp.count > 0 && distance >= int64(cp.count) && distance <= head.Len {
		last, err := b.Range(ctx, Key(id), distance-int64(cp.count), cp.count)
		if err != nil {
			return Batch{}, err
		}
		if digestOf(last) == cp.digest {
			return b.Head(ctx, Key(id), int(distance))
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range head.Elements {
		g.tracked[string(e)]++
	}
	g.total.Add(int64(len(head.Elements)))
	*cp = checkpoint{head.Offset + int64(len(head.Elements)), len(head.Elements), digestOf(head.Elements)}
	return head, nil
}

func (l *load) verify() {
	lost, doubled := 0, 0
	for _, name := range l.confirmed {
		if l.ledger.tracked[name] == 0 {
			lost++
		}
	}
	for _, n := range l.ledger.tracked {
		if n > 1 {
			doubled++
		}
	}
	l.t.Logf("%d entries confirmed, %d not", len(l.confirmed), len(l.unsure))
	if lost > 0 || doubled > 0 {
		l.t.Errorf("%d confirmed entries lost, %d entries tracked twice", lost, doubled)
	}
	if len(l.confirmed) < *failoverEntries/2 {
		l.t.Errorf("only %d of %d entries were confirmed", len(l.confirmed), *failoverEntries)
	}
}

func TestSentinelFailoverUnderLoadLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	servers := testserver.Sentinel(t)
	r := opened(t)(NewRedisSentinel(RedisOptions{}, servers.Name, servers.Addrs())).Backend.(*Redis)
	old := servers.Data[0]
	startLoad(t, r).run(
		func() {
			old.Kill(t)
			servers.WaitForMasterOtherThan(t, old)
			old.Start(t) // calls itself master until the Sentinels find it
		},
	)
	r.topology.lost()
	if got, want := r.topology.(*sentinels).current(), servers.Master(t).Addr; got != want {
		t.Errorf("used master %s, should be %s", got, want)
	}
}

func TestClusterFailoverAndMovedSlotsUnderLoadLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	servers := testserver.Cluster(t)
	r := opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs()[:2])).Backend.(*Redis)
	startLoad(t, r).run(
		func() {
			slot := redisc.Slot(Key(1))
			from := servers.Master(slot)
			for _, to := range servers.Nodes[:3] {
				if to != from {
					for s := slot - 5; s <= slot+5; s++ {
						servers.MoveSlot(t, s, to, nil)
					}
					break
				}
			}
		},
		func() {
			slot := redisc.Slot(Key(0))
			old := servers.Master(slot)
			old.Kill(t)
			servers.WaitForMasterOtherThan(t, old, slot)
			old.Start(t)
		},
	)
}
