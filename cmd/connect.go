package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
)

// connection is a Matomo installation, its database and its queues, as far as they have been opened.
type connection struct {
	program *program
	flags   *pflag.FlagSet

	config       *matomo.Config // as the installation's version reads it once the database is open
	settings     *overrides
	db           *sqlx.DB
	installation *matomo.Installation
	backend      queue.Backend
	manager      *queue.Manager
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
	if _, err := os.Stat(filepath.Join(here, "config", "config.ini.php")); err == nil {
		return here, nil
	}
	if dir, ok := p.lookupEnv("MATOMO_DIR"); ok && dir != "" {
		return dir, nil
	}
	return "", fmt.Errorf("no Matomo directory: %s has no config/config.ini.php; go to Matomo's directory, or set --matomo or MATOMO_DIR", here)
}

// openConfig reads the configuration files.
func (c *connection) openConfig() error {
	dir, err := c.program.matomoDir()
	if err != nil {
		return err
	}
	if c.config, err = matomo.LoadConfig(dir); err != nil {
		return err
	}
	c.settings.database = c.config.Database()
	if err := c.program.apply(c.flags, c.settings.ofDatabase()); err != nil {
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
		return databaseError(ctx, c.settings.database, err)
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

// databaseError says in one line why the database cannot be used, and what to look at.
func databaseError(ctx context.Context, d matomo.Database, err error) error {
	where := fmt.Sprintf("database %s at %s", d.Name, d.Address())
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", where, context.Cause(ctx))
	}
	var reply *mysql.MySQLError
	var session *matomo.SessionError
	var network *net.OpError
	switch {
	case errors.As(err, &session):
		return fmt.Errorf("%s: %w", where, session)
	case errors.As(err, &reply) && (reply.Number == 1045 || reply.Number == 1698):
		return fmt.Errorf("%s: wrong password or user (%s): check username and password in section [database] of config/config.ini.php",
			where, reply.Message)
	case errors.As(err, &reply) && reply.Number == 1049:
		return fmt.Errorf("%s: there is no such database: check dbname in section [database] of config/config.ini.php", where)
	case errors.As(err, &reply):
		return fmt.Errorf("%s: %s", where, reply.Message)
	case errors.As(err, &network):
		return fmt.Errorf("%s: %w: is the server running? check section [database] of config/config.ini.php", where, network.Err)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// readSettings finds the settings of the queue, in the installation if it was opened.
func (c *connection) readSettings(ctx context.Context) (err error) {
	if c.installation != nil {
		if c.settings.queue, err = c.installation.QueueSettings(ctx); err != nil {
			return fmt.Errorf("settings of plugin QueuedTracking: %w", err)
		}
	}
	if err := c.program.apply(c.flags, c.settings.ofQueue()); err != nil {
		return err
	}
	return c.settings.queue.Validate()
}

// openQueue connects to the server of the queues. The backend stays usable when the server does not answer.
func (c *connection) openQueue(ctx context.Context, connections int) error {
	tlsConfig, err := c.settings.redisTLS.config()
	if err != nil {
		return err
	}
	backend, err := queue.New(c.settings.queue, queue.OpenOptions{
		TLS: tlsConfig, MaxIdle: connections, DB: c.db, Database: c.settings.database,
	})
	if err != nil {
		return err
	}
	c.backend = backend
	if c.manager, err = queue.NewManager(backend, c.settings.queue.NumQueueWorkers); err != nil {
		return err
	}
	_, err = c.backend.Len(ctx, queue.Key(0))
	return err
}

// withoutDatabaseFlag adds the flag to a command that needs nothing but the queues.
func (p *program) withoutDatabaseFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&p.flags.withoutDatabase, "without-database", false,
		"do not ask Matomo's database, which is down or not to be reached from here: settings come from flags and variables alone")
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
