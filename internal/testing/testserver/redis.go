package testserver

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// RedisServer is a private redis-server. It listens on 127.0.0.1 and on a unix socket.
type RedisServer struct {
	server
	Host     string // 127.0.0.1
	Port     int    // plain, or TLS when TLS is set
	Addr     string // Host:Port
	Socket   string // unix socket, never TLS
	Password string // of the default user or of User; "" when none is needed
	User     string // ACL user of WithUser
	TLS      *Certificates

	config       redisConfig
	nextDatabase int
}

type redisConfig struct {
	password   string
	user       string
	rules      string
	tls        bool
	clientCert string // tls-auth-clients
	commonName string // the only name in the certificate; "": the usual ones
	lines      []string
	certs      *Certificates // of the servers that this one works with; nil: makes its own
	sentinel   bool
}

// RedisOption changes how Redis starts its server.
type RedisOption func(*redisConfig)

// WithPassword sets the password of the default user (requirepass).
func WithPassword(password string) RedisOption {
	return func(c *redisConfig) { c.password = password }
}

// WithUser adds an ACL user with rules such as "~trackingQueueV1* +lrange" and turns the default user off.
func WithUser(name, password, rules string) RedisOption {
	return func(c *redisConfig) { c.user, c.password, c.rules = name, password, rules }
}

// WithTLSCommonName makes the TCP port speak TLS only, with a certificate that has a Common Name and no other.
func WithTLSCommonName(name string) RedisOption {
	return func(c *redisConfig) { c.tls, c.clientCert, c.commonName = true, "no", name }
}

// WithTLS makes the TCP port speak TLS only, with or without asking clients for a certificate.
func WithTLS(requireClientCertificate bool) RedisOption {
	return func(c *redisConfig) {
		c.tls, c.clientCert = true, "no"
		if requireClientCertificate {
			c.clientCert = "yes"
		}
	}
}

// WithAOF keeps the data: what was answered survives Kill and Restart. Without it a server forgets everything when it
// stops.
func WithAOF() RedisOption {
	return WithConfig("appendonly yes", "appendfsync always")
}

// WithConfig adds lines of redis.conf.
func WithConfig(lines ...string) RedisOption {
	return func(c *redisConfig) { c.lines = append(c.lines, lines...) }
}

// Redis starts a server for one test, which ends with it.
func Redis(t testing.TB, opts ...RedisOption) *RedisServer {
	t.Helper()
	s, err := startRedis(program(t, "redis-server", "redis-server"), opts)
	if err != nil {
		t.Fatalf("redis-server: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

// RedisDatabase gives a test an empty database (the number for SELECT) of the server that the whole test binary shares.
// Do not stop that server.
func RedisDatabase(t testing.TB) (s *RedisServer, database int) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		s, err := startRedis(program(t, "redis-server", "redis-server"), []RedisOption{WithConfig("databases 10000")})
		if err != nil {
			t.Fatalf("redis-server: %v", err)
		}
		shared.redis = s
	}
	shared.redis.nextDatabase++
	return shared.redis, shared.redis.nextDatabase
}

func startRedis(binary string, opts []RedisOption) (*RedisServer, error) {
	s := &RedisServer{Host: "127.0.0.1"}
	for _, o := range opts {
		o(&s.config)
	}
	s.User, s.Password = s.config.user, s.config.password
	dir, err := newFolder("redis")
	if err != nil {
		return nil, err
	}
	s.dir, s.Socket = dir, filepath.Join(dir, "redis.sock")
	if s.config.tls {
		if s.TLS = s.config.certs; s.TLS == nil {
			if s.TLS, err = makeCertificates(dir, s.config.commonName); err != nil {
				return nil, err
			}
		}
	}
	file := filepath.Join(dir, "redis.conf")
	s.argv = func() []string {
		if s.config.sentinel {
			return []string{binary, file, "--sentinel"}
		}
		return []string{binary, file}
	}
	s.ready = s.ping
	var configErr error
	err = s.startOnFreePort(func(port int) {
		s.Port, s.Addr = port, fmt.Sprintf("%s:%d", s.Host, port)
		configErr = os.WriteFile(file, []byte(s.configFile()), 0o600)
	})
	if configErr != nil {
		err = configErr
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// adminUser may do everything on servers whose default user is off.
const adminUser = "testserver"

func (s *RedisServer) configFile() string {
	c := &s.config
	lines := []string{
		"bind " + s.Host, "protected-mode no", "daemonize no", `save ""`, "appendonly no",
		"dir " + s.dir, "unixsocket " + s.Socket, "unixsocketperm 700",
	}
	if c.tls {
		lines = append(lines, "port 0", fmt.Sprintf("tls-port %d", s.Port), "tls-auth-clients "+c.clientCert,
			"tls-ca-cert-file "+s.TLS.CA, "tls-cert-file "+s.TLS.ServerCert, "tls-key-file "+s.TLS.ServerKey)
	} else {
		lines = append(lines, fmt.Sprintf("port %d", s.Port))
	}
	switch {
	case c.user != "":
		lines = append(lines, "user default off", "user "+adminUser+" on nopass ~* &* +@all",
			fmt.Sprintf("user %s on #%x %s", c.user, sha256.Sum256([]byte(c.password)), c.rules))
	case c.password != "":
		lines = append(lines, fmt.Sprintf("requirepass %q", c.password))
	}
	return strings.Join(append(lines, c.lines...), "\n") + "\n"
}

// Dial connects through the unix socket with all rights; the connection is closed with the test. See DialDatabase for
// SELECT.
func (s *RedisServer) Dial(t testing.TB) redis.Conn {
	t.Helper()
	return s.DialDatabase(t, 0)
}

// DialDatabase is Dial with the database of RedisDatabase.
func (s *RedisServer) DialDatabase(t testing.TB, database int) redis.Conn {
	t.Helper()
	conn, err := s.dial(database)
	if err != nil {
		t.Fatalf("connect to redis-server: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (s *RedisServer) dial(database int) (redis.Conn, error) {
	opts := []redis.DialOption{redis.DialDatabase(database)}
	switch {
	case s.User != "":
		opts = append(opts, redis.DialUsername(adminUser), redis.DialPassword("any"))
	case s.Password != "":
		opts = append(opts, redis.DialPassword(s.Password))
	}
	return redis.Dial("unix", s.Socket, opts...)
}

// Fill lets the server's memory count as full, with twice as much used as it may be, until enough of what is in it
// now is deleted. It goes on throwing nothing away.
func (s *RedisServer) Fill(t testing.TB) {
	t.Helper()
	var used int64
	for line := range strings.Lines(s.info("INFO", "memory")) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory:"); ok {
			used, _ = strconv.ParseInt(text, 10, 64)
		}
	}
	if used == 0 {
		t.Fatalf("%s does not tell its memory", s.Addr)
	}
	s.must(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	s.must(t, "CONFIG", "SET", "maxmemory", used/2)
}

func (s *RedisServer) ping() error {
	conn, err := s.dial(0)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Do("PING")
	return err
}
