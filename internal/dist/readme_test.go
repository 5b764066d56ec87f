package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
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
)

// A stranger goes through README from its first line to its last, types what it shows, and looks what has happened.
func TestReadmeLineByLine(t *testing.T) {
	s := newStranger(t)
	type step struct {
		part string // of two that a block contains the first one counts
		take func(s *stranger, t *testing.T, block string)
	}
	steps := []step{
		{"dpkg -i ", (*stranger).installs},
		{"install -m 755 ", (*stranger).installsTheBinary},
		{"process --dry-run", (*stranger).looksOnly},
		{"process --queue-id 0", (*stranger).triesOneQueue},
		{"mariadb-admin create", (*stranger).triesOnACopy},
		{"/usr/bin/queuedtracking que", (*stranger).switchesCron},
		{"monitor --once", (*stranger).watches},
		{"./console queuedtracking:pro", (*stranger).goesBack},
		{"process --batch auto", (*stranger).emptiesTheQueues},
		{"queuedtracking uninstall", (*stranger).uninstalls},
		{"dpkg -P ", (*stranger).purges},
	}
	var taken []string
	for _, block := range blocksOf(t, "../../README.md") {
		first, _, _ := strings.Cut(block, "\n")
		first, _, _ = strings.Cut(first, "  ")
		if _, known := notRun[first]; known {
			taken = append(taken, first)
			continue
		}
		n := slices.IndexFunc(steps, func(s step) bool { return strings.Contains(block, s.part) })
		if n < 0 {
			t.Errorf("README shows this, and it is neither a step of this test nor in its list of what cannot be run:\n%s",
				block)
			continue
		}
		taken = append(taken, steps[n].part)
		if !t.Run(strings.TrimSpace(steps[n].part), func(t *testing.T) { steps[n].take(s, t, block) }) {
			t.FailNow() // what follows depends on it
		}
	}
	var want []string
	for _, step := range steps {
		want = append(want, step.part)
	}
	for first := range notRun {
		want = append(want, first)
	}
	slices.Sort(want)
	slices.Sort(taken)
	if !slices.Equal(taken, want) {
		t.Errorf("README shows\n%q, this test knows\n%q", taken, want)
	}
}

// notRun are the blocks of README that this test does not run, by their first command, and why.
var notRun = map[string]string{
	"go run . demo": ".ci/run does, and then runs make test",
	"go install github.com/queuedtracking/queuedtracking@latest": "TestVersionCommitAndDateAreRightInEachForm does",
	"queuedtracking verify": "the stranger's PHP tracks nothing: TestVerifyFindsNoDifference has one that does",
	"systemctl enable --now queuedtracking.service": "" +
		"no systemd runs here: TestUnitsAreCorrect and TestUnitsStartWhatExists look at the unit",
}

// blocksOf are the indented lines of a document, as far as no empty line is between them, without the indentation.
func blocksOf(t *testing.T, file string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "\n```") {
		t.Errorf("%s has a fenced block, which this test does not see", file)
	}
	inside := false
	for line := range strings.Lines(string(text)) {
		line, indented := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		switch {
		case indented && inside:
			blocks[len(blocks)-1] += "\n" + line
		case indented:
			blocks = append(blocks, line)
		}
		inside = indented
	}
	return blocks
}

// stranger is somebody with a machine on which Matomo is.
type stranger struct {
	machine
	db   *sqlx.DB
	home string // with programs that go before those of the system
	dir  string // where the shell is; at first the folder with what was downloaded
	queue.Backend
	tracked int // rows of log_link_visit_action
}

const wwwMatomo = "var/www/matomo"

func newStranger(t *testing.T) *stranger {
	t.Helper()
	theRelease(t)
	s := &stranger{machine: newMachine(t), home: t.TempDir(), dir: built.out}
	database, redis := testserver.MariaDB(t, testserver.Private()), testserver.Redis(t)
	for _, name := range []string{"mariadb", "mariadb-admin", "mariadb-dump"} {
		needs(t, name, "mariadb-client")
	}
	needs(t, "redis-cli", "redis-tools")
	testserver.PHP(t)

	s.put(t, filepath.Join(s.home, ".my.cnf"), "[client]\nuser=root\nsocket="+database.Socket+"\n", 0o600)
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, filepath.Join(s.home, "bin/redis-cli"),
		fmt.Sprintf("#!/bin/sh\nexec %s -h %s -p %d \"$@\"\n", cli, redis.Host, redis.Port), 0o755)
	s.put(t, filepath.Join(s.home, "bin/dpkg"),
		"#!/bin/sh\nexec "+strings.Join(s.dpkgCommand(t), " ")+" \"$@\"\n", 0o755)

	if s.Backend, err = queue.NewRedis(queue.RedisOptions{Host: redis.Host, Port: redis.Port}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.installMatomo(t, database, redis)
	return s
}

func (s *stranger) put(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// installMatomo makes a Matomo in small, with its database "matomo".
func (s *stranger) installMatomo(t *testing.T, server *testserver.MariaDBServer, redis *testserver.RedisServer) {
	t.Helper()
	files := os.DirFS("../../testdata")
	for from, to := range map[string]string{
		"matomo/config": "config", "device-detector": "vendor/matomo/device-detector",
		"lists/searchengine-and-social-list": "vendor/matomo/searchengine-and-social-list",
		"lists/referrer-spam-list":           "vendor/matomo/referrer-spam-list",
	} {
		if err := demo.CopyFolder(files, from, s.path(wwwMatomo+"/"+to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(s.path(wwwMatomo), os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	s.put(t, s.path(wwwMatomo+"/tmp/tracked"), "", 0o644)
	config := wwwMatomo + "/config/config.ini.php"
	s.write(t, config, strings.Replace(s.read(t, config), "port = 3306", fmt.Sprintf("port = %d", server.Port), 1)+
		fmt.Sprintf("\n[QueuedTracking]\nredisHost = \"%s\"\nredisPort = %d\n", redis.Host, redis.Port))

	run(t, "/", "mariadb", "-uroot", "--socket="+server.Socket, "-e", "CREATE DATABASE matomo CHARACTER SET utf8mb4")
	var err error
	s.db, err = matomo.Database{Socket: server.Socket, Username: "root", Name: "matomo", Charset: "utf8mb4"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if err := tables.Create(t.Context(), s.db, "matomo_"); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("../../testdata/matomo/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(rows), ";\n") {
		if strings.TrimSpace(statement) != "" {
			s.db.MustExec(statement)
		}
	}
}

// visit lets visitors come: requests are in all four queues afterwards, at least 25 sets in each.
func (s *stranger) visit(t *testing.T, seed uint64) {
	t.Helper()
	g, err := demo.NewGenerator(os.DirFS("../../testdata"), seed, time.Now().UTC().Truncate(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	manager, err := queue.NewManager(s.Backend, 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range g.Sets(600) {
		set.Time = time.Now().Unix() // of all, so that nothing is overdue
		err := manager.Add(t.Context(), set, func(set queue.RequestSet, n int) ([]byte, string) {
			return queue.VisitorID(set.Requests[n]), php.ToString(set.Env.Server.Value("REMOTE_ADDR"))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if lens := s.lens(t); slices.Min(lens) < 25 {
		t.Fatalf("queues of %v sets, want at least 25 in each", lens)
	}
}

func (s *stranger) lens(t *testing.T) []int64 {
	t.Helper()
	lens, err := s.Lens(t.Context(), queue.Keys(0, 4)...)
	if err != nil {
		t.Fatal(err)
	}
	return lens
}

func sumOf(numbers []int64) (sum int64) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}

// moreActions is how many actions were tracked since it was asked last, in database "matomo".
func (s *stranger) moreActions(t *testing.T) int {
	t.Helper()
	before := s.tracked
	if err := s.db.Get(&s.tracked, "SELECT COUNT(*) FROM matomo_log_link_visit_action"); err != nil {
		t.Fatal(err)
	}
	return s.tracked - before
}

// strangers are paths that mean the stranger's machine, not the one that the test runs on.
var strangers = regexp.MustCompile(`/(?:var/www|usr/local/bin|usr/bin/queuedtracking)\b`)

// types types a block at a shell and returns what was said. The next one is typed where this one has gone to.
func (s *stranger) types(t *testing.T, block string) string {
	t.Helper()
	said := s.shell(t, block+"\npwd >$HOME/pwd", s.home+"/bin:"+s.path("usr/bin")+":"+os.Getenv("PATH"))
	dir, err := os.ReadFile(filepath.Join(s.home, "pwd"))
	if err != nil {
		t.Fatal(err)
	}
	s.dir = strings.TrimSpace(string(dir))
	return said
}

// cron runs the command of a line of a crontab as cron does.
func (s *stranger) cron(t *testing.T, line string) {
	t.Helper()
	fields := regexp.MustCompile(`^(?:\S+\s+){5}(.*)$`).FindStringSubmatch(line)
	if fields == nil {
		t.Fatalf("%q is no line of a crontab", line)
	}
	if said := s.shell(t, fields[1], "/usr/bin:/bin"); said != "" {
		t.Errorf("%s: cron would send a mail: %s", line, said)
	}
}

func (s *stranger) shell(t *testing.T, text, path string) string {
	t.Helper()
	text = strangers.ReplaceAllStringFunc(text, s.path)
	c := exec.Command("/bin/sh", "-e", "-c", strings.ReplaceAll(text, "_amd64", "_"+runtime.GOARCH))
	c.Dir, c.Env = s.dir, []string{"PATH=" + path, "HOME=" + s.home, "SHELL=/bin/sh", "LOGNAME=www-data"}
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", text, err, said)
	}
	return string(said)
}

func (s *stranger) installs(t *testing.T, block string) {
	s.types(t, block)
	if s.state(t) != "installed" || !s.has(program) {
		t.Errorf("dpkg says %q, program there: %v", s.state(t), s.has(program))
	}
}

func (s *stranger) installsTheBinary(t *testing.T, block string) {
	const file = "usr/local/bin/queuedtracking"
	s.put(t, s.path("usr/local/bin/README"), "", 0o644)
	s.types(t, block)
	if got := versionOf(t, s.path(file)).Version; got != "0.1.0" {
		t.Errorf("version %s, want 0.1.0", got)
	}
	if err := os.Remove(s.path(file)); err != nil { // the package's is tried
		t.Fatal(err)
	}
}

func (s *stranger) looksOnly(t *testing.T, block string) {
	s.visit(t, 1)
	before := s.lens(t)
	said := s.types(t, block)
	for _, want := range []string{
		"Everything that is needed works.", fmt.Sprintf("total: %d sets in 4 queues", sumOf(before)),
		"Dry run, nothing was written",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if after, n := s.lens(t), s.moreActions(t); !slices.Equal(before, after) || n != 0 {
		t.Errorf("queues of %v sets are %v now, %d actions; want no change", before, after, n)
	}
}

func (s *stranger) triesOneQueue(t *testing.T, block string) {
	before := s.lens(t)
	s.types(t, block)
	after, n := s.lens(t), s.moreActions(t)
	if after[0] >= 25 || !slices.Equal(before[1:], after[1:]) || n == 0 {
		t.Errorf("queues of %v sets are %v now, %d actions; want less than 25 in queue 0 alone", before, after, n)
	}
}

func (s *stranger) triesOnACopy(t *testing.T, block string) {
	before := s.lens(t)
	s.types(t, block)
	var copied int
	if err := s.db.Get(&copied, "SELECT COUNT(*) FROM matomo_copy.matomo_log_link_visit_action"); err != nil {
		t.Fatal(err)
	}
	if copied < s.tracked+int(sumOf(before))/2 {
		t.Errorf("%d actions in the copy, %d before: want those of %d sets more", copied, s.tracked, sumOf(before))
	}
	if after, n := s.lens(t), s.moreActions(t); !slices.Equal(before, after) || n != 0 {
		t.Errorf("queues of %v sets are %v now, %d actions; want no change", before, after, n)
	}
	if left := s.types(t, "redis-cli -n 9 LLEN trackingQueueV1_1"); strings.TrimSpace(left) != "0" {
		t.Errorf("%s sets are left in the copy of queue 1, want none", left)
	}
}

func (s *stranger) switchesCron(t *testing.T, block string) {
	lines := strings.Split(block, "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "./console ") {
		t.Fatalf("want the old line and the new one:\n%s", block)
	}
	s.cron(t, lines[1])
	if after, n := s.lens(t), s.moreActions(t); slices.Max(after) >= 25 || n == 0 {
		t.Errorf("queues of %v sets, %d actions; want less than 25 sets in each", after, n)
	}
}

func (s *stranger) watches(t *testing.T, block string) {
	said := s.types(t, block)
	for _, want := range []string{"OK: ", "Last run:", "No dead letters"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}

// goesBack puts PHP's line back while requests of both kinds wait: such that were there when this program ran last, and
// new ones.
func (s *stranger) goesBack(t *testing.T, block string) {
	s.visit(t, 2)
	before := s.lens(t)
	s.cron(t, block)
	after, n := s.lens(t), s.moreActions(t)
	byPHP := int64(strings.Count(s.read(t, wwwMatomo+"/tmp/tracked"), "\n"))
	if slices.Max(after) >= 25 || byPHP != sumOf(before)-sumOf(after) || n != 0 {
		t.Errorf("queues of %v sets are %v now, PHP has tracked %d sets, this program %d actions", before, after, byPHP, n)
	}
}

func (s *stranger) emptiesTheQueues(t *testing.T, block string) {
	s.visit(t, 3)
	s.types(t, block)
	if after, n := s.lens(t), s.moreActions(t); sumOf(after) != 0 || n == 0 {
		t.Errorf("queues of %v sets, %d actions; want all of them tracked", after, n)
	}
}

func (s *stranger) uninstalls(t *testing.T, block string) {
	if left := s.left(t); len(left) < 5 {
		t.Errorf("before: %q, want checkpoints, counters and statistics", left)
	}
	said := s.types(t, block)
	if !strings.Contains(said, " there\n") || !strings.Contains(said, " removed\n") {
		t.Errorf("want a list of what is there, and of what was removed:\n%s", said)
	}
	if left, n := s.left(t), s.moreActions(t); len(left) != 0 || n != 0 {
		t.Errorf("left: %q, want nothing; %d actions more, want none", left, n)
	}
	if keys := strings.Fields(s.types(t, "redis-cli KEYS '*'")); len(keys) != 0 { // the queues are empty
		t.Errorf("keys %q are left", keys)
	}
}

// left are keys and options of this program.
func (s *stranger) left(t *testing.T) []string {
	t.Helper()
	left := strings.Fields(s.types(t, "redis-cli KEYS 'queuedtracking:*'"))
	var options []string
	err := s.db.Select(&options, "SELECT option_name FROM matomo_option WHERE option_name LIKE 'QueuedTracking.replayed%'")
	if err != nil {
		t.Fatal(err)
	}
	return append(left, options...)
}

func (s *stranger) purges(t *testing.T, block string) {
	s.types(t, block)
	if s.state(t) != "" || s.has(program) || s.has("etc/queuedtracking") {
		t.Errorf("dpkg says %q, program there: %v, settings there: %v", s.state(t), s.has(program),
			s.has("etc/queuedtracking"))
	}
	if err := s.db.PingContext(context.Background()); err != nil || s.tracked == 0 {
		t.Errorf("%d actions, %v: want all that were tracked", s.tracked, err)
	}
}
