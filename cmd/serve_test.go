package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// lockedBuffer is written by the program and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serving is a running "queuedtracking serve".
type serving struct {
	program *program
	out     lockedBuffer
	status  chan int
	client  http.Client
}

func startServe(t *testing.T, dir string, env map[string]string, args ...string) *serving {
	t.Helper()
	return startServeAs(t, func(*program) {}, dir, env, args...)
}

// startServeAs starts it in surroundings that change has changed.
func startServeAs(t *testing.T, change func(*program), dir string, env map[string]string, args ...string) *serving {
	t.Helper()
	s := &serving{program: newProgram(os.DirFS("../testdata")), status: make(chan int, 1)}
	s.program.stdout, s.program.stderr = &s.out, &s.out
	s.program.workingDir = func() (string, error) { return dir, nil }
	s.program.lookupEnv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	change(s.program)
	socket := filepath.Join(t.TempDir(), "s")
	s.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	go func() { s.status <- s.program.run(append([]string{"serve", "--listen", "unix:" + socket}, args...)) }()
	s.until(t, func() bool { return strings.Contains(s.out.String(), "Receiving tracking requests at") })
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.stop(t)
	})
	return s
}

func (s *serving) until(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(testserver.Patience)
	for !holds() {
		select {
		case status := <-s.status:
			s.status <- status
			t.Fatalf("serve ended with status %d:\n%s", status, s.out.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain:\n%s", s.out.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// stop sends the first signal and waits.
func (s *serving) stop(t *testing.T) {
	t.Helper()
	select {
	case s.program.signals <- os.Interrupt:
	default:
	}
	status := <-s.status
	s.status <- status
	if status != statusDone {
		t.Errorf("exit status %d:\n%s", status, s.out.String())
	}
}

func (s *serving) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	response, err := s.client.Get("http://stats.example.org" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func hit(n int) string {
	return fmt.Sprintf("/matomo.php?idsite=1&rec=1&_id=%016x&url=https%%3A%%2F%%2Fgarden.example.org%%2F%d&action_name=page", n*7919<<40, n)
}

// A client that never ends its request holds serve up until the second signal.
func TestSecondSignalCutsSlowClientsOff(t *testing.T) {
	i := newInstallation(t)
	s := startServe(t, i.dir, i.env, "--process=false", "--drain-timeout", "1h")
	dial := s.client.Transport.(*http.Transport).DialContext
	slow, err := dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET /matomo.php HTTP/1.1\r\nHost: x\r\nX-A"); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.get(t, hit(1)); status != http.StatusOK { // so that it was accepted before
		t.Errorf("status %d", status)
	}
	s.client.CloseIdleConnections()
	s.program.signals <- os.Interrupt
	select {
	case status := <-s.status:
		t.Fatalf("ended with status %d after the first signal", status)
	case <-time.After(200 * time.Millisecond):
	}
	s.stop(t)
	if n := i.waiting(t); n != 1 {
		t.Errorf("%d sets wait", n)
	}
}

func TestServeFillsTheQueuesThatProcessDrains(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 4\nprocessDuringTrackingRequest = 0")
	s := startServe(t, i.dir, i.env)
	const requests = 40
	for n := range requests {
		if status, body := s.get(t, hit(n)); status != http.StatusOK || !strings.HasPrefix(body, "GIF89a") {
			t.Fatalf("status %d, body %q", status, body)
		}
	}
	if n := i.waiting(t); n != requests {
		t.Errorf("%d sets wait", n)
	}
	if status, _ := s.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d", status)
	}
	i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	if actions := i.count(t, "log_link_visit_action"); actions != requests {
		t.Errorf("%d actions", actions)
	}
}

func TestServeProcessesInTheSameProcess(t *testing.T) {
	i := newInstallation(t)
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 1\nnumRequestsToProcess = 5")
	s := startServe(t, i.dir, i.env, "--process", "--metrics-listen", "127.0.0.1:0")
	for n := range 10 {
		s.get(t, hit(n))
	}
	s.until(t, func() bool { return i.waiting(t) == 0 })
	s.until(t, func() bool { return i.count(t, "log_link_visit_action") == 10 })
	text := scrape(t, s.out.String(), "/metrics")
	contains(t, text, `queuedtracking_tracked_requests_total{result="tracked"} 10`, "queuedtracking_queue_up 1",
		`queuedtracking_build_info{go="`+runtime.Version()+`",version="`+versionName()+`"} 1`,
		`queuedtracking_queue_length{queue="0"} 0`, `queuedtracking_http_requests_total{outcome="queued"} 10`)
}

// scrape asks at the address that a program has told.
func scrape(t *testing.T, output, path string) string {
	t.Helper()
	_, address, _ := strings.Cut(output, "Metrics at ")
	address, _, _ = strings.Cut(address, "\n")
	response, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestServeTracksAtOnceWhatAsksForIt(t *testing.T) {
	i := newInstallation(t)
	s := startServe(t, i.dir, i.env, "--process=false")
	if status, _ := s.get(t, hit(1)+"&queuedtracking=0"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if i.waiting(t) != 0 || i.count(t, "log_visit") != 1 {
		t.Errorf("%d sets wait, %d visits", i.waiting(t), i.count(t, "log_visit"))
	}
	if status, _ := s.get(t, "/matomo.php?idsite=999&rec=1&queuedtracking=0"); status != http.StatusBadRequest {
		t.Errorf("status %d for an unknown site", status)
	}
}

func TestServeWithoutDatabaseStartsWithoutRedisAndCatchesUp(t *testing.T) {
	i := newInstallation(t)
	away := map[string]string{"QUEUEDTRACKING_REDIS_HOST": filepath.Join(t.TempDir(), "nobody.sock"), "QUEUEDTRACKING_NUM_QUEUE_WORKERS": "1"}
	spool := t.TempDir()
	s := startServe(t, t.TempDir(), away, "--without-database", "--spool", spool)
	if status, _ := s.get(t, hit(1)); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	s.stop(t)
	i.env["QUEUEDTRACKING_NUM_QUEUE_WORKERS"] = "1"
	s = startServe(t, t.TempDir(), i.env, "--without-database", "--spool", spool)
	s.until(t, func() bool { n, _ := i.backend.Len(context.Background(), queue.Key(0)); return n == 1 })
}

func TestServeWritesAnAccessLogWithoutParameters(t *testing.T) {
	i := newInstallation(t)
	s := startServe(t, i.dir, i.env, "--process=false", "--access-log", "--prefix", "/a")
	s.get(t, "/a/matomo.php?idsite=1&token_auth=0123456789abcdef0123456789abcdef")
	s.get(t, "/nowhere?token_auth=0123456789abcdef0123456789abcdef")
	s.stop(t)
	contains(t, s.out.String(), "client=127.0.0.1 method=GET path=/a/matomo.php status=200 took=", "path=/nowhere status=404", "agent=Go-http-client/1.1")
	lacks(t, s.out.String(), "token_auth", "0123456789abcdef")

	s = startServe(t, i.dir, i.env, "--process=false")
	s.get(t, "/matomo.php?idsite=1")
	s.stop(t)
	lacks(t, s.out.String(), "path=")
}

func TestServeWaitsForReplicas(t *testing.T) {
	i := newInstallation(t) // its Redis has none
	s := startServe(t, i.dir, i.env, "--wait-replicas", "1", "--replica-timeout", "10ms", "--process=false")
	if status, _ := s.get(t, hit(1)); status != http.StatusServiceUnavailable {
		t.Errorf("status %d without a spool", status)
	}
	if n := i.waiting(t); n != 1 {
		t.Errorf("%d sets wait", n)
	}
	s.stop(t)
	s = startServe(t, i.dir, i.env, "--wait-replicas", "1", "--replica-timeout", "10ms", "--process=false", "--spool", t.TempDir())
	if status, _ := s.get(t, hit(2)); status != http.StatusOK {
		t.Errorf("status %d with a spool", status)
	}
}

func TestServeRefusesWhatCannotWork(t *testing.T) {
	server := newInstallation(t)
	for _, args := range [][]string{
		{"--spool-max", "0"},
		{"--wait-replicas", "-1"},
		{"--wait-replicas", "1", "--replica-timeout", "0"},
		{"--wait-replicas", "1", "--backend", "mysql"},
		{"--max-bulk", "0"},
		{"--rate", "-1"},
		{"--max-body", "0"},
		{"--listen-mode", "0999"},
		{"--listen-mode", "01777"},
		{"--process", "--without-database"},
	} {
		p := newProgram(os.DirFS("../testdata"))
		var out lockedBuffer
		p.stdout, p.stderr = &out, &out
		p.workingDir = func() (string, error) { return server.dir, nil }
		p.lookupEnv = func(name string) (string, bool) { v, ok := server.env[name]; return v, ok }
		if status := p.run(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)); status != statusUsage {
			t.Errorf("%v: status %d:\n%s", args, status, out.String())
		}
	}
}
