package queue

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"
)

// maxStatement bounds the bytes of elements that go into one INSERT: max_allowed_packet is 1 MB on old servers, and
// escaping may double them.
const maxStatement = 400_000

// Append implements Backend.
func (m *MySQL) Append(ctx context.Context, list string, elements ...[]byte) error {
	chunks := chunksOf(elements)
	switch len(chunks) {
	case 0:
		return nil
	case 1:
		return m.call(ctx, "insert", m.createList(list), func(ctx context.Context) error {
			return m.insert(ctx, m.db, list, elements)
		})
	}
	return m.inTx(ctx, "insert", m.createList(list), func(ctx context.Context, tx *sqlx.Tx) error {
		return m.insertAll(ctx, tx, list, elements)
	})
}

// AppendMarked implements Backend.
func (m *MySQL) AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error {
	return m.inTx(ctx, "insert", m.createBoth(list), func(ctx context.Context, tx *sqlx.Tx) error {
		if err := m.insertAll(ctx, tx, list, elements); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "REPLACE INTO "+m.keys()+
			" (queue_key, queue_value, expiry_time) VALUES (?, ?, UNIX_TIMESTAMP() + ?)", shortened(mark.Key, maxKey),
			mark.Value, seconds(mark.TTL))
		return err
	})
}

func (m *MySQL) insertAll(ctx context.Context, tx Executor, list string, elements [][]byte) error {
	for _, chunk := range chunksOf(elements) {
		if err := m.insert(ctx, tx, list, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (m *MySQL) insert(ctx context.Context, to Executor, list string, elements [][]byte) error {
	args := make([]any, len(elements))
	for i, e := range elements {
		args[i] = notNil(e)
	}
	_, err := to.ExecContext(ctx, "INSERT INTO "+m.table(list)+" (list_value) VALUES (?)"+strings.Repeat(",(?)",
		len(elements)-1), args...)
	return err
}

// notNil keeps an element without bytes from being NULL.
func notNil(element []byte) []byte {
	if element == nil {
		return []byte{}
	}
	return element
}

// chunksOf cuts elements into what one statement each can take.
func chunksOf(elements [][]byte) [][][]byte {
	var chunks [][][]byte
	first, size := 0, 0
	for i, e := range elements {
		if i > first && (size+len(e) > maxStatement || i-first == maxPipeline) {
			chunks = append(chunks, elements[first:i])
			first, size = i, 0
		}
		size += len(e)
	}
	if first < len(elements) {
		chunks = append(chunks, elements[first:])
	}
	return chunks
}

// Range implements Backend.
func (m *MySQL) Range(ctx context.Context, list string, start int64, n int) (elements [][]byte, err error) {
	if n <= 0 {
		return nil, nil
	}
	err = m.call(ctx, "select", nil, func(ctx context.Context) error {
		return m.db.SelectContext(ctx, &elements, "SELECT list_value FROM "+m.table(list)+
			" ORDER BY idqueuelist LIMIT ? OFFSET ?", n, max(0, start))
	})
	return elements, err
}

// Len implements Backend.
func (m *MySQL) Len(ctx context.Context, list string) (n int64, err error) {
	err = m.call(ctx, "count", nil, func(ctx context.Context) error {
		return m.db.GetContext(ctx, &n, "SELECT COUNT(*) FROM "+m.table(list))
	})
	return n, err
}

// Lens implements Backend with one question for the tables that there are and one for their lengths.
func (m *MySQL) Lens(ctx context.Context, lists ...string) ([]int64, error) {
	lens := make([]int64, len(lists))
	if len(lists) == 0 {
		return lens, nil
	}
	again := func(context.Context) error { return nil } // a table was dropped in between
	err := m.call(ctx, "count", again, func(ctx context.Context) error {
		found, err := m.existing(ctx, lists)
		if err != nil || len(found) == 0 {
			return err
		}
		counts := make([]string, len(found))
		for i, list := range found {
			counts[i] = "SELECT COUNT(*) FROM " + m.table(list)
		}
		var numbers []int64
		if err := m.db.SelectContext(ctx, &numbers, strings.Join(counts, " UNION ALL ")); err != nil {
			return err
		}
		byName := make(map[string]int64, len(found))
		for i, list := range found {
			byName[list] = numbers[i]
		}
		for i, list := range lists {
			lens[i] = byName[list]
		}
		return nil
	})
	return lens, err
}

// Take implements Backend.
func (m *MySQL) Take(ctx context.Context, list string, element []byte) (taken bool, err error) {
	err = m.call(ctx, "delete", nil, func(ctx context.Context) error {
		taken, err = m.take(ctx, m.db, list, element)
		return err
	})
	return taken, err
}

// Move implements Backend.
func (m *MySQL) Move(ctx context.Context, from, to string, element, replacement []byte) (moved bool, err error) {
	err = m.inTx(ctx, "move", m.createBoth(from, to), func(ctx context.Context, tx *sqlx.Tx) error {
		moved, err = m.take(ctx, tx, from, element)
		if err != nil || !moved {
			return err
		}
		return m.insert(ctx, tx, to, [][]byte{replacement})
	})
	return moved, err
}

// searcher is an Executor that also answers questions.
type searcher interface {
	Executor
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}

// take deletes the oldest row with this element. The row is looked for without locks, so that neither writers nor the
// reader wait.
func (m *MySQL) take(ctx context.Context, from searcher, list string, element []byte) (bool, error) {
	for {
		var ids []int64
		err := from.SelectContext(ctx, &ids, "SELECT idqueuelist FROM "+m.table(list)+
			" WHERE list_value = ? ORDER BY idqueuelist LIMIT 1", notNil(element))
		if err != nil || len(ids) == 0 {
			return false, err
		}
		n, err := affected(from.ExecContext(ctx, "DELETE FROM "+m.table(list)+" WHERE idqueuelist = ?", ids[0]))
		if err != nil || n == 1 {
			return n == 1, err
		}
	}
}
