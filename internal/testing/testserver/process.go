package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is one run of a server program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// startProcess runs argv with its output appended to logFile. The process is started by a thread that lives as long as
// the process does, because the kernel's parent death signal is bound to the thread, not to the whole parent.
func startProcess(logFile string, argv []string) (*process, error) {
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = dieWithParent()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// end sends sig and waits; a process that ignores it is killed.
func (p *process) end(sig os.Signal) {
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(Patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// server is what the kinds of servers have in common.
type server struct {
	dir   string
	argv  func() []string // the command, asked for anew at every start
	ready func() error    // nil once the server answers
	proc  *process
}

var errPortTaken = errors.New("port taken by someone else")

// start runs the server and waits until it answers.
func (s *server) start() error {
	p, err := startProcess(s.logFile(), s.argv())
	if err != nil {
		return err
	}
	s.proc = p
	deadline := time.Now().Add(Patience)
	for {
		err := s.ready()
		switch {
		case err == nil:
			return nil
		case !p.running():
			return s.explain("server ended while starting")
		case time.Now().After(deadline):
			p.end(syscall.SIGKILL)
			return fmt.Errorf("%w (last attempt: %w)", s.explain("no answer"), err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// startOnFreePort starts the server on a port that choose is told, and on another one when it was taken in between.
func (s *server) startOnFreePort(choose func(port int)) error {
	for attempt := 0; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		choose(port)
		if err = s.start(); !errors.Is(err, errPortTaken) || attempt == 10 {
			return err
		}
	}
}

func (s *server) logFile() string { return filepath.Join(s.dir, "log") }

// explain makes an error of what with the end of the server's log.
func (s *server) explain(what string) error {
	log, _ := os.ReadFile(s.logFile())
	text := strings.TrimSpace(string(log[max(0, len(log)-2000):]))
	if strings.Contains(text, "already in use") {
		return fmt.Errorf("%w: %s", errPortTaken, text)
	}
	return fmt.Errorf("%s: %s", what, text)
}

// Running reports whether the server's process lives.
func (s *server) Running() bool { return s.proc != nil && s.proc.running() }

// Start starts a server that was stopped or killed, on the same port with the data it left. It returns when it answers.
func (s *server) Start(t testing.TB) {
	t.Helper()
	if s.Running() {
		return
	}
	if err := s.start(); err != nil {
		t.Fatalf("start server: %v", err)
	}
}

// Stop ends the server in an orderly way and waits for its end.
func (s *server) Stop(t testing.TB) {
	t.Helper()
	s.stop(syscall.SIGTERM)
}

// Kill ends the server at once, as a power cut of the process would.
func (s *server) Kill(t testing.TB) {
	t.Helper()
	s.stop(syscall.SIGKILL)
}

// Freeze stops the server's processor time: it keeps its connections and says nothing.
func (s *server) Freeze(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
}

// Thaw lets a frozen server go on where it was.
func (s *server) Thaw(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGCONT)
}

func (s *server) signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := s.proc.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("signal %v: %v", sig, err)
	}
}

// Restart stops the server in an orderly way and starts it again.
func (s *server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Start(t)
}

func (s *server) stop(sig os.Signal) {
	if s.Running() {
		s.proc.end(sig)
	}
}

// remove ends the server and deletes its folder.
func (s *server) remove() {
	s.stop(syscall.SIGKILL)
	_ = os.RemoveAll(s.dir)
}

// program finds a server's executable in the PATH and in the folders that only root has there.
func program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	candidates := []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name}
	for _, c := range candidates {
		if path, err := exec.LookPath(c); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s, or run scripts/install-servers.sh", name, debianPackage)
	return ""
}
