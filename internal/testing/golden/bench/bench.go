// Package bench plays recorded or invented cases through the real worker: entries are pushed to a Redis list, a
// replay.Run drains it into the reference installation on MariaDB or SQLite, the rows are read back. It serves tests
// only.
package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The databases that a Bench can have.
const (
	MariaDB = "MariaDB"
	SQLite  = "SQLite"
)

// Bench is a database with the reference installation, and what cases share.
type Bench struct {
	name    string
	install *golden.Installation
	db      *sqlx.DB
	config  map[string]map[string]any // [database] of config.ini.php
	devices *device.Detector
}

// New makes the reference installation of the data in a fresh database that goes when the test ends.
func New(t testing.TB, database string, data Data, devices *device.Detector) *Bench {
	t.Helper()
	b := &Bench{name: database, devices: devices}
	if database == MariaDB {
		b.openMariaDB(t)
	} else {
		b.openSQLite(t)
	}
	err := CreateTables(t.Context(), b.db, data)
	if err != nil {
		t.Fatal(err)
	}
	if b.install, err = golden.Install(t.Context(), b.db, data.Install...); err != nil {
		t.Fatal(err)
	}
	return b
}

// init gives SQLite the function of MySQL that statements of cases use for hashes of tokens.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("SHA2", 2,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			text, isText := args[0].(string)
			if bits, _ := args[1].(int64); bits != 512 || !isText {
				return nil, fmt.Errorf("SHA2(%T, %v): only SHA2(text, 512) is known", args[0], args[1])
			}
			sum := sha512.Sum512([]byte(text))
			return hex.EncodeToString(sum[:]), nil
		})
}

// DB is the database.
func (b *Bench) DB() *sqlx.DB { return b.db }

// CreateTables creates the empty tables of the installation that was recorded.
func CreateTables(ctx context.Context, db *sqlx.DB, data Data) error {
	err := tables.Create(ctx, db, golden.Prefix)
	if err == nil && data.Six {
		err = tables.Upgrade(ctx, db, golden.Prefix)
	}
	if err == nil && data.Without != "" {
		_, err = db.ExecContext(ctx, "DROP TABLE "+golden.Prefix+data.Without)
	}
	return err
}

func (b *Bench) openSQLite(t testing.TB) {
	db, err := store.OpenSQLite(filepath.Join(t.TempDir(), "bench.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b.db = db
}

func (b *Bench) openMariaDB(t testing.TB) {
	server := testserver.MariaDB(t)
	database := server.CreateDatabase(t)
	b.config = map[string]map[string]any{"database": {"unix_socket": server.Socket, "dbname": database}}
	config, err := matomo.ParseConfig("", golden.DatabaseConfig(server.Socket, database))
	if err != nil {
		t.Fatal(err)
	}
	if b.db, err = config.Database().Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
}

// Assemble prepares the database for the case and returns what makes trackers for it, for tests that need no queue.
func (b *Bench) Assemble(t testing.TB, c *golden.Case, home string) *assembly.Assembly {
	t.Helper()
	ctx := context.Background()
	if err := b.install.Prepare(ctx, c); err != nil {
		t.Fatal(err)
	}
	config, err := matomo.ParseConfig(home, b.install.Config(c, b.config))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Unix(c.Now, 0) }
	installation, err := matomo.Open(ctx, config, b.db, clock, matomo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Assemble(ctx, installation, b.db, assembly.Options{
		Clock: clock, Random: rand.Reader, Devices: b.devices, Log: slog.New(slog.DiscardHandler), Cores: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// Options say how a case is played.
type Options struct {
	Batch   int    // entries per transaction
	Home    string // folder of the Matomo installation, with the vendor data
	Log     *slog.Logger
	Workers int       // 0: the queues one after the other, each by a worker of its own, as the recordings were made
	Cores   int       // goroutines of a worker that read requests, 1 when it is 0
	Random  io.Reader // what trackers take random values from, the same values in every run by default

	// Wrap lets a test come between the worker and its tracker; nil for nothing.
	Wrap func(replay.Tracker) replay.Tracker
}

// Play processes the case's entries and returns the rows that the database then holds.
func (b *Bench) Play(t testing.TB, c *golden.Case, o Options) (replay.Summary, golden.Tables, error) {
	r := &run{Bench: b, c: c, o: o, clock: func() time.Time { return time.Unix(c.Now, 0) }}
	if r.o.Log == nil {
		r.o.Log = slog.New(slog.DiscardHandler)
	}
	if r.o.Random == nil {
		r.o.Random = newSteadyRandom()
	}
	tables, err := r.play(context.Background(), t)
	return r.summary, tables, err
}

// run is one case on its way.
type run struct {
	*Bench
	c       *golden.Case
	o       Options
	clock   func() time.Time
	summary replay.Summary
}

func (r *run) play(ctx context.Context, t testing.TB) (golden.Tables, error) {
	if err := r.install.Prepare(ctx, r.c); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	config, err := matomo.ParseConfig(r.o.Home, r.install.Config(r.c, r.config))
	if err != nil {
		return nil, err
	}
	db := r.db
	if config.Database().Charset != "utf8mb4" && r.name != SQLite {
		if db, err = config.Database().Open(); err != nil {
			return nil, err
		}
		defer db.Close()
	}
	server, number := testserver.RedisDatabase(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port, Database: number})
	if err != nil {
		return nil, err
	}
	defer backend.Close()
	if err := push(ctx, backend, r.c); err != nil {
		return nil, err
	}
	installation, err := matomo.Open(ctx, config, db, r.clock, matomo.Options{})
	if err != nil {
		return nil, err
	}
	settings, err := installation.QueueSettings(ctx)
	if err != nil {
		return nil, err
	}
	before, err := r.install.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	queues := settings.NumQueueWorkers
	if r.o.Workers > 0 {
		err = r.drain(ctx, installation, db,
			replay.Options{Backend: backend, Queues: queues, Only: replay.AnyQueue, Workers: r.o.Workers})
	} else {
		for id := 0; id < queues && err == nil; id++ {
			err = r.drain(ctx, installation, db, replay.Options{Backend: backend, Queues: queues, Only: id})
		}
	}
	if err != nil {
		return nil, err
	}
	return r.install.Read(ctx, before)
}

// drain runs one process of workers.
func (r *run) drain(ctx context.Context, installation *matomo.Installation, db *sqlx.DB, o replay.Options) error {
	devices, err := r.devices.Forgetful()
	if err != nil {
		return err
	}
	a, err := assembly.Assemble(ctx, installation, db, assembly.Options{
		Clock: r.clock, Random: r.o.Random, Devices: devices, Log: r.o.Log, Cores: r.o.Cores,
	})
	if err != nil {
		return err
	}
	defer a.Close()
	o.Store, o.Clock, o.Random, o.Log = a.Store(), r.clock, rand.Reader, r.o.Log
	o.BatchSize, o.Threshold = r.o.Batch, 1
	o.NewEngine = func() replay.Engine {
		if r.o.Wrap != nil {
			return replay.NewNative(r.o.Wrap(a.NewTracker()), a.Store())
		}
		return a.NewEngine()
	}
	done, err := replay.Run(ctx, nil, o)
	r.summary.Add(done)
	return err
}

func push(ctx context.Context, backend queue.Backend, c *golden.Case) error {
	for _, e := range c.Queue {
		payload, err := e.Payload()
		if err != nil {
			return err
		}
		if err := backend.Append(ctx, e.Key, golden.Compress(payload)); err != nil {
			return err
		}
	}
	return nil
}
