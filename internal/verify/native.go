package verify

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// NativeOptions say how this program itself tracks.
type NativeOptions struct {
	Config   *matomo.Config
	DB       *sqlx.DB // Matomo's database
	Assembly assembly.Options
	LockWait time.Duration
}

// nativeSide is this program's own tracker, on a connection of its own.
type nativeSide struct {
	options      NativeOptions
	single       *single
	pool         *sqlx.DB
	installation *matomo.Installation
	assembly     *assembly.Assembly
	engine       replay.Engine
	tx           replay.Transaction // nil: nothing was tracked
	marked       bool               // days were marked for new reports, which the tracker remembers
}

func newNative(ctx context.Context, o NativeOptions) (*nativeSide, error) {
	n := &nativeSide{options: o}
	if n.options.Assembly.Log == nil {
		n.options.Assembly.Log = slog.New(slog.DiscardHandler)
	}
	return n, n.restart(ctx)
}

func (n *nativeSide) restart(ctx context.Context) (err error) {
	n.close()
	if n.single, err = newSingle(ctx, n.options.DB, n.options.LockWait); err != nil {
		return err
	}
	n.pool = n.single.database(n.options.DB.DriverName())
	n.installation, err = matomo.Open(ctx, n.options.Config, n.pool, n.options.Assembly.Clock, matomo.Options{})
	if err != nil {
		return err
	}
	o := n.options.Assembly
	if o.Devices != nil { // it has a memory, as a process of PHP has
		if o.Devices, err = o.Devices.Forgetful(); err != nil {
			return err
		}
	}
	if n.assembly, err = assembly.Assemble(ctx, n.installation, n.pool, o); err != nil {
		return err
	}
	n.engine = n.assembly.NewEngine()
	return n.single.ready(ctx)
}

func (n *nativeSide) close() {
	if n.tx != nil {
		_ = n.tx.Rollback() // the connection goes with it
		n.tx = nil
	}
	if n.assembly != nil {
		_ = n.assembly.Close()
		n.assembly = nil
	}
	if n.pool != nil {
		_ = n.pool.Close()
		n.single.close()
		n.pool, n.single = nil, nil
	}
}

func (n *nativeSide) begin(ctx context.Context) error {
	n.single.wrote()
	return n.single.begin(ctx)
}

func (n *nativeSide) end(ctx context.Context) error {
	err := n.back()
	if n.marked {
		n.marked, n.engine = false, n.assembly.NewEngine()
	}
	return errors.Join(err, n.single.rollback(ctx))
}

// back takes back what was tracked. What is read afterwards is what the transaction has begun with.
func (n *nativeSide) back() error {
	if n.tx == nil {
		return nil
	}
	err := n.tx.Rollback()
	n.tx = nil
	n.assembly.Store().ForgetActions() // rows of log_action that are gone
	return err
}

func (n *nativeSide) ask(ctx context.Context, query string) ([][]*string, error) {
	return n.single.ask(ctx, query)
}

func (n *nativeSide) insert(ctx context.Context, statement string, values ...any) error {
	return n.single.insert(ctx, statement, values...)
}

func (n *nativeSide) wrote(context.Context) (footprint, error) {
	f := n.single.wrote()
	if t := f[strings.Trim(n.installation.Table("option"), "`")]; t != nil {
		for value := range t.values {
			n.marked = n.marked || strings.Contains(value, "_report_to_invalidate_")
		}
	}
	return f, nil
}

// track tracks a part. Requests with which the database refuses all of it are found, and left out, as process does.
func (n *nativeSide) track(ctx context.Context, p part) ([]outcome, error) {
	entries, index := p.filtered()
	given := make([]replay.Entry, len(entries))
	for i := range entries {
		given[i] = replay.Entry{Position: i, Element: entries[i].Element, Set: entries[i].Set}
	}
	task, err := n.engine.Prepare(ctx, given)
	if err != nil {
		return nil, err
	}
	for {
		result, err := n.attempt(ctx, task)
		if err == nil {
			return outcomesOf(result, index, p.len()), nil
		}
		if !isRequests(err) || !n.blame(ctx, task, err) {
			task.Discard()
			return nil, err
		}
	}
}

// attempt tracks within a savepoint, which stays if it succeeds.
func (n *nativeSide) attempt(ctx context.Context, task replay.Task) (result *tracker.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &tracker.PanicError{Value: v, Stack: string(debug.Stack())}
		}
		if err != nil {
			err = errors.Join(err, n.back())
		}
	}()
	if err := n.back(); err != nil {
		return nil, err
	}
	if n.tx, err = n.engine.Begin(ctx); err != nil {
		return nil, err
	}
	if result, err = n.tx.Track(ctx, task); err == nil {
		err = n.tx.Flush(ctx)
	}
	return result, err
}

// isRequests reports whether a request may be to blame for an error.
func isRequests(err error) bool {
	_, bug := errors.AsType[*tracker.PanicError](err)
	return bug || store.IsDataError(err)
}

// blame finds the first request with which the database refuses the task, and takes it out.
func (n *nativeSide) blame(ctx context.Context, task replay.Task, cause error) bool {
	fine, bad := 0, task.Len()
	for bad-fine > 1 {
		middle := (fine + bad) / 2
		_, err := n.attempt(ctx, task.Prefix(middle))
		switch {
		case err == nil:
			fine = middle
		case !isRequests(err):
			return false
		default:
			bad, cause = middle, err
		}
	}
	return bad > 0 && task.Fail(bad-1, cause)
}

// outcomesOf tells what became of each request of a part.
func outcomesOf(result *tracker.Result, index [][]int, requests int) []outcome {
	outcomes := make([]outcome, requests)
	for _, refusal := range result.Refusals {
		if refusal.Set < len(index) && refusal.Request < len(index[refusal.Set]) {
			outcomes[index[refusal.Set][refusal.Request]] = outcome{true, refusal.Err.Error()}
		}
	}
	return outcomes
}

// randomPrint reports whether a site's fingerprints are drawn at random.
func (n *nativeSide) randomPrint(ctx context.Context, id int64) bool {
	site, err := n.installation.Site(ctx, id)
	return err == nil && site.Privacy.RandomizeConfigID
}
