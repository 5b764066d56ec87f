package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// script collects statements that write, so that they travel to MySQL or MariaDB in one message: each round trip costs
// as much as the insertion of ten rows. The server runs them one after the other and stops at the first that fails.
//
// A row that is inserted by the script has no number before the script has run. Until then its ID is a reference (below
// zero), which stands in other statements of the script as the server's variable that LAST_INSERT_ID() was kept in,
// plus the row's distance from the first one.
type script struct {
	statement
	steps     []step // one for each statement
	variables int
	cut       cut
}

// cut is where the second message of a script begins, if it is not sent in one.
type cut struct{ steps, sql, args int }

// step is what a statement's answer is for. Either function may be nil.
type step struct {
	done  func(affected, id int64)   // is told what the server said
	check func(affected int64) error // finds out whether the transaction may be committed
}

func (c *script) add(q *statement, s step) {
	if len(c.steps) > 0 {
		c.sql = append(c.sql, ';')
	}
	c.sql = append(c.sql, q.sql...)
	c.args = append(c.args, q.args...)
	c.long += q.long
	c.steps = append(c.steps, s)
}

func (c *script) reset() {
	c.statement.reset()
	clear(c.steps)
	c.steps, c.variables, c.cut = c.steps[:0], 0, cut{}
}

// silent reports whether there are statements, and whether nobody wants to know what becomes of them.
func (c *script) silent() bool {
	for _, s := range c.steps {
		if s.done != nil || s.check != nil {
			return false
		}
	}
	return len(c.steps) > 0
}

// keepID keeps the first number that the last statement will have given in a variable.
func (c *script) keepID() (variable int) {
	c.variables++
	c.add(new(statement).add("SET ", variableName(c.variables), " = LAST_INSERT_ID()"), step{})
	return c.variables
}

// maxDistance bounds how far a row may be from the first one of its statement.
const maxDistance = 1 << 32

// reference is the ID of a row whose number will be that of the variable plus distance.
func reference(variable int, distance int64) int64 { return -(int64(variable)*maxDistance + distance) }

// Deferred reports whether an ID is a reference: the row is on its way to the database.
func Deferred(id int64) bool { return id < 0 }

// id adds the number of a row, or its reference.
func (q *statement) id(id int64) *statement {
	if !Deferred(id) {
		return q.int(id)
	}
	return q.add(variableName(int(-id/maxDistance)), "+").int(-id % maxDistance)
}

// variableName is the name of a variable of the connection.
func variableName(n int) string { return fmt.Sprintf("@qt%d", n) }

// write collects the statement under construction, or sends it at once where there are no scripts and where it is too
// long for one. done is told how many rows it changed and the first number that it gave; nil: nobody wants to know.
func (tx *Tx) write(ctx context.Context, done func(affected, id int64)) (collected bool, err error) {
	return tx.writeStep(ctx, step{done: done})
}

func (tx *Tx) writeStep(ctx context.Context, s step) (collected bool, err error) {
	limit := &tx.s.server
	if tx.script.size()+tx.q.size() > limit.maxStatement || len(tx.script.args)+len(tx.q.args) > limit.maxParameters {
		if err := tx.Flush(ctx); err != nil {
			return false, err
		}
	}
	if limit.scripts && !tx.s.full(&tx.q) {
		tx.script.add(&tx.q, s)
		return true, nil
	}
	result, err := tx.exec(ctx)
	if err != nil {
		return false, err
	}
	affected, err := result.RowsAffected()
	if err != nil {
		return false, err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return false, err
	}
	tx.refused = s.answered(affected, id)
	return false, tx.refused
}

// answered passes an answer on.
func (s *step) answered(affected, id int64) error {
	if s.done != nil {
		s.done(affected, id)
	}
	if s.check != nil {
		return s.check(affected)
	}
	return nil
}

// Cut lets what was collected so far travel in a message of its own. Its rows can have their numbers (Number) while the
// server is busy with the rest.
func (tx *Tx) Cut() {
	c := &tx.script
	c.cut = cut{len(c.steps), len(c.sql), len(c.args)}
}

// Flush sends what was collected. Afterwards every row that was inserted has its ID. Once it has failed, it fails again
// and so does Commit: a part of the script is missing.
func (tx *Tx) Flush(ctx context.Context) error {
	if !tx.sent {
		tx.Cut() // at the end: nobody waits for numbers, one message will do
	}
	if err := tx.Send(ctx, func() {}); err != nil {
		return err
	}
	tx.Settle()
	tx.sent = false
	return nil
}

// Send is the first half of Flush: the server gets the rows, and it is known whether they may be committed. It touches
// nothing but the transaction, so that another goroutine may use the rows meanwhile. numbered is called as soon as
// Number may be. Otherwise, all that may follow is Settle, and Commit or Rollback.
func (tx *Tx) Send(ctx context.Context, numbered func()) error {
	c := &tx.script
	if tx.refused != nil || tx.sent || len(c.steps) == 0 {
		return tx.refused
	}
	tx.sent = true
	if c.cut.steps == 0 {
		tx.Cut()
	}
	if tx.inserted, tx.refused = tx.send(ctx, c.sql[:c.cut.sql], c.args[:c.cut.args], c.steps[:c.cut.steps]); tx.refused != nil {
		return tx.refused
	}
	numbered()
	if len(c.steps) > c.cut.steps {
		tx.answers, tx.refused = tx.send(ctx, c.sql[c.cut.sql+len(";"):], c.args[c.cut.args:], c.steps[c.cut.steps:])
	}
	return tx.refused
}

// Number gives the rows in front of the cut their IDs. Another goroutine may be busy with Send or Commit at the same
// time.
func (tx *Tx) Number() {
	if tx.inserted != nil {
		pass(tx.inserted, tx.script.steps[:tx.script.cut.steps])
		tx.inserted = nil
	}
}

// Settle is the second half of Flush: all rows have their IDs, and everybody gets the answer that he waits for. Another
// goroutine may commit at the same time.
func (tx *Tx) Settle() {
	tx.Number()
	if tx.answers != nil {
		pass(tx.answers, tx.script.steps[tx.script.cut.steps:])
		tx.answers = nil
	}
	if tx.sent && tx.refused == nil {
		tx.script.reset()
	}
}

// pass passes the answers to statements on.
func pass(answers mysql.Result, steps []step) {
	affected, ids := answers.AllRowsAffected(), answers.AllLastInsertIds()
	for i, s := range steps {
		if s.done != nil {
			s.done(affected[i], ids[i])
		}
	}
}

// send runs statements in one message, and finds out whether what they have done may be committed.
func (tx *Tx) send(ctx context.Context, sql []byte, args []any, steps []step) (mysql.Result, error) {
	tx.count(len(steps))
	tx.begun = true
	answers, err := tx.run(ctx, string(sql), args)
	if err == nil && (len(answers.AllRowsAffected()) != len(steps) || len(answers.AllLastInsertIds()) != len(steps)) {
		err = fmt.Errorf("%d answers to %d statements", len(answers.AllRowsAffected()), len(steps))
	}
	if err != nil {
		return nil, err
	}
	for i, affected := range answers.AllRowsAffected() {
		if check := steps[i].check; check != nil && err == nil {
			err = check(affected)
		}
	}
	if tx.written != nil {
		tx.written()
	}
	return answers, err
}

// run sends a message on the driver's connection: package sql would tell of its last statement only.
func (tx *Tx) run(ctx context.Context, sql string, values []any) (results mysql.Result, err error) {
	args := make([]driver.NamedValue, len(values))
	for i, arg := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	err = tx.conn.Raw(func(conn any) error {
		result, err := conn.(driver.ExecerContext).ExecContext(ctx, sql, args)
		if errors.Is(err, driver.ErrSkip) { // the driver would not do it in one message
			return mysql.ErrPktTooLarge
		}
		if err == nil {
			results = result.(mysql.Result)
		}
		return err
	})
	return results, err
}
