package phpengine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
)

// endTimeout is how long a child may take to end.
const endTimeout = 10 * time.Second

// startAgainAfter is how long the engine goes on with an old child when no new one could be started.
const startAgainAfter = 10 * time.Second

// pool has the child that works, and the next one while it starts.
type pool struct {
	engine   *Engine
	child    *phpchild.Child
	next     chan started // nil when none is being started
	notUntil time.Time    // that another one is started
	ending   sync.WaitGroup

	living map[*phpchild.Child]bool // guarded by Engine.mu
}

type started struct {
	child *phpchild.Child
	err   error
}

// ready is a child that can be given a batch.
func (p *pool) ready(ctx context.Context) (*phpchild.Child, error) {
	if p.child != nil && !p.child.Usable() {
		p.discard()
	}
	if p.child == nil {
		return p.replace(ctx)
	}
	o := &p.engine.options
	age := time.Since(p.child.Started())
	due := age >= o.MaxAge || p.child.Batches() >= o.MaxBatches || p.child.Memory() >= o.MaxMemory
	if !due {
		return p.child, nil
	}
	if age >= 2*o.MaxAge { // there was nothing to do: what it knows of the settings is too old
		return p.replace(ctx)
	}
	if p.next == nil && !time.Now().Before(p.notUntil) {
		p.start(context.WithoutCancel(ctx))
	}
	select {
	case s := <-p.next:
		p.next = nil
		if s.err != nil {
			p.notUntil = time.Now().Add(startAgainAfter)
			o.Log.Warn("no new PHP could be started, the old one goes on", "error", s.err)
			break
		}
		p.retire()
		p.child = s.child
	default:
	}
	return p.child, nil
}

// replace waits for a new child. The old one is ended in any case.
func (p *pool) replace(ctx context.Context) (*phpchild.Child, error) {
	p.retire()
	if p.next == nil {
		p.start(ctx)
	}
	select {
	case s := <-p.next:
		p.next = nil
		if s.err != nil {
			return nil, fmt.Errorf("PHP: %w", s.err)
		}
		p.child = s.child
		return p.child, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// start starts a child in the background.
func (p *pool) start(ctx context.Context) {
	next := make(chan started, 1)
	p.next = next
	go func() {
		child, err := phpchild.Start(ctx, p.engine.options.child())
		if err == nil {
			p.engine.begun(child)
		}
		next <- started{child, err}
	}()
}

// retire lets the child end, in the background.
func (p *pool) retire() {
	if child := p.child; child != nil {
		p.child = nil
		p.ending.Go(func() { p.end(child) })
	}
}

func (p *pool) end(child *phpchild.Child) {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := child.End(ctx); err != nil {
		p.engine.options.Log.Warn("PHP did not end in an orderly way", "pid", child.Pid(), "error", err)
	}
	p.bury(child)
}

// discard gives up a child that is dead, or of no more use.
func (p *pool) discard() {
	if child := p.child; child != nil {
		p.child = nil
		child.Kill()
		child.Wait()
		p.bury(child)
	}
}

func (p *pool) bury(child *phpchild.Child) {
	p.engine.count(func(s *Stats) {
		s.Processor += child.Processor()
		delete(p.living, child)
	})
}

func (p *pool) close() {
	p.retire()
	if p.next != nil {
		if s := <-p.next; s.err == nil {
			p.end(s.child)
		}
		p.next = nil
	}
	p.ending.Wait()
}
