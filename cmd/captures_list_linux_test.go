package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

var captures = []capture{
	{name: "help", args: "--help"},
	{name: "help-process", args: "process --help"},
	{name: "help-monitor", args: "monitor --help"},
	{name: "help-serve", args: "serve --help"},
	{name: "help-failed-delete", args: "failed delete --help"},
	{name: "help-verify", args: "verify --help"},
	{name: "help-settings", args: "help settings"},
	{name: "version", args: "version"},
	{name: "unknown-command", args: "proces --batch auto"},
	{name: "unknown-flag", args: "process --bacth auto"},
	{name: "test", args: "test"},
	{name: "test-v", args: "test -v"},
	{name: "verify-other-database", args: "verify"},
	{name: "test-redis-down", args: "test --redis-port 1"},
	{
		name: "process", changes: true, args: "process --force-num-requests-process-at-once 1 --batch 50",
		stage: stageTraffic,
	},
	{
		name: "process-v", changes: true, args: "process --force-num-requests-process-at-once 1 --batch 50 -v",
		stage: stageTraffic,
	},
	{name: "process-empty", args: "process"},
	{name: "process-waiting", args: "process", stage: stageFew},
	{
		name: "process-dry-run", args: "process --force-num-requests-process-at-once 1 --batch 50 --dry-run",
		stage: stageTraffic,
	},
	{name: "process-locked", changes: true, args: "process --force-num-requests-process-at-once 1", stage: stageLocked},
	{name: "monitor", changes: true, args: "monitor --iterations 2 --interval 20ms", stage: stageBacklog, change: shrink},
	{
		name: "monitor-graphs", changes: true, screens: true, args: "monitor --iterations 44 --interval 10ms",
		stage: stageBacklog, change: workAndArrive,
	},
	{name: "monitor-once", args: "monitor --once --warn 20 --warn-age 5m --crit-age 1h", stage: stageBacklog},
	{name: "monitor-after-runs", args: "monitor --once", stage: stageRuns},
	{name: "uninstall", args: "uninstall --dry-run", stage: stageRuns},
	{name: "monitor-json", args: "monitor --once --json", stage: stageBacklog},
	{name: "lock-status", args: "lock-status", stage: stageLocks},
	{name: "lock-status-none", args: "lock-status"},
	{name: "unlock", changes: true, args: "unlock 0 QueuedTrackingLock1", stage: stageLocks},
	{name: "unlock-all", changes: true, args: "unlock --all", stage: stageLocks, answer: "n\n"},
	{name: "print-queued-requests", args: "print-queued-requests --limit 3", stage: stageBacklog},
	{name: "print-queued-requests-v", args: "print-queued-requests --queue-id 0 --limit 1 -v", stage: stageBacklog},
	{name: "print-queued-requests-json", args: "print-queued-requests --queue-id 0 --limit 1 --json", stage: stageBacklog},
	{name: "failed-list", args: "failed list", stage: stageFailed},
	{name: "failed-show", args: "failed show --all --reason data", stage: stageFailed},
	{name: "failed-retry", changes: true, args: "failed retry --all", stage: stageFailed},
	{name: "failed-delete", changes: true, args: "failed delete --all", stage: stageFailed, answer: "y\n"},
	{name: "serve", args: "serve --listen 127.0.0.1:0", change: stopAtOnce},
	{name: "demo", args: "demo --requests 300"},
}

// stopAtOnce is a signal right at the start.
func stopAtOnce(_ *testing.T, _ *installation, p *program) { close(p.stop) }

// setAt is a request set of a page view, queued that long before the captures.
func setAt(title string, before time.Duration) queue.RequestSet {
	set := pageView(title)
	set.Time = captureTime.Add(-before).Unix()
	return set
}

// stageFew queues less than a batch.
func stageFew(t *testing.T, i *installation) {
	for n := range 10 {
		i.add(t, setAt(fmt.Sprintf("page-%d", n), time.Minute), 4)
	}
}

// stageBacklog queues requests of many visitors, the oldest twelve minutes old.
func stageBacklog(t *testing.T, i *installation) {
	i.add(t, setAt("a-page-with-a-rather-long-address/that-does-not-fit/into-narrow-tables/at-all.html", 12*time.Minute),
		4)
	for _, set := range traffic(t, 120) {
		i.add(t, set, 4)
	}
}

// traffic are requests of the demo's visitors, bots and requests without rights among them.
func traffic(t *testing.T, requests int) []queue.RequestSet {
	g, err := demo.NewGenerator(os.DirFS("../testdata"), 7, captureTime.Truncate(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	sets := g.Sets(requests)
	for n := range sets {
		sets[n].Time = captureTime.Add(-10 * time.Minute).Unix()
	}
	return sets
}

// stageTraffic queues what is tracked, excluded, rejected and put aside.
func stageTraffic(t *testing.T, i *installation) {
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	for _, set := range traffic(t, 600) {
		i.add(t, set, 4)
	}
	set := setAt("damaging", time.Minute)
	set.Requests[0].Set("uid", php.String(strings.Repeat("too-long-", 8)))
	i.add(t, set, 4)
	if err := i.backend.Append(context.Background(), queue.Key(0), []byte("no entry")); err != nil {
		t.Fatal(err)
	}
}

// stageRuns leaves what runs count.
func stageRuns(t *testing.T, i *installation) {
	stageTraffic(t, i)
	i.ok(t, "process", "--force-num-requests-process-at-once", "1", "--batch", "50")
	i.clock = func() time.Time { return captureTime.Add(90 * time.Second) }
}

// stageFailed leaves dead letters.
func stageFailed(t *testing.T, i *installation) {
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1")
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	for _, title := range []string{"first", "second"} {
		set := setAt(title, time.Minute)
		set.Requests[0].Set("uid", php.String(strings.Repeat(title+"-", 10)))
		set.Requests[0].Set("token_auth", php.String(token))
		i.add(t, set, 1)
	}
	if err := i.backend.Append(context.Background(), queue.Key(0), []byte("no entry \x1b[31m")); err != nil {
		t.Fatal(err)
	}
	i.ok(t, "process", "--force-num-requests-process-at-once", "1")
}

// stageLocked queues requests of one visitor, and locks that visitor's queue.
func stageLocked(t *testing.T, i *installation) {
	stageFew(t, i)
	i.lock(t, 2)
}

// stageLocks locks two queues.
func stageLocks(t *testing.T, i *installation) {
	i.lock(t, 0)
	i.lock(t, 1)
}

// shrink takes entries out of a queue whenever somebody looks at the clock, two seconds after the other.
func shrink(t *testing.T, i *installation, p *program) {
	i.lock(t, 0)
	redis := i.redis.DialDatabase(t, atoi(t, i.env["QUEUEDTRACKING_REDIS_DATABASE"]))
	now := captureTime
	p.sleep = func(context.Context, time.Duration) {}
	p.clock = func() time.Time {
		now = now.Add(2 * time.Second)
		if _, err := redis.Do("LTRIM", queue.Key(0), 1, -1); err != nil {
			t.Error(err)
		}
		return now
	}
}

// workAndArrive lets three sets come into the second queue and takes away some of the first, more and more, whenever
// somebody looks at the clock, on a terminal that has the characters of graphs.
func workAndArrive(t *testing.T, i *installation, p *program) {
	i.lock(t, 0)
	i.env["LANG"] = "C.UTF-8"
	redis := i.redis.DialDatabase(t, atoi(t, i.env["QUEUEDTRACKING_REDIS_DATABASE"]))
	set, err := queue.Encode(setAt("another", 0))
	if err != nil {
		t.Fatal(err)
	}
	do := func(command string, args ...any) {
		if _, err := redis.Do(command, args...); err != nil {
			t.Error(err)
		}
	}
	for range 700 {
		do("RPUSH", queue.Key(0), set)
	}
	now, looks := captureTime, 0
	p.sleep = func(context.Context, time.Duration) {}
	p.clock = func() time.Time {
		now, looks = now.Add(2*time.Second), looks+1
		do("LTRIM", queue.Key(0), looks/2, -1)
		if looks%8 < 4 {
			do("RPUSH", queue.Key(1), set, set, set)
		}
		return now
	}
}

// ownRedis gives the installation the first database of a server of its own, whose memory is some twenty MiB: no
// number is longer another time.
func (i *installation) ownRedis(t *testing.T) {
	t.Helper()
	i.redis = testserver.Redis(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: i.redis.Host, Port: i.redis.Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	i.backend = backend
	if _, err := i.redis.DialDatabase(t, 0).Do("SET", "filler", strings.Repeat("x", 20<<20)); err != nil {
		t.Fatal(err)
	}
	i.env["QUEUEDTRACKING_REDIS_PORT"], i.env["QUEUEDTRACKING_REDIS_DATABASE"] = port(i.redis), "0"
}

// shortDir gives the installation's directory a short name, whatever the test is called.
func (i *installation) shortDir(t *testing.T) {
	t.Helper()
	parent, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	short := filepath.Join(parent, "m")
	if err := os.Symlink(i.dir, short); err != nil {
		t.Fatal(err)
	}
	i.dir = short
}
