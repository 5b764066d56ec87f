package faults

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/phpengine"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// trackWithPHP gives the site the Matomo in miniature, which tracks from now on.
func (s *site) trackWithPHP(t *testing.T) {
	t.Helper()
	testserver.PHP(t)
	s.php = true
	for _, folder := range []string{"core", "plugins"} {
		from := os.DirFS("../../../testdata/php/matomo")
		if err := demo.CopyFolder(from, folder, filepath.Join(s.dir, folder)); err != nil {
			t.Fatal(err)
		}
	}
}

// phpEngines are the engines of a worker process. Their children connect to where the worker does.
func (j *job) phpEngines(db *sqlx.DB, s *store.Store, log *slog.Logger) func() replay.Engine {
	for name, value := range map[string]string{"HOST": j.DBHost, "PORT": strconv.Itoa(j.DBPort), "DBNAME": j.DBName} {
		_ = os.Setenv("MINIATURE_"+name, value) // no name is empty
	}
	return func() replay.Engine {
		binary, err := exec.LookPath("php")
		if err != nil {
			binary = "php" // the error comes with the first child
		}
		return phpengine.New(phpengine.Options{Dir: j.Dir, Binary: binary, DB: db, Store: s, Log: log})
	}
}

// phpKinds are sites that PHP tracks for.
var phpKinds = []struct {
	name    string
	newSite func(*testing.T) *site
}{
	{"queues in Redis", newSite},
	{"queues in the database", newMySQLSite},
}

// The worker is killed, and with it the child, wherever the batch is.
func TestPHPEngineKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	const requests = 300
	for _, kind := range phpKinds {
		t.Run(kind.name, func(t *testing.T) {
			s := kind.newSite(t)
			s.trackWithPHP(t)
			s.push(t, s.corpus(t, requests))
			for _, point := range replay.Points() {
				if point == replay.AfterLetters {
					continue // there are none
				}
				c := s.start(t, func(j *job) { j.Point, j.Signal, j.Batch = point, syscall.SIGKILL, 5 })
				c.killed()
				s.unlock(t)
			}
			s.drain(t)
			equal(t, s.read(t), s.undisturbed(t, requests))
		})
	}
}

// longestPHPWindow is the time within which workers are killed that have to start PHP first.
const longestPHPWindow = 3 * time.Second

func TestPHPEngineKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	for _, kind := range phpKinds {
		t.Run(kind.name, func(t *testing.T) {
			s := kind.newSite(t)
			s.trackWithPHP(t)
			kills := times(8)
			requests := 100 * kills
			for _, part := range parts(s.corpus(t, requests), kills) {
				s.push(t, part)
				c := s.start(t, func(j *job) { j.Batch = 2 })
				c.until("ready")
				time.Sleep(rand.N(longestPHPWindow))
				c.signal(syscall.SIGKILL)
				if c.wait() == -1 {
					made.add("kills", 1)
				}
				s.unlock(t)
			}
			s.drain(t)
			equal(t, s.read(t), s.undisturbed(t, requests))
		})
	}
}

// Connections of the worker and of its child are cut while they work.
func TestPHPEngineConnectionsCut(t *testing.T) {
	t.Parallel()
	const requests = 400
	s := newSite(t)
	s.trackWithPHP(t)
	s.push(t, s.corpus(t, requests))
	c := s.start(t, func(j *job) { j.Batch = 3 })
	ended := func() bool {
		select {
		case <-c.ended:
			return true
		default:
			return false
		}
	}
	for !ended() {
		time.Sleep(rand.N(2 * time.Second))
		var ids []int64
		err := s.db.Select(&ids, "SELECT id FROM information_schema.processlist "+
			"WHERE db = ? AND id <> CONNECTION_ID()", s.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			_, _ = s.db.Exec("KILL " + strconv.FormatInt(id, 10)) // may be gone
			made.add("connections cut", 1)
		}
	}
	c.done()
	s.drain(t)
	equal(t, s.read(t), s.undisturbed(t, requests))
}
