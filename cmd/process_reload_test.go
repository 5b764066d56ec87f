package cmd

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// setting stores a setting of the plugin, as its page in Matomo does.
func (i *installation) setting(name, value string) {
	i.db.MustExec("DELETE FROM matomo_plugin_setting WHERE plugin_name = 'QueuedTracking' AND setting_name = ?", name)
	i.db.MustExec("INSERT INTO matomo_plugin_setting (plugin_name, setting_name, setting_value) VALUES ('QueuedTracking', ?, ?)", name, value)
}

// pushInto puts a page view into one queue.
func (i *installation) pushInto(t *testing.T, id int, title string) {
	t.Helper()
	element, err := queue.Encode(pageView(title))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.backend.Append(context.Background(), queue.Key(id), element); err != nil {
		t.Fatal(err)
	}
}

// between runs a step of a test after each cycle, and ends the program after the last one.
func between(clock *stepClock, steps ...func()) func(*program) {
	return func(p *program) {
		clock.into(p)
		clock.during = func(sleeps int) {
			if sleeps <= len(steps) {
				steps[sleeps-1]()
				return
			}
			p.signals <- syscall.SIGTERM
			<-p.stop
		}
	}
}

func TestNumberOfQueuesIsReadForEachCycle(t *testing.T) {
	i := newInstallation(t)
	i.setting("numQueueWorkers", "1")
	i.setting("numRequestsToProcess", "1")
	var out testserver.Buffer
	var raised, lowered string
	r := i.run(t, []string{"process", "--cycle", "0", "--metrics-listen", "127.0.0.1:0"},
		between(&stepClock{now: time.Now()},
			func() {
				i.pushInto(t, 5, "raised")
				i.setting("numQueueWorkers", "6")
			},
			func() {
				if n := i.count(t, "log_link_visit_action"); n != 1 {
					t.Errorf("%d rows of queue 5", n)
				}
				raised = scrape(t, out.String(), "/metrics")
				i.pushInto(t, 5, "lowered")
				i.setting("numQueueWorkers", "2")
				i.setting("numRequestsToProcess", "3")
			},
			func() { // moved into a queue that holds less than a batch
				if n := i.waiting(t); n != 1 {
					t.Errorf("%d sets wait", n)
				}
				lowered = scrape(t, out.String(), "/metrics")
				i.setting("numRequestsToProcess", "1")
			},
		), func(p *program) { p.stdout = &out })
	if r.status != statusDone || i.waiting(t) != 0 || i.count(t, "log_link_visit_action") != 2 {
		t.Errorf("exit status %d, %d sets wait, %d rows: %s", r.status, i.waiting(t), i.count(t, "log_link_visit_action"),
			r.stderr)
	}
	contains(t, out.String(), "Settings have changed: redis", "6 queues, 1 request per batch",
		"2 queues, 3 requests per batch", "Moved 1 request set of queues")
	contains(t, raised, `queuedtracking_queue_length{queue="5"} 0`)
	contains(t, lowered, `queuedtracking_queue_length{queue="1"}`)
	lacks(t, lowered, `queue="2"`)
}

func TestGoalsAndSitesAreReadForEachCycle(t *testing.T) {
	i := newInstallation(t)
	i.setting("numRequestsToProcess", "1")
	i.pushInto(t, 0, "a")
	r := i.run(t, []string{"process", "--cycle", "0"}, between(&stepClock{now: time.Now()},
		func() {
			if n := i.count(t, "log_conversion"); n != 0 {
				t.Errorf("%d conversions", n)
			}
			i.db.MustExec("INSERT INTO matomo_goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, case_sensitive, allow_multiple, revenue) " +
				"VALUES (1, 77, 'new', 'title', 'b', 'contains', 0, 1, 0)")
			i.pushInto(t, 0, "b")
		},
		func() {
			if n := i.count(t, "log_conversion"); n != 1 {
				t.Errorf("%d conversions of the new goal", n)
			}
			i.db.MustExec("INSERT INTO matomo_option VALUES ('SitesManager_ExcludedIpsGlobal', '0.0.0.0/0', 1) " +
				"ON DUPLICATE KEY UPDATE option_value = '0.0.0.0/0'")
			i.pushInto(t, 0, "c")
		},
	))
	if r.status != statusDone || i.count(t, "log_link_visit_action") != 2 {
		t.Errorf("exit status %d, %d rows: %s", r.status, i.count(t, "log_link_visit_action"), r.stderr)
	}
	contains(t, r.stdout, "Excluded: 1")
}

func TestProcessEndsToBeStartedAnew(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, i *installation)
		want   string
	}{
		{"configuration", func(t *testing.T, i *installation) { i.configure(t, "[Tracker]\nvisit_standard_length = 99") }, "config/config.ini.php has changed"},
		{"update", func(_ *testing.T, i *installation) { i.setVersion("5.2.0") }, "Matomo's option version_core has changed"},
		{"other Redis", func(_ *testing.T, i *installation) { i.setting("redisTimeout", "7") }, "the queues are elsewhere now"},
		{"fewer queues", func(_ *testing.T, i *installation) { i.setting("numQueueWorkers", "1") }, "--queue-id 2: the number of queues is 1 now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstallation(t)
			i.setting("numQueueWorkers", "3")
			i.setting("numRequestsToProcess", "1")
			i.pushInto(t, 2, "a")
			r := i.run(t, []string{"process", "--cycle", "0", "--sleep", "61", "--queue-id", "2"},
				between(&stepClock{now: time.Now()},
					func() { i.pushInto(t, 2, "b"); test.change(t, i) },
					func() { t.Error("the run goes on") },
				))
			if r.status != statusAgain || i.waiting(t) != 1 {
				t.Errorf("exit status %d, %d sets wait", r.status, i.waiting(t))
			}
			contains(t, r.stderr, "this run ends, to be started anew", test.want)
			contains(t, r.stdout, "Tracked: 1 of 1 request ")
		})
	}
}

// What cannot be read, or cannot work, changes nothing.
func TestLastSettingsHoldWhileNewOnesAreOfNoUse(t *testing.T) {
	i := newInstallation(t)
	i.setting("numQueueWorkers", "3")
	i.setting("numRequestsToProcess", "1")
	r := i.run(t, []string{"process", "--cycle", "0"}, between(&stepClock{now: time.Now()},
		func() { i.pushInto(t, 2, "a"); i.setting("numQueueWorkers", "0") },
		func() {
			if n := i.waiting(t); n != 0 {
				t.Errorf("%d sets wait", n)
			}
		},
	))
	if r.status != statusDone {
		t.Errorf("exit status %d", r.status)
	}
	contains(t, r.stderr, "the last ones hold", "numQueueWorkers to 1")
}

func TestHangUpMakesAServiceReadItsSettings(t *testing.T) {
	i := newInstallation(t)
	i.setting("numRequestsToProcess", "9")
	i.pushInto(t, 0, "a")
	naps := 0
	r := i.run(t, []string{"process", "--cycle", "0", "--sleep", "1000"}, func(p *program) {
		p.sleep = func(ctx context.Context, _ time.Duration) {
			if naps++; naps == 1 {
				i.setting("numRequestsToProcess", "1")
				p.signals <- syscall.SIGHUP
				<-ctx.Done()
				return
			}
			p.signals <- syscall.SIGTERM
			<-p.stop
		}
	})
	if r.status != statusDone || naps != 2 || i.waiting(t) != 0 {
		t.Errorf("exit status %d after %d naps, %d sets wait: %s", r.status, naps, i.waiting(t), r.stderr)
	}
	contains(t, r.stdout, "SIGHUP: settings are read again.")
}
