package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestProcessForEverTellsItsMetrics(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1")
	i.add(t, pageView("a"), 1)
	clock := &stepClock{now: time.Now()}
	var out testserver.Buffer
	var told, health string
	clock.during = func(int) { // between two cycles
		if told = scrape(t, out.String(), "/metrics"); strings.Contains(told, `result="tracked"} 1`) {
			health = scrape(t, out.String(), "/readyz")
		}
	}
	r := i.run(t, []string{"process", "--cycle", "3", "--force-num-requests-process-at-once", "1", "--metrics-listen", "127.0.0.1:0"},
		clock.into, func(p *program) { p.stdout = &out })
	if r.status != statusDone {
		t.Fatalf("exit status %d\n%s", r.status, r.stderr)
	}
	contains(t, told, `queuedtracking_tracked_requests_total{result="tracked"} 1`, `queuedtracking_written_rows_total{table="visits"} 1`,
		"queuedtracking_batch_duration_seconds_count 1", "queuedtracking_queue_up 1", `queuedtracking_queue_length{queue="0"} 0`)
	if health != "ready\n" {
		t.Errorf("/readyz: %q", health)
	}
}

func TestProcessRefusesAnAddressThatItCannotListenOn(t *testing.T) {
	i := newInstallation(t)
	i.add(t, pageView("a"), 1)
	r := i.run(t, []string{"process", "--metrics-listen", "nowhere"})
	if r.status != statusFailed || !strings.Contains(r.stderr, "listen on nowhere") || i.waiting(t) != 1 {
		t.Errorf("exit status %d, %d sets wait: %s", r.status, i.waiting(t), r.stderr)
	}
}
