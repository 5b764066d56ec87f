package cmd

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/queuedtracking/queuedtracking/queue"
)

// hangUp sends SIGHUP and waits until settings were read again.
func (s *serving) hangUp(t *testing.T, again func() bool) {
	t.Helper()
	s.program.signals <- syscall.SIGHUP
	s.until(t, again)
}

// A service that receives goes on after SIGHUP, with the settings as they are now.
func TestServeReadsItsSettingsAgain(t *testing.T) {
	i := newInstallation(t)
	i.setting("numQueueWorkers", "1")
	s := startServeAs(t, func(p *program) { p.stdin = strings.NewReader("") }, i.dir, i.env, "--metrics-listen", "127.0.0.1:0")
	queues := func() string { return scrape(t, s.out.String(), "/metrics") }
	lacks(t, queues(), `queuedtracking_queue_length{queue="1"}`)

	i.setting("numQueueWorkers", "5")
	s.hangUp(t, func() bool { return strings.Contains(queues(), `queuedtracking_queue_length{queue="4"}`) })
	for n := range 50 {
		if status, _ := s.get(t, hit(n)); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
	lens, err := i.backend.Lens(context.Background(), queue.Keys(1, 5)...)
	if err != nil || lens[0]+lens[1]+lens[2]+lens[3] == 0 {
		t.Errorf("nothing in the new queues: %v %v", lens, err)
	}

	i.setVersion("5.2.0")
	i.configure(t, "[Tracker]\nvisit_standard_length = 99")
	s.hangUp(t, func() bool {
		return strings.Contains(s.out.String(), "config/config.ini.php has changed") &&
			strings.Contains(s.out.String(), "option version_core has changed")
	})
	contains(t, s.out.String(), "SIGHUP: settings are read again.", "restart serve")
}

// With --process the queues that have come are worked on, too.
func TestServeWorksOnQueuesThatHaveCome(t *testing.T) {
	i := newInstallation(t)
	i.setting("numQueueWorkers", "1")
	s := startServeAs(t, func(p *program) { p.stdin = strings.NewReader("") }, i.dir, i.env, "--process")
	i.pushInto(t, 4, "a")
	i.setting("numQueueWorkers", "5")
	i.setting("numRequestsToProcess", "1")
	s.hangUp(t, func() bool { return i.waiting(t) == 0 })
	// of no use
	i.db.MustExec("UPDATE matomo_plugin_setting SET setting_value = '0' WHERE setting_name = 'numQueueWorkers'")
	s.hangUp(t, func() bool { return strings.Contains(s.out.String(), "the last ones hold") })
}

func TestServeWithoutDatabaseOutlivesHangUp(t *testing.T) {
	i := newInstallation(t)
	s := startServeAs(t, func(p *program) { p.stdin = strings.NewReader("") }, i.dir, i.env, "--without-database")
	s.hangUp(t, func() bool { return strings.Contains(s.out.String(), "SIGHUP: settings are read again.") })
	if status, _ := s.get(t, hit(1)); status != 200 {
		t.Errorf("status %d", status)
	}
}
