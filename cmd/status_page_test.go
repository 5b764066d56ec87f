package cmd

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestProcessAnswersWithAPageForPeople(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1")
	i.add(t, pageView("a"), 1)
	clock := &stepClock{now: time.Now()}
	var out testserver.Buffer
	var page string
	clock.during = func(int) { page = scrape(t, out.String(), "/") } // between two cycles
	r := i.run(t, []string{
		"process", "--cycle", "3", "--sleep", "6", "--force-num-requests-process-at-once", "1",
		"--metrics-listen", "127.0.0.1:0",
	}, clock.into, func(p *program) { p.stdout = &out })
	if r.status != statusDone {
		t.Fatalf("exit status %d\n%s", r.status, r.stderr)
	}
	contains(t, out.String(), "Status page at http://127.0.0.1:")
	contains(t, page, "queuedtracking <span>process</span>", "<dt>Engine</dt><dd>native</dd>", "<dt>Last run</dt><dd>",
		`<tr><th scope="row">Today</th><td>1</td>`, "<dt>Matomo</dt><dd>5.")
}

func TestPageIsForThisMachineUnlessAskedFor(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv6loopback, Port: 9190}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 9190}
	for _, test := range []struct {
		when string
		at   net.Addr
		want bool
	}{
		{"auto", loopback, true},
		{"auto", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, true},
		{"auto", &net.UnixAddr{Name: "/run/metrics.sock", Net: "unix"}, true},
		{"auto", everywhere, false},
		{"auto", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, false},
		{"on", everywhere, true},
		{"off", loopback, false},
	} {
		var flag pageFlag
		if err := flag.Set(test.when); err != nil {
			t.Fatal(err)
		}
		if got := flag.at(test.at); got != test.want {
			t.Errorf("%s at %v: %t, want %t", test.when, test.at, got, test.want)
		}
	}
	var flag pageFlag
	if err := flag.Set("yes"); err == nil {
		t.Error("--status-page yes is taken")
	}
}

// The page is at --metrics-listen; at --listen / stays what it was: nothing.
func TestServeAnswersWithAPageBesideItsMetricsOnly(t *testing.T) {
	i := newInstallation(t)
	for _, test := range []struct {
		flag string
		want bool
	}{{"auto", true}, {"off", false}} {
		s := startServe(t, i.dir, i.env, "--metrics-listen", "127.0.0.1:0", "--status-page", test.flag)
		page := scrape(t, s.out.String(), "/")
		if got := strings.Contains(page, "<span>serve</span>"); got != test.want {
			t.Errorf("--status-page %s: a page %t, want %t:\n%s", test.flag, got, test.want, page)
		}
		if status, body := s.get(t, "/"); status == 200 && strings.Contains(body, "<span>serve</span>") {
			t.Error("the page is at --listen")
		}
		contains(t, scrape(t, s.out.String(), "/metrics"), "queuedtracking_queue_up 1")
	}
}
