package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// openTerminal makes a pseudo terminal: what the user sees and types, and the program's side.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	t.Cleanup(func() { _ = user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip("no pseudo terminals here:", err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return user, program
}

// screen collects what the program writes to the terminal.
type screen struct {
	testserver.Buffer
	user *os.File
}

func watchTerminal(user *os.File) *screen {
	s := &screen{user: user}
	go func() {
		chunk := make([]byte, 4096)
		for {
			n, err := user.Read(chunk)
			_, _ = s.Write(chunk[:n])
			if err != nil {
				return
			}
		}
	}()
	return s
}

// await waits until the terminal has shown the text.
func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(testserver.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.String(), text) {
			return
		}
	}
	t.Errorf("no %q in %q", text, s.String())
}

func (s *screen) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.user.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func TestMonitorTurnsPagesOnATerminalAndGivesItBack(t *testing.T) {
	i := newInstallation(t)
	i.lock(t, 2)
	user, tty := openTerminal(t)
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	s := watchTerminal(user)
	ended := make(chan result)
	go func() {
		ended <- i.run(t, []string{"monitor", "--num-queue-workers", "24", "--rowperpage", "2", "--interval", "100ms"}, func(p *program) {
			p.stdin, p.stdout = tty, tty
		})
	}()
	s.await(t, "queues 0-1 of 24 | page 1/12 | keys: 0-9 , . arrows q")
	s.press(t, "\x1b[C")
	s.await(t, "queues 2-3 of 24 | page 2/12")
	s.press(t, ".")
	s.await(t, "page 12/12")
	s.press(t, "\x1b[B")
	s.await(t, "page 2/12")
	s.press(t, "0")
	s.await(t, "page 10/12")
	s.press(t, "q")
	r := <-ended
	if r.status != statusDone {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
	for _, sequence := range []string{"\x1b[?1049h", "\x1b[?25h\x1b[?1049l"} {
		s.await(t, sequence)
	}
	after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *before != *after {
		t.Errorf("the terminal was left as %+v, was %+v", after, before)
	}
}

func TestMonitorShowsOnATerminalThatItsServerIsAway(t *testing.T) {
	server := testserver.Redis(t)
	i := newInstallation(t)
	user, tty := openTerminal(t)
	s := watchTerminal(user)
	ended := make(chan result)
	go func() {
		args := []string{"monitor", "--redis-port", port(server), "--redis-database", "0", "--interval", "100ms"}
		ended <- i.run(t, args, func(p *program) { p.stdin, p.stdout = tty, tty })
	}()
	s.await(t, "page 1/1")
	server.Kill(t)
	s.await(t, "Seen last; trying again: redis 127.0.0.1")
	s.press(t, "q")
	if r := <-ended; r.status != statusDone {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}

func TestProcessShowsProgressOnATerminal(t *testing.T) {
	i := newInstallation(t)
	i.fill(t, 400, 4)
	user, tty := openTerminal(t)
	s := watchTerminal(user)
	r := i.run(t, []string{"process", "--force-num-requests-process-at-once", "7", "-v"}, func(p *program) { p.stderr = tty })
	if r.status != statusDone {
		t.Fatalf("exit status %d", r.status)
	}
	s.await(t, " / ")
	s.await(t, "request rejected")
	contains(t, r.stdout, "Tracked: ")
}

func TestProcessShowsNoProgressWhereMachinesRead(t *testing.T) {
	for _, form := range []string{"--json", "--log-format=json"} {
		i := newInstallation(t)
		unknown := pageView("a")
		unknown.Requests[0].Set("idsite", php.String("99"))
		i.add(t, unknown, 1)
		user, tty := openTerminal(t)
		s := watchTerminal(user)
		args := []string{"process", "--force-num-requests-process-at-once", "1", "-v", form}
		if r := i.run(t, args, func(p *program) { p.stderr = tty }); r.status != statusDone {
			t.Fatalf("exit status %d", r.status)
		}
		s.await(t, "request rejected")
		lacks(t, s.String(), "\r\x1b[K", " / ")
	}
}
