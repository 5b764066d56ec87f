package receive

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

const (
	// maxNetworks bounds the networks that are remembered. Beyond it those that send least are forgotten.
	maxNetworks = 100_000
	// networkBits are the bits of an IPv6 address that stand for one client: each customer has at least a network of
	// this size and may send from any address in it.
	networkBits = 64
)

// buckets are token buckets, one for each client: each request takes a token, rate tokens per second come back, up to
// burst.
type buckets struct {
	rate      rate.Limit
	burst     int
	byNetwork *otter.Cache[netip.Addr, *rate.Limiter]
}

func newBuckets(perSecond float64, burst int) *buckets {
	return &buckets{
		rate: rate.Limit(perSecond), burst: burst,
		byNetwork: otter.Must(&otter.Options[netip.Addr, *rate.Limiter]{MaximumSize: maxNetworks}),
	}
}

// take reports whether the address may send a request now.
func (b *buckets) take(ip string, now time.Time) bool {
	bucket, _ := b.byNetwork.ComputeIfAbsent(network(ip), func() (*rate.Limiter, bool) {
		return rate.NewLimiter(b.rate, b.burst), false
	})
	return bucket.AllowN(now, 1)
}

// network is the address, of IPv6 the first one of its network. Text that is no address is in one network with all
// other such text.
func network(ip string) netip.Addr {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Addr{}
	}
	if address = address.Unmap(); address.Is4() {
		return address
	}
	prefix, _ := address.Prefix(networkBits) // fails for more bits than an address has
	return prefix.Addr()
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
