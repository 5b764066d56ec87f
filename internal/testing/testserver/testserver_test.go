package testserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/gomodule/redigo/redis"
	"github.com/jmoiron/sqlx"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestRedisForgetsWithoutAOF(t *testing.T) {
	s := Redis(t)
	addr := s.Addr
	if _, err := s.Dial(t).Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	if got, err := redis.String(s.Dial(t).Do("GET", "k")); !errors.Is(err, redis.ErrNil) {
		t.Errorf("k = %q, %v after a restart", got, err)
	}
	if s.Addr != addr {
		t.Errorf("address changed from %s to %s", addr, s.Addr)
	}
}

func TestRedisWithAOFSurvivesKill(t *testing.T) {
	s := Redis(t, WithAOF())
	if _, err := s.Dial(t).Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	s.Kill(t)
	if s.Running() {
		t.Fatal("running after Kill")
	}
	if conn, err := net.Dial("tcp", s.Addr); err == nil {
		_ = conn.Close()
		t.Fatal("port answers after Kill")
	}
	s.Start(t)
	if got, err := redis.String(s.Dial(t).Do("GET", "k")); got != "v" {
		t.Errorf("k = %q, %v after a kill", got, err)
	}
}

func TestRedisAuthentication(t *testing.T) {
	tests := map[string]struct {
		opt  RedisOption
		good []redis.DialOption
	}{
		"password": {WithPassword(`se"cret`), []redis.DialOption{redis.DialPassword(`se"cret`)}},
		"user":     {WithUser("q", "pw", "~* +@all"), []redis.DialOption{redis.DialUsername("q"), redis.DialPassword("pw")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := Redis(t, tt.opt)
			conn, err := redis.Dial("tcp", s.Addr, tt.good...)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Do("SET", "k", "v"); err != nil {
				t.Errorf("with the right password: %v", err)
			}
			anonymous, err := redis.Dial("tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer anonymous.Close()
			if _, err := anonymous.Do("SET", "k", "v"); err == nil {
				t.Error("no password needed")
			}
			if _, err := s.Dial(t).Do("SET", "k", "v"); err != nil {
				t.Errorf("Dial: %v", err)
			}
		})
	}
}

func TestRedisTLS(t *testing.T) {
	s := Redis(t, WithTLS(true))
	config, err := s.TLS.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := redis.Dial("tcp", s.Addr, redis.DialUseTLS(true), redis.DialTLSConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Do("PING"); err != nil {
		t.Error(err)
	}
}

func TestSharedRedisGivesEachTestADatabase(t *testing.T) {
	s, first := RedisDatabase(t)
	same, second := RedisDatabase(t)
	if s != same || first == second {
		t.Fatalf("databases %d and %d, same server %v", first, second, s == same)
	}
	if _, err := s.DialDatabase(t, first).Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	if n, err := redis.Int(s.DialDatabase(t, second).Do("DBSIZE")); n != 0 || err != nil {
		t.Errorf("second database holds %d keys, %v", n, err)
	}
}

func TestMariaDBDefaults(t *testing.T) {
	s := MariaDB(t)
	if MariaDB(t) != s {
		t.Error("second call gives another server")
	}
	db := s.NewDatabase(t)
	var got string
	err := db.Get(&got,
		`SELECT CONCAT_WS(' ', @@character_set_server, @@collation_connection, @@time_zone,
		@@sql_mode LIKE '%STRICT_TRANS_TABLES%')`)
	if want := "utf8mb4 utf8mb4_general_ci +00:00 1"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	config := s.Config("")
	config.Net, config.Addr = "tcp", s.Addr
	tcp, err := sqlx.Connect("mysql", config.FormatDSN())
	if err != nil {
		t.Fatalf("over TCP: %v", err)
	}
	_ = tcp.Close()
}

func TestMariaDBDatabasesAreFreshAndDropped(t *testing.T) {
	s := MariaDB(t)
	t.Run("one", func(t *testing.T) { s.NewDatabase(t).MustExec("CREATE TABLE t (a INT)") })
	t.Run("two", func(t *testing.T) { s.NewDatabase(t).MustExec("CREATE TABLE t (a INT)") })
	db := s.NewDatabase(t)
	var n int
	if err := db.Get(&n, `SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'test\_%'`); err != nil || n != 1 {
		t.Errorf("%d test databases, %v; want only this test's", n, err)
	}
}

func TestMariaDBSurvivesKill(t *testing.T) {
	for name, opt := range map[string]MariaDBOption{"default": Private(), "durable": Durable()} {
		t.Run(name, func(t *testing.T) {
			s := MariaDB(t, opt)
			db := s.NewDatabase(t)
			db.MustExec("CREATE TABLE t (a INT) ENGINE=InnoDB")
			db.MustExec("INSERT INTO t VALUES (7)")
			s.Kill(t)
			s.Start(t)
			var got int
			if err := db.Get(&got, "SELECT a FROM t"); err != nil || got != 7 {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func TestMariaDBFlagsAndTLS(t *testing.T) {
	s := MariaDB(t, WithMariaDBTLS(), WithFlags("--innodb-lock-wait-timeout=3"))
	tlsConfig, err := s.TLS.ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	config := s.Config("")
	config.Net, config.Addr, config.TLS = "tcp", s.Addr, tlsConfig
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connector.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	var wait int
	if err := s.NewDatabase(t).Get(&wait, "SELECT @@innodb_lock_wait_timeout"); err != nil || wait != 3 {
		t.Errorf("innodb_lock_wait_timeout = %d, %v", wait, err)
	}
}

func TestServerThatCannotStartShowsItsLog(t *testing.T) {
	_, err := startRedis(program(t, "redis-server", "redis-server"), []RedisOption{WithConfig("no-such-directive 1")})
	if err == nil || !strings.Contains(err.Error(), "no-such-directive") {
		t.Errorf("error %v", err)
	}
}

// fatal is a testing.TB that records Fatalf.
type fatal struct {
	testing.TB
	message string
}

func (f *fatal) Helper() {}

func (f *fatal) Fatalf(format string, args ...any) { f.message = fmt.Sprintf(format, args...) }

func TestMissingProgramNamesThePackage(t *testing.T) {
	f := &fatal{TB: t}
	program(f, "no-such-server", "some-package")
	for _, want := range []string{"no-such-server is not installed", "apt-get install some-package", "scripts/install-servers.sh"} {
		if !strings.Contains(f.message, want) {
			t.Errorf("message %q lacks %q", f.message, want)
		}
	}
}
