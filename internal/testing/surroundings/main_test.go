package surroundings

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/cmd"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// filesVariable lets the test binary be the program, and says where folder testdata is.
const filesVariable = "QUEUEDTRACKING_SURROUNDINGS_FILES"

func TestMain(m *testing.M) {
	if files := os.Getenv(filesVariable); files != "" {
		os.Exit(cmd.Main(os.Args[1:], os.DirFS(files)))
	}
	os.Exit(testserver.Run(m))
}

// result is what a run of the program left.
type result struct {
	status         int
	stdout, stderr string
}

// run runs the program in the site's directory and returns once it has ended.
func (s *site) run(t *testing.T, args ...string) result {
	t.Helper()
	p := s.start(t, args...)
	_ = p.Wait() // the status tells
	return p.result()
}

// process is the program while it runs.
type process struct {
	*exec.Cmd
	stdout, stderr output
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // something was written since it was looked at
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits until the process has said something to stderr.
func (p *process) until(t *testing.T, text string) {
	t.Helper()
	patience := time.After(time.Minute)
	for !strings.Contains(p.stderr.String(), text) {
		select {
		case <-p.stderr.more:
		case <-patience:
			t.Fatalf("no %q in\n%s", text, p.stderr.String())
		}
	}
}

// start begins a run of the program.
func (s *site) start(t *testing.T, args ...string) *process {
	t.Helper()
	files, err := filepath.Abs("../../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	s.writeConfig(t)
	p := &process{Cmd: exec.Command(os.Args[0], args...), stderr: output{more: make(chan struct{}, 1)}}
	p.Dir, p.Env = s.dir, append(os.Environ(), filesVariable+"="+files)
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func (p *process) result() result {
	return result{p.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String()}
}

// wants checks the exit status and that the output of a run has all parts.
func (r result) wants(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d\n%s%s", r.status, status, r.stdout, r.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(r.stdout+r.stderr, part) {
			t.Errorf("no %q in\n%s%s", part, r.stdout, r.stderr)
		}
	}
}
