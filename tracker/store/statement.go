package store

import (
	"encoding/hex"
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// statement is one SQL statement under construction. Text becomes a parameter; numbers, moments and binary strings are
// literals.
type statement struct {
	sql  []byte
	args []any
	long int // bytes that the parameters may need once they are written into the statement
}

func (q *statement) reset() {
	clear(q.args)
	q.sql, q.args, q.long = q.sql[:0], q.args[:0], 0
}

// size is the length that the statement may have on its way to the server.
func (q *statement) size() int { return len(q.sql) + q.long }

func (q *statement) add(parts ...string) *statement {
	for _, part := range parts {
		q.sql = append(q.sql, part...)
	}
	return q
}

func (q *statement) int(n int64) *statement {
	q.sql = strconv.AppendInt(q.sql, n, 10)
	return q
}

// text adds a parameter. Every byte may be escaped.
func (q *statement) text(s string) *statement {
	q.sql = append(q.sql, '?')
	q.args = append(q.args, s)
	q.long += 2*len(s) + 2
	return q
}

func (q *statement) blob(b []byte) *statement {
	q.sql = append(q.sql, "x'"...)
	q.sql = hex.AppendEncode(q.sql, b)
	q.sql = append(q.sql, '\'')
	return q
}

// moment adds unix seconds as a DATETIME in UTC.
func (q *statement) moment(unix int64) *statement {
	q.sql = append(q.sql, '\'')
	q.sql = php.AppendDateTime(q.sql, unix)
	q.sql = append(q.sql, '\'')
	return q
}

// mark is a length to which a statement can be cut back.
type mark struct{ sql, args, long int }

func (q *statement) mark() mark { return mark{len(q.sql), len(q.args), q.long} }

// cut takes off what was added since m.
func (q *statement) cut(m mark) { q.sql, q.args, q.long = q.sql[:m.sql], q.args[:m.args], m.long }

// name quotes an identifier.
func name(s string) string { return "`" + s + "`" }
