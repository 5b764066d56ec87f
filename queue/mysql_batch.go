package queue

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

// countUpTo is the length up to which Head counts a list. Counting reads every row, which for a long backlog would take
// longer than tracking a batch.
const countUpTo = 10_000

// Executor is a database, or a connection or transaction of one, that may be another process's.
type Executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Head implements Backend. The length of a list of more than 10,000 entries may be told too high, by the gaps in the
// numbering of its rows; Len and Lens always count.
func (m *MySQL) Head(ctx context.Context, list string, n int) (batch Batch, err error) {
	err = m.call(ctx, "select", m.createKeys, func(ctx context.Context) error {
		batch, err = m.head(ctx, list, 0, max(0, n))
		if m.isMissing(err, list) {
			batch.Offset, err = m.Offset(ctx, list)
		}
		return err
	})
	return batch, err
}

// Next implements Backend. An element whose writer was slow to commit may come before the batch that it follows; it
// stays for later.
func (m *MySQL) Next(ctx context.Context, list string, after Batch, n int) (batch Batch, err error) {
	if len(after.rows) == 0 || n <= 0 {
		return Batch{Offset: after.End()}, nil
	}
	err = m.call(ctx, "select", m.createKeys, func(ctx context.Context) error {
		batch, err = m.head(ctx, list, after.rows[len(after.rows)-1], n)
		return err
	})
	batch.Offset = after.End()
	return batch, err
}

// head reads the elements whose rows have numbers above a given one. It does so with one statement, which sees the
// tables as they are at one instant and waits for no lock.
func (m *MySQL) head(ctx context.Context, list string, above int64, n int) (Batch, error) {
	table := m.table(list) + " WHERE idqueuelist > ?"
	rows, err := m.db.QueryContext(ctx, `
		SELECT
			(SELECT queue_value FROM `+m.keys()+` WHERE queue_key = ?),
			IF(span.length <= ?, (SELECT COUNT(*) FROM `+table+`), span.length),
			first.idqueuelist, first.list_value
		FROM (SELECT COALESCE(MAX(idqueuelist) - MIN(idqueuelist) + 1, 0) AS length FROM `+table+`) AS span
		LEFT JOIN (SELECT idqueuelist, list_value FROM `+table+` ORDER BY idqueuelist LIMIT ?) AS first ON TRUE
		ORDER BY first.idqueuelist`, offsetRow(list), countUpTo, above, above, above, n)
	if err != nil {
		return Batch{}, err
	}
	defer rows.Close()
	var b Batch
	for rows.Next() {
		var counter sql.NullString
		var id sql.NullInt64
		var element []byte
		if err := rows.Scan(&counter, &b.Len, &id, &element); err != nil {
			return Batch{}, err
		}
		if b.Offset, err = m.counter(list, counter); err != nil {
			return Batch{}, err
		}
		b.counted = counter.Valid
		if id.Valid {
			b.rows = append(b.rows, id.Int64)
			b.Elements = append(b.Elements, element)
		}
	}
	return b, rows.Err()
}

// offsetRow is the key of the list's counter in its table.
func offsetRow(list string) string { return shortened(OffsetKey(list), maxKey) }

func (m *MySQL) counter(list string, text sql.NullString) (int64, error) {
	if !text.Valid {
		return 0, nil
	}
	n, err := strconv.ParseInt(text.String, 10, 64)
	if err != nil {
		return 0, &backendError{server: m.server, text: OffsetKey(list) + " is no counter: " + text.String, cause: err}
	}
	return n, nil
}

// Offset implements Backend.
func (m *MySQL) Offset(ctx context.Context, list string) (n int64, err error) {
	text, ok, err := m.Get(ctx, OffsetKey(list))
	if err != nil {
		return 0, err
	}
	return m.counter(list, sql.NullString{String: text, Valid: ok})
}

// errGone rolls back: the batch is not at the head of the list any more.
var errGone = errors.New("batch is gone")

// RemoveFirst implements Backend.
func (m *MySQL) RemoveFirst(ctx context.Context, list string, batch Batch) (bool, error) {
	if len(batch.Elements) == 0 {
		return true, nil
	}
	if err := m.ensureCounter(ctx, list, batch); err != nil {
		return false, err
	}
	err := m.inTx(ctx, "delete", nil, func(ctx context.Context, tx *sqlx.Tx) error {
		removed, err := m.removeRows(ctx, tx, list, batch)
		if err == nil && !removed {
			err = errGone
		}
		return err
	})
	if errors.Is(err, errGone) {
		return false, nil
	}
	return err == nil, err
}

// ensureCounter makes the row of the list's counter outside of the transaction that will raise it: changing a row that
// is not there would lock its neighbours, which are the locks of other queues.
func (m *MySQL) ensureCounter(ctx context.Context, list string, batch Batch) error {
	if batch.counted {
		return nil
	}
	return m.call(ctx, "insert", m.createKeys, func(ctx context.Context) error {
		_, err := m.db.ExecContext(ctx, "INSERT IGNORE INTO "+m.keys()+" (queue_key, queue_value) VALUES (?, '0')",
			offsetRow(list))
		return err
	})
}

// removeRows raises the counter, if it is still what it was when the batch was read, and deletes the batch's rows if
// they are all there.
func (m *MySQL) removeRows(ctx context.Context, tx Executor, list string, batch Batch) (bool, error) {
	count := int64(len(batch.Elements))
	if int64(len(batch.rows)) != count { // not a batch that Head has read from here
		return false, nil
	}
	n, err := affected(tx.ExecContext(ctx,
		"UPDATE "+m.keys()+" SET queue_value = ? WHERE queue_key = ? AND queue_value = ?",
		strconv.FormatInt(batch.Offset+count, 10), offsetRow(list), strconv.FormatInt(batch.Offset, 10)))
	if err != nil || n != 1 {
		return false, err
	}
	n, err = affected(tx.ExecContext(ctx, m.deletion(list, batch.rows)))
	return n == count, err
}

// deletion is the statement that deletes rows. It joins their numbers, so that each row is found, and locked, by
// itself. With IN (…) the server scans a list that is not much longer than the batch, which locks the list's end for
// writers.
func (m *MySQL) deletion(list string, rows []int64) string {
	var b strings.Builder
	b.WriteString("DELETE l FROM (SELECT ")
	for i, id := range rows {
		if i > 0 {
			b.WriteString(" UNION ALL SELECT ")
		}
		b.WriteString(strconv.FormatInt(id, 10))
		if i == 0 {
			b.WriteString(" AS id")
		}
	}
	b.WriteString(") AS batch STRAIGHT_JOIN " + m.table(list) + " AS l FORCE INDEX (PRIMARY) ON l.idqueuelist = batch.id")
	return b.String()
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
