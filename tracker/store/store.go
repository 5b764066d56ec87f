package store

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/maypok86/otter/v2"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Options say what Open needs to know beside the database.
type Options struct {
	Prefix   string          // of every table
	Features matomo.Features // columns of inactive plugins are left out

	ActionCacheBytes uint64        // bound of the memory for known log_action rows; 0: 64 MiB
	ActionCacheTTL   time.Duration // how long a log_action row is believed to exist; 0: one hour
}

const (
	defaultActionCache = 64 << 20
	// Matomo deletes rows of log_action that no log row refers to any more. An action found an hour ago was written to a
	// log row an hour ago, so it cannot have been deleted: log rows live for days.
	defaultActionTTL = time.Hour
)

// Store is a set of Matomo's log tables. It is safe for concurrent use.
type Store struct {
	db      *sqlx.DB
	prefix  string
	dialect *dialect
	server  serverInfo
	schema  Schema

	visits      table[Visit]
	links       table[LinkAction]
	conversions table[Conversion]
	items       table[Item]
	entries     table[ActionEntry]
	failures    table[Failure]
	bots        table[BotRequest]   // without columns where there is no such table
	pageViews   table[PageViewTime] // likewise
	finders     [lookUps]string     // subqueries of FindVisits
	hints       map[string]string   // by index: " FORCE INDEX (…)", nothing where it is missing

	// distance is auto_increment_increment, as it was when it was last looked at: it changes with the number of a
	// cluster's nodes
	distance atomic.Int64

	known    *otter.Cache[actionKey, int64]
	creating sync.Mutex // held while names are added to log_action
	replays  sync.Map   // lists whose checkpoint row is known to exist
}

// serverInfo is what a server says of itself.
type serverInfo struct {
	strict        bool  // sql_mode refuses what it cannot store
	mariadb       bool  // MariaDB and MySQL differ in what they make of invalid text
	basicPlane    bool  // the connection's character set is utf8mb3: no 4-byte characters
	increment     int64 // auto_increment_increment, as Open finds it
	maxStatement  int   // bytes
	maxParameters int
	scripts       bool // several statements may travel in one message
	cluster       bool // it is a node of a Galera cluster
}

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9_$]*$`)

// Open looks at the tables. The driver's name tells SQLite ("sqlite…") from MySQL and MariaDB.
func Open(ctx context.Context, db *sqlx.DB, opts Options) (*Store, error) {
	if !validPrefix.MatchString(opts.Prefix) {
		return nil, fmt.Errorf("table prefix %q: only letters, digits, _ and $ are possible", opts.Prefix)
	}
	if opts.ActionCacheBytes == 0 {
		opts.ActionCacheBytes = defaultActionCache
	}
	if opts.ActionCacheTTL == 0 {
		opts.ActionCacheTTL = defaultActionTTL
	}
	s := &Store{db: db, prefix: opts.Prefix, dialect: dialectOf(db)}
	var err error
	if s.server, err = s.dialect.readServer(ctx, db); err != nil {
		return nil, fmt.Errorf("database server: %w", err)
	}
	s.distance.Store(s.server.increment)
	if err := s.readSchema(ctx, opts.Features); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	s.known, err = newActionCache(opts.ActionCacheBytes, opts.ActionCacheTTL)
	return s, err
}

// Close ends the Store's background work. The database stays open.
func (s *Store) Close() { s.known.StopAllGoroutines() }

// OneWriter reports whether only one transaction at a time can write, as on SQLite.
func (s *Store) OneWriter() bool { return s.dialect.oneWriter }

// Clustered reports whether the server is a node of a Galera cluster. Each connection may be to another node, and a
// transaction may not rely on what another one has locked, only on what is committed.
func (s *Store) Clustered() bool { return s.server.cluster }

// DB is the database that the tables are in.
func (s *Store) DB() *sqlx.DB { return s.db }

// Schema is what Open found.
func (s *Store) Schema() *Schema { return &s.schema }

// table quotes a table's name, with the prefix.
func (s *Store) table(base string) string { return name(s.prefix + base) }
