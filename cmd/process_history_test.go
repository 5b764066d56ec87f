package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// monitored is what monitor --json shows.
func (i *installation) monitored(t *testing.T, change ...func(*program)) (s snapshot) {
	t.Helper()
	r := i.run(t, []string{"monitor", "--iterations", "1", "--json", "--days", "3"}, change...)
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || r.status != statusDone {
		t.Fatalf("%v: exit status %d\n%s%s", err, r.status, r.stdout, r.stderr)
	}
	return s
}

func onHost(name string, now time.Time) func(*program) {
	return func(p *program) {
		p.hostname = func() (string, error) { return name, nil }
		p.clock = func() time.Time { return now }
	}
}

// Two runs of cron, with -q, on two days and hosts: monitor shows afterwards what they did.
func TestMonitorShowsWhatQuietRunsDid(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 2")
	today := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	cron := func(host string, now time.Time) {
		t.Helper()
		r := i.run(t, []string{"process", "-q", "--force-num-requests-process-at-once", "1"}, onHost(host, now))
		if r.status != statusDone || r.stdout != "" || r.stderr != "" {
			t.Fatalf("exit status %d\n%s%s", r.status, r.stdout, r.stderr)
		}
	}
	unknown := pageView("c")
	unknown.Requests[0].Set("idsite", php.String("99"))
	i.addTo(t, 0, pageView("a"))
	i.addTo(t, 0, unknown)
	cron("web1", today.Add(-9*time.Hour))
	i.addTo(t, 0, pageView("a"))
	i.addTo(t, 1, pageView("b"))
	i.addTo(t, 1, unknown)
	cron("web2", today)

	r := i.run(t, []string{"monitor", "--iterations", "1"}, onHost("web3", today.Add(90*time.Second)))
	contains(t, r.stdout, "Today (UTC): 2 tracked, 1 rejected\n", "Today (UTC), queue 0: 1 tracked\n",
		"Today (UTC), queue 1: 1 tracked, 1 rejected\n",
		"Yesterday:   1 tracked, 1 rejected\n", "Last run:    1m 30s ago on web2\n")
	s := i.monitored(t, onHost("web3", today))
	if days := s.History.Days; len(days) != 3 || days[0].Queue(1).Rejected["unknown site"] != 1 ||
		days[1].Queue(0).Tracked != 1 ||
		days[1].Day != "2026-11-29" || len(days[2].Queues) != 0 || s.History.Total.All().Requests != 5 {
		t.Errorf("%+v", days)
	}
	s = i.monitored(t, onHost("web3", today.AddDate(0, 0, 2))) // after a quiet day
	if last := s.History.Total.LastRun; last == nil || !last.Time.Equal(today) || last.Host != "web2" {
		t.Errorf("last run %+v", last)
	}
}

func TestMonitorShowsDeadLettersAndTheLastError(t *testing.T) {
	i := withFailures(t)
	i.breaksDown(t, "-q")
	s := i.monitored(t)
	if s.DeadLetters != 3 || s.Queues[0].DeadLetters != 3 || s.History.Days[0].Queue(0).DeadLetters != 3 ||
		s.History.Total.Errors != 1 {
		t.Errorf("%d dead letters, %+v", s.DeadLetters, s.History)
	}
	contains(t, i.ok(t, "monitor", "--iterations", "1").stdout, "3 dead letters: see them with queuedtracking failed list",
		"Last error:  0s ago on ", "queue 0: ", "matomo_log_link_visit_action")
	if r := i.run(t, []string{"monitor", "--days", "36"}); r.status != statusUsage {
		t.Errorf("--days 36: exit status %d", r.status)
	}
}

// A Redis user that may not keep statistics, or not read them, keeps nobody from tracking and looking.
func TestRunsGoOnWithoutStatistics(t *testing.T) {
	rules := strings.NewReplacer("+hset", "", "+hgetall", "").Replace(documentedRules(t))
	server := testserver.Redis(t, testserver.WithUser(aclUser, aclPassword, rules))
	i := newInstallation(t)
	i.env["QUEUEDTRACKING_REDIS_HOST"], i.env["QUEUEDTRACKING_REDIS_PORT"] = server.Host, port(server)
	i.env["QUEUEDTRACKING_REDIS_DATABASE"] = "0"
	i.env["QUEUEDTRACKING_REDIS_USER"], i.env["QUEUEDTRACKING_REDIS_PASSWORD"] = aclUser, aclPassword
	r := i.ok(t, "process")
	if strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("says\n%s", r.stderr)
	}
	contains(t, r.stderr, "statistics cannot be kept", "docs/backends.md")
	contains(t, i.ok(t, "monitor", "--iterations", "1").stdout, "What runs did cannot be read", "not allowed")
	if s := i.monitored(t); s.History != nil || s.HistoryError == nil {
		t.Errorf("%+v", s)
	}
	contains(t, i.ok(t, "test").stdout, "notice   keep statistics", "HINCRBY")
}

// samples are the values of a metrics file by name and label.
func samples(t *testing.T, file string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]float64)
	for _, m := range regexp.MustCompile(`(?m)^(\w+)(?:\{\w+="(.*)"\})? (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatalf("%s: %v", m[0], err)
		}
		found[strings.TrimSuffix(m[1]+","+m[2], ",")] = value
	}
	return found
}

// The counters of the metrics file go on from run to run, whoever runs.
func TestMetricsFileCountsAllRuns(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1")
	dir := t.TempDir()
	file := filepath.Join(dir, "queuedtracking.prom")
	now := time.Now().Truncate(time.Second)
	for run := 1; run <= 3; run++ {
		i.add(t, pageView("a"), 1)
		r := i.run(t, []string{"process", "-q", "--metrics-file", file, "--force-num-requests-process-at-once", "1"},
			onHost("web1", now))
		if r.status != statusDone || r.stderr != "" {
			t.Fatalf("exit status %d\n%s", r.status, r.stderr)
		}
		got := samples(t, file)
		for name, want := range map[string]float64{
			"queuedtracking_tracked_requests_total,tracked": float64(run), "queuedtracking_tracked_requests_total,rejected": 0,
			"queuedtracking_written_rows_total,actions": float64(run), "queuedtracking_run_errors_total": 0,
			"queuedtracking_batch_duration_seconds_count":       float64(run),
			"queuedtracking_batch_duration_seconds_bucket,+Inf": float64(run),
			"queuedtracking_queue_length,0":                     0, "queuedtracking_queue_up": 1,
			"queuedtracking_last_run_timestamp_seconds": float64(now.Unix()),
		} {
			if value, ok := got[name]; !ok || value != want {
				t.Errorf("run %d: %s is %v, want %v", run, name, value, want)
			}
		}
		for name := range got {
			if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") { // node_exporter has its own
				t.Errorf("%s is in the file", name)
			}
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
	i.breaksDown(t, "-q", "--metrics-file", file)
	if got := samples(t, file); got["queuedtracking_run_errors_total"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestMetricsFileThatCannotBeWritten(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	r := i.run(t, []string{
		"process", "--force-num-requests-process-at-once", "1", "--metrics-file",
		filepath.Join(t.TempDir(), "none", "x.prom"),
	})
	if r.status != statusFailed || i.waiting(t) != 1 {
		t.Errorf("no such folder: exit status %d, %d sets wait", r.status, i.waiting(t))
	}
	contains(t, r.stderr, "--metrics-file", "no such file or directory", "nothing was processed")
	folder := filepath.Join(t.TempDir(), "is-a-folder.prom")
	if err := os.MkdirAll(filepath.Join(folder, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	r = i.run(t, []string{"process", "--force-num-requests-process-at-once", "1", "--metrics-file", folder})
	if r.status != statusFailed || i.waiting(t) != 0 {
		t.Errorf("a folder: exit status %d, %d sets wait", r.status, i.waiting(t))
	}
	contains(t, r.stderr, "metrics file: ")
}

// A run that goes on for ever writes statistics and metrics file meanwhile.
func TestLongRunsWriteMeanwhile(t *testing.T) {
	i := newInstallation(t)
	file := filepath.Join(t.TempDir(), "queuedtracking.prom")
	i.add(t, pageView("a"), 1)
	var seen map[string]float64
	i.forEver(t, 70, func(cycle int) {
		if _, err := os.Stat(file); err == nil && seen == nil {
			seen = samples(t, file)
		}
	}, "--metrics-file", file)
	if seen["queuedtracking_tracked_requests_total,tracked"] != 1 {
		t.Errorf("%v", seen)
	}
}

// What keeps cron from processing is seen, too: an update of Matomo at night, for instance.
func TestRefusalAtStartIsSeenAfterwards(t *testing.T) {
	i := newInstallation(t)
	i.ok(t, "process")
	before := i.monitored(t).History.Total.LastRun.Time
	i.setVersion("9.0.0")
	file := filepath.Join(t.TempDir(), "queuedtracking.prom")
	if r := i.run(t, []string{"process", "-q", "--metrics-file", file}); r.status != statusFailed {
		t.Fatalf("exit status %d", r.status)
	}
	total := i.monitored(t).History.Total
	if total.Errors != 1 || total.LastError == nil || !total.LastRun.Time.Equal(before) {
		t.Fatalf("%+v", total)
	}
	contains(t, total.LastError.Error, "Matomo 9.0.0 is not supported")
	if got := samples(t, file)["queuedtracking_run_errors_total"]; got != 1 {
		t.Errorf("%v errors in the metrics file", got)
	}
	i.run(t, []string{"process", "--dry-run"})
	i.setVersion("5.1.2")
	i.run(t, []string{"process", "--queue-id", "99"})
	if total := i.monitored(t).History.Total; total.Errors != 1 {
		t.Errorf("%d errors", total.Errors)
	}
}

func TestDryRunsLeaveNoStatistics(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	i.ok(t, "process", "--dry-run", "--force-num-requests-process-at-once", "1")
	if s := i.monitored(t); s.History.Total.LastRun != nil || len(s.History.Total.Queues) != 0 {
		t.Errorf("%+v", s.History.Total)
	}
}
