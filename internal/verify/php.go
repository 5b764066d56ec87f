package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
)

// PHPOptions say how Matomo's own PHP tracks.
type PHPOptions struct {
	Child    phpchild.Options
	First    *phpchild.Child // one that was started with these options, nil for none
	DB       *sqlx.DB        // to end connections that a child has left
	LockWait time.Duration
}

// maxAge is how long a child lives: Matomo's worker lives for a minute, and never sees changed settings.
const maxAge = time.Minute

// old reports whether it is time for a new child.
func (p *phpSide) old() bool { return time.Since(p.child.Started()) > maxAge }

// phpSide is Matomo's own tracker, in a child process.
type phpSide struct {
	options    PHPOptions
	child      *phpchild.Child
	watched    bool // statements are seen
	connection int64
	open       bool
	given      bool // rows were put into the transaction
}

func newPHP(ctx context.Context, o PHPOptions) (*phpSide, error) {
	p := &phpSide{options: o, child: o.First}
	if p.child != nil {
		return p, p.prepare(ctx)
	}
	return p, p.restart(ctx)
}

func (p *phpSide) restart(ctx context.Context) (err error) {
	p.close()
	if p.child, err = phpchild.Start(ctx, p.options.Child); err != nil {
		return fmt.Errorf("PHP: %w", err)
	}
	return p.prepare(ctx)
}

// prepare is for a new child.
func (p *phpSide) prepare(ctx context.Context) (err error) {
	for _, statement := range session(p.options.LockWait) {
		if _, err := p.child.Exec(ctx, statement); err != nil {
			return fmt.Errorf("PHP's connection: %s: %w", statement, err)
		}
	}
	p.watched, err = p.child.Watch(ctx)
	return err
}

// endTimeout is how long a child may take to end, and a connection to be gone.
const endTimeout = 10 * time.Second

// close ends the child. It is not told to end: what Matomo then does is none of a comparison's business.
func (p *phpSide) close() {
	if p.child == nil {
		return
	}
	p.child.Kill()
	p.child.Wait()
	p.child = nil
	if p.open {
		p.open = false
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		p.endConnection(ctx)
	}
}

// endConnection waits until the connection of a child that is gone is gone, too: its locks would be in the way.
func (p *phpSide) endConnection(ctx context.Context) {
	const errNoSuchThread, errNotAllowed = 1094, 1095
	for ctx.Err() == nil {
		_, err := p.options.DB.ExecContext(ctx, fmt.Sprintf("KILL %d", p.connection))
		refusal, ok := errors.AsType[*mysql.MySQLError](err)
		if err != nil && (!ok || refusal.Number == errNoSuchThread || refusal.Number == errNotAllowed) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (p *phpSide) begin(ctx context.Context) error {
	if !p.child.Usable() {
		if err := p.restart(ctx); err != nil {
			return err
		}
	}
	begun, err := p.child.Begin(ctx, "")
	if err != nil {
		return err
	}
	p.connection, p.open = begun.Connection, true
	if _, err := p.child.Written(ctx); err != nil { // the row of the trial itself
		return err
	}
	return nil
}

func (p *phpSide) end(ctx context.Context) error {
	if !p.child.Usable() {
		return p.restart(ctx)
	}
	if !p.open {
		return nil
	}
	if err := p.child.Rollback(ctx); err != nil {
		return errors.Join(err, p.restart(ctx))
	}
	p.open = false
	return nil
}

func (p *phpSide) ask(ctx context.Context, query string) ([][]*string, error) {
	return p.child.Rows(ctx, query)
}

func (p *phpSide) insert(ctx context.Context, statement string, values ...any) error {
	if _, err := p.child.Exec(ctx, statement, values...); err != nil {
		return err
	}
	p.given = true
	_, err := p.child.Written(ctx) // it is none of Matomo's
	return err
}

func (p *phpSide) wrote(ctx context.Context) (footprint, error) {
	statements, err := p.child.Written(ctx)
	if err != nil {
		return nil, err
	}
	f := make(footprint)
	for _, s := range statements {
		f.note(s.SQL, s.Values)
	}
	return f, nil
}

// LeakError says that a plugin has ended the transaction: what was tracked until then has stayed.
type LeakError struct{ Requests int }

func (e *LeakError) Error() string {
	return fmt.Sprintf("a plugin has ended PHP's transaction (with CREATE TABLE or the like): rows of up to %d requests "+
		"have stayed in the tables. This installation cannot be compared while it is in use", e.Requests)
}

// diedError is the end of a child that a request has brought about.
type diedError struct {
	request int // of the part
	err     error
}

func (e *diedError) Error() string { return e.err.Error() }
func (e *diedError) Unwrap() error { return e.err }

func (p *phpSide) track(ctx context.Context, part part) ([]outcome, error) {
	if p.given { // what was given is to stay when the child takes the batch back to track it again
		if _, err := p.child.Exec(ctx, "SAVEPOINT qt_batch"); err != nil {
			return nil, err
		}
		p.given = false
	}
	sets, index := part.sets()
	statuses, leaked, err := p.child.Track(ctx, sets)
	if leaked {
		return nil, &LeakError{part.len()}
	}
	if death, ok := errors.AsType[*phpchild.DeathError](err); ok && ctx.Err() == nil && death.Request != nil {
		if at := death.Request; at.Set < len(index) {
			if i, ok := index[at.Set][max(0, at.Request)]; ok {
				return nil, &diedError{i, err}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, part.len())
	for n, set := range statuses {
		for request, i := range index[n] {
			outcomes[i] = outcomeOf(set, request)
		}
	}
	return outcomes, nil
}

// outcomeOf is that of one request. One that PHP does not see in its entry has nothing to be tracked.
func outcomeOf(set []phpchild.Status, request int) outcome {
	status := phpchild.Status{What: phpchild.Tracked}
	switch {
	case len(set) == 1 && set[0].What == phpchild.Unopened:
		status = set[0]
	case request < len(set):
		status = set[request]
	}
	switch status.What {
	case phpchild.Rejected, phpchild.Failed, phpchild.Broken, phpchild.Unopened:
		return outcome{true, status.Err().Error()}
	}
	return outcome{}
}
