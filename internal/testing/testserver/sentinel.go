package testserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
)

// SentinelServers are a master and a replica that three Sentinels watch. A dead master is replaced within some seconds.
type SentinelServers struct {
	Name      string         // of the master
	Data      []*RedisServer // master first, as it was at the beginning
	Sentinels []*RedisServer
}

// Sentinel starts servers for one test, which end with it. The options are those of master and replica; with TLS the
// Sentinels speak TLS, too. It returns when the Sentinels know each other and the replica.
func Sentinel(t testing.TB, opts ...RedisOption) *SentinelServers {
	t.Helper()
	s := &SentinelServers{Name: "mymaster"}
	master := startJoined(t, nil, opts)
	replica := startJoined(t, master, opts, WithConfig(fmt.Sprintf("replicaof %s %d", master.Host, master.Port)))
	s.Data = []*RedisServer{master, replica}
	Eventually(t, "the replica is in step", func() bool {
		return strings.Contains(replica.info("INFO", "replication"), "master_link_status:up")
	})
	for range 3 {
		s.Sentinels = append(s.Sentinels, s.watch(t, master))
	}
	Eventually(t, "the Sentinels know each other", func() bool { return s.complete(2) })
	return s
}

// watch starts a Sentinel.
func (s *SentinelServers) watch(t testing.TB, master *RedisServer) *RedisServer {
	t.Helper()
	lines := []string{
		fmt.Sprintf("sentinel monitor %s %s %d 2", s.Name, master.Host, master.Port),
		"sentinel down-after-milliseconds " + s.Name + " 2000",
		"sentinel failover-timeout " + s.Name + " 6000",
	}
	switch {
	case master.User != "":
		lines = append(lines, "sentinel auth-user "+s.Name+" "+adminUser, "sentinel auth-pass "+s.Name+" any")
	case master.Password != "":
		lines = append(lines, fmt.Sprintf("sentinel auth-pass %s %q", s.Name, master.Password))
	}
	return Redis(t, func(c *redisConfig) {
		c.sentinel, c.tls, c.certs, c.clientCert = true, master.TLS != nil, master.TLS, master.config.clientCert
		if c.tls {
			lines = append(lines, "tls-replication yes")
		}
		c.lines = lines
	})
}

// complete reports whether every running Sentinel knows a replica and so many others.
func (s *SentinelServers) complete(others int) bool {
	for _, sentinel := range s.Sentinels {
		state, err := redis.StringMap(sentinel.command("SENTINEL", "MASTER", s.Name))
		if err != nil || state["num-slaves"] != "1" || state["num-other-sentinels"] != fmt.Sprint(others) ||
			state["flags"] != "master" {
			return false
		}
	}
	return true
}

// Addrs are the addresses of the Sentinels.
func (s *SentinelServers) Addrs() []string { return addrs(s.Sentinels) }

func addrs(servers []*RedisServer) []string {
	all := make([]string, len(servers))
	for i, server := range servers {
		all[i] = server.Addr
	}
	return all
}

// Master is the server that the first running Sentinel names.
func (s *SentinelServers) Master(t testing.TB) *RedisServer {
	t.Helper()
	for _, sentinel := range s.Sentinels {
		if !sentinel.Running() {
			continue
		}
		address, err := redis.Strings(sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.Name))
		if err != nil || len(address) != 2 {
			continue
		}
		for _, server := range s.Data {
			if fmt.Sprint(server.Port) == address[1] {
				return server
			}
		}
	}
	t.Fatal("no Sentinel names a master")
	return nil
}

// WaitForMasterOtherThan waits until a fail-over has made another server than old the master.
func (s *SentinelServers) WaitForMasterOtherThan(t testing.TB, old *RedisServer) *RedisServer {
	t.Helper()
	var now *RedisServer
	Eventually(t, "another server is master", func() bool {
		now = s.Master(t)
		return now != old && strings.Contains(now.info("INFO", "replication"), "role:master")
	})
	return now
}

// FailOver makes the replica the master. The Sentinels are asked again while that has not come about: on a busy machine
// they give a fail-over up that takes too long for them.
func (s *SentinelServers) FailOver(t testing.TB) (now *RedisServer) {
	t.Helper()
	old := s.Master(t)
	var asked time.Time
	Eventually(t, "another server is master", func() bool {
		if time.Since(asked) > 2*time.Second {
			asked = time.Now()
			_, _ = s.Sentinels[0].command("SENTINEL", "FAILOVER", s.Name) // refused while there is one
		}
		now = s.Master(t)
		return now != old && strings.Contains(now.info("INFO", "replication"), "role:master")
	})
	return now
}
