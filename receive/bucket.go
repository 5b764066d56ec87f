package receive

import (
	"strings"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// maxAddresses bounds the addresses that are remembered. Beyond it full buckets are forgotten first, then all.
const maxAddresses = 100_000

// buckets are token buckets, one per client address: each request takes a token, rate tokens per second come back, up to burst.
type buckets struct {
	rate, burst float64

	mu   sync.Mutex
	byIP map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newBuckets(rate float64, burst int) *buckets {
	return &buckets{rate: rate, burst: float64(burst), byIP: make(map[string]bucket)}
}

// take reports whether the address may send a request now.
func (b *buckets) take(ip string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine, known := b.byIP[ip]
	if !known {
		b.makeRoom(now)
		mine = bucket{b.burst, now}
	}
	mine = b.refill(mine, now)
	allowed := mine.tokens >= 1
	if allowed {
		mine.tokens--
	}
	b.byIP[strings.Clone(ip)] = mine // as part of a request it would keep all of that in memory
	return allowed
}

func (b *buckets) refill(old bucket, now time.Time) bucket {
	gained := max(0, now.Sub(old.at).Seconds()) * b.rate
	return bucket{min(b.burst, old.tokens+gained), now}
}

func (b *buckets) makeRoom(now time.Time) {
	if len(b.byIP) < maxAddresses {
		return
	}
	for ip, old := range b.byIP {
		if b.refill(old, now).tokens >= b.burst {
			delete(b.byIP, ip)
		}
	}
	if len(b.byIP) >= maxAddresses {
		clear(b.byIP)
	}
}

// clientIP is the client's address as Matomo's proxy settings give it (spec §1.7), before anything of the body is read.
func (rc *Receiver) clientIP(m *message) string {
	server := &php.Array{}
	m.addHeaders(server)
	peer, _ := hostAndPort(m.RemoteAddr())
	server.Set("REMOTE_ADDR", php.String(peer))
	q := &received{Receiver: rc, set: queue.RequestSet{Env: queue.Env{Server: server}}}
	return q.bind(&php.Array{}).HeaderIP()
}
