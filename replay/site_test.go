package replay_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// site is a small Matomo with database and Redis of a test's own.
type site struct {
	db       *sqlx.DB
	redis    *testserver.RedisServer
	backend  queue.Backend
	assembly *assembly.Assembly
	log      *testserver.Buffer
}

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func newSite(t *testing.T, maria *testserver.MariaDBServer) *site {
	t.Helper()
	dir := t.TempDir()
	files := os.DirFS("../testdata")
	for from, to := range map[string]string{
		"matomo/config": "config", "device-detector": "vendor/matomo/device-detector", "lists": "vendor/matomo",
	} {
		if err := demo.CopyFolder(files, from, filepath.Join(dir, filepath.FromSlash(to))); err != nil {
			t.Fatal(err)
		}
	}
	s := &site{log: new(testserver.Buffer)}
	var err error
	s.db, err = matomo.Database{
		Socket: maria.Socket, Username: "root", Name: maria.CreateDatabase(t),
		Charset: "utf8mb4",
	}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if err := tables.Create(t.Context(), s.db, "matomo_"); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("../testdata/matomo/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(rows), ";\n") {
		if strings.TrimSpace(statement) != "" {
			s.db.MustExec(statement)
		}
	}
	s.redis = testserver.Redis(t)
	s.backend, err = queue.NewRedis(queue.RedisOptions{Host: s.redis.Host, Port: s.redis.Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.backend.Close() })
	config, err := matomo.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	installation, err := matomo.Open(t.Context(), config, s.db, clock, matomo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.assembly, err = assembly.Assemble(t.Context(), installation, s.db, assembly.Options{
		Clock: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.assembly.Close() })
	return s
}

// engine gives every worker the native engine with this tracker.
func (s *site) engine(t replay.Tracker) func() replay.Engine {
	engine := replay.NewNative(t, s.assembly.Store())
	return func() replay.Engine { return engine }
}

func (s *site) options() replay.Options {
	return replay.Options{
		Backend: s.backend, Store: s.assembly.Store(), NewEngine: s.assembly.NewEngine,
		Clock: clock, Random: rand.Reader,
		Log:    slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: replay.LevelTrace})),
		Queues: 1, Only: replay.AnyQueue, BatchSize: 5, Threshold: 1,
	}
}

// push queues page views with these titles, one set each.
func (s *site) push(t *testing.T, titles ...string) {
	t.Helper()
	for _, title := range titles {
		s.append(t, set(title))
	}
}

func (s *site) append(t *testing.T, set queue.RequestSet) {
	t.Helper()
	s.appendTo(t, 0, set)
}

func (s *site) appendTo(t *testing.T, id int, set queue.RequestSet) {
	t.Helper()
	bytes, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.backend.Append(context.Background(), queue.Key(id), bytes); err != nil {
		t.Fatal(err)
	}
}

// set is a page view by the visitor of that title.
func set(titles ...string) queue.RequestSet {
	server := php.NewArray(0)
	server.Set("REMOTE_ADDR", php.String("203.0.113.9"))
	server.Set("HTTP_USER_AGENT",
		php.String("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"))
	s := queue.RequestSet{
		Env: queue.Env{Server: server, Cookie: php.NewArray(0)}, Time: now.Unix() - 60,
		EmptyToken: len(titles) > 1,
	}
	for _, title := range titles {
		params := php.NewArray(0)
		for _, p := range [][2]string{
			{"idsite", "1"},
			{"rec", "1"},
			{"url", "https://garden.example.org/" + title},
			{"action_name", title},
			{"uid", title},
			{"token_auth", "0123456789abcdef0123456789abcdef"},
		} {
			params.Set(p[0], php.String(p[1]))
		}
		s.Requests = append(s.Requests, params)
	}
	return s
}

func (s *site) waiting(t *testing.T) int64 {
	t.Helper()
	n, err := s.backend.Len(context.Background(), queue.Key(0))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// titles are the page titles of all actions, in order.
func (s *site) titles(t *testing.T) []string {
	t.Helper()
	var titles []string
	err := s.db.Select(&titles, `SELECT name FROM matomo_log_link_visit_action
		JOIN matomo_log_action ON idaction = idaction_name ORDER BY idlink_va`)
	if err != nil {
		t.Fatal(err)
	}
	return titles
}

func (s *site) letters(t *testing.T) (all []letters.Stored) {
	t.Helper()
	err := letters.NewBox(s.backend).Each(context.Background(), 0, func(l letters.Stored) (bool, error) {
		all = append(all, l)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
