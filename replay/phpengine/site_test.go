package phpengine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/replay/phpengine"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// site is a Matomo in miniature with a database and a queue.
type site struct {
	dir     string
	db      *sqlx.DB
	store   *store.Store
	backend queue.Backend
	log     testserver.Buffer
	engine  *phpengine.Engine
	change  func(*phpengine.Options)
}

// newSite makes one whose queue is in Redis, or in the database.
func newSite(t *testing.T, maria *testserver.MariaDBServer, inDatabase bool) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	if err := demo.CopyFolder(os.DirFS("../../testdata/php"), "matomo", s.dir); err != nil {
		t.Fatal(err)
	}
	name := maria.CreateDatabase(t)
	s.configure(t, maria, name, "")
	d := matomo.Database{Socket: maria.Socket, Username: "root", Name: name, Charset: "utf8mb4", Prefix: "matomo_"}
	var err error
	if s.db, err = d.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if err := tables.Create(t.Context(), s.db, "matomo_"); err != nil {
		t.Fatal(err)
	}
	if s.store, err = store.Open(t.Context(), s.db, store.Options{Prefix: "matomo_"}); err != nil {
		t.Fatal(err)
	}
	settings := matomo.DefaultQueueSettings()
	if inDatabase {
		settings.Backend = matomo.BackendMySQL
	} else {
		redis, database := testserver.RedisDatabase(t)
		settings.RedisHost, settings.RedisPort, settings.RedisDatabase = redis.Host, strconv.Itoa(redis.Port), database
	}
	if s.backend, err = queue.New(settings, queue.OpenOptions{DB: s.db, Database: d}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.backend.Close() })
	return s
}

func (s *site) configure(t *testing.T, maria *testserver.MariaDBServer, database, more string) {
	t.Helper()
	text := fmt.Sprintf("[database]\nunix_socket = %q\nusername = \"root\"\npassword = \"\"\ndbname = %q\n%s\n",
		maria.Socket, database, more)
	if err := os.MkdirAll(filepath.Join(s.dir, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "config", "config.ini.php"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newEngine is for replay.Options: an engine for one worker, closed at the test's end.
func (s *site) newEngine(t *testing.T) func() replay.Engine {
	binary := testserver.PHP(t)
	return func() replay.Engine {
		o := phpengine.Options{
			Dir: s.dir, Binary: binary, MemoryLimit: "64M", DB: s.db, Store: s.store, Log: s.log.Logger(),
		}
		if s.change != nil {
			s.change(&o)
		}
		e := phpengine.New(o)
		s.engine = e
		t.Cleanup(func() { _ = e.Close() })
		return e
	}
}

func (s *site) options(t *testing.T) replay.Options {
	return replay.Options{
		Backend: s.backend, Store: s.store, NewEngine: s.newEngine(t),
		Clock: func() time.Time { return now }, Random: rand.Reader, Log: s.log.Logger(),
		Queues: 1, Only: replay.AnyQueue, BatchSize: 5, Threshold: 1,
	}
}

// run processes everything.
func (s *site) run(t *testing.T, o replay.Options) replay.Summary {
	t.Helper()
	summary, err := replay.Run(t.Context(), nil, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	if n := s.waiting(t); n != 0 {
		t.Fatalf("%d entries are left", n)
	}
	return summary
}

func (s *site) waiting(t *testing.T) int64 {
	t.Helper()
	n, err := s.backend.Len(context.Background(), queue.Key(0))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// push queues sets. A text is one of several requests, each "name" or "name nasty deed".
func (s *site) push(t *testing.T, sets ...[]string) {
	t.Helper()
	for _, names := range sets {
		entry, err := queue.Encode(set(names...))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.backend.Append(context.Background(), queue.Key(0), entry); err != nil {
			t.Fatal(err)
		}
	}
}

func set(names ...string) queue.RequestSet {
	server := php.NewArray(0)
	server.Set("REMOTE_ADDR", php.String("203.0.113.9"))
	s := queue.RequestSet{
		Env: queue.Env{Server: server, Cookie: php.NewArray(0)}, Time: now.Unix() - 60, EmptyToken: len(names) > 1,
	}
	for _, text := range names {
		name, deed, _ := strings.Cut(text, " ")
		params := php.NewArray(0)
		params.Set("idsite", php.String("1"))
		params.Set("url", php.String("https://example.org/"+name))
		params.Set("_id", php.String(fmt.Sprintf("%016x", 1+len(name)%2)))
		params.Set("name", php.String(name))
		params.Set("uid", php.String("ü\x00'"))
		switch key, value, other := strings.Cut(deed, "="); {
		case other:
			params.Set(key, php.String(value))
		case deed != "":
			params.Set("nasty", php.String(deed))
		}
		s.Requests = append(s.Requests, params)
	}
	return s
}

// pages are sets of one request each.
func pages(n int) (sets [][]string) {
	for i := range n {
		sets = append(sets, []string{fmt.Sprintf("p%d", i)})
	}
	return sets
}

// tracked are the names of the actions, in order.
func (s *site) tracked(t *testing.T) (names []string) {
	t.Helper()
	err := s.db.Select(&names, "SELECT custom_var_k1 FROM matomo_log_link_visit_action ORDER BY idlink_va")
	if err != nil {
		t.Fatal(err)
	}
	var actions int
	if err := s.db.Get(&actions, "SELECT COALESCE(SUM(visit_total_actions), 0) FROM matomo_log_visit"); err != nil {
		t.Fatal(err)
	}
	if actions != len(names) {
		t.Errorf("visits count %d actions, there are %d", actions, len(names))
	}
	return names
}

// letters are the reasons of the dead letters, with the request.
func (s *site) letters(t *testing.T) (all []string) {
	t.Helper()
	err := letters.NewBox(s.backend).Each(context.Background(), 0, func(l letters.Stored) (bool, error) {
		set, err := queue.Decode(l.Entry)
		if err != nil {
			return false, err
		}
		all = append(all, php.ToString(set.Requests[l.Request].Value("name"))+": "+l.Error)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
