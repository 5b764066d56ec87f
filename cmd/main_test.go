package cmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// filesVariable tells the program in a script where folder testdata is.
const filesVariable = "TEST_FILES"

// tests stops the shared servers after the tests.
type tests struct{ *testing.M }

func (t tests) Run() int { return testserver.Run(t.M) }

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"queuedtracking": func() { os.Exit(Main(os.Args[1:], os.DirFS(os.Getenv(filesVariable)))) },
	})
}

func TestScripts(t *testing.T) {
	files, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv(filesVariable, files)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status},
	})
}

// status runs the program and wants an exit status: status 2 monitor --warn 1.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := ts.Exec("queuedtracking", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != want {
		ts.Fatalf("exit status %s, want %s", got, want)
	}
}

// installation is a Matomo with database and Redis of a test's own.
type installation struct {
	dir     string
	db      *sqlx.DB
	redis   *testserver.RedisServer
	backend queue.Backend
	env     map[string]string
	clock   func() time.Time // nil: that of the machine
}

// newInstallation makes one with the rows of testdata/matomo, of Matomo 5.1.
func newInstallation(t *testing.T) *installation {
	t.Helper()
	return makeInstallation(t, "matomo/config", tables.Create)
}

// newInstallationOfSix makes one of Matomo 6.0, with its global.ini.php.
func newInstallationOfSix(t *testing.T) *installation {
	t.Helper()
	i := makeInstallation(t, "matomo-6/config", tables.Create, tables.Upgrade)
	i.db.MustExec("UPDATE matomo_option SET option_value = '6.0.0' WHERE option_name = 'version_core'")
	i.db.MustExec("UPDATE matomo_option SET option_value = '6.0.1' WHERE option_name = 'version_QueuedTracking'")
	return i
}

func makeInstallation(
	t *testing.T, config string, create ...func(ctx context.Context, db sqlx.ExtContext, prefix string) error,
) *installation {
	t.Helper()
	server := testserver.MariaDB(t)
	name := server.CreateDatabase(t)
	db, err := matomo.Database{Socket: server.Socket, Username: "root", Name: name, Charset: "utf8mb4"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, create := range create {
		if err := create(t.Context(), db, "matomo_"); err != nil {
			t.Fatal(err)
		}
	}
	execFile(t, db, "matomo/rows.sql")

	redis, database := testserver.RedisDatabase(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: redis.Host, Port: redis.Port, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return &installation{dir: newDirectory(t, config), db: db, redis: redis, backend: backend, env: map[string]string{
		"QUEUEDTRACKING_DB_HOST": server.Host, "QUEUEDTRACKING_DB_PORT": fmt.Sprint(server.Port), "QUEUEDTRACKING_DB_NAME": name,
		"QUEUEDTRACKING_REDIS_HOST": redis.Host, "QUEUEDTRACKING_REDIS_PORT": fmt.Sprint(redis.Port),
		"QUEUEDTRACKING_REDIS_DATABASE": fmt.Sprint(database),
	}}
}

func execFile(t *testing.T, db *sqlx.DB, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) != "" {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("%.80s: %v", statement, err)
			}
		}
	}
}

// newDirectory is a Matomo directory with a configuration and data files.
func newDirectory(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	files := os.DirFS("../testdata")
	for from, to := range map[string]string{
		config: "config", "device-detector": "vendor/matomo/device-detector",
		"lists/searchengine-and-social-list": "vendor/matomo/searchengine-and-social-list",
		"lists/referrer-spam-list":           "vendor/matomo/referrer-spam-list",
	} {
		if err := demo.CopyFolder(files, from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// configure adds lines to config.ini.php.
func (i *installation) configure(t *testing.T, lines string) {
	t.Helper()
	file := filepath.Join(i.dir, "config", "config.ini.php")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(string(text)+"\n"+lines+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reconfigure replaces text in config.ini.php.
func (i *installation) reconfigure(t *testing.T, old, replacement string) {
	t.Helper()
	file := filepath.Join(i.dir, "config", "config.ini.php")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(old), []byte(replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fill queues requests of the demo's visitors for a number of workers, and returns how many requests there are.
func (i *installation) fill(t *testing.T, requests, workers int) int {
	t.Helper()
	g, err := demo.NewGenerator(os.DirFS("../testdata"), 7, time.Now().UTC().Truncate(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	sets := g.Sets(requests)
	for _, set := range sets {
		i.add(t, set, workers)
	}
	return demo.Count(sets)
}

func (i *installation) add(t *testing.T, set queue.RequestSet, workers int) {
	t.Helper()
	manager, err := queue.NewManager(i.backend, workers)
	if err != nil {
		t.Fatal(err)
	}
	err = manager.Add(context.Background(), set, func(set queue.RequestSet, n int) ([]byte, string) {
		return queue.VisitorID(set.Requests[n]), php.ToString(set.Env.Server.Value("REMOTE_ADDR"))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waiting is the number of sets in all queues.
func (i *installation) waiting(t *testing.T) (total int64) {
	t.Helper()
	lens, err := i.backend.Lens(context.Background(), queue.Keys(0, 8)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range lens {
		total += n
	}
	return total
}

func (i *installation) count(t *testing.T, table string) (n int) {
	t.Helper()
	if err := i.db.Get(&n, "SELECT COUNT(*) FROM matomo_"+table); err != nil {
		t.Fatal(err)
	}
	return n
}

// result is what a run of the program left.
type result struct {
	status         int
	stdout, stderr string
}

// run runs the program in the installation's directory; change may change its surroundings.
func (i *installation) run(t *testing.T, args []string, change ...func(*program)) result {
	t.Helper()
	var stdout, stderr testserver.Buffer
	p := newProgram(os.DirFS("../testdata"))
	p.stdin, p.stdout, p.stderr = strings.NewReader(""), &stdout, &stderr
	p.workingDir = func() (string, error) { return i.dir, nil }
	p.lookupEnv = func(name string) (string, bool) { v, ok := i.env[name]; return v, ok }
	if i.clock != nil {
		p.clock = i.clock
	}
	for _, f := range change {
		f(p)
	}
	status := p.run(args)
	return result{status, stdout.String(), stderr.String()}
}

// ok runs the program and wants exit status 0.
func (i *installation) ok(t *testing.T, args ...string) result {
	t.Helper()
	r := i.run(t, args)
	if r.status != statusDone {
		t.Fatalf("queuedtracking %s: exit status %d\n%s%s", strings.Join(args, " "), r.status, r.stdout, r.stderr)
	}
	return r
}

// contains checks that a text has all parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q", part)
			defer func() { t.Log("in\n" + text) }()
		}
	}
}

// lacks checks that a text has none of the parts.
func lacks(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q in\n%s", part, text)
		}
	}
}

// addTo puts a set into a queue, whoever its visitor is.
func (i *installation) addTo(t *testing.T, id int, set queue.RequestSet) {
	t.Helper()
	element, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.backend.Append(t.Context(), queue.Key(id), element); err != nil {
		t.Fatal(err)
	}
}

// config is the installation's configuration as commands read it.
func (i *installation) config(t *testing.T) *matomo.Config {
	t.Helper()
	config, err := matomo.LoadConfig(i.dir)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// waitingPart are the lines of a summary that say what waits.
func waitingPart(stdout string) (lines string) {
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, " request set") {
			lines += line
		}
	}
	return lines
}
