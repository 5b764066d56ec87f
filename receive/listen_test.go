package receive

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func noEnv(string) (string, bool) { return "", false }

func TestUnixSocketIsServedAndRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close() // as a killed process leaves it
	l, err := Listen("unix:"+path, DefaultMode, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, DefaultMode, noEnv); err == nil {
		t.Error("listens twice")
	}
	h, err := NewHandler(testOptions(t, recordedConfig, &sink{}))
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- Serve(t.Context(), l, h.Handle, DefaultLimits(), testserver.Patience, discard(), stop)
	}()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /matomo.php?idsite=1 HTTP/1.0\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") {
		t.Errorf("%q, %v", answer, err)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("socket is left")
	}
}

func TestAddressesThatCannotBeListenedOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"nowhere", file, filepath.Join(file, "s"), "unix:/nonexistent/s", "systemd"} {
		if l, err := Listen(address, DefaultMode, noEnv); err == nil {
			l.Close()
			t.Errorf("listens on %s", address)
		}
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limits := DefaultLimits()
	limits.Connections = 1
	stop := make(chan struct{})
	ended := make(chan error)
	ok := func(*fasthttp.RequestCtx) {}
	go func() { ended <- Serve(t.Context(), l, ok, limits, testserver.Patience, discard(), stop) }()
	first, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	var b [12]byte
	if _, err := io.ReadFull(first, b[:]); err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
			_, err = io.ReadAll(conn)
			conn.Close()
		}
		second <- err
	}()
	select {
	case <-second:
		t.Error("a second connection is served beside the first")
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	if err := <-second; err != nil {
		t.Error(err)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Each client has one limit of its own: what else it does may take its time on a busy machine.
func TestSlowClientsAreCutOff(t *testing.T) {
	const short = 100 * time.Millisecond
	for _, test := range []struct {
		name  string
		limit func(*Limits)
		sent  string
		cut   string // the beginning of the answer
	}{
		{
			"headers", func(l *Limits) { l.HeaderTimeout = short },
			"GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\nX-A", "HTTP/1.1 408 Request Timeout",
		},
		{
			"body", func(l *Limits) { l.ReadTimeout = short },
			"POST /matomo.php HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nidsite=1", "HTTP/1.1 408 Request Timeout",
		},
		{
			"chunked body", func(l *Limits) { l.ReadTimeout = short },
			"POST /matomo.php HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nids", "HTTP/1.1 408 Request Timeout",
		},
		{
			"next request", func(l *Limits) { l.IdleTimeout = short },
			"GET /matomo.php?idsite=1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, err := NewHandler(testOptions(t, recordedConfig, &sink{}))
			if err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			limits := unhurried()
			test.limit(&limits)
			stop, ended := make(chan struct{}), make(chan error)
			go func() { ended <- Serve(t.Context(), l, h.Handle, limits, testserver.Patience, discard(), stop) }()
			conn := dialAt(t, l.Addr().String())
			_, _ = io.WriteString(conn, test.sent)
			answer, err := io.ReadAll(conn) // until the server hangs up
			if err != nil || !strings.HasPrefix(string(answer), test.cut) {
				t.Errorf("answer %q, %v; want it to begin with %q", answer, err, test.cut)
			}
			close(stop)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// There is an end to it: the grace is over, or nobody wants to wait so long.
func TestClientsThatHangAreCutOffAtTheEnd(t *testing.T) {
	for about, grace := range map[string]time.Duration{"grace": 3 * time.Second, "impatience": time.Hour} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		begun, finish := make(chan struct{}), make(chan struct{})
		waiting := func(*fasthttp.RequestCtx) { close(begun); <-finish }
		patience, impatient := context.WithCancel(t.Context())
		stop, ended := make(chan struct{}), make(chan error)
		go func() { ended <- Serve(patience, l, waiting, DefaultLimits(), grace, discard(), stop) }()
		hanging, served := dialAt(t, l.Addr().String()), dialAt(t, l.Addr().String())
		_, _ = io.WriteString(hanging, "GET / HTTP/1.1\r\nHost: x\r\nX-A")
		_, _ = io.WriteString(served, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-begun
		close(stop)
		close(finish)
		if answer, err := io.ReadAll(served); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%s: request under way: %q, %v", about, answer, err)
		}
		if grace == time.Hour {
			impatient()
		}
		if answer, _ := io.ReadAll(hanging); len(answer) > 0 {
			t.Errorf("%s: request that never ends: %q", about, answer)
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", about, err)
		}
		impatient()
	}
}

func dialAt(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testserver.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestPanicIsAnsweredWith500(t *testing.T) {
	ask := asking(t, func(*fasthttp.RequestCtx) { panic("x") })
	for range 2 {
		if got := ask(get("/")); got.StatusCode != http.StatusInternalServerError {
			t.Errorf("status %d", got.StatusCode)
		}
	}
}

func TestClientsThatAskBeforeTheySendAreTold(t *testing.T) {
	url := serve(t, testOptions(t, recordedConfig, &sink{}))
	for length, want := range map[string]string{"8": "HTTP/1.1 100 Continue\r\n", "8388609": "HTTP/1.1 413 Request Entity Too Large\r\n"} {
		conn := dialAt(t, strings.TrimPrefix(url, "http://"))
		_, _ = io.WriteString(conn,
			"POST /matomo.php HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "+length+"\r\n\r\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != want {
			t.Errorf("%s bytes: %q, %v", length, line, err)
		}
	}
}

func TestSocketOfSystemdIsServed(t *testing.T) {
	server := testserver.Redis(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// The shell knows the number of the process, which it becomes.
	c := &child{Cmd: exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"`, os.Args[0])}
	c.Env = append(os.Environ(), childRedis+"="+server.Socket, childQueues+"=1", childListen+"=systemd")
	c.ExtraFiles = []*os.File{f}
	c.start(t)
	if c.addr != l.Addr().String() {
		t.Errorf("serves at %s, want %s", c.addr, l.Addr())
	}
	load(t, c.addr, 1, 1, 0)
}

// A signal may come at any moment, also before the server has taken up its listener.
func TestServeEndsWhenItIsStoppedBeforeItBegan(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		handler := func(*fasthttp.RequestCtx) {}
		if err := Serve(t.Context(), l, handler, DefaultLimits(), time.Second, discard(), stop); err != nil {
			t.Fatal(err)
		}
	}
}
