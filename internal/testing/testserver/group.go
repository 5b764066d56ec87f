package testserver

import (
	"fmt"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// joining makes a server one of several that copy each other's data: they share certificates, wait for nothing before
// they copy, and log in as who may do everything.
func joining(first *RedisServer) RedisOption {
	return func(c *redisConfig) {
		c.lines = append(c.lines, "repl-diskless-sync yes", "repl-diskless-sync-delay 0", "replica-priority 100")
		switch {
		case c.user != "":
			c.lines = append(c.lines, "masteruser "+adminUser, "masterauth any")
		case c.password != "":
			c.lines = append(c.lines, fmt.Sprintf("masterauth %q", c.password))
		}
		if c.tls {
			c.lines = append(c.lines, "tls-replication yes", "tls-cluster yes")
			if first != nil {
				c.certs = first.TLS
			}
		}
	}
}

// startJoined starts one of several servers for a test.
func startJoined(t testing.TB, first *RedisServer, opts []RedisOption, more ...RedisOption) *RedisServer {
	t.Helper()
	all := append(append([]RedisOption{}, opts...), joining(first))
	return Redis(t, append(all, more...)...)
}

// command sends a command to the server, with all rights.
func (s *RedisServer) command(name string, args ...any) (any, error) {
	conn, err := s.dial(0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.Do(name, args...)
}

// must is command for what has to succeed.
func (s *RedisServer) must(t testing.TB, name string, args ...any) any {
	t.Helper()
	reply, err := s.command(name, args...)
	if err != nil {
		t.Fatalf("%s: %s %v: %v", s.Addr, name, args, err)
	}
	return reply
}

// info returns the lines of INFO or CLUSTER INFO as text.
func (s *RedisServer) info(name string, args ...any) string {
	text, _ := redis.String(s.command(name, args...))
	return text
}
