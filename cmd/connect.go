package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// connection is a Matomo installation, its database and its queues, as far as they have been opened.
type connection struct {
	program *program
	flags   *pflag.FlagSet

	config        *matomo.Config  // as the installation's version reads it once the database is open
	configured    matomo.Database // of the files alone, as PHP sees it
	watch         *matomo.Watch   // of what config and installation depend on
	settings      *overrides
	db            *sqlx.DB
	installation  *matomo.Installation
	backend       queue.Backend
	onCertificate func(tls.ConnectionState) error // is told of those of Redis; nil: nobody
	manager       *queue.Manager
	queues        atomic.Int64 // their number, for metrics
}

func (p *program) newConnection(flags *pflag.FlagSet) *connection {
	return &connection{program: p, flags: flags, settings: newOverrides()}
}

func (c *connection) close() {
	if c.backend != nil {
		_ = c.backend.Close()
	}
	if c.db != nil {
		_ = c.db.Close()
	}
}

// matomoDir is the directory of the installation.
func (p *program) matomoDir() (string, error) {
	if p.flags.matomo != "" {
		return p.flags.matomo, nil
	}
	here, err := p.workingDir()
	if err != nil {
		return "", err
	}
	if matomo.HasConfig(here) {
		return here, nil
	}
	if dir, ok := p.lookupEnv("MATOMO_DIR"); ok && dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("no Matomo directory: %s has no config/config.ini.php; go to Matomo's directory, or set "+
		"--matomo or MATOMO_DIR", here)
}

// matomoHost is the host whose configuration file counts, "" for that of all hosts.
func (p *program) matomoHost() (string, error) {
	name, domain := "--matomo-domain", p.flags.domain
	if domain == "" {
		name = "MATOMO_DOMAIN"
		domain, _ = p.lookupEnv(name)
	}
	if domain == "" {
		return "", nil
	}
	host, err := matomo.Host(domain)
	if err != nil {
		return "", usage("%s: %w", name, err)
	}
	return host, nil
}

// openConfig reads the configuration files.
func (c *connection) openConfig() error {
	source := matomo.Source{LookupEnv: c.program.lookupEnv}
	var err error
	if source.Dir, err = c.program.matomoDir(); err != nil {
		return err
	}
	if source.Host, err = c.program.matomoHost(); err != nil {
		return err
	}
	c.watch = source.NewWatch()
	if c.config, err = source.Load(); err != nil {
		return err
	}
	if problem := c.config.DomainProblem(); problem != "" {
		c.program.logs.Warn(problem)
	}
	c.configured = c.config.Database()
	c.settings.database = c.configured
	if err := c.settings.apply(c.program, c.flags, c.settings.ofDatabase()); err != nil {
		return err
	}
	c.config = c.config.WithDatabase(c.settings.database)
	return nil
}

// openDatabase connects and looks at the installation in the database.
func (c *connection) openDatabase(ctx context.Context) (err error) {
	if c.db, err = c.settings.database.Open(); err != nil {
		return err
	}
	if err := c.db.PingContext(ctx); err != nil {
		return databaseError(ctx, c.settings.database, c.origin, err)
	}
	if c.installation, err = matomo.Open(ctx, c.config, c.db, c.program.clock, matomo.Options{}); err != nil {
		return err
	}
	c.config = c.installation.Config()
	return nil
}

// behaviours are those of the version that the database names, or core/Version.php where there is no database. Where
// neither is to be had they are those of Matomo 5.0.
func (c *connection) behaviours() matomo.Behaviours {
	if c.installation != nil {
		return c.installation.Behaviours()
	}
	return c.config.Behaviours()
}

// databaseError says in one line why the database cannot be used, and what to look at: origin tells where settings of
// section [database] come from.
func databaseError(ctx context.Context, d matomo.Database, origin func(keys ...string) string, err error) error {
	where := fmt.Sprintf("database %s at %s", d.Name, d.Address())
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", where, context.Cause(ctx))
	}
	var reply *mysql.MySQLError
	var session *matomo.SessionError
	var refused *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &session):
		return fmt.Errorf("%s: %w: check %s", where, session, origin("charset", "collation"))
	case errors.As(err, &reply) && (reply.Number == 1045 || reply.Number == 1698):
		return fmt.Errorf("%s: wrong password or user (%s): check %s", where, reply.Message, origin("username", "password"))
	case errors.As(err, &reply) && reply.Number == 1049:
		return fmt.Errorf("%s: there is no such database: check %s", where, origin("dbname"))
	case store.HasNoConnectionLeft(err):
		return fmt.Errorf("%s: %s: raise max_user_connections or max_connections, or let fewer programs and workers use it "+
			"at once "+
			"(a worker of process has up to %d connections)", where, reply.Message, replay.Connections)
	case errors.As(err, &refused):
		return fmt.Errorf("%s: certificate not accepted: %w: check %s; ssl_no_verify = 1 accepts any", where, refused.Err,
			origin("host", "ssl_ca"))
	case errors.As(err, &reply):
		return fmt.Errorf("%s: %s", where, reply.Message)
	case errors.As(err, &network):
		return fmt.Errorf("%s: %w: is the server running? check %s", where, network.Err, origin("host", "port"))
	}
	return fmt.Errorf("%s: %w", where, err)
}

// databaseFlags are the flags for keys of section [database].
var databaseFlags = map[string]string{
	"username": "db-user", "password": "db-password", "dbname": "db-name", "host": "db-host", "port": "db-port",
	"charset": "db-charset", "ssl_ca": "db-tls-ca",
}

// origin tells where settings of section [database] come from, those together that come from the same place.
func (c *connection) origin(keys ...string) string {
	var places, fromFile []string
	of := make(map[string][]string)
	for _, key := range keys {
		place := c.settings.origins[databaseFlags[key]]
		if place == "" {
			place = c.config.Origin("database", key)
		}
		if place == c.config.LocalFile() {
			fromFile = append(fromFile, key)
			place = "section [database] of " + place
		}
		if of[place] == nil {
			places = append(places, place)
		}
		of[place] = append(of[place], key)
	}
	for i, place := range places {
		places[i] = strings.Join(of[place], " and ") + " in " + place
	}
	text := strings.Join(places, ", ")
	if unset := c.config.Unset("database", fromFile...); len(unset) > 0 {
		text += "; plugin EnvironmentVariables is active, and this program was started without " +
			strings.Join(unset, " and ")
	}
	return text
}

// readSettings finds the settings of the queue, in the installation if it was opened.
func (c *connection) readSettings(ctx context.Context) error {
	fresh, err := c.freshSettings(ctx)
	if fresh != nil {
		c.settings = fresh
	}
	return err
}

// freshSettings are the settings of the queue as they are now, with those of the database that are in use; also when
// the error says that they cannot work.
func (c *connection) freshSettings(ctx context.Context) (fresh *overrides, err error) {
	fresh = newOverrides()
	fresh.database = c.settings.database
	maps.Copy(fresh.origins, c.settings.origins)
	if c.installation != nil {
		if fresh.queue, err = c.installation.QueueSettings(ctx); err != nil {
			return nil, fmt.Errorf("settings of plugin QueuedTracking: %w", err)
		}
	}
	if err := fresh.apply(c.program, c.flags, fresh.ofQueue()); err != nil {
		return nil, err
	}
	return fresh, fresh.queue.Validate()
}

// openQueue connects to the server of the queues. The backend stays usable when the server does not answer.
func (c *connection) openQueue(ctx context.Context, connections int) error {
	tlsConfig, err := c.settings.redisTLS.config(c.settings.queue.RedisHost)
	if err != nil {
		return err
	}
	if tlsConfig != nil {
		tlsConfig.VerifyConnection = c.onCertificate
	}
	backend, err := queue.New(c.settings.queue, queue.OpenOptions{
		TLS: tlsConfig, MaxIdle: connections, Clock: c.program.clock, DB: c.db, Database: c.settings.database,
	})
	if err != nil {
		return err
	}
	c.backend = backend
	if err := c.countQueues(c.settings.queue.NumQueueWorkers); err != nil {
		return err
	}
	_, err = c.backend.Len(ctx, queue.Key(0))
	return err
}

// countQueues makes n the number of queues.
func (c *connection) countQueues(n int) (err error) {
	c.settings.queue.NumQueueWorkers = n
	c.queues.Store(int64(n))
	c.manager, err = queue.NewManager(c.backend, n)
	return err
}

// queueCount is the number of queues, for several goroutines.
func (c *connection) queueCount() int { return int(c.queues.Load()) }

// withoutDatabaseFlag adds the flag to a command that needs nothing but the queues.
func (p *program) withoutDatabaseFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&p.flags.withoutDatabase, "without-database", false,
		"do not ask Matomo's database, which is down or not to be reached from here: settings come from flags and "+
			"variables alone")
}

// openQueues opens what commands that are only about the queues need.
func (c *connection) openQueues(ctx context.Context) error {
	if !c.program.flags.withoutDatabase {
		if err := c.openConfig(); err != nil {
			return err
		}
		if err := c.openDatabase(ctx); err != nil {
			return fmt.Errorf("%w (--without-database does without it)", err)
		}
	}
	if err := c.readSettings(ctx); err != nil {
		return err
	}
	return c.openQueue(ctx, 2)
}
