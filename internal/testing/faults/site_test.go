package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

const queues = 4

// site is a Matomo with database and queues.
type site struct {
	dir     string
	maria   *testserver.MariaDBServer
	name    string // of the database
	db      *sqlx.DB
	queue   matomo.QueueSettings
	backend queue.Backend

	six bool // Matomo 6.0 with its tables, otherwise 5.1
	php bool // Matomo in miniature tracks

	redis   *testserver.RedisServer // of a site whose queues are in one Redis
	redisDB int

	dbAddr, redisAddr *proxy // that workers connect through, nil for none
}

// newSite makes one on shared servers.
func newSite(t *testing.T) *site {
	redis, number := testserver.RedisDatabase(t)
	return newSiteOn(t, testserver.MariaDB(t), redis, number)
}

func newSiteOn(t *testing.T, maria *testserver.MariaDBServer, redis *testserver.RedisServer, redisDB int) *site {
	t.Helper()
	settings := matomo.DefaultQueueSettings()
	settings.RedisHost, settings.RedisPort, settings.RedisDatabase = redis.Host, strconv.Itoa(redis.Port), redisDB
	s := newSiteWith(t, maria, settings)
	s.redis, s.redisDB = redis, redisDB
	return s
}

// newMySQLSite makes one whose queues are in the database that is tracked into.
func newMySQLSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, testserver.MariaDB(t), inDatabase())
}

// inDatabase are the settings of queues that are in Matomo's database.
func inDatabase() matomo.QueueSettings {
	settings := matomo.DefaultQueueSettings()
	settings.Backend = matomo.BackendMySQL
	return settings
}

// newSixSite makes one of Matomo 6.0.
func newSixSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.upgrade(t)
	return s
}

// upgrade gives the site what Matomo 6.0 has more.
func (s *site) upgrade(t *testing.T) {
	t.Helper()
	s.six = true
	if err := tables.Upgrade(t.Context(), s.db, "matomo_"); err != nil {
		t.Fatal(err)
	}
	s.db.MustExec("UPDATE matomo_option SET option_value = '6.0.0' WHERE option_name = 'version_core'")
	file := filepath.Join(s.dir, "config", "config.ini.php")
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(config), "[Plugins]\n")
	if !found {
		t.Fatalf("%s: no list of plugins", file)
	}
	text := before + "[Plugins]\nPlugins[] = \"AIAgents\"\nPlugins[] = \"BotTracking\"\n" + after
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// kinds are the two ways in which rows and queue are kept in step, by the checkpoint and by one transaction, and the
// two series of Matomo.
var kinds = []struct {
	name    string
	newSite func(*testing.T) *site
	share   float64 // of the faults
}{
	{"queues in Redis", newSite, 1},
	{"queues in the database", newMySQLSite, 0.25},
	{"Matomo 6.0", newSixSite, 0.5},
}

// newSiteWith makes one whose queues are where the settings say.
func newSiteWith(t *testing.T, maria *testserver.MariaDBServer, settings matomo.QueueSettings) *site {
	t.Helper()
	s := &site{dir: matomoDir(t), maria: maria, name: maria.CreateDatabase(t), queue: settings}
	var err error
	s.db, err = matomo.Database{Socket: maria.Socket, Username: "root", Name: s.name, Charset: "utf8mb4"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if err := tables.Create(t.Context(), s.db, "matomo_"); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "rows.sql")
	s.pinSalts(t)
	s.backend, err = queue.New(settings,
		queue.OpenOptions{DB: s.db, Database: matomo.Database{Name: s.name, Prefix: "matomo_"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.backend.Close() })
	return s
}

func matomoDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{
		"matomo/config": "config", "device-detector": "vendor/matomo/device-detector", "lists": "vendor/matomo",
	} {
		if err := demo.CopyFolder(os.DirFS("../../../testdata"), from, filepath.Join(dir, filepath.FromSlash(to))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (s *site) exec(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../testdata/matomo", file))
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) != "" {
			s.db.MustExec(statement)
		}
	}
}

// pinSalts gives all days of the traffic the same salts in every database: fingerprints depend on them.
func (s *site) pinSalts(t *testing.T) {
	t.Helper()
	const farFuture = 4102444800
	for id := 1; id <= 3; id++ {
		for day := -10; day <= 2; day++ {
			name := fmt.Sprintf("fingerprint_salt_%d_%s", id, now.AddDate(0, 0, day).Format(time.DateOnly))
			value := fmt.Sprintf(`{"value":"%032x","time":%d}`, id*100+day, farFuture)
			s.db.MustExec("INSERT INTO matomo_option (option_name, option_value, autoload) VALUES (?, ?, 0)", name, value)
		}
	}
}

// job is what workers of the site do unless they are told otherwise.
func (s *site) job() job {
	j := job{
		Dir: s.dir, DBHost: s.maria.Host, DBPort: s.maria.Port, DBName: s.name, Queue: s.queue,
		Queues: queues, Only: replay.AnyQueue, Batch: 10, Threshold: 1, Workers: 1,
		LockTTL: 2 * time.Second, Patience: testserver.Patience, PHP: s.php,
	}
	if s.dbAddr != nil {
		j.DBHost, j.DBPort = s.dbAddr.host, s.dbAddr.port
	}
	if s.redisAddr != nil {
		j.Queue.RedisHost, j.Queue.RedisPort = s.redisAddr.host, strconv.Itoa(s.redisAddr.port)
	}
	return j
}

// push adds entries to the queues they belong to.
func (s *site) push(t *testing.T, entries []entry) {
	t.Helper()
	for _, e := range entries {
		if err := s.backend.Append(context.Background(), queue.Key(e.queue), e.bytes); err != nil {
			t.Fatal(err)
		}
	}
}

// waiting is the number of entries in all queues.
func (s *site) waiting(t *testing.T) (n int64) {
	t.Helper()
	lens, err := s.backend.Lens(context.Background(), queue.Keys(0, queues)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lens {
		n += l
	}
	return n
}

// locked lists the locks that are held.
func (s *site) locked(t *testing.T) []lock.Held {
	t.Helper()
	held, err := lock.New(s.backend, strings.NewReader("")).List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// unlock forgets the locks of killed workers, so that nobody has to wait until they run out.
func (s *site) unlock(t *testing.T) {
	t.Helper()
	for id := range queues {
		if _, err := s.backend.Delete(context.Background(), lock.Key(id)); err != nil {
			t.Fatal(err)
		}
	}
}

// drain lets an undisturbed worker do what is left.
func (s *site) drain(t *testing.T) map[string]int {
	t.Helper()
	s.unlock(t)
	done := s.start(t, nil).done()
	if n := s.waiting(t); n != 0 {
		t.Fatalf("%d entries are left", n)
	}
	return done
}
