package queue

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/certificate"
)

// checkIdle is how long a connection may be idle before it is checked when it is used again.
const checkIdle = time.Second

// newPool keeps the connections that dial makes.
func (o RedisOptions) newPool(dial func(context.Context) (redis.Conn, error)) *redis.Pool {
	return &redis.Pool{
		DialContext: dial,
		TestOnBorrow: func(c redis.Conn, idleSince time.Time) error {
			if time.Since(idleSince) < checkIdle {
				return nil
			}
			_, err := c.Do("PING")
			return err
		},
		MaxIdle:     orDefault(o.MaxIdle, 8),
		IdleTimeout: 4 * time.Minute,
	}
}

// connect dials and sends the first command, so that what is wrong with the connection shows while connecting.
func (o RedisOptions) connect(ctx context.Context, network, addr string) (redis.Conn, error) {
	conn, err := redis.DialContext(ctx, network, addr, o.dialOptions()...)
	if err != nil {
		return nil, err
	}
	if _, err := redis.DoContext(conn, ctx, "PING"); err != nil && !isForbidden(err) {
		_ = conn.Close()
		return nil, err
	}
	return &masterConn{Conn: conn}, nil
}

func (o RedisOptions) dialOptions() []redis.DialOption {
	io := orDefault(o.IOTimeout, defaultIOTimeout)
	connect := orDefault(o.ConnectTimeout, defaultConnectTimeout)
	dialer := net.Dialer{Timeout: connect}
	return []redis.DialOption{
		redis.DialContextFunc(func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			gathering := &gatheringConn{conn, bufio.NewWriterSize(conn, gatherBytes)}
			if o.TLS == nil || network != "tcp" {
				return gathering, nil
			}
			return o.encrypt(ctx, gathering, addr, connect)
		}),
		redis.DialReadTimeout(io), redis.DialWriteTimeout(io),
		redis.DialDatabase(o.Database),
		redis.DialUsername(o.User), redis.DialPassword(o.Password),
	}
}

// encrypt speaks TLS on a connection. It checks the certificate as phpredis does.
func (o RedisOptions) encrypt(
	ctx context.Context, conn net.Conn, addr string, timeout time.Duration,
) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	encrypted := tls.Client(conn, certificate.Checking(o.TLS, host))
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return encrypted, nil
}

// gatherBytes is what is sent together.
const gatherBytes = 64 << 10

// gatheringConn sends what is written when an answer is waited for. redigo writes 4 KiB at a time, and each write wakes
// the server up to find a part of a command.
type gatheringConn struct {
	net.Conn
	out *bufio.Writer
}

func (c *gatheringConn) Write(p []byte) (int, error) { return c.out.Write(p) }

func (c *gatheringConn) Read(p []byte) (int, error) {
	if err := c.out.Flush(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// masterConn is a connection that is not used again once the server has said that it is no master any more: the next
// one is made anew and finds the new master, be it behind Sentinels, a proxy or a DNS name.
type masterConn struct {
	redis.Conn
	addr    string // of a master that Sentinels named
	demoted error
}

var errDemoted = errors.New("server is no master any more")

func (c *masterConn) Do(command string, args ...any) (any, error) {
	reply, err := c.Conn.Do(command, args...)
	err = causeInScript(err)
	c.look(err)
	return reply, err
}

func (c *masterConn) Receive() (any, error) {
	reply, err := c.Conn.Receive()
	c.look(err)
	return reply, err
}

func (c *masterConn) look(err error) {
	if reply, ok := errors.AsType[redis.Error](err); ok && strings.HasPrefix(string(reply), "READONLY") {
		c.demoted = errDemoted
	}
}

func (c *masterConn) Err() error {
	if c.demoted != nil {
		return c.demoted
	}
	return c.Conn.Err()
}
