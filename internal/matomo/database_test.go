package matomo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestDatabaseSettings(t *testing.T) {
	c := parseConfig(t, `
[database]
host = "db.example.org"
port = 3307
username = "matomo"
password = "p&quot;w"
dbname = "stats"
tables_prefix = "m_"
charset = "utf8mb4"
collation = "utf8mb4_general_ci"
enable_ssl = 1
ssl_ca = /ca.pem
ssl_no_verify = 1
[Tracker]
innodb_lock_wait_timeout = 7
`)
	want := Database{
		Host: "db.example.org", Port: 3307, Username: "matomo", Password: `p"w`, Name: "stats", Prefix: "m_",
		Charset:   "utf8mb4",
		Collation: "utf8mb4_general_ci", Type: "InnoDB", EnableSSL: true, SSLCA: "/ca.pem", SSLNoVerify: true,
		LockWaitTimeout: 7,
	}
	if diff := cmp.Diff(want, c.Database()); diff != "" {
		t.Error(diff)
	}
	if got := parseConfig(t, "[database]\nport = /run/x.sock\n").Database(); got.Socket != "/run/x.sock" || got.Port != 0 {
		t.Errorf("a path as port is a socket, got %+v", got)
	}
}

func TestDatabaseAddress(t *testing.T) {
	tests := []struct {
		d    Database
		want string
	}{
		{Database{Host: "127.0.0.1"}, "127.0.0.1:3306"},
		{Database{Host: "db", Port: 3307}, "db:3307"},
		{Database{Host: "db:3308", Port: 3306}, "db:3308"},
		{Database{Host: "::1"}, "[::1]:3306"},
		{Database{Host: "[::1]"}, "[::1]:3306"},
		{Database{Host: "/run/db.sock", Port: 3306}, "/run/db.sock"},
		{Database{Host: "db", Socket: "/run/db.sock"}, "/run/db.sock"},
		{Database{Host: "db", Socket: "relative.sock"}, "db:3306"},
	}
	for _, tt := range tests {
		if got := tt.d.Address(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestFirstSocketSkipsWhatIsNone(t *testing.T) {
	dir := writeFiles(t, map[string]string{"file": ""})
	file, socket := filepath.Join(dir, "file"), filepath.Join(dir, "s")
	if got := firstSocket(filepath.Join(dir, "missing"), file, socket); got != "" {
		t.Errorf("without a socket: %q", got)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got := firstSocket(file, socket); got != socket {
		t.Errorf("with a socket: %q", got)
	}
	if network, address := (Database{Host: "localhost", Port: 3307}).network(); network == "tcp" &&
		address != "localhost:3307" {
		t.Errorf("localhost: %s", address)
	}
}

func TestDriverConfigDoesAsTheTracker(t *testing.T) {
	d := Database{
		Host: "db", Username: "u", Password: "secret", Name: "n", Charset: "utf8mb4", Collation: "utf8mb4_general_ci",
		LockWaitTimeout: 7,
	}
	c, err := d.DriverConfig()
	if err != nil {
		t.Fatal(err)
	}
	if c.Net != "tcp" || c.Addr != "db:3306" || c.User != "u" || c.Passwd != "secret" || c.DBName != "n" {
		t.Errorf("address and account: %+v", c)
	}
	if !c.ClientFoundRows || !c.InterpolateParams || c.ParseTime || !c.MultiStatements || c.Timeout == 0 {
		t.Errorf("session: %+v", c)
	}
	if db, err := d.Open(); err != nil || db.DriverName() != "mysql" {
		t.Errorf("open: %v", err)
	}
}

func TestDatabaseHidesItsPassword(t *testing.T) {
	d := Database{Host: "127.0.0.1", Port: 1, Username: "u", Password: "secret", Name: "n"}
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{d.String(), fmt.Sprintf("%v %+v %#v", d, d, d), fmt.Sprint(db.PingContext(context.Background()))}
	for _, text := range texts {
		if strings.Contains(text, "secret") {
			t.Errorf("password in %s", text)
		}
	}
}

func TestDatabaseValidate(t *testing.T) {
	tests := []struct {
		d    Database
		want string
	}{
		{Database{Host: "h"}, "no database name: set dbname in section [database] of config/config.ini.php"},
		{Database{Name: "n"}, "no database host: set host or unix_socket in section [database] of config/config.ini.php"},
		{
			Database{Name: "n", Host: "h", EnableSSL: true, SSLCert: "c"},
			"ssl_cert and ssl_key of section [database] belong together: set both or none",
		},
	}
	for _, tt := range tests {
		if _, err := tt.d.Open(); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// writePEM makes a key and a certificate that signed itself.
func writePEM(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := writeFiles(t, map[string]string{
		"cert.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"key.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})),
	})
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestDatabaseTLS(t *testing.T) {
	cert, key := writePEM(t)
	base := Database{Host: "db.example.org", Name: "n", EnableSSL: true}
	with := func(change func(*Database)) Database {
		d := base
		change(&d)
		return d
	}
	tests := []struct {
		name                 string
		d                    Database
		verify, roots, plain bool
		certificates         int
	}{
		{"enable_ssl alone takes what the server offers", base, false, false, true, 0},
		{"authority", with(func(d *Database) { d.SSLCA = cert }), true, true, false, 0},
		{"folder of authorities", with(func(d *Database) { d.SSLCAPath = filepath.Dir(cert) }), true, true, false, 0},
		{"client certificate", with(func(d *Database) { d.SSLCert, d.SSLKey = cert, key }), true, false, false, 1},
		{"cipher", with(func(d *Database) { d.SSLCipher = "AES" }), true, false, false, 0},
		{"not verified", with(func(d *Database) { d.SSLCA, d.SSLNoVerify = cert, true }), false, false, false, 0},
		{
			"not verified, so not read",
			with(func(d *Database) {
				d.SSLCA, d.SSLCAPath, d.SSLNoVerify = "/missing", "/missing",
					true
			}), false, false, false, 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.d.DriverConfig()
			if err != nil {
				t.Fatal(err)
			}
			if (c.TLS.VerifyConnection != nil) != tt.verify || (c.TLS.RootCAs != nil) != tt.roots ||
				c.AllowFallbackToPlaintext != tt.plain ||
				len(c.TLS.Certificates) != tt.certificates || c.TLS.ServerName != "db.example.org" {
				t.Errorf("got %+v, plain %v", c.TLS, c.AllowFallbackToPlaintext)
			}
		})
	}
	if c, err := with(func(d *Database) { d.Socket = "/s" }).DriverConfig(); err != nil ||
		c.TLS.ServerName != "localhost" {
		t.Errorf("socket: %v", err)
	}
}

func TestDatabaseTLSErrors(t *testing.T) {
	cert, key := writePEM(t)
	missing := filepath.Join(t.TempDir(), "missing")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		d    Database
		want string
	}{
		{Database{SSLCA: missing}, "database certificate authority: open " + missing},
		{Database{SSLCA: empty}, "database certificate authority: no certificate in " + empty},
		{Database{SSLCAPath: missing}, "database certificate authorities: open " + missing},
		{Database{SSLCert: key, SSLKey: cert}, "database client certificate: "},
	}
	for _, tt := range tests {
		tt.d.Host, tt.d.Name, tt.d.EnableSSL = "db", "n", true
		if _, err := tt.d.DriverConfig(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s…", err, tt.want)
		}
	}
}

func TestDatabaseEncryptsOnARealServer(t *testing.T) {
	server := testserver.MariaDB(t, testserver.WithMariaDBTLS())
	other, _ := writePEM(t)
	base := Database{
		Host: server.Host, Port: server.Port, Username: "root", Name: server.CreateDatabase(t),
		Charset: "utf8mb4",
	}
	tests := []struct {
		name      string
		change    func(*Database)
		encrypted bool
		fails     bool
	}{
		{"plain", func(*Database) {}, false, false},
		{"enable_ssl alone", func(d *Database) { d.EnableSSL = true }, true, false},
		{"its authority", func(d *Database) { d.EnableSSL, d.SSLCA = true, server.TLS.CA }, true, false},
		{"another authority", func(d *Database) { d.EnableSSL, d.SSLCA = true, other }, false, true},
		{
			"another authority, not verified", func(d *Database) { d.EnableSSL, d.SSLCA, d.SSLNoVerify = true, other, true },
			true, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := base
			tt.change(&d)
			db, err := d.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var row struct {
				Name  string `db:"Variable_name"`
				Value string `db:"Value"`
			}
			err = db.Get(&row, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
			if (err != nil) != tt.fails || !tt.fails && (row.Value != "") != tt.encrypted {
				t.Errorf("cipher %q, %v", row.Value, err)
			}
		})
	}
}

func TestSessionIsAsTheTrackers(t *testing.T) {
	server := testserver.MariaDB(t)
	d := Database{
		Socket: server.Socket, Username: "root", Name: server.CreateDatabase(t), Charset: "utf8mb4",
		Collation:       "utf8mb4_unicode_ci",
		LockWaitTimeout: 7,
	}
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var collation string
	var wait int
	if err := db.QueryRow("SELECT @@collation_connection, @@innodb_lock_wait_timeout").Scan(&collation, &wait); err != nil {
		t.Fatal(err)
	}
	if collation != "utf8mb4_unicode_ci" || wait != 7 {
		t.Errorf("collation %s, lock wait %d", collation, wait)
	}
	mustExec(t, db, "CREATE TABLE t (a INT)")
	mustExec(t, db, "INSERT INTO t VALUES (1)")
	result, err := db.Exec("UPDATE t SET a = 1")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n != 1 {
		t.Errorf("%d rows matched", n)
	}
	if _, err := db.Exec("UPDATE t SET a = ?; UPDATE t SET a = 3", "2; DROP TABLE t"); err == nil {
		t.Error("a text that is no number was taken for one, or for a statement")
	}
	if _, err := db.Exec("UPDATE t SET a = 2; UPDATE t SET a = 3"); err != nil {
		t.Error(err)
	}
}
