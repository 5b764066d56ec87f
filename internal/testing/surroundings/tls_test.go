package surroundings

import (
	"path/filepath"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

const (
	byCommonName = "that of 127.0.0.1 by its Common Name alone, accepted as PHP does"
	otherName    = `certificate not accepted: the certificate is that of "elsewhere", not of "127.0.0.1"`
)

// A certificate as MySQL's old documentation makes it: with a Common Name and no other.
func TestDatabaseWithNothingButACommonName(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t, testserver.WithCommonName("127.0.0.1")))
	s.set("database", "enable_ssl", 1)
	s.set("database", "ssl_ca", s.maria.TLS.CA)
	s.db.MustExec("ALTER USER " + user + " REQUIRE SSL")
	s.tracksAll(t)
	s.run(t, "test").wants(t, 0, byCommonName)
}

func TestDatabaseWithAnothersCommonName(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t, testserver.WithCommonName("elsewhere")))
	s.set("database", "enable_ssl", 1)
	s.set("database", "ssl_ca", s.maria.TLS.CA)
	s.run(t, "process").wants(t, 1, otherName, "check host and ssl_ca in")

	missing := filepath.Join(t.TempDir(), "ca.pem")
	s.set("database", "ssl_ca", missing)
	s.run(t, "process").wants(t, 1, "database certificate authority: open "+missing)

	s.set("database", "ssl_no_verify", 1) // then nobody reads it
	s.tracksAll(t)
	s.run(t, "test").wants(t, 0, "any certificate is accepted",
		"open "+missing, "nobody reads it as long as ssl_no_verify = 1")
}

func TestRedisWithNothingButACommonName(t *testing.T) {
	s := newSiteOn(t, testserver.MariaDB(t), testserver.Redis(t, testserver.WithTLSCommonName("127.0.0.1")), 0)
	flags := []string{"--redis-host", "tls://" + s.redis.Host, "--redis-tls-ca", s.redis.TLS.CA}
	s.push(t, corpus(t)...)
	s.drain(t, flags...)
	s.equal(t, undisturbed(t))
	s.run(t, append([]string{"test"}, flags...)...).wants(t, 0, byCommonName)
}

func TestRedisWithAnothersCommonName(t *testing.T) {
	s := newSiteOn(t, testserver.MariaDB(t), testserver.Redis(t, testserver.WithTLSCommonName("elsewhere")), 0)
	s.push(t, corpus(t)...)
	s.run(t, "process", "--redis-tls-ca", s.redis.TLS.CA).wants(t, 1, otherName)
	s.run(t, "process", "--redis-tls").
		wants(t, 1, "certificate not accepted: x509: certificate signed by unknown authority")

	missing := filepath.Join(t.TempDir(), "ca.pem")
	s.run(t, "process", "--redis-tls-ca", missing).wants(t, 1, "redis certificate authority: open "+missing)
	flags := []string{"--redis-tls-ca", missing, "--redis-tls-skip-verify"}
	s.drain(t, flags...)
	s.equal(t, undisturbed(t))
	s.run(t, append([]string{"test"}, flags...)...).wants(t, 0, "any certificate is accepted", "open "+missing)

	s.run(t, "test", "--redis-tls-ca", s.redis.TLS.CA, "--redis-tls-server-name", "elsewhere").
		wants(t, 0, "that of elsewhere by its Common Name alone")
}
