package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

func (i *installation) lock(t *testing.T, id int) {
	t.Helper()
	ok, err := i.backend.SetIfNotExists(context.Background(), lock.Key(id), "abcdef012345", time.Minute)
	if err != nil || !ok {
		t.Fatalf("lock %d: %v %v", id, ok, err)
	}
}

func (i *installation) locked(t *testing.T, id int) bool {
	t.Helper()
	_, ok, err := i.backend.Get(context.Background(), lock.Key(id))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestLockStatusListsLocks(t *testing.T) {
	i := newInstallation(t)
	contains(t, i.ok(t, "lock-status").stdout, "No queue is locked.")
	if got := i.ok(t, "lock-status", "--json").stdout; got != "[]\n" {
		t.Errorf("JSON without locks: %q", got)
	}
	i.lock(t, 0)
	i.lock(t, 3)
	r := i.ok(t, "queuedtracking:lock-status")
	contains(t, r.stdout, "QueuedTrackingLock0: queue 0 is locked for another ",
		"QueuedTrackingLock3: queue 3 is locked", "queuedtracking unlock")

	var list []lockStatus
	if err := json.Unmarshal([]byte(i.ok(t, "lock-status", "--json").stdout), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[1].Key != "QueuedTrackingLock3" || list[1].Queue != 3 || *list[1].Expires < 50_000 || *list[1].Expires > 60_000 {
		t.Errorf("%+v", list)
	}
}

func TestLockStatusUnlocks(t *testing.T) {
	i := newInstallation(t)
	i.lock(t, 1)
	i.lock(t, 2)
	r := i.ok(t, "lock-status", "--unlock=QueuedTrackingLock1")
	contains(t, r.stdout, "QueuedTrackingLock1: released", "queue 2 is locked")
	lacks(t, r.stdout, "queue 1 is locked")
	contains(t, i.ok(t, "lock-status", "--unlock", "QueuedTrackingLock1").stdout, "QueuedTrackingLock1: is not locked")
	lacks(t, i.ok(t, "lock-status", "--json", "--unlock", "QueuedTrackingLock2").stdout, "released")
	if i.locked(t, 1) || i.locked(t, 2) {
		t.Error("still locked")
	}
}

func TestUnlockReleasesByKeyByNumberOrAll(t *testing.T) {
	i := newInstallation(t)
	for id := range 5 {
		i.lock(t, id)
	}
	r := i.ok(t, "unlock", "QueuedTrackingLock0", "2")
	contains(t, r.stdout, "QueuedTrackingLock0: released", "QueuedTrackingLock2: released")
	for id, want := range []bool{false, true, false, true, true} {
		if i.locked(t, id) != want {
			t.Errorf("lock %d: %v, want %v", id, !want, want)
		}
	}
	i.ok(t, "unlock", "--all", "--yes")
	if i.locked(t, 1) || i.locked(t, 3) || i.locked(t, 4) {
		t.Error("still locked")
	}
	contains(t, i.ok(t, "unlock", "--all").stdout, "No queue is locked.")
}

func TestQueuesCanBeLookedAtWithoutTheDatabase(t *testing.T) {
	i := newInstallation(t)
	i.lock(t, 0)
	i.env["QUEUEDTRACKING_DB_PORT"] = "1"
	r := i.run(t, []string{"lock-status"})
	if r.status != statusFailed {
		t.Errorf("exit status %d without database", r.status)
	}
	contains(t, r.stderr, "connection refused", "--without-database")
	contains(t, i.ok(t, "lock-status", "--without-database").stdout, "queue 0 is locked")
	i.dir = t.TempDir()
	contains(t, i.ok(t, "unlock", "--without-database", "0").stdout, "released")
}

func TestMonitorTellsBacklogByItsStatus(t *testing.T) {
	i := newInstallation(t)
	for range 12 {
		i.add(t, pageView("a"), 4)
	}
	for _, test := range []struct {
		args []string
		want int
	}{
		{nil, 0},
		{[]string{"--warn", "12"}, 0},
		{[]string{"--warn", "11"}, 1},
		{[]string{"--warn", "5", "--crit", "12"}, 1},
		{[]string{"--warn", "5", "--crit", "11"}, 2},
		{[]string{"--crit", "11"}, 2},
		{[]string{"--warn-age", "100h"}, 0},
		{[]string{"--warn-age", "10s"}, 1},
		{[]string{"--warn-age", "10s", "--crit-age", "100h"}, 1},
		{[]string{"--warn-age", "10s", "--crit-age", "20s"}, 2},
		{[]string{"--crit-age", "20s", "--warn", "5"}, 2},
		{[]string{"--redis-port", "1"}, 3},
		{[]string{"--db-port", "1"}, 3},
		{[]string{"--warn", "-1"}, 3},
		{[]string{"--warn-age", "1h", "--crit-age", "1m"}, 3},
		{[]string{"--redis-database", "many"}, 3},
		{[]string{"--nonsense"}, 3},
	} {
		r := i.run(t, append([]string{"monitor", "--once"}, test.args...))
		if r.status != test.want {
			t.Errorf("%v: exit status %d, want %d\n%s%s", test.args, r.status, test.want, r.stdout, r.stderr)
		}
	}
	i.configure(t, "[QueuedTracking]\nnotify_queue_threshold_single_queue = 10")
	if r := i.run(t, []string{"monitor", "--once"}); r.status != 1 {
		t.Errorf("exit status %d with the plugin's threshold", r.status)
	}
}

func TestMonitorPrintsJSON(t *testing.T) {
	i := newInstallation(t)
	for range 3 {
		i.add(t, pageView("a"), 4)
	}
	ctx := context.Background()
	if err := i.backend.Append(ctx, queue.Key(6), []byte("left"), []byte("behind")); err != nil {
		t.Fatal(err)
	}
	i.lock(t, 1)
	var s snapshot
	if err := json.Unmarshal([]byte(i.ok(t, "monitor", "--json", "--once").stdout), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Queues) != 4 || s.Total != 5 || s.Active != 1 || !s.Queues[1].Locked || !s.Enabled || s.Workers != 4 || s.Threshold != 25 {
		t.Errorf("%+v", s)
	}
	if len(s.Orphans) != 1 || s.Orphans[0] != (orphanState{ID: 6, Sets: 2}) {
		t.Errorf("orphans %+v", s.Orphans)
	}
	if s.Rate != nil || s.Memory.Used == nil || *s.Memory.Used == 0 {
		t.Errorf("%+v", s)
	}
	for _, q := range s.Queues {
		if q.Sets == 3 && (q.Oldest == nil || *q.Oldest < 50 || *q.Oldest > 600) {
			t.Errorf("age of the oldest entry: %v", q.Oldest)
		}
	}
}

func TestMonitorPrintsPlainLinesInAPipe(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 4)
	if err := i.backend.Append(context.Background(), queue.Key(9), []byte("x")); err != nil {
		t.Fatal(err)
	}
	clock := &stepClock{now: time.Now()}
	r := i.run(t, []string{"monitor", "--iterations", "2"}, func(p *program) {
		clock.into(p)
		clock.during = func(int) { i.add(t, pageView("b"), 4); i.add(t, pageView("c"), 4) }
	})
	if r.status != statusDone {
		t.Fatal(r.stderr)
	}
	contains(t, r.stdout, "The queue is enabled", `waits for "queuedtracking process"`, "At most 4 workers", "once it holds 25 request sets",
		": 1 set, the oldest 1m", ": 3 sets", "total: 2 sets in 4 queues, ", "total: 4 sets in 4 queues, +1/s,", "0 workers active",
		"until \"queuedtracking process\" moves them: queue 9 with 1 set.")
	lacks(t, r.stdout, "\x1b")

	i.configure(t, "[QueuedTracking]\nqueueEnabled = 0\nprocessDuringTrackingRequest = 1")
	r = i.ok(t, "monitor", "--iterations", "1")
	contains(t, r.stdout, "THE QUEUE IS DISABLED", "Matomo also processes the queue itself")
	if r := i.ok(t, "monitor", "--iterations", "1", "--json"); strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("JSON: %s", r.stdout)
	}
}

func TestMonitorOutlivesAServerThatIsAway(t *testing.T) {
	server := testserver.Redis(t)
	i := newInstallation(t)
	args := []string{"monitor", "--redis-port", port(server), "--redis-database", "0", "--iterations"}
	clock := &stepClock{now: time.Now()}
	clock.during = func(sleeps int) {
		switch sleeps {
		case 1:
			server.Kill(t)
		case 2:
			server.Start(t)
		case 4:
			server.Kill(t)
		}
	}
	r := i.run(t, append(args, "4"), clock.into)
	if r.status != statusDone || strings.Count(r.stdout, "total: 0 sets") < 2 {
		t.Errorf("exit status %d:\n%s", r.status, r.stdout)
	}
	contains(t, r.stderr, "cannot look at the queues, trying again", "connection")
	clock.sleeps = 3
	if r := i.run(t, append(args, "2"), clock.into); r.status != statusFailed { // the last look has failed
		t.Errorf("exit status %d:\n%s", r.status, r.stdout)
	}
	if r := i.run(t, append(args, "2"), clock.into); r.status != statusFailed || strings.Contains(r.stderr, "trying again") { // there is none
		t.Errorf("exit status %d:\n%s", r.status, r.stderr)
	}
}

func TestMonitorEndsWithASignal(t *testing.T) {
	i := newInstallation(t)
	clock := &stepClock{now: time.Now()}
	r := i.run(t, []string{"monitor"}, func(p *program) {
		clock.into(p)
		clock.during = func(int) { close(p.stop) }
	})
	if r.status != statusDone {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}

const token = "feedfacefeedfacefeedfacefeedface"

// nasty is a request whose texts want to do harm.
func nasty() queue.RequestSet {
	set := pageView("nasty\x1b]0;owned\a\u202e?token_auth=" + token)
	p := set.Requests[0]
	p.Set("token_auth", php.String(token))
	p.Set("uid", php.String("eve\nadmin"))
	set.Env.Server.Set("HTTP_AUTHORIZATION", php.String("Basic c2VjcmV0"))
	set.Env.Cookie.Set("session", php.String("cookie-secret"))
	set.TokenAuth = token
	return set
}

func TestPrintShowsTheNextRequests(t *testing.T) {
	i := newInstallation(t)
	for n := range 4 {
		i.add(t, pageView("page-"+strconv.Itoa(n)), 1)
	}
	i.add(t, nasty(), 1)
	r := i.ok(t, "print-queued-requests", "--queue-id", "0", "--limit", "2")
	contains(t, r.stdout, "Queue 0: 5 request sets, the next 2 are", "page https://garden.example.org/page-0", "page-1", "0123456789abcdef", "203.0.113.9")
	lacks(t, r.stdout, "page-2", "Queue 1")

	r = i.ok(t, "print-queued-requests", "-v")
	contains(t, r.stdout, "Queue 3: 0 request sets\n", `nasty\x1b]0;owned\x07\u202e?token_auth=***`, `eve\nadmin`, "token_auth = ***", "action_name = page-3")
	lacks(t, r.stdout, token, "\x1b", "\a", "\u202e", "c2VjcmV0", "cookie-secret")

	if r := i.run(t, []string{"print-queued-requests", "--queue-id", "9"}); r.status != statusUsage {
		t.Errorf("exit status %d for a queue that does not exist", r.status)
	}
}

func TestPrintMasksSecretsWithinValues(t *testing.T) {
	i := newInstallation(t)
	set, inner := pageView("x"), php.NewArray(1)
	inner.Set("token_auth", php.String("too-short-for-a-token"))
	set.Requests[0].Set("url", php.ArrayValue(inner))
	i.add(t, set, 1)
	r := i.ok(t, "print-queued-requests")
	contains(t, r.stdout, `page {"token_auth":"***"}`)
	lacks(t, r.stdout, "too-short-for-a-token")
}

func TestPrintShowsEntriesAsJSON(t *testing.T) {
	i := newInstallation(t)
	i.add(t, nasty(), 1)
	if err := i.backend.Append(context.Background(), queue.Key(0), []byte("damaged\x1b")); err != nil {
		t.Fatal(err)
	}
	r := i.ok(t, "print-queued-requests", "--json")
	lacks(t, r.stdout, token, "\x1b", "\a", "c2VjcmV0", "cookie-secret")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), r.stdout)
	}
	var first struct {
		Queue    int
		Requests []map[string]any
		Server   map[string]any
		Cookies  map[string]any
	}
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if r := first.Requests[0]; r["uid"] != "eve\nadmin" || r["token_auth"] != "***" || !strings.HasSuffix(r["url"].(string), "?token_auth=***") {
		t.Errorf("%v", r)
	}
	if first.Server["HTTP_AUTHORIZATION"] != "***" || first.Server["REMOTE_ADDR"] != "203.0.113.9" || first.Cookies["session"] != "***" {
		t.Errorf("%v %v", first.Server, first.Cookies)
	}
	contains(t, lines[1], `"error":"undecodable queue entry`)
	contains(t, i.ok(t, "print-queued-requests").stdout, "cannot be decoded")
}

func TestTestSaysThatAllWorks(t *testing.T) {
	i := newInstallation(t)
	r := i.ok(t, "test")
	contains(t, r.stdout, "Settings", "not set", "Everything that is needed works.", "release a lock (Lua)", "remove a batch (Lua)",
		"table matomo_log_visit", "SELECT, INSERT, UPDATE", "the tables roll back", "5.1.2", "5.1.1", "noeviction")
	lacks(t, r.stdout, "not ok", "skipped")
	keys, err := i.redis.DialDatabase(t, atoi(t, i.env["QUEUEDTRACKING_REDIS_DATABASE"])).Do("KEYS", "*")
	if err != nil || len(keys.([]any)) != 0 {
		t.Errorf("keys left: %q %v", keys, err)
	}

	var report struct {
		Works  bool
		Checks []struct{ Group, Check, Status string }
	}
	if err := json.Unmarshal([]byte(i.ok(t, "test", "--json", "--skip-max-memory-config-check=1").stdout), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Works || len(report.Checks) < 30 {
		t.Errorf("%+v", report)
	}
	for _, c := range report.Checks {
		if c.Check == "memory limit" {
			t.Error("memory limit checked all the same")
		}
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTestSaysWhatDoesNotWork(t *testing.T) {
	volatile := testserver.Redis(t, testserver.WithPassword("pass-word"), testserver.WithConfig("maxmemory 100mb", "maxmemory-policy volatile-lru"))
	reader := testserver.Redis(t, testserver.WithUser("reader", "pass-word", "~* +@read +ping +info"))
	full := testserver.Redis(t)
	full.Fill(t)
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, i *installation)
		args  []string
		want  []string
	}{
		{
			"Redis full", nil,
			[]string{"--redis-port", port(full), "--redis-database", "0"},
			[]string{
				"ok       set a lock", "not ok   append to a list", "its memory is full (used_memory",
				"-> raise maxmemory, or empty the queues", "not ok   memory limit",
				"it is full: Matomo answers tracking requests with status 500 and loses them",
			},
		},
		{"Redis down", nil, []string{"--redis-port", "1"}, []string{"not ok   connection", "connection refused", "-> see what redisHost"}},
		{
			"no right to write", nil,
			[]string{"--redis-port", port(reader), "--redis-database", "0", "--redis-user", "reader", "--redis-password", "pass-word"},
			[]string{"not ok   set a lock", "-> the Redis user needs the commands", "set (not shown)"},
		},
		{
			"locks get lost", nil,
			[]string{"--redis-port", port(volatile), "--redis-database", "0", "--redis-password", "pass-word"},
			[]string{"not ok   memory limit", "volatile-lru throws locks away", "noeviction"},
		},
		{"database down", nil, []string{"--db-port", "1"}, []string{
			"not ok   connection", "ok       plugins",
			"skipped  all", "the settings are in the database",
		}},
		{"table without transactions", func(_ *testing.T, i *installation) {
			i.db.MustExec("ALTER TABLE matomo_log_conversion ENGINE=Aria TRANSACTIONAL=0")
		}, nil, []string{"not ok   transactions", "matomo_log_conversion (Aria)", "ENGINE=InnoDB"}},
		{
			"missing table", func(_ *testing.T, i *installation) { i.db.MustExec("DROP TABLE matomo_goal") }, nil,
			[]string{"not ok   table matomo_goal", "tables_prefix"},
		},
		{"column that an update has not added", func(_ *testing.T, i *installation) {
			i.db.MustExec("ALTER TABLE matomo_log_visit DROP COLUMN config_os_version")
		}, nil, []string{
			"not ok   columns", "missing: log_visit.config_os_version (plugin DevicesDetection)",
			"-> finish Matomo's update: ./console core:update",
		}},
		{"unknown plugin", func(t *testing.T, i *installation) {
			i.reconfigure(t, "[Plugins]", "[Plugins]\nPlugins[] = Bandwidth")
		}, nil, []string{"not ok   plugins", "Bandwidth", "--ignore-plugins"}},
		{
			"old version", func(_ *testing.T, i *installation) { i.db.MustExec("UPDATE matomo_option SET option_value = '4.1.0'") }, nil,
			[]string{"not ok   Matomo's version"},
		},
		{"no data", func(t *testing.T, i *installation) { remove(t, i.dir, "vendor") }, nil, []string{"not ok   detection data", "bots.yml"}},
		{"other backend", nil, []string{"--backend", "rabbit"}, []string{"not ok   settings", "rabbit"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstallation(t)
			if test.spoil != nil {
				test.spoil(t, i)
			}
			r := i.run(t, append([]string{"test"}, test.args...))
			if r.status != statusFailed {
				t.Errorf("exit status %d, want 1", r.status)
			}
			contains(t, r.stdout, append(test.want, "Not everything that is needed works")...)
			lacks(t, r.stdout+r.stderr, "pass-word")
		})
	}
}

func TestTestMentionsWhatShouldBeKnown(t *testing.T) {
	evicting := testserver.Redis(t, testserver.WithConfig("maxmemory 100mb", "maxmemory-policy allkeys-lru"))
	i := newInstallation(t)
	i.configure(t, "[Tracker]\nrecord_statistics = 0")
	backend, err := queue.NewRedis(queue.RedisOptions{Host: evicting.Host, Port: evicting.Port})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(backend.Append(context.Background(), queue.Key(8), []byte("x")), backend.Close())
	if err != nil {
		t.Fatal(err)
	}
	r := i.ok(t, "test", "--redis-port", port(evicting), "--redis-database", "0")
	contains(t, r.stdout, "notice   memory limit", "allkeys-lru throws whole queues away",
		"notice   tracking", "notice   queues", "1 queue left behind")
}

func TestTimeLeftOfALockIsInSeconds(t *testing.T) {
	for left, want := range map[time.Duration]string{
		queue.NoExpiry: " and would stay so for ever", 400 * time.Millisecond: " for less than a second",
		38_200 * time.Millisecond: " for another 39 s", 2 * time.Minute: " for another 120 s",
	} {
		if got := timeLeft(left); got != want {
			t.Errorf("%s: %q, want %q", left, got, want)
		}
	}
}

func TestUnlockAsJSON(t *testing.T) {
	i := newInstallation(t)
	if _, err := i.backend.SetIfNotExists(t.Context(), lock.Key(3), "another", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`[{"key":"QueuedTrackingLock3","queue":3,"released":true},{"key":"QueuedTrackingLock5","queue":5,"released":false}]`,
		`[{"key":"QueuedTrackingLock3","queue":3,"released":false},{"key":"QueuedTrackingLock5","queue":5,"released":false}]`,
	} {
		if got := i.ok(t, "unlock", "--json", "QueuedTrackingLock3", "5").stdout; got != want+"\n" {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := i.ok(t, "unlock", "--json", "--all").stdout; got != "[]\n" {
		t.Errorf("nothing locked: %s", got)
	}
}
