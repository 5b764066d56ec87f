package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Tx is one transaction: all that a batch reads and writes. It belongs to one goroutine.
type Tx struct {
	s         *Store
	tx        *sqlx.Tx
	q         statement // the statement under construction
	increment int64
	stats     Stats
	onCommit  []func()
	undo      []func() // on rollback
	written   func()   // after each statement that writes, nil for none
	done      bool
}

// Stats counts what a transaction has done so far.
type Stats struct {
	Statements int // sent to the server, BEGIN and COMMIT included; one round trip each
	GoneVisits int // visits that UpdateVisits did not find any more: somebody deleted them meanwhile
}

// Begin starts a transaction with the server's default isolation. On SQLite it is the only one that writes until it ends.
func (s *Store) Begin(ctx context.Context) (*Tx, error) {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{s: s, tx: tx, increment: s.server.increment, stats: Stats{Statements: 1}}, nil
}

// Commit ends the transaction and runs what OnCommit noted. After an error that IsConnectionLost it is not known whether the transaction
// took place.
func (tx *Tx) Commit() error {
	tx.stats.Statements++
	if err := tx.tx.Commit(); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	tx.done = true
	for _, f := range tx.onCommit {
		f()
	}
	return nil
}

// Rollback ends the transaction without a trace. After Commit it does nothing.
func (tx *Tx) Rollback() error {
	if tx.done {
		return nil
	}
	tx.done = true
	for _, f := range tx.undo {
		f()
	}
	return tx.tx.Rollback()
}

// OnCommit notes a function to run once the transaction is committed.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, f) }

// AfterWrites notes a function to call after each statement that writes within the transaction. Tests make faults with it.
func (tx *Tx) AfterWrites(f func()) { tx.written = f }

// Stats returns the counters.
func (tx *Tx) Stats() Stats { return tx.stats }

// SQL is the transaction itself, for a queue that lives in the same database.
func (tx *Tx) SQL() *sqlx.Tx { return tx.tx }

// begin starts a new statement.
func (tx *Tx) begin(parts ...string) *statement {
	tx.q.reset()
	return tx.q.add(parts...)
}

// exec sends the statement under construction.
func (tx *Tx) exec(ctx context.Context) (sql.Result, error) {
	tx.stats.Statements++
	result, err := tx.tx.ExecContext(ctx, string(tx.q.sql), tx.q.args...)
	if tx.written != nil && err == nil {
		tx.written()
	}
	return result, err
}

// query sends the statement under construction and calls row for each row of the result.
func (tx *Tx) query(ctx context.Context, row func(rows *sqlx.Rows) error) error {
	tx.stats.Statements++
	return queryRows(ctx, tx.tx, &tx.q, row)
}

func queryRows(ctx context.Context, db sqlx.QueryerContext, q *statement, row func(rows *sqlx.Rows) error) error {
	rows, err := db.QueryxContext(ctx, string(q.sql), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// full reports whether the statement has no room for more.
func (s *Store) full(q *statement) bool {
	return q.size() > s.server.maxStatement || len(q.args) > s.server.maxParameters
}
