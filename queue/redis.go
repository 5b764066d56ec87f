package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// Timeouts that hold when the settings name none (redisTimeout 0.0).
const (
	defaultConnectTimeout = 5 * time.Second
	defaultIOTimeout      = 30 * time.Second
)

// RedisOptions tell how to reach a Redis server.
type RedisOptions struct {
	// Host is a name, an address or the path of a unix socket. As for phpredis it may begin with tcp://, tls:// or
	// unix://. Sentinel and Cluster have addresses instead.
	Host     string
	Port     int    // ignored for a unix socket; with 0 the host is one
	Database int    // number for SELECT, which is sent when it is not 0; a cluster has none
	User     string // ACL user, "" for the default one
	Password string
	// SentinelLogin logs in to Sentinels with User and Password at once; otherwise only those that refuse to answer
	// without get them.
	SentinelLogin bool
	TLS           *tls.Config // nil: no TLS, unless the host begins with tls://

	ConnectTimeout time.Duration // 0: 5 s
	IOTimeout      time.Duration // to write a command or read its answer; 0: 30 s
	MaxIdle        int           // connections kept open, per server; 0: 8

	Clock func() time.Time // tells when Sentinels are asked again; nil: time.Now
}

func (o RedisOptions) now() time.Time {
	if o.Clock == nil {
		return time.Now()
	}
	return o.Clock()
}

// address tells network and address to dial, and whether the host asks for TLS.
func (o RedisOptions) address() (network, addr string, secure bool) {
	host, isSocket := strings.CutPrefix(o.Host, "unix://")
	host, secure = strings.CutPrefix(host, "tls://")
	host = strings.TrimPrefix(host, "tcp://")
	if isSocket || o.Port == 0 || strings.HasPrefix(host, "/") {
		return "unix", host, false
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return "tcp", net.JoinHostPort(host, strconv.Itoa(o.Port)), secure
}

// Redis is the backend on Redis or Valkey: one stand-alone server (NewRedis), the master that Sentinels watch
// (NewRedisSentinel) or a cluster (NewRedisCluster).
//
// Every call is one attempt: package replay repeats what a fail-over, a resharding or a restart interrupted.
type Redis struct {
	topology  topology
	errs      redisErrors
	plainEval atomic.Bool // the server forbids EVALSHA, not EVAL
}

var _ Backend = (*Redis)(nil)

// topology knows the servers and which of them has a key.
type topology interface {
	// conn connects to the server that has the key, "" for any; commands sent with Do follow the key when it moves.
	conn(ctx context.Context, key string) (redis.Conn, error)
	// groups sorts the indexes of keys by the server that has them.
	groups(keys []string) [][]int
	// pipe connects to the server that has the key, for commands sent with Send.
	pipe(ctx context.Context, key string) (redis.Conn, error)
	// lost hears that a server did not answer.
	lost()
	// describe adds what is known of the servers.
	describe(ctx context.Context, r *Redis, info *Info)
	close() error
}

// NewRedis makes the backend on one stand-alone server; it connects when it is used first. It refuses options that
// cannot work.
func NewRedis(o RedisOptions) (*Redis, error) {
	if o.Host == "" {
		return nil, errors.New("redis: no host set")
	}
	if strings.Contains(o.Host, ",") {
		return nil, errors.New("redis: several hosts: set useWhatRedisBackendType to 2 (sentinel) or 3 (cluster)")
	}
	network, addr, secure := o.address()
	if secure && o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	pool := o.newPool(func(ctx context.Context) (redis.Conn, error) { return o.connect(ctx, network, addr) })
	return makeRedis("redis "+addr, o, &standAlone{pool}), nil
}

func makeRedis(name string, o RedisOptions, t topology) *Redis {
	return &Redis{topology: t, errs: redisErrors{server: name, password: o.Password}}
}

// Close implements Backend.
func (r *Redis) Close() error { return r.topology.close() }

// standAlone is the topology of one server.
type standAlone struct{ pool *redis.Pool }

func (s *standAlone) conn(ctx context.Context, _ string) (redis.Conn, error) {
	return s.pool.GetContext(ctx)
}

func (s *standAlone) pipe(ctx context.Context, _ string) (redis.Conn, error) {
	return s.pool.GetContext(ctx)
}

func (s *standAlone) groups(keys []string) [][]int { return oneGroup(keys) }

func (s *standAlone) lost() {}

// describe warns of a node of a cluster: with a single one it works.
func (s *standAlone) describe(_ context.Context, _ *Redis, info *Info) {
	if info.Mode == "cluster" {
		info.Mismatch = isCluster
	}
}

func (s *standAlone) close() error { return s.pool.Close() }

func oneGroup(keys []string) [][]int {
	group := make([]int, len(keys))
	for i := range group {
		group[i] = i
	}
	return [][]int{group}
}
