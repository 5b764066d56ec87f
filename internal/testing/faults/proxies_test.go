package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// Proxies between workers and the database change the connection to the server between two transactions, with the
// session or without, refuse messages of several statements, and cut connections that are idle.
func TestProxies(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*multiplexer{
		"keeps the session":            {},
		"forgets the session":          {forgets: true},
		"refuses several":              {noScript: true},
		"cuts idle connections":        {idle: 5 * time.Millisecond},
		"all of it, at each statement": {always: true, forgets: true, noScript: true, idle: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range kinds[:2] {
				const requests = 800
				s := kind.newSite(t)
				s.push(t, s.corpus(t, requests))
				s.through(t, m, s.maria.Addr).done()
				if n := s.waiting(t); n != 0 {
					t.Errorf("%d entries are left", n)
				}
				equal(t, s.read(t), s.undisturbed(t, requests))
			}
			made.add("connections changed by a proxy", int(m.switched.Load()))
			made.add("idle connections cut by a proxy", int(m.cut.Load()))
			if m.switched.Load() < 20 {
				t.Errorf("only %d connections were changed", m.switched.Load())
			}
		})
	}
}

// through starts a worker that reaches the database through a proxy.
func (s *site) through(t *testing.T, m *multiplexer, targets ...string) *child {
	t.Helper()
	m.targets = targets
	m.start(t)
	return s.start(t, func(j *job) { j.DBHost, j.DBPort = m.host, m.port })
}

// What a proxy forgets, the server would begin its sessions with otherwise: a worker that cannot rely on its session
// tracks nothing, and says what to do.
func TestForgetfulProxyIsRefused(t *testing.T) {
	t.Parallel()
	redis, number := testserver.RedisDatabase(t)
	s := newSiteOn(t, testserver.MariaDB(t, testserver.WithFlags("--sql-safe-updates")), redis, number)
	s.push(t, corpus(t, 200))
	pushed := s.waiting(t)
	c := s.through(t, &multiplexer{always: true, forgets: true}, s.maria.Addr)
	status := c.wait()
	if status != exitFailed || !strings.Contains(c.stderr.String(), "sql_safe_updates") || s.waiting(t) != pushed {
		t.Errorf("exit status %d, %d of %d entries left:\n%s", status, s.waiting(t), pushed, c.stderr.String())
	}
	s.start(t, nil).done()
	if n := s.waiting(t); n != 0 {
		t.Errorf("without the proxy %d entries are left", n)
	}
}
