package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// command is the program as a process of its own, in the installation's directory.
func (i *installation) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "queuedtracking") // TestMain goes by this name
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(link, args...)
	c.Dir = i.dir
	c.Env = []string{filesVariable + "=" + files, "PATH=" + os.Getenv("PATH")}
	for name, value := range i.env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// blocked reports whether some connection waits for a table lock.
func (i *installation) blocked(t *testing.T) func() bool {
	return func() bool {
		t.Helper()
		var n int
		err := i.db.Get(&n, "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for table%'")
		if err != nil {
			t.Fatal(err)
		}
		return n > 0
	}
}

// An ssh session that drops: the terminal is gone in the middle of a batch, with all that could be written to it. The
// batch is finished, and locks are given back.
func TestSessionThatDropsLosesNothing(t *testing.T) {
	// A process that is started under nohup ignores SIGHUP, and so would its children if it did not handle it.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP)
	defer signal.Stop(handled)
	const many = 2000 // it takes longer to track them than to notice the signal
	for _, args := range [][]string{
		{"process", "--force-num-requests-process-at-once", "5", "-vv"},
		{"process", "--cycle", "0", "--force-num-requests-process-at-once", "5"},
	} {
		i := newInstallation(t)
		i.setting("numQueueWorkers", "1")
		for n := range many {
			i.pushInto(t, 0, fmt.Sprint("page", n))
		}
		user, tty := openTerminal(t)
		gate := i.db.MustBegin()
		gate.MustExec("LOCK TABLES matomo_log_visit READ, matomo_log_link_visit_action READ")
		c := i.command(t, args...)
		c.Stdin, c.Stdout, c.Stderr = tty, tty, tty
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // hung up by the kernel when the terminal goes
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		// nobody reads: a read under way would keep the terminal open
		testserver.Eventually(t, "a batch", i.blocked(t))
		if !i.locked(t, 0) {
			t.Error("the queue is not locked")
		}
		if err := user.Close(); err != nil {
			t.Fatal(err)
		}
		gate.MustExec("UNLOCK TABLES")
		if err := gate.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		rows, rest := i.count(t, "log_link_visit_action"), i.waiting(t)
		if i.locked(t, 0) || rows == 0 || rest == 0 || int64(rows)+rest != many {
			t.Errorf("%v: locked %v, %d rows, %d sets wait", args, i.locked(t, 0), rows, rest)
		}
	}
}

// nohup wants SIGHUP to be ignored.
func TestHangUpIsIgnoredUnderNohup(t *testing.T) {
	i := newInstallation(t)
	c := i.command(t, "process", "--cycle", "0", "--metrics-listen", "127.0.0.1:0")
	c.Path, c.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`}, c.Args...)
	var out testserver.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	testserver.Eventually(t, "a start", func() bool { return strings.Contains(out.String(), "Metrics at") })
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} { // pending ones are delivered in this order
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
	lacks(t, out.String(), "SIGHUP")
}

// A long backlog is no reason to wait: the cycle ends after the batch, and the next one begins at once.
func TestHangUpEndsTheCycleOfAService(t *testing.T) {
	i := newInstallation(t)
	i.setting("numQueueWorkers", "1")
	i.setting("numRequestsToProcess", "5")
	for n := range 40 {
		i.pushInto(t, 0, fmt.Sprint("page", n))
	}
	gate := i.db.MustBegin()
	gate.MustExec("LOCK TABLES matomo_log_visit READ, matomo_log_link_visit_action READ")
	naps, running, ended := 0, make(chan *program, 1), make(chan result)
	go func() {
		ended <- i.run(t, []string{"process", "--cycle", "0"}, func(p *program) {
			p.sleep = func(context.Context, time.Duration) {
				naps++
				p.signals <- syscall.SIGTERM
				<-p.stop
			}
			running <- p
		})
	}()
	p := <-running
	testserver.Eventually(t, "a batch", i.blocked(t))
	i.setting("numRequestsToProcess", "7")
	p.signals <- syscall.SIGHUP
	testserver.Eventually(t, "the signal", func() bool { return len(p.reload) == 1 })
	gate.MustExec("UNLOCK TABLES")
	if err := gate.Commit(); err != nil {
		t.Fatal(err)
	}
	r := <-ended
	if r.status != statusDone || naps != 1 || i.waiting(t) >= 7 {
		t.Errorf("exit status %d after %d naps, %d sets wait: %s", r.status, naps, i.waiting(t), r.stderr)
	}
	contains(t, r.stdout, "SIGHUP: settings are read again.", "1 queue, 7 requests per batch")
}

// Only a service reads its settings again: a run of some cycles, or at a terminal, ends, however often it is hung up.
func TestHangUpIsAFirstSignal(t *testing.T) {
	_, tty := openTerminal(t)
	for name, test := range map[string]struct {
		cycles string
		change func(*program)
	}{
		"some cycles":   {"5", func(*program) {}},
		"at a terminal": {"0", func(p *program) { p.stdin = tty }},
		"shown at one":  {"0", func(p *program) { p.stderr = tty }},
	} {
		i := newInstallation(t)
		naps := 0
		r := i.run(t, []string{"process", "--cycle", test.cycles}, test.change, func(p *program) {
			p.sleep = func(context.Context, time.Duration) {
				naps++
				for range 4 { // two of them wait in the channel, the others have been taken
					p.signals <- syscall.SIGHUP
				}
				<-p.stop
			}
		})
		if r.status != statusDone || naps != 1 {
			t.Errorf("%s: exit status %d after %d naps: %s", name, r.status, naps, r.stderr)
		}
		contains(t, r.stdout, "Tracked: 0 of 0 requests")
	}
}
