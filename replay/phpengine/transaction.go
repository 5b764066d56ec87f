package phpengine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// transaction is a replay.Transaction: one of the child's.
type transaction struct {
	engine     *Engine
	child      *phpchild.Child
	open       bool
	connection int64
	checkpoint string // as it is stored
	next       string // as it will be; "": it stays
	written    func()
}

// endedError is the death of a child for those who ask whether to try again: as if the connection was lost.
type endedError struct{ error }

func (e *endedError) Unwrap() []error {
	return []error{e.error, replay.ErrEngineEnded, io.ErrUnexpectedEOF}
}

// rollbackTimeout bounds the wait for a child; a dead one's connection takes its transaction with it.
const rollbackTimeout = 5 * time.Second

// begin opens the transaction with its first operation.
func (tx *transaction) begin(ctx context.Context, option string) (phpchild.Begun, error) {
	begun, err := tx.child.Begin(ctx, option)
	if err != nil {
		return begun, tx.failed(err)
	}
	tx.open, tx.connection = true, begun.Connection
	return begun, nil
}

// Checkpoint implements replay.Transaction.
func (tx *transaction) Checkpoint(ctx context.Context, list string) (store.Checkpoint, error) {
	option, err := store.CheckpointOption(list)
	if err != nil {
		return store.Checkpoint{}, err
	}
	begun, err := tx.begin(ctx, option)
	if err == nil && begun.Missing { // a lock on a gap would keep nobody out
		if err = tx.rollback(ctx); err == nil {
			if err = tx.engine.options.Store.CreateCheckpoint(ctx, list); err == nil {
				begun, err = tx.begin(ctx, option)
			}
		}
	}
	if err != nil {
		return store.Checkpoint{}, fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	if begun.Missing {
		return store.Checkpoint{}, fmt.Errorf("checkpoint of %s: option %s does not stay", list, option)
	}
	if begun.Marked {
		tx.engine.options.Log.Warn("the last worker was interrupted after a plugin had ended its transaction: "+
			"some of the requests that follow may be tracked for the second time", "queue", list)
	}
	tx.checkpoint = begun.Checkpoint
	return store.ParseCheckpoint(list, begun.Checkpoint)
}

// Track implements replay.Transaction.
func (tx *transaction) Track(ctx context.Context, part replay.Task) (*tracker.Result, error) {
	t := part.(*task)
	c := t.call()
	if err := tx.engine.convicted(t, c); err != nil {
		return nil, err
	}
	if !tx.open {
		if _, err := tx.begin(ctx, ""); err != nil {
			return nil, err
		}
	}
	statuses, leaked, err := tx.child.Track(ctx, c.sets)
	if err != nil {
		return nil, tx.failedWith(t, c, err)
	}
	if leaked {
		tx.engine.count(func(s *Stats) { s.Leaked++ })
		tx.engine.options.Log.Warn("a plugin has ended the transaction (with CREATE TABLE or the like): " +
			"a worker that is killed at the wrong moment tracks this batch twice")
	}
	tx.wrote()
	result, err := t.result(c, statuses)
	if err == nil && result.Tracked > 0 {
		tx.engine.suspects.vouched = true
	}
	return result, err
}

// maxPreviews is how often a preview is begun again after a death: as it leaves nothing, nobody else has to.
const maxPreviews = 8

// Preview implements replay.Transaction.
func (tx *transaction) Preview(ctx context.Context, part replay.Task) (result *tracker.Result, err error) {
	for range maxPreviews {
		if result, err = tx.Track(ctx, part); err == nil || tx.child.Usable() || !store.IsRetryable(err) {
			break
		}
		again, err := tx.engine.Begin(ctx)
		if err != nil {
			return nil, err
		}
		*tx = *again.(*transaction)
	}
	return result, errors.Join(err, tx.Rollback())
}

// SQL implements replay.Transaction.
func (tx *transaction) SQL(context.Context) (queue.Executor, error) { return tx, nil }

// ExecContext implements queue.Executor.
func (tx *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	n, err := tx.child.Exec(ctx, query, args...)
	if err != nil {
		return nil, tx.failed(err)
	}
	tx.wrote()
	return driver.RowsAffected(n), nil
}

// SaveCheckpoint implements replay.Transaction. The child is told with the commit: one message less.
func (tx *transaction) SaveCheckpoint(_ context.Context, _ string, c store.Checkpoint) error {
	tx.next = c.String()
	return nil
}

// Flush implements replay.Transaction. All rows are at the server already.
func (tx *transaction) Flush(context.Context) error { return nil }

// Commit implements replay.Transaction.
func (tx *transaction) Commit(ctx context.Context) error {
	commit := tx.child.Commit
	if tx.next != "" {
		commit = func(ctx context.Context) error { return tx.child.CommitMoved(ctx, tx.checkpoint, tx.next) }
	}
	if err := commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", tx.failed(err))
	}
	tx.open = false
	return nil
}

// Rollback implements replay.Transaction.
func (tx *transaction) Rollback() error {
	if !tx.open {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if err := tx.rollback(ctx); err != nil {
		return fmt.Errorf("rollback: %w", err)
	}
	return nil
}

func (tx *transaction) rollback(ctx context.Context) error {
	err := tx.child.Rollback(ctx)
	if err != nil {
		return tx.failed(err)
	}
	tx.open = false
	return nil
}

// AfterWrites implements replay.Transaction.
func (tx *transaction) AfterWrites(f func()) { tx.written = f }

func (tx *transaction) wrote() {
	if tx.written != nil {
		tx.written()
	}
}

// failed is for errors of the child: one that is of no more use is given up, and its connection will be ended.
func (tx *transaction) failed(err error) error {
	if tx.child.Usable() {
		if _, back := errors.AsType[*phpchild.RolledBackError](err); back {
			return fmt.Errorf("%w: %w", err, &mysql.MySQLError{Number: errDeadlock, Message: "tried again"})
		}
		return err
	}
	if tx.open {
		tx.open = false
		tx.engine.lost = append(tx.engine.lost, tx.connection)
	}
	tx.engine.pool.discard()
	if _, died := errors.AsType[*phpchild.DeathError](err); died {
		tx.engine.count(func(s *Stats) { s.Deaths++ })
		return &endedError{err}
	}
	return err
}

// errDeadlock is the server's number for a transaction that it has rolled back.
const errDeadlock = 1213
