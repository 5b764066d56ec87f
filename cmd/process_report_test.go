package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// forEver is process --cycle 0 that is told to end after so many cycles; each is called before the next one.
func (i *installation) forEver(t *testing.T, cycles int, each func(cycle int), args ...string) result {
	t.Helper()
	clock := &stepClock{now: time.Now()}
	r := i.run(t, append([]string{
		"process", "--cycle", "0", "--sleep", "1", "--force-num-requests-process-at-once",
		"1",
	}, args...), func(p *program) {
		clock.into(p)
		clock.during = func(sleeps int) {
			if each != nil {
				each(sleeps)
			}
			if sleeps == cycles {
				p.signals <- syscall.SIGTERM
				<-p.stop
			}
		}
	})
	if r.status != statusDone {
		t.Fatalf("exit status %d\n%s", r.status, r.stderr)
	}
	return r
}

func TestEmptyCyclesSayNothing(t *testing.T) {
	i := newInstallation(t)
	const summary = "Tracked: 0 of 0 requests (0 new visits, 0 actions, 0 conversions)\n"
	if r := i.forEver(t, 130, nil); r.stdout != summary || r.stderr != "" {
		t.Errorf("130 idle seconds say:\n%s%s", r.stdout, r.stderr)
	}
	if r := i.ok(t, "process"); r.stdout != "0 requests in 0.00 seconds, 0 req/s\n"+summary &&
		!strings.HasPrefix(r.stdout, "0 requests in 0.0") {
		t.Errorf("a single run says:\n%s", r.stdout)
	}
	if r := i.forEver(t, 3, nil, "-v"); strings.Count(r.stdout, "0 requests in 0.00 seconds") != 3 {
		t.Errorf("-v says:\n%s", r.stdout)
	}
}

func TestBusyCyclesAreToldOfOnceAMinute(t *testing.T) {
	i := newInstallation(t)
	add := func(int) { i.add(t, pageView("a"), 1) }
	add(0)
	r := i.forEver(t, 150, add)
	lines := strings.SplitAfter(r.stdout, "\n")
	if len(lines) < 4 {
		t.Fatalf("says:\n%s", r.stdout)
	}
	if lines[0] != "1 request in 0.00 seconds, 1 req/s: 1 tracked\n" ||
		lines[1] != "60 requests in 59.00 seconds, 1 req/s: 60 tracked\n" ||
		lines[2] != "60 requests in 59.00 seconds, 1 req/s: 60 tracked\n" || !strings.HasPrefix(lines[3],
		"Tracked: 150 of 150") {
		t.Errorf("says:\n%s", r.stdout)
	}
}

// A cycle that does not end, because there is always something to do, is told of as well.
func TestLongCyclesAreToldOfEachMinute(t *testing.T) {
	var out testserver.Buffer
	now := time.Now()
	c := &processCommand{program: &program{stdout: &out, clock: func() time.Time { return now }}}
	for range 200 {
		now = now.Add(time.Second)
		c.reportBatch(replay.Report{Duration: time.Second, Undecodable: 1, Recovered: 2, Result: tracker.Result{
			Requests: 10, Tracked: 7, Excluded: map[string]int{"bot": 2}, Failed: 1,
		}})
	}
	const line = "600 requests in 60.00 seconds, 10 req/s: " +
		"420 tracked, 120 excluded, 120 dead letters, 120 entries recovered\n"
	if strings.Count(out.String(), line) != 3 || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("says:\n%s", out.String())
	}
}

func TestDryRunsSpeakInTheConditional(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	bot := pageView("b")
	bot.Env.Server.Set("HTTP_USER_AGENT", php.String("Googlebot/2.1"))
	i.add(t, bot, 1)
	unknown := pageView("c")
	unknown.Requests[0].Set("idsite", php.String("99"))
	i.add(t, unknown, 1)
	if err := i.backend.Append(t.Context(), queue.Key(0), []byte("no entry")); err != nil {
		t.Fatal(err)
	}
	args := []string{"process", "--num-queue-workers", "1", "--force-num-requests-process-at-once", "1"}
	dry := i.ok(t, append(args, "--dry-run")...).stdout
	contains(t, dry, "Would be tracked: 1 of 3 requests\n", "\nWould be excluded: 1\n",
		"\nWould be rejected: 1\n  1 unknown site\n",
		"\nWould be put aside as dead letters: 1\n  1 entry that cannot be read\n")
	lacks(t, dry, "\nExcluded", "\nRejected", "\nDead letters", "failed list", "wait")
	contains(t, i.ok(t, args...).stdout, "\nExcluded: 1\n", "\nRejected: 1\n  1 unknown site\n",
		"\nDead letters: 1\n  1 entry that could not be read\n  see them with: queuedtracking failed list\n")
	contains(t, i.ok(t, "process", "--help").stdout, "A dry run judges each batch by itself")
}

func TestSummaryAsJSON(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 300, 4)
	i.add(t, pageView("a"), 1)
	r := i.ok(t, "process", "--json", "--num-queue-workers", "4", "--queue-id", "1",
		"--force-num-requests-process-at-once", "1")
	summaries := jsonLines(t, r.stdout)
	if len(summaries) != 1 {
		t.Fatalf("%d objects:\n%s", len(summaries), r.stdout)
	}
	got := summaries[0]
	for _, key := range []string{
		"time", "final", "dry_run", "seconds", "batches", "request_sets", "requests", "tracked", "visits", "actions",
		"conversions",
		"bot_requests", "excluded", "rejected", "dead_letters", "recovered", "retries", "waiting", "error",
	} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %q in %s", key, r.stdout)
		}
	}
	total := got["tracked"].(float64) + sumOf(got["excluded"]) + sumOf(got["rejected"]) + got["dead_letters"].(float64)
	if got["final"] != true || got["requests"].(float64) == 0 || total != got["requests"] || got["error"] != nil {
		t.Errorf("%s", r.stdout)
	}
	waiting := got["waiting"].([]any)
	if len(waiting) != 3 || waiting[0].(map[string]any)["queue"] != 0.0 ||
		waiting[0].(map[string]any)["reason"] != "not_asked_for" {
		t.Errorf("waiting: %v", waiting)
	}

	i.configure(t, "[Tracker]\nrecord_statistics = 0")
	off := jsonLines(t, i.ok(t, "process", "--json").stdout)
	if len(off) != 1 || off[0]["waiting"].([]any)[0].(map[string]any)["reason"] != "tracking_switched_off" {
		t.Errorf("switched off: %v", off)
	}
}

func TestEachSummaryOfManyCyclesIsAJSONObject(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 8) // a queue that will be moved
	r := i.forEver(t, 70, func(int) { i.add(t, pageView("b"), 1) }, "--json", "--num-queue-workers", "1",
		"--metrics-listen", "127.0.0.1:0")
	got := jsonLines(t, r.stdout)
	if len(got) != 3 {
		t.Fatalf("%d objects:\n%s", len(got), r.stdout)
	}
	requests := 0.0
	for n, object := range got[:2] {
		requests += object["requests"].(float64)
		if _, told := object["waiting"]; told || object["final"] != false {
			t.Errorf("object %d: %v", n, object)
		}
	}
	if got[2]["final"] != true || got[2]["requests"] != 70.0 || requests > 70 || requests < 60 {
		t.Errorf("%s", r.stdout)
	}
}

// What ends a run is in its summary, and in the exit status.
func TestErrorIsInTheJSONSummary(t *testing.T) {
	i := newInstallation(t)
	r := i.breaksDown(t, "--json")
	got := jsonLines(t, r.stdout)
	if len(got) != 1 || !strings.Contains(fmt.Sprint(got[0]["error"]), "matomo_log_link_visit_action") ||
		got[0]["waiting"].([]any)[0].(map[string]any)["reason"] != "error" {
		t.Errorf("says %s", r.stdout)
	}
}

// breaksDown is a run that fails in its second cycle: a table has gone.
func (i *installation) breaksDown(t *testing.T, args ...string) result {
	t.Helper()
	clock := &stepClock{now: time.Now(), during: func(int) {
		i.db.MustExec("DROP TABLE matomo_log_link_visit_action")
		i.add(t, pageView("a"), 1)
	}}
	args = append([]string{"process", "--cycle", "2", "--force-num-requests-process-at-once", "1"}, args...)
	r := i.run(t, args, clock.into)
	if r.status != statusFailed {
		t.Fatalf("exit status %d\n%s", r.status, r.stderr)
	}
	return r
}

func jsonLines(t *testing.T, text string) (objects []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		objects = append(objects, object)
	}
	return objects
}

func sumOf(counts any) (total float64) {
	for _, n := range counts.(map[string]any) {
		total += n.(float64)
	}
	return total
}

// A run that ends to be started anew has not failed.
func TestRunThatIsStartedAnewHasNotFailed(t *testing.T) {
	i := newInstallation(t)
	clock := &stepClock{now: time.Now(), during: func(int) {
		i.add(t, pageView("a"), 1)
		i.configure(t, "; changed")
	}}
	args := []string{"process", "--cycle", "0", "--json", "--force-num-requests-process-at-once", "1"}
	r := i.run(t, args, clock.into)
	got := jsonLines(t, r.stdout)
	if r.status != statusAgain || len(got) != 1 || got[0]["error"] != nil ||
		got[0]["waiting"].([]any)[0].(map[string]any)["reason"] != "stopped" {
		t.Errorf("exit status %d: %s%s", r.status, r.stdout, r.stderr)
	}
	if total := i.monitored(t).History.Total; total.Errors != 0 || total.LastRun == nil {
		t.Errorf("%+v", total)
	}
}
