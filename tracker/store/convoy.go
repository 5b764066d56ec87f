package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Convoy is a connection on which whole transactions travel, one after the other, several of them in one message. So
// many transactions take as long as one round trip and the server's work: where the database is far away, this is most
// of the time.
//
// Each transaction ends with COMMIT. It can be written before those in front of it are sent: a row of theirs that has
// no number yet is known by the variable of the session that will hold it. The server runs a message statement by
// statement and ends it at the first that fails. Conditions that are checked before COMMIT elsewhere are therefore
// statements here, which fail when they are not met: so a transaction is never committed without those in front.
type Convoy struct {
	s         *Store
	conn      *sqlx.Conn // nil before the first message
	number    int64
	variables int
	increment int64
	within    time.Duration
	closed    bool
}

// Numbers of convoys are part of references, so that one is not taken for a row of another convoy.
const maxConvoys = 1 << 20

// maxConvoyMessage bounds a message, and with it a transaction of a convoy.
const maxConvoyMessage = 4 << 20

// errConvoy says that a transaction cannot be sent as part of a convoy, or that it asks for more than that.
var errConvoy = errors.New("not a transaction that travels with others")

// Convoy begins one. No transaction is committed later than within after the server has got its message: then those
// who sent it may have lost the right to.
func (s *Store) Convoy(within time.Duration) *Convoy {
	return &Convoy{
		s: s, number: 1 + s.convoys.Add(1)%(maxConvoys-1), increment: s.server.increment, within: within,
	}
}

// TakesConvoys reports whether the server, and what may stand in front of it, take several statements in one message.
func (s *Store) TakesConvoys() bool { return s.server.scripts }

// Begin starts a transaction that collects what it writes. It cannot read. Transactions are to be sent in the order in
// which they began; the one before has to be complete.
func (c *Convoy) Begin() (*Tx, error) {
	if c.variables > maxVariables/2 {
		return nil, fmt.Errorf("%w: too many statements", errConvoy)
	}
	tx := &Tx{s: c.s, convoy: c, increment: c.increment}
	tx.q.convoy = c.number
	tx.script.convoy, tx.script.variables = c.number, c.variables
	tx.script.add(&statement{sql: []byte(begin)}, step{})
	return tx, nil
}

// Complete ends the transaction: it can be sent.
func (c *Convoy) Complete(tx *Tx) {
	c.variables = tx.script.variables
	tx.script.require(fmt.Sprintf("TIMESTAMPDIFF(MICROSECOND, %s, UTC_TIMESTAMP(6)) BETWEEN 0 AND %d",
		variableName(sentVariable), c.within.Microseconds()))
	tx.script.add(&statement{sql: []byte("COMMIT")}, step{})
}

// Fits reports how many of the transactions, which are complete, fit into one message: at least one.
func (c *Convoy) Fits(txs []*Tx) (n int) {
	size := 0
	for _, tx := range txs {
		if size += tx.script.size(); n > 0 && size > c.s.maxMessage() {
			break
		}
		n++
	}
	return n
}

func (s *Store) maxMessage() int { return min(s.server.maxPacket, maxConvoyMessage) }

// Send sends transactions in one message and waits until they are committed. After an error it is not known how many
// of them are; the convoy cannot go on. Send touches nothing but the transactions: Settle gives the rows their ids.
func (c *Convoy) Send(ctx context.Context, txs []*Tx) error {
	if c.closed {
		return errConvoy
	}
	if c.conn == nil {
		conn, err := c.s.db.Connx(ctx)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		c.conn = conn
	}
	var message script
	message.add(new(statement).add("SET ", variableName(sentVariable), " = UTC_TIMESTAMP(6)"), step{})
	for _, tx := range txs {
		message.append(&tx.script)
	}
	results, err := run(ctx, c.conn, string(message.sql), message.args)
	if err == nil {
		err = results.complete(len(message.steps))
	}
	if err != nil {
		return fmt.Errorf("%d transactions in one message: %w", len(txs), err)
	}
	first := 1
	for i, tx := range txs {
		last := first + len(tx.script.steps)
		tx.answers, tx.sent, tx.done = results.part(first, last), true, true
		tx.stats.Statements += len(tx.script.steps)
		if i == 0 {
			tx.stats.Statements++
			tx.stats.RoundTrips++
		}
		first = last
		for _, f := range tx.onCommit {
			f()
		}
	}
	return nil
}

// Close gives the connection back. What was sent and not committed is rolled back.
func (c *Convoy) Close(failed bool) {
	c.closed = true
	switch {
	case c.conn == nil:
	case failed:
		discard(c.conn)
	default:
		_ = c.conn.Close()
	}
	c.conn = nil
}
