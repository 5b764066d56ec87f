package phpchild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Child is a running PHP with Matomo. Its methods are called from one goroutine at a time, but for Kill.
//
// After a *DeathError, or when a context ends, the child is gone. An error of the database leaves it as it is, but one
// that lost its connection cannot get another.
type Child struct {
	options Options
	cmd     *exec.Cmd
	hello   Hello
	started time.Time
	to      *os.File
	place   *os.File      // in which the child writes what is at work
	answers chan *answer  // closed when the child's pipe ends
	ended   chan struct{} // closed when the process is gone, and what it has printed is read
	printed printed

	mu     sync.Mutex
	reason string // for which we have killed it
	last   string // its last words

	batches int
	memory  atomic.Int64
	micros  atomic.Int64
	lost    bool
}

// Hello is what the child has told of itself.
func (c *Child) Hello() Hello { return c.hello }

// LogTo changes where goes what the child prints.
func (c *Child) LogTo(log *slog.Logger) { c.printed.log.Store(log) }

// Pid is the number of the process.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Started is when Matomo was ready.
func (c *Child) Started() time.Time { return c.started }

// Batches is how many transactions the child has begun.
func (c *Child) Batches() int { return c.batches }

// Memory is how many bytes the child's PHP has.
func (c *Child) Memory() int64 { return c.memory.Load() }

// Processor is the processor time that the child has used.
func (c *Child) Processor() time.Duration {
	select {
	case <-c.ended:
		if s := c.cmd.ProcessState; s != nil {
			return s.UserTime() + s.SystemTime()
		}
	default:
	}
	return time.Duration(c.micros.Load()) * time.Microsecond
}

// Usable reports whether the child can be given more work.
func (c *Child) Usable() bool {
	select {
	case <-c.ended:
		return false
	default:
		return !c.lost
	}
}

// Begun is the answer to Begin.
type Begun struct {
	Connection int64  // id of the child's connection
	Checkpoint string // value of the option
	Missing    bool   // the option is not there
	// Marked says that the last batch of this checkpoint was cut off after a plugin had ended its transaction.
	Marked bool
}

// Begin opens a transaction; with an option it reads, locks and marks the checkpoint in it.
func (c *Child) Begin(ctx context.Context, option string) (Begun, error) {
	a, err := c.call(ctx, &request{Op: "begin", Option: option})
	if err != nil {
		return Begun{}, err
	}
	c.batches++
	return Begun{a.Connection, string(a.Checkpoint), a.Missing, a.Marked}, nil
}

// Set is a request set: the entry as it is in the queue, and which of its requests are left out.
type Set struct {
	Element []byte
	Leave   []int
}

// Track tracks sets. It returns the statuses of all requests, and whether a plugin has ended the transaction: then what
// was written so far is committed. If it was rolled back the error is a *RolledBackError.
func (c *Child) Track(ctx context.Context, sets []Set) (statuses [][]Status, leaked bool, err error) {
	r := &request{Op: "track"}
	for i, set := range sets {
		r.blob(set.Element)
		if len(set.Leave) > 0 {
			if r.Leave == nil {
				r.Leave = make(map[int][]int)
			}
			r.Leave[i] = set.Leave
		}
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, false, err
	}
	if len(a.Sets) != len(sets) {
		c.end(fmt.Sprintf("%d sets tracked instead of %d", len(a.Sets), len(sets)))
		return nil, false, c.death()
	}
	return a.Sets, a.Leaked, nil
}

// Exec executes a statement in the transaction and returns how many rows it has changed.
func (c *Child) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	r := &request{Op: "sql", SQL: query}
	for _, arg := range args {
		switch v := arg.(type) {
		case []byte:
			arg = []int{r.blob(v)}
		case string:
			arg = []int{r.blob([]byte(v))}
		case nil, int, int64:
		default:
			return 0, fmt.Errorf("parameter of type %T", arg)
		}
		r.Params = append(r.Params, arg)
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return 0, err
	}
	return a.Rows, nil
}

// Commit commits. After a *DeathError it is not known whether it did.
func (c *Child) Commit(ctx context.Context) error {
	return c.commit(ctx, &request{Op: "commit"})
}

// CommitMoved moves the checkpoint that Begin has read, and commits. The error is store.ErrCheckpointMoved when it is
// another one by now: then nothing is committed. After a *DeathError it is not known whether it did.
func (c *Child) CommitMoved(ctx context.Context, from, to string) error {
	r := &request{Op: "commit"}
	r.blob([]byte(from))
	r.blob([]byte(to))
	return c.commit(ctx, r)
}

func (c *Child) commit(ctx context.Context, r *request) error {
	a, err := c.call(ctx, r)
	if err == nil && a.Op == "moved" {
		err = store.ErrCheckpointMoved
	}
	return err
}

// Rollback takes the transaction back.
func (c *Child) Rollback(ctx context.Context) error {
	_, err := c.call(ctx, &request{Op: "rollback"})
	return err
}

// End lets the child end, with what Matomo does then, and waits for it.
func (c *Child) End(ctx context.Context) error {
	_, err := c.call(ctx, &request{Op: "end"})
	if err != nil {
		c.Kill()
	}
	select {
	case <-c.ended:
	case <-time.After(c.options.Silence):
		c.Kill()
	}
	return err
}

// Kill ends the child at once and waits until it is gone. The server rolls back its transaction, if the COMMIT is not
// under way.
func (c *Child) Kill() { c.end("it was killed by its parent") }

func (c *Child) end(reason string) {
	c.mu.Lock()
	if c.reason == "" {
		c.reason = reason
	}
	c.mu.Unlock()
	_ = c.cmd.Process.Kill()
}

// killed reports whether the child was killed by this program.
func (c *Child) killed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason != ""
}

// Wait waits until the process is gone.
func (c *Child) Wait() { <-c.ended }

// call sends a message and waits for the answer. Each request that is tracked begins the time limit anew.
func (c *Child) call(ctx context.Context, r *request) (*answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { c.end("its work was cancelled") })
	defer stop()
	a, err := c.exchange(func() error { return r.send(c.to) })
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	switch a.Op {
	case "disabled":
		return nil, ErrDisabled
	case "error":
		err := a.words.err()
		if a.RolledBack {
			back := &RolledBackError{Tracked: a.Tracked}
			if a.At != nil {
				back.Request = &At{a.At[0], a.At[1]}
			}
			return nil, back
		}
		if store.IsConnectionLost(err) {
			c.lost = true
		}
		return nil, err
	}
	return a, nil
}

// exchange sends and waits for the answer.
func (c *Child) exchange(send func() error) (*answer, error) {
	limit := c.options.Silence
	if c.started.IsZero() {
		limit = c.options.StartLimit
	}
	life := time.NewTicker(limit / looks)
	defer life.Stop()
	silent, place := 0, c.readPlace()
	sent := make(chan error, 1)
	go func() { sent <- send() }() // the child may be answering already, or not reading any more
	for {
		var a *answer
		var ok bool
		select {
		case <-life.C:
			silent++
			if now := c.readPlace(); now != place {
				silent, place = 0, now
			}
			if silent == looks {
				c.end(fmt.Sprintf("nothing was heard of it for %s, it was killed", limit))
			}
			continue
		case a, ok = <-c.answers:
		}
		switch {
		case !ok:
			return nil, c.death()
		case a.Op == "fatal":
			c.last = a.Text
			continue // its pipe ends soon
		}
		if a.Micros > 0 {
			c.memory.Store(a.Memory)
			c.micros.Store(a.Micros)
		}
		if err := <-sent; err != nil && !errors.Is(err, syscall.EPIPE) {
			return nil, err
		}
		return a, nil
	}
}

// death says how the child has ended. What has closed its pipe but lives on is killed.
func (c *Child) death() error {
	select {
	case <-c.ended:
	case <-time.After(lastLines):
		c.end("it has closed its pipe")
		<-c.ended
	}
	c.mu.Lock()
	how := c.reason
	c.mu.Unlock()
	if c.last != "" {
		how = c.last
	}
	if how == "" {
		how = c.cmd.ProcessState.String()
	}
	err := &DeathError{How: how}
	if p := c.readPlace(); p.set >= 0 {
		err.Request, err.Tracked = &At{p.set, p.request}, p.tracked
	}
	return err
}

// looks is how often within the time limit of a request it is looked whether the child goes on.
const looks = 10
