// Package cmd is the command line: one file per command, from flags to settings to the packages that do the work, and
// to output.
//
// What is for people goes to stdout, diagnostics go to stderr. Errors carry the exit status; Main's caller is the one
// who exits.
package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
	statusAgain  = 75 // sysexits' EX_TEMPFAIL: start it anew
)

// exitError is an error that ends the program with a status. Without an error of its own nothing is printed.
type exitError struct {
	status int
	err    error
	usage  bool // the command line is to blame
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is the error of a command line that cannot be understood.
func usage(format string, args ...any) error {
	return &exitError{statusUsage, fmt.Errorf(format, args...), true}
}

// program is what a run has to do with the world outside.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(name string) (string, bool)
	workingDir     func() (string, error)
	clock          func() time.Time
	sleep          func(ctx context.Context, d time.Duration)
	hostname       func() (string, error)
	files          fs.FS // testdata
	signals        chan os.Signal

	stop       chan struct{} // closed by the first signal: finish what is under way
	reload     chan struct{} // SIGHUP has asked a command that reloads to read its settings again
	reloads    atomic.Bool   // the command does so
	onTerminal bool          // somebody was at a terminal when it began
	ran        bool          // the command line was understood and the command has begun

	flags commonFlags
	logs  *logger
}

// Main runs the program with the arguments after its name and returns the exit status. files holds folder testdata:
// what the demo needs.
func Main(args []string, files fs.FS) int {
	p := newProgram(files)
	signal.Notify(p.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants it to be ignored
		signal.Notify(p.signals, syscall.SIGHUP)
	}
	defer signal.Stop(p.signals)
	return p.run(args)
}

func newProgram(files fs.FS) *program {
	return &program{
		stdin: os.Stdin, stdout: newOutput(os.Stdout), stderr: os.Stderr,
		lookupEnv: os.LookupEnv, workingDir: os.Getwd, clock: time.Now, sleep: sleep, hostname: os.Hostname,
		files: files, signals: make(chan os.Signal, 2), stop: make(chan struct{}), reload: make(chan struct{}, 1),
	}
}

func (p *program) run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	p.onTerminal = terminal.IsTerminal(p.stdin) || terminal.IsTerminal(p.stdout) || terminal.IsTerminal(p.stderr)
	go p.watchSignals(ctx, cancel)
	p.logs = newLogger(p.stderr)
	root := p.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = p.lost()
	}
	if err == nil {
		return statusDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{status: statusFailed, err: err}
		if !p.ran {
			exit.status, exit.usage = statusUsage, true
		}
	}
	if exit.err != nil {
		p.tellError(err, exit.usage)
	}
	return checkStatus(args, exit)
}

// tellError says why the program ends.
func (p *program) tellError(err error, usage bool) {
	if p.logs.json {
		p.logs.Error(err.Error())
		return
	}
	columns := p.device(p.stderr).Width()
	fmt.Fprint(p.stderr, fit("queuedtracking: "+printable(err), columns))
	if usage {
		fmt.Fprint(p.stderr, fit("queuedtracking --help and queuedtracking COMMAND --help tell what there is.", columns))
	}
}

// output is a file for stdout. It remembers that something could not be written, so that no command has to ask after
// each line.
type output struct {
	to         *os.File
	isTerminal bool // when it began: one that was hung up does not tell any more

	mu  sync.Mutex
	err error // the first one
}

func newOutput(to *os.File) *output { return &output{to: to, isTerminal: terminal.IsTerminal(to)} }

func (o *output) Write(text []byte) (int, error) {
	n, err := o.to.Write(text)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = cmp.Or(o.err, err)
	}
	return n, err
}

// Fd tells package terminal what it writes to.
func (o *output) Fd() uintptr { return o.to.Fd() }

// lost is why output of a command that has done its work is missing, as on a full disk. That nobody reads it any more
// is no failure.
func (p *program) lost() error {
	o, ok := p.stdout.(*output)
	if !ok {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || errors.Is(o.err, syscall.EPIPE) || o.isTerminal && errors.Is(o.err, syscall.EIO) {
		return nil
	}
	return &exitError{
		status: statusFailed,
		err:    fmt.Errorf("the work is done, but not all output could be written: %w", o.err),
	}
}

// errInterrupted is why a context is cancelled by the second signal.
var errInterrupted = errors.New("interrupted: what was under way is rolled back, the queue is as it was")

// watchSignals lets the first signal ask for an orderly end and the second one cancel everything. SIGHUP is a first
// signal, however often it comes: of a terminal that goes away both the kernel and the shell tell. Where a command
// reloads, it is that one's.
func (p *program) watchSignals(ctx context.Context, cancel context.CancelCauseFunc) {
	for {
		var s os.Signal
		select {
		case <-ctx.Done():
			return
		case s = <-p.signals:
		}
		switch {
		case s == syscall.SIGHUP && p.reloads.Load():
			select {
			case p.reload <- struct{}{}:
			default: // it will be read again anyhow
			}
		case !p.stopped():
			close(p.stop)
		case s != syscall.SIGHUP:
			cancel(errInterrupted)
			return
		}
	}
}

// outliveReader lets a command go on when whoever reads its output has gone: that must not end it within a batch.
func outliveReader() { signal.Ignore(syscall.SIGPIPE) }

func (p *program) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// reloaded reports whether SIGHUP has asked for settings to be read again, since it was last called.
func (p *program) reloaded() bool {
	select {
	case <-p.reload:
		return true
	default:
		return false
	}
}

// stopOrReload is closed by the first signal and when settings are to be read again, until forget is called.
func (p *program) stopOrReload() (stop <-chan struct{}, forget func()) {
	both, done := make(chan struct{}), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-p.stop:
		case <-p.reload:
			select {
			case p.reload <- struct{}{}: // reloaded will ask for it
			default: // another one has come meanwhile
			}
		case <-done:
			return
		}
		close(both)
	}()
	return both, func() { close(done); <-ended }
}

// nap waits, but not longer than to the first signal or until settings are to be read again.
func (p *program) nap(ctx context.Context, d time.Duration) {
	stop, forget := p.stopOrReload()
	defer forget()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	p.sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
