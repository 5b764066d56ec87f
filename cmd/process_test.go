package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

func TestProcessTracksWhatIsQueued(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 600, 4)
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1", "--workers", "2")
	contains(t, r.stdout, "600 requests in ", "req/s", "of 600 requests", "Excluded: ", " bot", "Rejected: ", "unknown site")
	if n := i.waiting(t); n != 0 {
		t.Errorf("%d sets are left", n)
	}
	if i.count(t, "log_visit") == 0 || i.count(t, "log_conversion") == 0 {
		t.Error("no visits or no conversions")
	}
	if r := i.ok(t, "process"); !strings.Contains(r.stdout, "Tracked: 0 of 0 requests") {
		t.Errorf("a second run tracks again:\n%s", r.stdout)
	}
}

func TestProcessLeavesQueuesThatHoldLessThanABatch(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1\nnumRequestsToProcess = 30")
	for range 40 {
		i.add(t, pageView("a"), 1)
	}
	r := i.ok(t, "process")
	contains(t, r.stdout, "Tracked: 30 of 30 requests")
	if n := i.waiting(t); n != 10 {
		t.Errorf("%d sets are left, want 10", n)
	}
	contains(t, i.ok(t, "process", "--num-requests-to-process", "10").stdout, "Tracked: 10 of 10 requests")
}

func TestProcessWithLargerBatches(t *testing.T) {
	i := newInstallation(t)
	for flag, want := range map[string]int{"25": 8, "100": 2, "auto": 4} { // 25, 50, 100 and the rest
		i.fill(t, 200, 1)
		left := i.waiting(t)
		r := i.ok(t, "process", "--num-queue-workers", "1", "--force-num-requests-process-at-once", "1", "--batch", flag, "-vv")
		if n := strings.Count(r.stderr, "msg=batch "); n > want+int(left-200)/25+1 || n < want-2 {
			t.Errorf("--batch %s: %d batches for %d sets, want about %d", flag, n, left, want)
		}
		if n := i.waiting(t); n != 0 {
			t.Errorf("--batch %s: %d sets are left", flag, n)
		}
	}
	for _, flag := range []string{"0", "-1", "many", ""} {
		r := i.run(t, []string{"process", "--batch", flag})
		if r.status != statusUsage {
			t.Errorf("--batch %q: exit status %d", flag, r.status)
		}
		contains(t, r.stderr, "wants a number from 1, or auto")
	}
}

// pageView is one request for site 1.
func pageView(title string) queue.RequestSet {
	params := php.NewArray(0)
	for _, p := range [][2]string{
		{"idsite", "1"}, {"rec", "1"}, {"url", "https://garden.example.org/" + title}, {"action_name", title}, {"_id", "0123456789abcdef"},
	} {
		params.Set(p[0], php.String(p[1]))
	}
	server := php.NewArray(0)
	server.Set("REMOTE_ADDR", php.String("203.0.113.9"))
	server.Set("HTTP_USER_AGENT", php.String("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"))
	return queue.RequestSet{
		Requests: []*php.Array{params}, Env: queue.Env{Server: server, Cookie: php.NewArray(0)}, Time: time.Now().Add(-time.Minute).Unix(),
	}
}

func TestProcessTakesOnlyTheQueueThatIsAskedFor(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 200, 4)
	lens, err := i.backend.Lens(context.Background(), queue.Keys(0, 4)...)
	if err != nil {
		t.Fatal(err)
	}
	i.ok(t, "process", "--queue-id", "2", "--force-num-requests-process-at-once=1")
	if n := i.waiting(t); n != lens[0]+lens[1]+lens[3] {
		t.Errorf("%d sets are left of %v", n, lens)
	}
	r := i.run(t, []string{"process", "--queue-id", "4"})
	if r.status != statusUsage {
		t.Errorf("exit status %d for a queue that does not exist", r.status)
	}
	contains(t, r.stderr, "the number of queues is 4")
}

func TestDryRunTellsAndChangesNothing(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 300, 4)
	before := i.waiting(t)
	r := i.ok(t, "process", "--dry-run", "-v", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "Dry run, nothing was written. Would be tracked:", "of 300 requests")
	lacks(t, r.stdout, "new visits")
	if n := i.waiting(t); n != before || i.count(t, "log_visit") != 0 {
		t.Errorf("%d sets are left of %d, %d visits", n, before, i.count(t, "log_visit"))
	}
}

func TestRefusedRequestsAreNamedWithoutSecrets(t *testing.T) {
	i := newInstallation(t)
	set := pageView("x")
	set.Requests[0].Set("cdt", php.String(time.Now().AddDate(0, 0, -3).UTC().Format(time.DateTime)))
	set.Requests[0].Set("token_auth", php.String("0123456789abcdef0123456789abcdef"))
	i.add(t, set, 1)
	unknown := pageView("y")
	unknown.Requests[0].Set("idsite", php.String("99"))
	unknown.Requests[0].Set("url", php.String("https://garden.example.org/y?token_auth=0123456789abcdef0123456789abcdef"))
	i.add(t, unknown, 1)
	long := pageView(strings.Repeat("long", 1000))
	long.Requests[0].Set("idsite", php.String("\x1b[31m"))
	bulk := pageView("z")
	bulk.Requests = append(bulk.Requests, long.Requests[0])
	i.add(t, bulk, 1)
	r := i.ok(t, "process", "--num-queue-workers", "1", "--force-num-requests-process-at-once", "1", "--batch", "5", "-vv")
	const rejected = `msg="request rejected" queue=0 `
	contains(t, r.stderr, rejected+"offset=0 set=0 request=0 idsite=1 url=https://garden.example.org/x reason=",
		rejected+`offset=1 set=1 request=0 idsite=99 url="https://garden.example.org/y?token_auth=***" reason=`,
		rejected+`offset=2 set=2 request=1 idsite=\x1b[31m url=https://garden.example.org/longlong`, "long… reason=",
		"unknown site", "msg=batch")
	lacks(t, r.stdout+r.stderr, "0123456789abcdef0123456789abcdef", "\x1b", strings.Repeat("long", 60))
	contains(t, r.stdout, "Rejected: 3")
}

func TestDamagedEntriesAreCounted(t *testing.T) {
	i := newInstallation(t)
	ctx := context.Background()
	if err := i.backend.Append(ctx, queue.Key(0), []byte("no entry")); err != nil {
		t.Fatal(err)
	}
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "Dead letters: 1", "1 entry that could not be read", "queuedtracking failed list")
	if n, _ := i.backend.Len(ctx, queue.FailedKey(queue.Key(0))); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

func TestLockedQueuesAreLeftToTheirWorkers(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	if _, err := i.backend.SetIfNotExists(context.Background(), lock.Key(0), "another", time.Minute); err != nil {
		t.Fatal(err)
	}
	r := i.ok(t, "process", "--num-queue-workers", "1", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "Tracked: 0 of 0 requests", "1 request set waits in queue 0: locked by another worker")
	if i.waiting(t) != 1 {
		t.Error("the entry is gone")
	}
}

func TestSwitchedOffTrackingProcessesNothing(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[Tracker]\nrecord_statistics = 0")
	i.add(t, pageView("a"), 1)
	contains(t, i.ok(t, "process", "--force-num-requests-process-at-once", "1").stdout, "record_statistics = 0")
	if i.waiting(t) != 1 {
		t.Error("the entry is gone")
	}
}

// stepClock lets time pass only while the program sleeps.
type stepClock struct {
	now    time.Time
	sleeps int
	during func(sleeps int)
}

func (c *stepClock) into(p *program) {
	p.clock = func() time.Time { return c.now }
	p.sleep = func(_ context.Context, d time.Duration) {
		c.now = c.now.Add(d)
		c.sleeps++
		if c.during != nil {
			c.during(c.sleeps)
		}
	}
}

func TestAfterTenIdleSecondsACycleTakesTheRest(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	clock := &stepClock{now: time.Now()}
	r := i.run(t, []string{"process", "--cycle", "4", "--sleep", "4", "-v"}, clock.into)
	if r.status != statusDone || clock.sleeps != 3 {
		t.Fatalf("exit status %d after %d sleeps: %s", r.status, clock.sleeps, r.stderr)
	}
	contains(t, r.stderr, "this cycle also takes queues that hold less than a batch")
	contains(t, r.stdout, "Tracked: 1 of 1 request ")
	if n := strings.Count(r.stdout, "0 requests in 0.00 seconds"); n != 3 {
		t.Errorf("%d idle cycles, want 3:\n%s", n, r.stdout)
	}
}

func TestFirstSignalEndsTheCycles(t *testing.T) {
	i := newInstallation(t)
	clock := &stepClock{now: time.Now()}
	r := i.run(t, []string{"process", "--cycle", "0", "--delay", "9"}, func(p *program) {
		clock.into(p)
		clock.during = func(sleeps int) {
			if sleeps == 2 {
				p.signals <- syscall.SIGTERM
				<-p.stop
			}
		}
	})
	if r.status != statusDone || clock.sleeps != 3 { // the third one is the delay
		t.Errorf("exit status %d after %d sleeps: %s", r.status, clock.sleeps, r.stderr)
	}
	contains(t, r.stdout, "Tracked: 0 of 0 requests")
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	i := newInstallation(t)
	r := i.run(t, []string{"process", "--cycle", "0"}, func(p *program) {
		p.sleep = func(ctx context.Context, _ time.Duration) {
			p.signals <- os.Interrupt
			p.signals <- os.Interrupt
			<-ctx.Done()
		}
	})
	if r.status != statusFailed && r.status != statusDone {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}

// What keeps process from processing is said in one clear line; the exit status is 1 and the queue is as it was.
func TestProcessRefusesWhereRowsWouldComeOutWrong(t *testing.T) {
	closed := testserver.Redis(t, testserver.WithPassword("right"))
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, i *installation)
		args  []string
		want  []string
	}{
		{"no Matomo", func(t *testing.T, i *installation) { i.dir = t.TempDir() }, nil, []string{"no Matomo directory", "--matomo"}},
		{"configuration not readable", func(t *testing.T, i *installation) {
			file := filepath.Join(i.dir, "config", "config.ini.php")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"config.ini.php"}},
		{
			"database down", func(_ *testing.T, i *installation) { i.env["QUEUEDTRACKING_DB_PORT"] = "1" }, nil,
			[]string{"database", "127.0.0.1:1", "connection refused", "is the server running?"},
		},
		{
			"wrong database password", nil,
			[]string{"--db-user", "nobody", "--db-password", "wrong-secret"},
			[]string{"wrong password or user", "check username in --db-user, password in --db-password"},
		},
		{"unknown database", nil, []string{"--db-name", "elsewhere"}, []string{"no such database"}},
		{
			"other tables", func(t *testing.T, i *installation) { i.reconfigure(t, "matomo_", "other_") }, nil,
			[]string{"no table other_option", "tables_prefix"},
		},
		{"other version", func(t *testing.T, i *installation) {
			i.db.MustExec("UPDATE matomo_option SET option_value = '4.16.0' WHERE option_name = 'version_core'")
		}, nil, []string{"Matomo 4.16.0 is not supported", "--force-version"}},
		{
			"unknown tracker plugin", func(t *testing.T, i *installation) { i.reconfigure(t, "[Plugins]", "[Plugins]\nPlugins[] = Bandwidth") }, nil,
			[]string{"Bandwidth", "--ignore-plugins"},
		},
		{
			"no device data", func(t *testing.T, i *installation) { remove(t, i.dir, "vendor/matomo/device-detector") }, nil,
			[]string{"device-detector/regexes/bots.yml", "--without-device-detection"},
		},
		{
			"no list of search engines", func(t *testing.T, i *installation) { remove(t, i.dir, "vendor/matomo/searchengine-and-social-list") },
			[]string{"--without-device-detection"},
			[]string{"SearchEngines.yml"},
		},
		{"Redis down", nil, []string{"--redis-port", "1"}, []string{"redis 127.0.0.1:1", "connection refused"}},
		{"no Redis password", nil, []string{"--redis-port", port(closed)}, []string{"password is needed"}},
		{"wrong Redis password", nil, []string{"--redis-port", port(closed), "--redis-password", "wrong-secret"}, []string{"wrong password"}},
		{"wrong settings", nil, []string{"--num-queue-workers", "0"}, []string{"0 queue workers", "numQueueWorkers"}},
		{"no Sentinel", nil, []string{"--redis-type", "sentinel", "--redis-port", "1"}, []string{"127.0.0.1:1"}},
		{"Sentinels without ports", nil, []string{"--redis-type", "sentinel", "--redis-host", "a,b"}, []string{"redisPort"}},
		{"no cluster", nil, []string{"--redis-type", "3", "--redis-port", "1"}, []string{"127.0.0.1:1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstallation(t)
			i.add(t, pageView("a"), 1)
			if test.spoil != nil {
				test.spoil(t, i)
			}
			r := i.run(t, append([]string{"process", "--force-num-requests-process-at-once", "1"}, test.args...))
			if r.status != statusFailed {
				t.Errorf("exit status %d, want 1", r.status)
			}
			contains(t, r.stderr, test.want...)
			contains(t, r.stderr, "nothing was processed")
			lacks(t, r.stderr+r.stdout, "wrong-secret")
			if lines := strings.Count(r.stderr, "\n"); lines != 1 || r.stdout != "" {
				t.Errorf("%d lines:\n%s%s", lines, r.stderr, r.stdout)
			}
			if i.waiting(t) != 1 || i.count(t, "log_visit") != 0 {
				t.Error("the queue or the database was touched")
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

func port(s *testserver.RedisServer) string { return s.Addr[strings.LastIndexByte(s.Addr, ':')+1:] }

func TestRefusalsCanBeOverridden(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	i.setVersion("6.1.0")
	i.reconfigure(t, "[Plugins]", "[Plugins]\nPlugins[] = Bandwidth")
	remove(t, i.dir, "vendor/matomo/device-detector")
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1", "--force-version", "--ignore-plugins",
		"--without-device-detection")
	contains(t, r.stdout, "Tracked: 1 of 1 request ")
	contains(t, r.stderr, "Matomo 6.1.0", "plugin=Bandwidth")
}

func TestTwoProcessesShareTheQueues(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 1500, 4)
	results := make(chan result)
	for range 2 {
		go func() {
			results <- i.run(t, []string{"process", "--workers", "2", "--force-num-requests-process-at-once", "3", "--cycle", "3"}, func(p *program) {
				p.sleep = func(context.Context, time.Duration) {}
			})
		}()
	}
	requests, actions := 0, 0
	for range 2 {
		r := <-results
		if r.status != statusDone {
			t.Errorf("exit status %d: %s", r.status, r.stderr)
		}
		m := regexp.MustCompile(`of ([\d,]+) requests? \(.*, ([\d,]+) actions?,`).FindStringSubmatch(r.stdout)
		if m == nil {
			t.Fatal(r.stdout)
		}
		requests += atoi(t, strings.ReplaceAll(m[1], ",", ""))
		actions += atoi(t, strings.ReplaceAll(m[2], ",", ""))
	}
	rest := i.waiting(t)
	if rest > 4*2 {
		t.Errorf("%d sets are left, each queue may hold 2", rest)
	}
	contains(t, i.ok(t, "process", "--force-num-requests-process-at-once", "1").stdout, "Tracked: ")
	if n := i.count(t, "log_link_visit_action"); n < actions || i.waiting(t) != 0 {
		t.Errorf("%d rows for %d actions and what was left", n, actions)
	}
	if requests > 1500 || requests < 1500-int(rest)*5 {
		t.Errorf("%d requests were processed, %d sets were left of 1500", requests, rest)
	}
}

func TestQueuesLeftBehindAreMovedAndProcessed(t *testing.T) {
	i := newInstallation(t)
	requests := i.fill(t, 300, 8) // as long as there were 8 queues
	before := i.waiting(t)
	r := i.ok(t, "process", "--num-queue-workers", "2", "--dry-run")
	contains(t, r.stderr, "queue left behind", "queue=7")
	if i.waiting(t) != before {
		t.Fatal("a dry run has moved entries")
	}
	r = i.ok(t, "process", "--num-queue-workers", "2", "--force-num-requests-process-at-once", "1")
	contains(t, r.stdout, "of queues that were left behind", fmt.Sprintf("of %d requests", requests))
	if n := i.waiting(t); n != 0 {
		t.Errorf("%d sets are left", n)
	}
}
