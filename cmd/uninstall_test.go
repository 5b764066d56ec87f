package cmd

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/traces"
	"github.com/queuedtracking/queuedtracking/queue"
)

// left are the traces that uninstall --dry-run lists, by kind.
func (i *installation) left(t *testing.T) map[traces.Kind]int {
	t.Helper()
	found := make(map[traces.Kind]int)
	for line := range strings.Lines(i.ok(t, "uninstall", "--dry-run", "--json").stdout) {
		var f foundTrace
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[f.Kind]++
	}
	return found
}

func TestUninstallRemovesWhatRunsHaveLeft(t *testing.T) {
	i := withFailures(t)
	before := i.left(t)
	if before[traces.Checkpoint] != 1 || before[traces.Counter] != 1 || before[traces.Letters] != 1 ||
		before[traces.Statistics] < 2 {
		t.Errorf("%v, want a checkpoint, a counter, dead letters and statistics", before)
	}
	if r := i.run(t, []string{"uninstall"}); r.status != statusUsage || !strings.Contains(r.stderr, "--yes") {
		t.Errorf("without --yes: exit status %d, %s", r.status, r.stderr)
	}
	i.lock(t, 0)
	r := i.run(t, []string{"uninstall", "--yes"})
	if now := i.left(t); r.status != statusFailed || now[traces.Checkpoint] != 1 || now[traces.Counter] != 1 {
		t.Errorf("with queue 0 locked: exit status %d, %s, left %v", r.status, r.stderr, now)
	}
	contains(t, r.stdout, "kept: a worker has locked the queue")
	i.ok(t, "unlock", "0")
	contains(t, i.ok(t, "uninstall", "--yes").stdout, "3 dead letters", "kept: failed retry", "removed")
	if now := i.left(t); len(now) != 1 || now[traces.Letters] != 1 {
		t.Errorf("left: %v, want dead letters alone", now)
	}
	i.ok(t, "uninstall", "--yes", "--dead-letters")
	contains(t, i.ok(t, "uninstall", "--yes").stdout, "Nothing of this program is left")
}

// Options that belong to no queue go, too: one of a killed trial, the checkpoint of a list that no queue has.
func TestUninstallRemovesOptionsOfNoQueue(t *testing.T) {
	i := newInstallation(t)
	i.db.MustExec("INSERT INTO matomo_option (option_name, option_value, autoload) VALUES " +
		"('QueuedTracking.trial.17', '', 2), ('QueuedTracking.replayed.other', '5 abcd', 0)")
	if now := i.left(t); now[traces.Trial] != 1 || now[traces.Checkpoint] != 1 {
		t.Errorf("%v, want a trial and a checkpoint", now)
	}
	i.ok(t, "uninstall", "--yes")
	if now := i.left(t); len(now) != 0 {
		t.Errorf("left: %v, want nothing", now)
	}
}

// What a killed worker has committed and not removed would be tracked again without the checkpoint.
func TestUninstallFinishesAKilledWorkersBatch(t *testing.T) {
	i := newInstallation(t)
	ctx := context.Background()
	i.fill(t, 30, 1)
	list := queue.Key(0)
	head, err := i.backend.Head(ctx, list, 100)
	if err != nil {
		t.Fatal(err)
	}
	i.ok(t, "process", "--force-num-requests-process-at-once", "1", "--batch", "100")
	actions := i.count(t, "log_link_visit_action")
	if _, err := i.backend.Delete(ctx, queue.OffsetKey(list)); err != nil { // as before the removal
		t.Fatal(err)
	}
	if err := i.backend.Append(ctx, list, head.Elements...); err != nil {
		t.Fatal(err)
	}
	i.ok(t, "uninstall", "--yes")
	if n, now := i.waiting(t), i.left(t); n != 0 || len(now) != 0 {
		t.Errorf("%d entries wait, left %v; want none", n, now)
	}
	i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	if n := i.count(t, "log_link_visit_action"); n != actions {
		t.Errorf("%d actions, want %d", n, actions)
	}
}

// What a backup of Redis brings back is tracked again after uninstall, and only then (docs/operate.md).
func TestRestoredEntriesAreTrackedAgainAfterUninstall(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 30, 1)
	list := queue.Key(0)
	head, err := i.backend.Head(t.Context(), list, 100)
	if err != nil {
		t.Fatal(err)
	}
	process := []string{"process", "--force-num-requests-process-at-once", "1", "--batch", "100"}
	i.ok(t, process...)
	actions := i.count(t, "log_link_visit_action")
	restore := func() {
		if _, err := i.backend.Delete(t.Context(), queue.OffsetKey(list)); err != nil {
			t.Fatal(err)
		}
		if err := i.backend.Append(t.Context(), list, head.Elements...); err != nil {
			t.Fatal(err)
		}
	}
	restore()
	contains(t, i.ok(t, process...).stdout, "that an earlier run had committed and not removed: removed")
	if n := i.count(t, "log_link_visit_action"); n != actions {
		t.Errorf("%d actions, want %d as before", n, actions)
	}
	i.ok(t, "uninstall", "--yes")
	restore()
	i.ok(t, process...)
	if n := i.count(t, "log_link_visit_action"); n != 2*actions {
		t.Errorf("%d actions, want %d again", n, actions)
	}
}
