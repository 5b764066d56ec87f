package queue

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// subject is a backend under test.
type subject struct {
	Backend
	// pass lets d go by on the server's clock.
	pass func(d time.Duration)
}

// opener gives a backend with no data.
type opener func(testing.TB) subject

// subjects are the implementations that have to agree, with what starts their servers for one test.
var subjects = []struct {
	name  string
	start func(testing.TB) opener
}{
	{"redis", shares(openRedis)},
	{"redis over unix socket", shares(openRedisSocket)},
	{"redis sentinel", startSentinel},
	{"redis cluster", startCluster},
	{"mysql", shares(openMySQL)},
	{"mysql as Matomo's configuration connects", shares(openMatomoDatabase)},
	{"miniredis", shares(openMiniredis)},
}

// shares is for what needs no server of the test's own.
func shares(open opener) func(testing.TB) opener {
	return func(testing.TB) opener { return open }
}

func openRedis(t testing.TB) subject {
	server, database := testserver.RedisDatabase(t)
	return opened(t)(NewRedis(RedisOptions{Host: server.Host, Port: server.Port, Database: database}))
}

func openRedisSocket(t testing.TB) subject {
	server, database := testserver.RedisDatabase(t)
	return opened(t)(NewRedis(RedisOptions{Host: server.Socket, Database: database}))
}

func openMiniredis(t testing.TB) subject {
	server := miniredis.RunT(t)
	s := opened(t)(NewRedis(RedisOptions{Host: server.Host(), Port: server.Server().Addr().Port}))
	s.pass = server.FastForward
	return s
}

func openMySQL(t testing.TB) subject {
	b, err := NewMySQL(testserver.MariaDB(t).NewDatabase(t), "matomo_", "database")
	if err != nil {
		t.Fatal(err)
	}
	return subject{b, goBy}
}

// openMatomoDatabase has parameters written into statements and matched rows counted as changed.
func openMatomoDatabase(t testing.TB) subject {
	server := testserver.MariaDB(t)
	d := matomo.Database{
		Socket: server.Socket, Username: "root", Name: server.CreateDatabase(t), Charset: "utf8mb4",
		Prefix: "matomo_",
	}
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b, err := NewMySQL(db, d.Prefix, d.Name)
	if err != nil {
		t.Fatal(err)
	}
	return subject{b, goBy}
}

func startSentinel(t testing.TB) opener {
	servers := testserver.Sentinel(t)
	return func(t testing.TB) subject {
		flush(t, servers.Data[0])
		return opened(t)(NewRedisSentinel(RedisOptions{}, servers.Name, servers.Addrs()))
	}
}

func startCluster(t testing.TB) opener {
	servers := testserver.Cluster(t)
	return func(t testing.TB) subject {
		flush(t, servers.Nodes[:3]...)
		return opened(t)(NewRedisCluster(RedisOptions{}, servers.Addrs()))
	}
}

func flush(t testing.TB, servers ...*testserver.RedisServer) {
	t.Helper()
	for _, s := range servers {
		if _, err := s.Dial(t).Do("FLUSHALL"); err != nil {
			t.Fatal(err)
		}
	}
}

func opened(t testing.TB) func(*Redis, error) subject {
	return func(r *Redis, err error) subject {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return subject{r, goBy}
	}
}

func goBy(d time.Duration) { <-time.After(d) }
