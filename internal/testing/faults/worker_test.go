package faults

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// jobVariable tells the test binary to be a worker.
const jobVariable = "QUEUEDTRACKING_FAULTS_JOB"

// job is what a worker process shall do.
type job struct {
	Dir               string
	DBHost            string
	DBPort            int
	DBName            string
	Queue             matomo.QueueSettings // where the queues are
	Queues, Only      int
	Batch, Threshold  int
	Workers           int
	Forever           bool // until it is stopped, not until there is nothing left to do
	MaxLetters        int
	LockTTL, Patience time.Duration
	Point             replay.Point   // at which something happens
	Nth               int            // how often it is passed before
	Signal            syscall.Signal // what the process does to itself there
	PHP               bool           // Matomo in miniature tracks
	Ahead             time.Duration  // of the clock of other hosts
	Bomb              bool           // requests with the parameter "bomb" make the tracker panic
}

// now is the workers' clock: rows depend on it.
var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// exit statuses of a worker process.
const (
	exitDone   = 0
	exitFailed = 1
)

// work is a worker process: command process without its command line.
func work(text string) int {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	stop := make(chan struct{})
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-signals
		close(stop)
		<-signals
		cancel(replay.ErrStopped)
	}()
	fmt.Println("ready")
	summary, err := j.run(ctx, stop)
	done, _ := json.Marshal(map[string]int{
		"tracked": summary.Tracked, "retries": summary.Retries, "recovered": summary.Recovered, "failed": summary.Failed,
		"undecodable": summary.Undecodable, "busy": summary.Busy, "rejected": sum(summary.Rejected),
	})
	fmt.Printf("summary %s\n", done)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitDone
}

func sum[K comparable](counts map[K]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func (j *job) run(ctx context.Context, stop <-chan struct{}) (replay.Summary, error) {
	config, err := matomo.LoadConfig(j.Dir)
	if err != nil {
		return replay.Summary{}, err
	}
	d := config.Database()
	d.Host, d.Port, d.Name = j.DBHost, j.DBPort, j.DBName
	db, err := d.Open()
	if err != nil {
		return replay.Summary{}, err
	}
	defer db.Close()
	backend, err := queue.New(j.Queue, queue.OpenOptions{DB: db, Database: d})
	if err != nil {
		return replay.Summary{}, err
	}
	defer backend.Close()
	clock := func() time.Time { return now.Add(j.Ahead) }
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	a, err := j.assemble(ctx, func() (*assembly.Assembly, error) {
		installation, err := matomo.Open(ctx, config, db, clock, matomo.Options{})
		if err != nil {
			return nil, err
		}
		o := assembly.Options{Clock: clock, Random: randomness{}, Cores: 1, Log: log}
		if j.Bomb {
			o.Inspect = explode
		}
		return assembly.Assemble(ctx, installation, db, o)
	})
	if err != nil {
		return replay.Summary{}, err
	}
	defer a.Close() // files that were read
	newEngine := a.NewEngine
	if j.PHP {
		newEngine = j.phpEngines(db, a.Store(), log)
	}
	return j.replay(ctx, stop, replay.Options{
		Backend: backend, Store: a.Store(), NewEngine: newEngine,
		Clock: clock, Random: rand.Reader, Log: log,
		Queues: j.Queues, Only: j.Only, BatchSize: j.Batch, Threshold: j.Threshold, Workers: j.Workers,
		LockTTL: j.LockTTL, Patience: j.Patience, MaxLetters: j.MaxLetters, Fault: j.fault(),
	})
}

// replay goes over the queues once or until it is stopped.
func (j *job) replay(ctx context.Context, stop <-chan struct{}, o replay.Options) (total replay.Summary, err error) {
	for {
		summary, err := replay.Run(ctx, stop, o)
		total.Add(summary)
		if err != nil || !j.Forever {
			return total, err
		}
		select {
		case <-stop:
			return total, nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// assemble tries a few times: cut connections are not what opening an installation is tested for.
func (j *job) assemble(ctx context.Context, open func() (*assembly.Assembly, error)) (a *assembly.Assembly, err error) {
	for range 200 {
		if a, err = open(); err == nil || ctx.Err() != nil {
			return a, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, err
}

// explode is a bug in tracking code.
func explode(params *php.Array) {
	if !php.Empty(params.Value("bomb")) {
		panic("a crafted bug")
	}
}

// fault makes the process do its signal to itself at the point, once.
func (j *job) fault() func(replay.Point) {
	if j.Point == "" {
		return nil
	}
	var mu sync.Mutex
	passed := 0
	return func(p replay.Point) {
		if p != j.Point {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if passed++; passed == j.Nth+1 {
			fmt.Println("at", p)
			_ = syscall.Kill(os.Getpid(), j.Signal)
			if j.Signal == syscall.SIGKILL {
				select {}
			}
			time.Sleep(signalTakesEffect)
		}
	}
}

// child is a worker process seen from outside.
type child struct {
	t       *testing.T
	cmd     *exec.Cmd
	reached map[string]chan struct{} // first words of lines that were printed
	stderr  bytes.Buffer
	ended   chan struct{}
	summary map[string]int
}

// start begins a worker process.
func (s *site) start(t *testing.T, change func(*job)) *child {
	t.Helper()
	j := s.job()
	if change != nil {
		change(&j)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: exec.Command(os.Args[0]), ended: make(chan struct{}), reached: map[string]chan struct{}{
		"ready": make(chan struct{}), "at": make(chan struct{}), "summary": make(chan struct{}),
	}}
	c.cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.read(bufio.NewScanner(out))
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
	})
	return c
}

func (c *child) read(lines *bufio.Scanner) {
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == "summary" {
			_ = json.Unmarshal([]byte(rest), &c.summary)
		}
		if reached, ok := c.reached[word]; ok {
			close(reached)
		}
	}
	_ = c.cmd.Wait()
	close(c.ended)
}

// signal sends a signal.
func (c *child) signal(s syscall.Signal) { _ = c.cmd.Process.Signal(s) }

// until waits for a line, or the end of the process; it reports whether the line came.
func (c *child) until(word string) bool {
	c.t.Helper()
	select {
	case <-c.reached[word]:
		return true
	case <-c.ended:
		return false
	case <-time.After(testserver.Patience):
		c.t.Fatalf("worker says nothing of %q:\n%s", word, c.stderr.String())
		return false
	}
}

// wait waits for the end and counts what the worker tells.
func (c *child) wait() (status int) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(testserver.Patience):
		c.signal(syscall.SIGQUIT)
		<-c.ended
		c.t.Fatalf("worker does not end:\n%s", c.stderr.String())
	}
	for _, what := range []string{"retries", "recovered"} {
		made.add(map[string]string{
			"retries":   "attempts repeated",
			"recovered": "entries found to be committed already",
		}[what], c.summary[what])
	}
	if c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		return -1
	}
	return c.cmd.ProcessState.ExitCode()
}

// done wants the worker to end by itself, with exit status 0.
func (c *child) done() map[string]int {
	c.t.Helper()
	if status := c.wait(); status != exitDone {
		c.t.Fatalf("worker's exit status %d:\n%s", status, c.stderr.String())
	}
	return c.summary
}

// killed wants the worker to have been killed.
func (c *child) killed() {
	c.t.Helper()
	if status := c.wait(); status != -1 {
		c.t.Fatalf("worker ended with status %d instead of being killed:\n%s", status, c.stderr.String())
	}
	made.add("kills", 1)
}

var _ replay.Tracker = (*tracker.Tracker)(nil)

// signalTakesEffect is long enough for a signal to oneself to reach all threads, on a busy machine too: a worker that
// shall be frozen at a point must not get into its next transaction.
const signalTakesEffect = 250 * time.Millisecond

// randomness is random but for the two digits that let a goal convert more than once in a visit: two conversions within
// a second collide by chance there, in Matomo as well, and would do so in one run and not in another.
type randomness struct{}

func (randomness) Read(p []byte) (int, error) {
	const digits = 2
	if len(p) == digits {
		clear(p)
		return digits, nil
	}
	return rand.Read(p)
}
