package surroundings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

const (
	root = "../../.."

	user, password = "matomo", "open sesame" // of the program, who is no administrator
)

// site is the installation of the recordings, with one queue in Redis.
type site struct {
	dir     string
	maria   *testserver.MariaDBServer
	name    string   // of the database
	db      *sqlx.DB // as root, with the session that tests expect
	redis   *testserver.RedisServer
	backend queue.Backend
	install *golden.Installation
	before  *golden.Snapshot

	// config is what config.ini.php has beside the recording's, section -> key -> value. Tests change it before a run.
	config map[string]map[string]any
}

// newSite makes one on a database server, with its queue in a database of the shared Redis.
func newSite(t *testing.T, maria *testserver.MariaDBServer) *site {
	t.Helper()
	redis, number := testserver.RedisDatabase(t)
	return newSiteOn(t, maria, redis, number)
}

// newSiteOn makes one on the two servers.
func newSiteOn(t *testing.T, maria *testserver.MariaDBServer, redis *testserver.RedisServer, redisDB int) *site {
	t.Helper()
	data := bench.Own(root)
	s := &site{dir: data.Home(t, false), maria: maria, name: maria.CreateDatabase(t), redis: redis}
	s.config = map[string]map[string]any{
		"database": {
			"host": maria.Host, "port": maria.Port, "unix_socket": "", "username": user, "password": password,
			"dbname": s.name, "tables_prefix": golden.Prefix, "charset": "utf8mb4",
		},
		"QueuedTracking": {
			"redisHost": redis.Host, "redisPort": redis.Port, "redisDatabase": redisDB, "numQueueWorkers": 1,
			"numRequestsToProcess": 25,
		},
	}
	var err error
	if s.db, err = sqlx.Connect("mysql", s.dsn()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	s.db.SetMaxIdleConns(-1) // none keeps what golden makes of its session
	s.db.MustExec("CREATE USER IF NOT EXISTS " + user + " IDENTIFIED BY '" + password + "'")
	s.db.MustExec("GRANT ALL ON " + s.name + ".* TO " + user)
	// Its socket, whatever its port speaks.
	s.backend, err = queue.NewRedis(queue.RedisOptions{Host: redis.Socket, Database: redisDB})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.backend.Close() })
	if err = bench.CreateTables(t.Context(), s.db, data); err != nil {
		t.Fatal(err)
	}
	if s.install, err = golden.Install(t.Context(), s.db, data.Install...); err != nil {
		t.Fatal(err)
	}
	s.reset(t)
	if s.before, err = s.install.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// reset makes the tables those of an installation that has tracked nothing.
func (s *site) reset(t *testing.T) {
	t.Helper()
	if err := s.install.Prepare(t.Context(), &golden.Case{}); err != nil {
		t.Fatal(err)
	}
}

// dsn lets a test have its usual session, however the server is set up.
func (s *site) dsn() string {
	c := s.maria.Config(s.name)
	c.Params = map[string]string{
		"autocommit": "1", "completion_type": "0", "sql_mode": "'STRICT_TRANS_TABLES'", "sql_safe_updates": "0",
		"sql_select_limit": "18446744073709551615", "sql_big_selects": "1", "time_zone": "'+00:00'",
	}
	return c.FormatDSN()
}

// set changes a setting of config.ini.php.
func (s *site) set(section, key string, value any) {
	if s.config[section] == nil {
		s.config[section] = make(map[string]any)
	}
	s.config[section][key] = value
}

func (s *site) writeConfig(t *testing.T) {
	t.Helper()
	folder := filepath.Join(s.dir, "config")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := s.install.Config(&golden.Case{}, s.config)
	if err := os.WriteFile(filepath.Join(folder, "config.ini.php"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// push queues entries.
func (s *site) push(t *testing.T, entries ...[]byte) {
	t.Helper()
	if err := s.backend.Append(t.Context(), queue.Key(0), entries...); err != nil {
		t.Fatal(err)
	}
}

// waiting is the number of entries in the queue.
func (s *site) waiting(t *testing.T) int {
	t.Helper()
	n, err := s.backend.Len(t.Context(), queue.Key(0))
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// letters are the dead letters.
func (s *site) letters(t *testing.T) (all []letters.Stored) {
	t.Helper()
	err := letters.NewBox(s.backend).Each(t.Context(), 0, func(l letters.Stored) (bool, error) {
		all = append(all, l)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// drain tracks everything with the command, and wants it to succeed.
func (s *site) drain(t *testing.T, args ...string) result {
	t.Helper()
	r := s.run(t, append([]string{"process", "--force-num-requests-process-at-once", "1", "--batch", "25"}, args...)...)
	r.wants(t, 0)
	if n := s.waiting(t); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	return r
}

// rows are the rows that tracking has written.
func (s *site) rows(t *testing.T) golden.Tables {
	t.Helper()
	tables, err := s.install.Read(t.Context(), s.before)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// queueInDatabase moves the queue, which is empty, into the database.
func (s *site) queueInDatabase(t *testing.T) {
	t.Helper()
	s.set("QueuedTracking", "backend", "mysql")
	var err error
	if s.backend, err = queue.NewMySQL(s.db, golden.Prefix, "database"); err != nil {
		t.Fatal(err)
	}
}
