package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Options say what a run compares.
type Options struct {
	Batch       int           // entries of a comparison
	Limit       int           // requests, 0: as many as there are
	TimeLimit   time.Duration // 0: none
	FailFast    bool          // end with the first difference that nobody means
	MaxFindings int           // differences that are told in full
	Native      NativeOptions
	PHP         PHPOptions
	Waits       func(ctx context.Context) (int64, error) // who waits for a lock of the database; nil: nobody is asked
	Log         *slog.Logger
	Stop        <-chan struct{}           // closed: end after the comparison that is under way
	OnBatch     func(entries int)         // after each batch
	Keep        func(entry *Entry) error  // is given the entries that were compared; nil: nobody wants them
	Sleep       func(time.Duration)       // nil: time.Sleep
	Between     func(ctx context.Context) // of pair, for tests
}

// Defaults of Options.
const (
	DefaultBatch       = 25
	DefaultLimit       = 2000
	DefaultTimeLimit   = 10 * time.Minute
	DefaultLockWait    = time.Second
	DefaultMaxFindings = 10
)

// Source gives entries to compare, at most n at once; none: there are no more.
type Source interface {
	Next(ctx context.Context, n int) ([]Entry, error)
}

// PlainTablesError names tables in which rows would stay.
type PlainTablesError struct{ Tables []string }

func (e *PlainTablesError) Error() string {
	return fmt.Sprintf("tables %v take no part in transactions: what is written to compare it would stay in them "+
		"(ALTER TABLE … ENGINE=InnoDB)", e.Tables)
}

// Run compares what a source gives. The error says why it could not be done, or not to the end; the report then tells
// what was.
func Run(ctx context.Context, source Source, o Options) (*Report, error) {
	report := &Report{}
	s, err := readSchema(ctx, o.Native.DB, o.Native.Config.Database().Prefix)
	if err != nil {
		return report, err
	}
	if plain := s.outsideTransactions(); len(plain) > 0 {
		return report, &PlainTablesError{plain}
	}
	own, err := newNative(ctx, o.Native)
	if own != nil {
		defer own.close()
	}
	if err != nil {
		return report, err
	}
	matomo, err := newPHP(ctx, o.PHP)
	if matomo != nil {
		defer matomo.close()
	}
	if err != nil {
		return report, err
	}
	p := &pair{
		schema: s, matomo: matomo, own: own, randomPrint: own.randomPrint, between: o.Between,
	}
	if o.Waits == nil {
		o.Waits = func(ctx context.Context) (int64, error) { return own.assembly.Store().LockWaits(ctx) }
	}
	r := newRun(p, o, report)
	report.Versions.PHP = matomo.child.Hello().PHP
	r.uncache = matomo.uncache
	if !matomo.watched {
		r.notes["Matomo's connection is not one of PDO: tables that only plugins write, and changes of rows that only "+
			"PHP makes, are not seen"] = true
	}
	return report, r.all(ctx, source)
}

// run is one that is under way.
type run struct {
	Options
	pair    *pair
	report  *Report
	notes   map[string]bool
	started time.Time
	size    int // entries of the next batch
	calm    int // batches since somebody has waited
	pause   time.Duration
	waited  bool // somebody does, for a lock
	uncache func(ctx context.Context, sites []int64)
}

func newRun(p *pair, o Options, report *Report) *run {
	o.Batch = cmp.Or(o.Batch, DefaultBatch)
	o.MaxFindings = cmp.Or(o.MaxFindings, DefaultMaxFindings)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Sleep == nil {
		o.Sleep = time.Sleep
	}
	report.Deliberate, report.LeftWhy = make(map[string]int), make(map[string]int)
	report.Tables = make(map[string]Table)
	r := &run{Options: o, pair: p, report: report, notes: make(map[string]bool), started: time.Now()}
	// A plugin that ends its transaction shows with the first entry, and leaves no more than that.
	r.size = 1
	before := p.between
	p.between = func(ctx context.Context) {
		if r.Waits != nil {
			if n, err := r.Waits(ctx); err == nil && n > 0 {
				r.waited = true
			}
		}
		if before != nil {
			before(ctx)
		}
	}
	return r
}

// errEnd ends a run for a reason of its own.
type errEnd string

func (e errEnd) Error() string { return string(e) }

// all compares batch by batch.
func (r *run) all(ctx context.Context, source Source) error {
	err := r.batches(ctx, source)
	ended, isEnd := errors.AsType[errEnd](err)
	if isEnd {
		err = nil
	}
	r.report.finish(r.started, string(ended))
	for note := range r.notes {
		r.report.Notes = append(r.report.Notes, note)
	}
	slices.Sort(r.report.Notes)
	return err
}

func (r *run) batches(ctx context.Context, source Source) error {
	for {
		if err := r.due(ctx); err != nil {
			return err
		}
		entries, err := source.Next(ctx, r.size)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return errEnd(EndedAtEnd)
		}
		if aged, ok := r.pair.matomo.(interface{ old() bool }); ok && aged.old() {
			if err := r.again(ctx); err != nil { // both: each remembers what it has tracked
				return err
			}
		}
		part := r.within(whole(entries))
		r.waited = false
		if err := r.batch(ctx, part); err != nil {
			return err
		}
		r.report.Entries += len(entries)
		if r.Keep != nil {
			for i := range entries {
				if err := r.Keep(&entries[i]); err != nil {
					return err
				}
			}
		}
		if r.OnBatch != nil {
			r.OnBatch(len(entries))
		}
		r.adapt()
	}
}

// due reports why the run has to end.
func (r *run) due(ctx context.Context) error {
	select {
	case <-r.Stop:
		return errEnd(EndedSignal)
	default:
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.TimeLimit > 0 && time.Since(r.started) >= r.TimeLimit:
		return errEnd(EndedTime)
	case r.Limit > 0 && r.seen() >= r.Limit:
		return errEnd(EndedLimit)
	}
	return nil
}

// seen is how many requests were looked at.
func (r *run) seen() int { return r.report.Requests + r.report.Left }

// within cuts a part to the limit of requests.
func (r *run) within(p part) part {
	if r.Limit > 0 {
		return p.prefix(min(p.len(), r.Limit-r.seen()))
	}
	return p
}

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	calmAgain  = 10 // batches
)

// adapt makes room for others who wait for locks: smaller batches, with growing pauses between them.
func (r *run) adapt() {
	switch {
	case r.waited:
		r.report.Waits++
		r.calm = 0
		r.size = max(1, r.size/2)
		r.pause = min(maxPause, max(firstPause, 2*r.pause))
		r.Log.Info("others wait for locks, smaller comparisons", "entries", r.size, "pause", r.pause)
		r.Sleep(r.pause)
	case r.pause > 0 && r.calm < calmAgain:
		r.calm++
	default:
		r.pause = 0
		r.size = min(r.Batch, max(2*r.size, r.size+1))
	}
}

// batch compares a part, and finds the requests that differ.
func (r *run) batch(ctx context.Context, p part) error {
	r.report.Requests += p.len()
	fine := 0 // so many requests of the part, its first ones, are equal by themselves
	var first *comparison
	for p.len() > 0 {
		c, err := r.compared(ctx, p)
		if err != nil {
			return r.leave(p, err)
		}
		if c.equal() {
			r.count(c, p.len())
			return nil
		}
		if err := r.over(ctx); err != nil {
			return errors.Join(r.leave(p, errUnseen), err)
		}
		if fine == 0 { // a difference is seen twice, by new processes
			first = c
			if err := r.again(ctx); err != nil {
				return r.leave(p, err)
			}
			if c, err = r.compared(ctx, p); err != nil {
				return r.leave(p, err)
			}
			if c.equal() {
				r.moved(p, first)
				r.count(c, p.len())
				return nil
			}
		}
		culprit, seen, err := r.narrow(ctx, p, fine)
		if err != nil {
			return r.leave(p, err)
		}
		if seen == nil { // gone while it was looked for
			r.moved(p, c)
			fine = 0
			if r.report.Moved > maxMoved+r.report.Requests {
				return r.leave(p, errMoving)
			}
			continue
		}
		ended := r.found(p, culprit, seen)
		p = p.without(culprit)
		fine = culprit
		if ended != nil {
			return errors.Join(r.leave(p, errFirst), ended)
		}
	}
	return nil
}

// moved counts a difference that was not seen again.
func (r *run) moved(p part, c *comparison) {
	r.report.Moved++
	d := c.differences[0]
	r.Log.Info("difference not seen again", "from", p.entries[0].Position, "entries", len(p.entries),
		"cells", len(c.differences), "table", d.Table, "column", d.Column, "matomo", d.Want, "queuedtracking", d.Got)
}

// maxMoved bounds how often differences may come and go.
const maxMoved = 20

// over is due for a batch that is under way: it may be completed although it reaches the limit of requests.
func (r *run) over(ctx context.Context) error {
	err := r.due(ctx)
	if end, ok := errors.AsType[errEnd](err); ok && end == EndedLimit {
		return nil
	}
	return err
}

// leave gives requests up that cannot be compared. What concerns them alone does not end the run.
func (r *run) leave(p part, err error) error {
	r.report.Requests -= p.len()
	end, isEnd := errors.AsType[errEnd](err)
	switch {
	case isEnd:
		r.report.leave(p.len(), "the run ended ("+string(end)+")")
		return err
	case store.IsRetryable(err):
		r.report.leave(p.len(), "the database was busy: "+err.Error())
		return nil
	}
	r.report.leave(p.len(), err.Error())
	if err == errUnseen || err == errFirst || err == errMoving {
		return nil
	}
	return err
}

// Why requests are left although nothing is wrong.
var (
	errUnseen = errors.New("the run ended before a difference was looked at again")
	errFirst  = errors.New("the run ended with the first difference")
	errMoving = errors.New("differences come and go: others write too much")
)

// again lets both sides forget what they remember.
func (r *run) again(ctx context.Context) error {
	return errors.Join(r.pair.own.restart(ctx), r.pair.matomo.restart(ctx))
}

// maxAttempts is how often a comparison is begun that others are in the way of.
const maxAttempts = 6

// compared compares, and tries again when locks or servers were in the way.
func (r *run) compared(ctx context.Context, p part) (c *comparison, err error) {
	pause := firstPause
	for n := 1; ; n++ {
		c, err = r.pair.compare(ctx, p)
		if err == nil {
			return c, r.settle(ctx, p, c)
		}
		if died, ok := errors.AsType[*diedError](err); ok {
			return died.comparison(p), nil
		}
		_, broke := errors.AsType[*phpchild.DeathError](err)
		if ctx.Err() != nil || n == maxAttempts || !store.IsRetryable(err) && !broke {
			return nil, err
		}
		r.report.Waits++
		r.Log.Info("comparison tried again", "error", err, "pause", pause)
		r.Sleep(pause)
		pause = min(maxPause, 2*pause)
		if err := r.over(ctx); err != nil {
			return nil, err
		}
		if err := r.again(ctx); err != nil && !store.IsRetryable(err) {
			return nil, err
		}
	}
}

// comparison is that of a part with whose request PHP has ended: nothing else of it can be told.
func (e *diedError) comparison(p part) *comparison {
	c := &comparison{}
	d := difference{outcome: e.request}
	d.Want, d.Got = e.err.Error(), "not tracked for comparison"
	c.differences = append(c.differences, d)
	c.matomo.outcomes, c.own.outcomes = make([]outcome, p.len()), make([]outcome, p.len())
	return c
}

// settle looks after what a comparison has left in Matomo's cache: salts that were drawn and are gone.
func (r *run) settle(ctx context.Context, p part, c *comparison) error {
	for _, note := range c.notes {
		r.notes[note] = true
	}
	if len(r.pair.drawn) > 0 && r.uncache != nil {
		r.uncache(ctx, p.sites())
	}
	return nil
}

// uncache tells Matomo to forget sites that were read within a comparison. A cache that it cannot empty is renewed
// within minutes.
func (p *phpSide) uncache(ctx context.Context, sites []int64) {
	if p.child.Usable() {
		_ = p.child.Uncache(ctx, sites)
	}
}

// narrow finds the first request with which the part differs, and what then differs; nil when nothing does any more.
// The first fine requests are known to be equal. It looks close behind them first: where one request differs others
// often do.
func (r *run) narrow(ctx context.Context, p part, fine int) (culprit int, seen *comparison, err error) {
	equal, differs := fine, 0 // 0: not known yet
	for step := 1; differs-equal != 1; step *= 2 {
		if err := r.over(ctx); err != nil {
			return 0, nil, err
		}
		next := min(equal+step, p.len())
		if differs > 0 {
			next = (equal + differs) / 2
		}
		c, err := r.compared(ctx, p.prefix(next))
		switch {
		case err != nil:
			return 0, nil, err
		case !c.equal():
			differs, seen = next, c
		case next == p.len():
			return 0, nil, nil
		default:
			equal = next
		}
	}
	return differs - 1, seen, nil
}
