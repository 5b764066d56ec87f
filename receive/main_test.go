package receive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Variables that make the test binary a server of its own instead of running tests.
const (
	childRedis  = "RECEIVE_TEST_REDIS" // as openBackend takes it
	childSpool  = "RECEIVE_TEST_SPOOL" // directory, or nothing
	childQueues = "RECEIVE_TEST_QUEUES"
	childListen = "RECEIVE_TEST_LISTEN"

	childReplicas = "RECEIVE_TEST_REPLICAS" // to wait for, or nothing

	childFileLimit = "RECEIVE_TEST_FILE_LIMIT" // bytes that a file may have, or nothing

	childProfile = "RECEIVE_TEST_PROFILE" // file for a profile of processor time, or nothing
)

func TestMain(m *testing.M) {
	if os.Getenv(childRedis) != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testserver.Run(m))
}

// runChild serves until SIGTERM. It prints its address first.
func runChild() error {
	defer CollectSeldom()() // as the command does
	if file := os.Getenv(childProfile); file != "" {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if n, err := strconv.ParseUint(os.Getenv(childFileLimit), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	queues, err := strconv.Atoi(os.Getenv(childQueues))
	if err != nil {
		return err
	}
	backend, err := openBackend(os.Getenv(childRedis))
	if err != nil {
		return err
	}
	defer backend.Close()
	metrics := NewMetrics(prometheus.NewRegistry())
	writer, spool, err := openWriter(backend, queues, metrics)
	if err != nil {
		return err
	}
	if spool != nil {
		defer spool.Close()
	}
	defer writer.Close()
	config, err := matomo.ParseConfig(os.TempDir(), recordedConfig)
	if err != nil {
		return err
	}
	settings := config.Tracker(0)
	handler, err := NewHandler(Options{
		Installation: Installation{
			Queues: func() int { return queues }, Tracker: func(int64) *matomo.TrackerSettings { return settings },
			General: func() *matomo.General { return &matomo.General{} },
		},
		Limits: unhurried(), Sink: writer, Clock: time.Now, Random: rand.Reader, Log: discard(), Metrics: metrics,
	})
	if err != nil {
		return err
	}
	l, err := Listen(os.Getenv(childListen), DefaultMode, os.LookupEnv)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	return Serve(context.Background(), l, handler.Handle, unhurried(), testserver.Patience, discard(), ctx.Done())
}

// unhurried are the default limits without those on time: a busy machine makes each client and each server slow.
func unhurried() Limits {
	l := DefaultLimits()
	l.HeaderTimeout, l.ReadTimeout, l.WriteTimeout, l.IdleTimeout =
		testserver.Patience, testserver.Patience, testserver.Patience, testserver.Patience
	return l
}

// openBackend is the backend at the path of a unix socket, at host:port, or behind the Sentinels of a master:
// master@host:port,host:port.
func openBackend(address string) (*queue.Redis, error) {
	o := queue.RedisOptions{Host: address, IOTimeout: testserver.Patience}
	if master, sentinels, ok := strings.Cut(address, "@"); ok {
		return queue.NewRedisSentinel(o, master, strings.Split(sentinels, ","))
	}
	if host, port, err := net.SplitHostPort(address); err == nil {
		o.Host = host
		if o.Port, err = strconv.Atoi(port); err != nil {
			return nil, err
		}
	}
	return queue.NewRedis(o)
}

// openWriter is the writer that the environment describes.
func openWriter(backend *queue.Redis, queues int, metrics *Metrics) (w *Writer, spool *Spool, err error) {
	o := WriterOptions{Backend: backend, Queues: queues, Timeout: testserver.Patience, Log: discard(), Metrics: metrics}
	if n, err := strconv.Atoi(os.Getenv(childReplicas)); err == nil {
		o.Backend = backend.Replicated(n, 10*time.Second)
	}
	if dir := os.Getenv(childSpool); dir != "" {
		if spool, err = OpenSpool(dir, 64<<20, time.Now, discard()); err != nil {
			return nil, nil, err
		}
		o.Spool = spool
	}
	return NewWriter(o), spool, nil
}

// child is a server in a process of its own.
type child struct {
	*exec.Cmd
	addr string
}

func startChild(t testing.TB, redis, spool string, queues int, env ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), childRedis+"="+redis, childSpool+"="+spool, childQueues+"="+strconv.Itoa(queues),
		childListen+"=127.0.0.1:0")
	c.Env = append(c.Env, env...)
	return c.start(t)
}

// start starts the process and reads its address.
func (c *child) start(t testing.TB) *child {
	t.Helper()
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(t, syscall.SIGKILL) })
	var line [64]byte
	n, err := out.Read(line[:])
	if err != nil {
		t.Fatal(err)
	}
	c.addr = strings.TrimSpace(string(line[:n]))
	return c
}

// end sends a signal and waits for the process to end.
func (c *child) end(t testing.TB, s os.Signal) {
	t.Helper()
	if c.ProcessState != nil {
		return
	}
	if err := c.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	_ = c.Wait() // killed on purpose
}

// memoryKiB is a figure of the child's memory: VmRSS is in use, VmHWM was at most.
func (c *child) memoryKiB(t testing.TB, figure string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		t.Skip("memory is read from /proc:", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, figure+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no " + figure)
	return 0
}

// ticksPerSecond is Linux' unit of time in /proc.
const ticksPerSecond = 100

// processorTime is what a process has used, 0 for this one.
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	if pid == 0 {
		pid = os.Getpid()
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("processor time is read from /proc:", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name
	fields := strings.Fields(rest)
	var ticks int
	for _, field := range fields[11:13] { // in user mode, in the kernel
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}
