package matomo

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// Database says how to reach Matomo's database: section [database] (spec §13.2, §B.1).
type Database struct {
	Host      string // name or address; a path is a unix socket
	Port      int    // 0: 3306
	Socket    string // path of a unix socket, wins over Host
	Username  string
	Password  string
	Name      string
	Prefix    string // of every table
	Charset   string // "": the server's
	Collation string // "": the charset's default
	Type      string // storage engine, informative

	EnableSSL   bool
	SSLCA       string // path of a PEM file
	SSLCAPath   string // path of a folder of PEM files
	SSLCert     string // path of a PEM file; needs SSLKey
	SSLKey      string
	SSLCipher   string // names of OpenSSL, not used: Go chooses
	SSLNoVerify bool   // take any certificate

	LockWaitTimeout int // seconds, 0: the server's (Tracker.innodb_lock_wait_timeout)
}

// SamePlace reports whether both are the same tables, reached in the same way.
func (d Database) SamePlace(other Database) bool {
	place := func(d Database) [5]any { return [5]any{d.Host, d.Port, d.Socket, d.Name, d.Prefix} }
	return place(d) == place(other)
}

// Time limits of a connection. Reading is generous: a statement may wait for row locks (50 s by default) and for slow
// disks.
const (
	dialTimeout  = 10 * time.Second
	readTimeout  = 3 * time.Minute
	writeTimeout = time.Minute
)

// Database returns section [database].
func (c *Config) Database() Database {
	if c.database != nil {
		return *c.database
	}
	const section = "database"
	d := Database{
		Host: c.String(section, "host"), Socket: c.String(section, "unix_socket"),
		Username: c.String(section, "username"), Password: c.String(section, "password"),
		Name: c.String(section, "dbname"), Prefix: c.String(section, "tables_prefix"),
		Charset: c.String(section, "charset"), Collation: c.String(section, "collation"), Type: c.String(section, "type"),
		EnableSSL: c.Bool(section, "enable_ssl"), SSLCA: c.String(section, "ssl_ca"),
		SSLCAPath: c.String(section, "ssl_ca_path"),
		SSLCert:   c.String(section, "ssl_cert"), SSLKey: c.String(section, "ssl_key"),
		SSLCipher:       c.String(section, "ssl_cipher"),
		SSLNoVerify:     c.Bool(section, "ssl_no_verify"),
		LockWaitTimeout: int(c.Int("Tracker", "innodb_lock_wait_timeout")),
	}
	if port := c.String(section, "port"); strings.HasPrefix(port, "/") && d.Socket == "" {
		d.Socket = port
	} else {
		d.Port = int(c.Int(section, "port"))
	}
	return d
}

// Validate tells what is missing for a connection, in words of config.ini.php.
func (d Database) Validate() error {
	switch {
	case d.Name == "":
		return errors.New("no database name: set dbname in section [database] of config/config.ini.php")
	case d.Host == "" && d.Socket == "":
		return errors.New("no database host: set host or unix_socket in section [database] of config/config.ini.php")
	case d.EnableSSL && (d.SSLCert == "") != (d.SSLKey == ""):
		return errors.New("ssl_cert and ssl_key of section [database] belong together: set both or none")
	}
	return nil
}

// Address is where the server listens: the path of a socket or host:port. It holds no secret.
func (d Database) Address() string {
	_, address := d.network()
	return address
}

// network tells where to dial. PHP's driver takes the host "localhost" for the server's socket, whatever the port; so
// does this one where the socket is in one of the usual places.
func (d Database) network() (network, address string) {
	socket := d.Socket
	switch {
	case strings.HasPrefix(socket, "/"):
	case strings.HasPrefix(d.Host, "/"):
		socket = d.Host
	case d.Host == "localhost":
		socket = firstSocket("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/var/run/mysqld/mysqld.sock",
			"/tmp/mysql.sock")
	default:
		socket = ""
	}
	if socket != "" {
		return "unix", socket
	}
	host, port := d.Host, d.Port
	if h, p, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.Atoi(p); err == nil {
			host, port = h, n
		}
	}
	if port == 0 {
		port = 3306
	}
	return "tcp", net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
}

// firstSocket returns the first path that is a unix socket, "" when none is.
func firstSocket(paths ...string) string {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			return path
		}
	}
	return ""
}

// DriverConfig returns the settings for the MySQL driver: several statements in a message are allowed (the rows of a
// batch), parameters written into the statement as text (spec §B.2), matched instead of changed rows counted,
// dates as text. Charset, collation and variables of the session are set by Open's connections.
func (d Database) DriverConfig() (*mysql.Config, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	c := mysql.NewConfig()
	c.Net, c.Addr = d.network()
	c.User, c.Passwd, c.DBName = d.Username, d.Password, d.Name
	c.ClientFoundRows, c.InterpolateParams, c.MultiStatements = true, true, true
	c.Timeout, c.ReadTimeout, c.WriteTimeout = dialTimeout, readTimeout, writeTimeout
	c.Logger = &mysql.NopLogger{}
	c.MaxAllowedPacket = 0 // ask the server
	if d.EnableSSL {
		return c, d.encrypt(c)
	}
	return c, nil
}

// maxIdle is how many unused connections are kept: more than the workers of a process leave idle.
const maxIdle = 16

// Open makes a pool of connections to the MySQL or MariaDB server. Nothing is connected yet: the first use or a ping
// tells whether the server can be reached.
func (d Database) Open() (*sqlx.DB, error) {
	c, err := d.DriverConfig()
	if err != nil {
		return nil, err
	}
	session, err := d.session()
	if err != nil {
		return nil, err
	}
	plain, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", d.Address(), err)
	}
	prepared := &connector{Connector: plain, session: session, charset: d.Charset, collation: d.Collation}
	db := sqlx.NewDb(sql.OpenDB(prepared), "mysql")
	db.SetMaxIdleConns(maxIdle)
	db.SetConnMaxIdleTime(time.Minute) // before the server, a proxy or a firewall drops it
	return db, nil
}

// String describes the database without its password.
func (d Database) String() string {
	return fmt.Sprintf("%s@%s/%s", d.Username, d.Address(), d.Name)
}

// GoString keeps the password out of %#v.
func (d Database) GoString() string { return "matomo.Database(" + d.String() + ")" }
