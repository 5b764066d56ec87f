package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
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
	// Host is a name, an address or the path of a unix socket. As for phpredis it may begin with tcp://, tls:// or unix://.
	Host     string
	Port     int    // ignored for a unix socket; with 0 the host is one
	Database int    // number for SELECT, which is sent when it is not 0
	User     string // ACL user, "" for the default one
	Password string
	TLS      *tls.Config // nil: no TLS, unless the host begins with tls://

	ConnectTimeout time.Duration // 0: 5 s
	IOTimeout      time.Duration // to write a command or read its answer; 0: 30 s
	MaxIdle        int           // connections kept open; 0: 8
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

// Redis is the backend on one stand-alone Redis server.
type Redis struct {
	pool *redis.Pool
	errs redisErrors
}

var _ Backend = (*Redis)(nil)

// NewRedis makes the backend; it connects when it is used first. It refuses options that cannot work.
func NewRedis(o RedisOptions) (*Redis, error) {
	if o.Host == "" {
		return nil, errors.New("redis: no host set")
	}
	if strings.Contains(o.Host, ",") {
		return nil, errors.New("redis: several hosts need Sentinel or Cluster as the kind of Redis (setting useWhatRedisBackendType)")
	}
	network, addr, secure := o.address()
	if secure && o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	dial := o.dialOptions(network)
	r := &Redis{errs: redisErrors{server: "redis " + addr, password: o.Password}}
	r.pool = &redis.Pool{
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return connect(ctx, network, addr, dial)
		},
		TestOnBorrow: func(c redis.Conn, idleSince time.Time) error {
			if time.Since(idleSince) < time.Second {
				return nil
			}
			_, err := c.Do("PING")
			return err
		},
		MaxIdle:     orDefault(o.MaxIdle, 8),
		IdleTimeout: 4 * time.Minute,
	}
	return r, nil
}

// connect dials and sends the first command, so that what is wrong with the connection shows while connecting.
func connect(ctx context.Context, network, addr string, opts []redis.DialOption) (redis.Conn, error) {
	conn, err := redis.DialContext(ctx, network, addr, opts...)
	if err != nil {
		return nil, err
	}
	if _, err := redis.DoContext(conn, ctx, "PING"); err != nil && !isForbidden(err) {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (o RedisOptions) dialOptions(network string) []redis.DialOption {
	io := orDefault(o.IOTimeout, defaultIOTimeout)
	connect := orDefault(o.ConnectTimeout, defaultConnectTimeout)
	opts := []redis.DialOption{
		redis.DialConnectTimeout(connect), redis.DialTLSHandshakeTimeout(connect),
		redis.DialReadTimeout(io), redis.DialWriteTimeout(io),
		redis.DialDatabase(o.Database),
		redis.DialUsername(o.User), redis.DialPassword(o.Password),
	}
	if o.TLS != nil && network == "tcp" {
		opts = append(opts, redis.DialUseTLS(true), redis.DialTLSConfig(o.TLS))
	}
	return opts
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Close implements Backend.
func (r *Redis) Close() error { return r.pool.Close() }

// do sends one command on a connection of the pool.
func (r *Redis) do(ctx context.Context, command string, args ...any) (any, error) {
	conn, err := r.pool.GetContext(ctx)
	if err != nil {
		return nil, r.errs.wrap(ctx, "", err)
	}
	defer conn.Close()
	reply, err := redis.DoContext(conn, ctx, command, args...)
	if err != nil {
		return nil, r.errs.wrap(ctx, command, err)
	}
	return reply, nil
}

// eval runs a script, by its hash if the server knows it.
func (r *Redis) eval(ctx context.Context, s *script, keysAndArgs ...any) (any, error) {
	conn, err := r.pool.GetContext(ctx)
	if err != nil {
		return nil, r.errs.wrap(ctx, "", err)
	}
	defer conn.Close()
	reply, err := s.lua.DoContext(ctx, conn, keysAndArgs...)
	if err != nil {
		return nil, r.errs.wrap(ctx, "script "+s.name, err)
	}
	return reply, nil
}

// maxPipeline bounds the commands that are sent before their answers are read.
const maxPipeline = 1024

// each sends the command once per key, many at a time, and hands the answers to take in order.
func (r *Redis) each(ctx context.Context, command string, keys []string, take func(int64)) error {
	conn, err := r.pool.GetContext(ctx)
	if err != nil {
		return r.errs.wrap(ctx, "", err)
	}
	defer conn.Close()
	for len(keys) > 0 {
		n := min(len(keys), maxPipeline)
		if err := pipeline(ctx, conn, command, keys[:n], take); err != nil {
			return r.errs.wrap(ctx, command, err)
		}
		keys = keys[n:]
	}
	return nil
}

func pipeline(ctx context.Context, conn redis.Conn, command string, keys []string, take func(int64)) error {
	for _, key := range keys {
		if err := conn.Send(command, key); err != nil {
			return err
		}
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	for range keys {
		n, err := redis.Int64(redis.ReceiveContext(conn, ctx))
		if err != nil {
			return err
		}
		take(n)
	}
	return nil
}
