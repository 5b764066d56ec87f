package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// Tx is one transaction: all that a batch reads and writes. It belongs to one goroutine.
//
// Statements that write are collected and sent together (script.go); what reads sends them first.
type Tx struct {
	s         *Store
	conn      *sqlx.Conn
	q         statement // the statement under construction
	script    script
	inserted  mysql.Result // answers to the script's first message, not yet passed on
	answers   mysql.Result // to the second one, if there is one
	sent      bool         // and nothing was written since
	begun     bool         // the server knows of the transaction
	increment int64
	stats     Stats
	onCommit  []func()
	undo      []func() // on rollback
	refused   error    // why it must not be committed: a script that failed, or a condition of the transaction's own
	written   func()   // after each round trip that writes, nil for none
	done      bool
}

// Stats counts what a transaction has done so far.
type Stats struct {
	Statements int // sent to the server, BEGIN and COMMIT included
	RoundTrips int // messages that they took
	GoneVisits int // visits that UpdateVisits did not find any more: somebody deleted them meanwhile
}

// Begin starts a transaction with the server's default isolation. On SQLite it is the only one that writes until it
// ends.
func (s *Store) Begin(ctx context.Context) (*Tx, error) {
	conn, err := s.db.Connx(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{s: s, conn: conn, increment: s.distance.Load()}
	if s.server.scripts { // with the first statement
		tx.script.add(&statement{sql: []byte(s.dialect.begin)}, step{})
		return tx, nil
	}
	tx.count(1)
	if _, err := conn.ExecContext(ctx, s.dialect.begin); err != nil {
		tx.discard()
		return nil, fmt.Errorf("begin: %w", err)
	}
	tx.begun = true
	return tx, nil
}

func (tx *Tx) count(statements int) {
	tx.stats.Statements += statements
	tx.stats.RoundTrips++
}

// Commit ends the transaction and runs what OnCommit noted. After an error that IsConnectionLost it is not known
// whether the transaction took place.
func (tx *Tx) Commit(ctx context.Context) error {
	err := tx.refused
	if !tx.sent {
		err = tx.Flush(ctx)
	}
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	tx.count(1)
	if _, err := tx.conn.ExecContext(ctx, "COMMIT"); err != nil {
		_ = tx.Rollback()
		return fmt.Errorf("commit: %w", err)
	}
	tx.done = true
	_ = tx.conn.Close() // back to the pool
	for _, f := range tx.onCommit {
		f()
	}
	return nil
}

// rollbackTimeout bounds the wait for a server that may have gone away; a connection that is closed takes its
// transaction with it.
const rollbackTimeout = 5 * time.Second

// Rollback ends the transaction without a trace. After Commit it does nothing.
func (tx *Tx) Rollback() error {
	if tx.done {
		return nil
	}
	tx.done = true
	for _, f := range tx.undo {
		f()
	}
	if !tx.begun {
		return tx.conn.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	if _, err := tx.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		tx.discard()
		return fmt.Errorf("rollback: %w", err)
	}
	return tx.conn.Close()
}

// discard closes the connection for good.
func (tx *Tx) discard() {
	_ = tx.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = tx.conn.Close()
}

// OnCommit notes a function to run once the transaction is committed.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, f) }

// OnRollback notes a function to run if the transaction is rolled back.
func (tx *Tx) OnRollback(f func()) { tx.undo = append(tx.undo, f) }

// AfterWrites notes a function to call whenever the transaction has sent something that writes. Tests make faults with
// it.
func (tx *Tx) AfterWrites(f func()) { tx.written = f }

// Stats returns the counters.
func (tx *Tx) Stats() Stats { return tx.stats }

// SQL is the connection of the transaction, for a queue that lives in the same database. What was collected is sent
// first.
func (tx *Tx) SQL(ctx context.Context) (*sqlx.Conn, error) { return tx.conn, tx.Flush(ctx) }

// begin starts a new statement.
func (tx *Tx) begin(parts ...string) *statement {
	tx.q.reset()
	return tx.q.add(parts...)
}

// exec sends the statement under construction, after those that were collected.
func (tx *Tx) exec(ctx context.Context) (sql.Result, error) {
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	tx.count(1)
	result, err := tx.conn.ExecContext(ctx, string(tx.q.sql), tx.q.args...)
	if tx.written != nil && err == nil {
		tx.written()
	}
	return result, err
}

// query sends the statement under construction, after those that were collected, and calls row for each row of the
// result.
func (tx *Tx) query(ctx context.Context, row func(rows *sqlx.Rows) error) error {
	if tx.script.silent() { // the transaction begins with the first question
		tx.count(len(tx.script.steps) + 1)
		tx.script.add(&tx.q, step{})
		tx.begun = true
		err := queryRows(ctx, tx.conn, &tx.script.statement, row)
		tx.script.reset()
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	tx.count(1)
	return queryRows(ctx, tx.conn, &tx.q, row)
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
