package phpengine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Options say what an engine works with.
type Options struct {
	Dir         string        // Matomo's directory
	Host        string        // of the config file, where an installation has several
	Binary      string        // PHP's, one that phpchild.Find has found
	MemoryLimit string        // of PHP; "": phpchild.DefaultMemoryLimit
	Silence     time.Duration // how long a request may take; 0: phpchild.DefaultSilence
	DB          *sqlx.DB      // Matomo's database, to end connections that children have left
	Store       *store.Store  // of the same database
	Log         *slog.Logger
	First       *phpchild.Child // a child that was begun with these options; nil: the engine starts its first one

	// Limits of a child; 0 is the default.
	MaxAge     time.Duration
	MaxBatches int
	MaxMemory  int64
}

// Defaults of the limits of a child.
const (
	DefaultMaxAge     = time.Minute
	DefaultMaxBatches = 500
	DefaultMaxMemory  = 256 << 20
)

func (o Options) withDefaults() Options {
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.MaxBatches <= 0 {
		o.MaxBatches = DefaultMaxBatches
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = DefaultMaxMemory
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o *Options) child() phpchild.Options {
	return phpchild.Options{
		Dir: o.Dir, Host: o.Host, Binary: o.Binary, MemoryLimit: o.MemoryLimit, Silence: o.Silence, Log: o.Log,
	}
}

// Engine is a replay.Engine. Stats may be called from any goroutine.
type Engine struct {
	options  Options
	pool     pool
	lost     []int64 // connections of children that died with an open transaction
	suspects suspects

	mu    sync.Mutex
	stats Stats
}

var _ replay.Engine = (*Engine)(nil)

// New returns an engine. Where none is given its first child is started with the first transaction.
func New(o Options) *Engine {
	e := &Engine{options: o.withDefaults()}
	e.pool.engine = e
	if first := o.First; first != nil {
		e.begun(first)
		e.pool.child = first
	}
	return e
}

// Stats count what has happened to the children of an engine.
type Stats struct {
	Started   int           // children
	Deaths    int           // of children that were not told to end
	Leaked    int           // transactions that a plugin has ended
	Processor time.Duration // of PHP
}

// Stats gives the counters.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	for child := range e.pool.living {
		s.Processor += child.Processor()
	}
	return s
}

// Pids are the processes of the children that live.
func (e *Engine) Pids() (pids []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for child := range e.pool.living {
		pids = append(pids, child.Pid())
	}
	return pids
}

// begun counts a child.
func (e *Engine) begun(child *phpchild.Child) {
	e.count(func(s *Stats) {
		s.Started++
		if e.pool.living == nil {
			e.pool.living = make(map[*phpchild.Child]bool)
		}
		e.pool.living[child] = true
	})
}

func (e *Engine) count(change func(*Stats)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.stats)
}

// Begin implements replay.Engine. The server knows of the transaction with its first operation.
func (e *Engine) Begin(ctx context.Context) (replay.Transaction, error) {
	if err := e.settle(ctx); err != nil {
		return nil, err
	}
	child, err := e.pool.ready(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{engine: e, child: child}, nil
}

// Close implements replay.Engine.
func (e *Engine) Close() error {
	e.pool.close()
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	return e.settle(ctx)
}
