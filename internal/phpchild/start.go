package phpchild

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed child.php
var script string

// receive is the code on PHP's command line: it takes the script from the pipe.
const receive = `$in = fopen('php://fd/3', 'r'); $n = (int) fgets($in); $text = ''; ` +
	`while (strlen($text) < $n && !feof($in)) { $text .= fread($in, $n - strlen($text)); } eval($text);`

// Defaults of Options.
const (
	DefaultMemoryLimit = "512M"
	DefaultSilence     = time.Minute
)

// Options say which child is started.
type Options struct {
	Dir    string // Matomo's directory
	Host   string // of the config file, where an installation has several; "" for the usual one
	Binary string // PHP's; Find looks for one where it is ""
	// MemoryLimit is PHP's memory_limit. The command line's PHP has none of its own.
	MemoryLimit string
	// Silence is how long a child may work at something, one request, say, until it counts as hung.
	Silence time.Duration
	// StartLimit is how long it may take until Matomo is ready.
	StartLimit time.Duration
	Log        *slog.Logger
}

// WithDefaults puts defaults in place of what was left out.
func (o Options) WithDefaults() Options {
	if o.MemoryLimit == "" {
		o.MemoryLimit = DefaultMemoryLimit
	}
	if o.Silence <= 0 {
		o.Silence = DefaultSilence
	}
	if o.StartLimit <= 0 {
		o.StartLimit = DefaultSilence
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Hello is what a child tells of itself.
type Hello struct {
	Binary, PHP, SAPI string
	Matomo            string // version
	Plugins           []string
}

// Start starts a child and waits until Matomo is ready in it. Errors are those of the system, an *UnfitError, a
// *DeathError, and what Matomo says, the database's errors among them.
func Start(ctx context.Context, o Options) (*Child, error) {
	c, err := start(ctx, o, opcache)
	if unfit, ok := errors.AsType[*UnfitError](err); ok && unfit.mute && ctx.Err() == nil {
		return start(ctx, o, nil)
	}
	return c, err
}

// opcache are settings of PHP's extension of that name, where it is there: its optimizer makes up for its longer start
// after some hundred requests. It keeps what it compiles in the child's memory: kept in files it would spare a tenth
// of a second of each start, and nothing that can be measured afterwards. What an administrator has set for the web
// server is of no use here: code that runs before all else, a folder for compiled files, compiling to machine code.
// Where it cannot start, for want of memory or of a folder for its lock, PHP ends without a word.
var opcache = []string{
	"-d", "opcache.enable_cli=1", "-d", "opcache.memory_consumption=64", "-d", "opcache.preload=",
	"-d", "opcache.file_cache=", "-d", "opcache.jit_buffer_size=0",
}

func start(ctx context.Context, o Options, settings []string) (*Child, error) {
	o = o.WithDefaults()
	c := &Child{
		options: o, hello: Hello{Binary: o.Binary}, answers: make(chan *answer, 16), ended: make(chan struct{}),
		printed: printed{clock: time.Now},
	}
	c.LogTo(o.Log)
	if err := c.spawn(settings); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Binary, err)
	}
	if err := c.greet(ctx); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// spawn starts the process. Its thread is kept for as long as it lives: Linux takes the end of that thread for the
// parent's.
func (c *Child) spawn(settings []string) error {
	down, downWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	upRead, up, err := os.Pipe()
	if err != nil {
		return errors.Join(err, down.Close(), downWrite.Close())
	}
	if c.place, err = placeFile(); err != nil {
		return errors.Join(err, down.Close(), downWrite.Close(), upRead.Close(), up.Close())
	}
	c.cmd = exec.Command(c.options.Binary, slices.Concat(settings, []string{
		"-d", "memory_limit=" + c.options.MemoryLimit, "-d", "display_errors=stderr",
		"-d", "html_errors=0", "-r", receive, "--", c.options.Dir,
	})...)
	c.cmd.Env = Environment(os.Environ())
	c.cmd.ExtraFiles = []*os.File{down, up, c.place}
	c.cmd.SysProcAttr = attributes()
	output, outputWrite, err := os.Pipe()
	if err != nil {
		return errors.Join(err, down.Close(), downWrite.Close(), upRead.Close(), up.Close())
	}
	c.cmd.Stdout, c.cmd.Stderr = outputWrite, outputWrite
	c.to = downWrite
	started := make(chan error)
	var reading sync.WaitGroup
	reading.Go(func() { c.printed.read(output) })
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		for _, theirs := range []*os.File{down, up, outputWrite} {
			_ = theirs.Close()
		}
		started <- err
		if err != nil {
			for _, ours := range []*os.File{downWrite, upRead} {
				_ = ours.Close()
			}
		} else {
			_ = c.cmd.Wait() // ProcessState tells
			_ = downWrite.Close()
		}
		for _, left := range []*os.File{output, upRead} { // a grandchild may hold the other end
			_ = left.SetReadDeadline(time.Now().Add(lastLines))
		}
		reading.Wait()
		_ = output.Close()
		close(c.ended)
	}()
	if err := <-started; err != nil {
		<-c.ended
		return err
	}
	c.printed.attrs = []any{"pid", c.cmd.Process.Pid}
	go c.listen(upRead)
	return nil
}

// Environment leaves out of variables what is this program's own: its passwords are not for plugins.
func Environment(all []string) (theirs []string) {
	for _, variable := range all {
		if !strings.HasPrefix(variable, "QUEUEDTRACKING_") {
			theirs = append(theirs, variable)
		}
	}
	return theirs
}

// lastLines is how long lines of an ended process are waited for.
const lastLines = time.Second

// listen passes answers on until the pipe ends.
func (c *Child) listen(from *os.File) {
	defer close(c.answers)
	defer from.Close()
	lines := newLines(from)
	for lines.Scan() {
		a, err := parse(lines.Bytes())
		if err != nil {
			c.end(err.Error())
			return
		}
		c.answers <- a // nobody waits for the one or two that a child says unasked
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		c.end("an answer is too long")
	}
}

// greet hands the script over and waits until Matomo is ready.
func (c *Child) greet(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	hello, err := c.exchange(func() error {
		_, err := c.to.WriteString(strconv.Itoa(len(script)) + "\n" + script)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		reason := "it does not run a script on its command line: " + c.lastPrinted(err)
		return &UnfitError{Binary: c.options.Binary, Reason: reason, mute: !c.killed()}
	}
	c.hello.PHP, c.hello.SAPI = hello.PHP, hello.SAPI
	if err := fit(hello); err != nil {
		return &UnfitError{Binary: c.options.Binary, Reason: err.Error()}
	}
	ready, err := c.call(ctx, &request{Op: "start", Dir: c.options.Dir, Host: c.options.Host})
	if err != nil {
		return fmt.Errorf("start Matomo in PHP %s: %w", c.hello.PHP, c.explain(err))
	}
	c.hello.Matomo, c.hello.Plugins = ready.Matomo, ready.Plugins
	c.started = time.Now()
	return nil
}

// explain adds what PHP has printed last to the error of its death.
func (c *Child) explain(err error) error {
	if death, ok := errors.AsType[*DeathError](err); ok {
		death.How = c.lastPrinted(err)
	}
	return err
}

func (c *Child) lastPrinted(err error) string {
	how := err.Error()
	if death, ok := errors.AsType[*DeathError](err); ok {
		how = death.How
	}
	<-c.ended
	if last := c.printed.last; last != "" {
		return how + ": " + last
	}
	return how
}
