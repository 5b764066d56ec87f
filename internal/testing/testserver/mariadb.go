package testserver

import (
	"fmt"
	"net"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// MariaDBServer is a private mariadbd with strict sql_mode, utf8mb4 and time zone UTC. User root has no password.
type MariaDBServer struct {
	server
	Host   string // 127.0.0.1
	Port   int
	Addr   string // Host:Port
	Socket string
	TLS    *Certificates

	config    mariaConfig
	databases atomic.Int64
}

type mariaConfig struct {
	durable bool
	tls     bool
	name    string // the only one in the certificate; "": the usual ones
	flags   []string
}

// MariaDBOption changes how MariaDB starts its server.
type MariaDBOption func(*mariaConfig)

// Private asks for a server of the test's own with the default settings, for tests that stop it or change global
// variables.
func Private() MariaDBOption { return func(*mariaConfig) {} }

// Durable asks for a server of the test's own that writes to disk as Debian's does: the log is flushed at every commit.
// By default a commit survives Kill, but not a power cut.
func Durable() MariaDBOption { return func(c *mariaConfig) { c.durable = true } }

// WithMariaDBTLS asks for a server of the test's own that also accepts TLS connections.
func WithMariaDBTLS() MariaDBOption { return func(c *mariaConfig) { c.tls = true } }

// WithCommonName asks for a server of the test's own that also accepts TLS connections, with a certificate that has a
// Common Name and no other.
func WithCommonName(name string) MariaDBOption {
	return func(c *mariaConfig) { c.tls, c.name = true, name }
}

// WithFlags asks for a server of the test's own with further mariadbd flags, such as --sql-mode= or
// --innodb-lock-wait-timeout=1.
func WithFlags(flags ...string) MariaDBOption {
	return func(c *mariaConfig) { c.flags = append(c.flags, flags...) }
}

// MariaDB returns the server that the whole test binary shares or, with options, one of the test's own that ends with
// it. Do not stop the shared one.
func MariaDB(t testing.TB, opts ...MariaDBOption) *MariaDBServer {
	t.Helper()
	binary := program(t, "mariadbd", "mariadb-server")
	install := program(t, "mariadb-install-db", "mariadb-server")
	if len(opts) > 0 {
		s, err := startMariaDB(binary, install, opts)
		if err != nil {
			t.Fatalf("mariadbd: %v", err)
		}
		t.Cleanup(s.remove)
		return s
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.maria == nil {
		s, err := startMariaDB(binary, install, nil)
		if err != nil {
			t.Fatalf("mariadbd: %v", err)
		}
		shared.maria = s
	}
	return shared.maria
}

func startMariaDB(binary, install string, opts []MariaDBOption) (*MariaDBServer, error) {
	s := &MariaDBServer{Host: "127.0.0.1"}
	for _, o := range opts {
		o(&s.config)
	}
	dir, err := newFolder("maria")
	if err != nil {
		return nil, err
	}
	s.dir, s.Socket = dir, filepath.Join(dir, "m.sock")
	if s.config.tls {
		if s.TLS, err = makeCertificates(dir, s.config.name); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	if err := freshDatadir(binary, install, data); err != nil {
		return nil, err
	}
	s.argv = func() []string { return append([]string{binary}, s.flags(data)...) }
	s.ready = s.ping
	err = s.startOnFreePort(func(port int) { s.Port, s.Addr = port, fmt.Sprintf("%s:%d", s.Host, port) })
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *MariaDBServer) flags(data string) []string {
	flags := append(commonFlags(data),
		"--socket="+s.Socket, "--port="+strconv.Itoa(s.Port), "--bind-address="+s.Host,
		"--pid-file="+filepath.Join(s.dir, "pid"),
		"--tmpdir="+s.dir, // a starting server clears away the temporary tables of others that use the same folder
		"--skip-name-resolve", "--skip-log-bin", "--default-time-zone=+00:00", "--max-connections=500",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci")
	if s.config.durable {
		flags = append(flags, "--innodb-flush-log-at-trx-commit=1")
	} else {
		flags = append(flags, "--innodb-flush-log-at-trx-commit=2", "--skip-innodb-doublewrite")
	}
	if s.TLS != nil {
		flags = append(flags, "--ssl-ca="+s.TLS.CA, "--ssl-cert="+s.TLS.ServerCert, "--ssl-key="+s.TLS.ServerKey)
	}
	return append(flags, s.config.flags...)
}

// commonFlags must be the same when the datadir is made and when it is used. mariadbd refuses to run as root unless
// told so.
func commonFlags(data string) []string {
	flags := []string{"--no-defaults", "--datadir=" + data, "--innodb-log-file-size=32M"}
	if u, err := user.Current(); err == nil && u.Uid == "0" {
		flags = append(flags, "--user="+u.Username)
	}
	return flags
}

func (s *MariaDBServer) ping() error {
	conn, err := net.DialTimeout("unix", s.Socket, time.Second)
	if err != nil {
		return err
	}
	_ = conn.Close()
	db, err := sqlx.Connect("mysql", s.DSN(""))
	if err != nil {
		return err
	}
	return db.Close()
}

// Config is how the driver connects as root through the unix socket; database may be "".
func (s *MariaDBServer) Config(database string) *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = "root", "unix", s.Socket, database
	c.Collation = "utf8mb4_general_ci"
	return c
}

// DSN is Config as text for sqlx.Open("mysql", …).
func (s *MariaDBServer) DSN(database string) string { return s.Config(database).FormatDSN() }

// NewDatabase opens a fresh database, which is dropped after the test. CreateDatabase gives the name instead.
func (s *MariaDBServer) NewDatabase(t testing.TB) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Connect("mysql", s.DSN(s.CreateDatabase(t)))
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// CreateDatabase creates a fresh database for Config or DSN and returns its name. It is dropped after the test.
func (s *MariaDBServer) CreateDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() { // a server that the test has killed needs no cleaning
		if s.Running() {
			_ = s.exec("DROP DATABASE IF EXISTS " + name)
		}
	})
	return name
}

func (s *MariaDBServer) exec(statement string) error {
	db, err := sqlx.Connect("mysql", s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}
