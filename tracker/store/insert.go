package store

import "context"

// maxRows bounds the rows of one statement: SQLite joins at most 500 SELECTs. Beyond some hundred the server gains
// nothing, but holds memory.
const maxRows = 500

const insertInto = "INSERT INTO"

// insertion says how rows are written.
type insertion[R any] struct {
	verb string               // begins the statement: "INSERT INTO", "INSERT IGNORE INTO"
	tail string               // ends it
	id   func(row *R) *int64  // the field that takes the number which the database gives; nil: it gives none
	done func(affected int64) // told for each statement how many rows it has changed; nil: nobody wants to know
	// called when a statement has left rows out; its error refuses the transaction. nil: they may be left out
	all func() error
}

// insertRows writes rows with as few statements as fit.
func insertRows[R any](ctx context.Context, tx *Tx, t *table[R], how insertion[R], rows []*R) error {
	if len(rows) == 0 {
		return nil
	}
	columns := t.filled(rows)
	for len(rows) > 0 {
		q := tx.begin(how.verb, " ", t.sqlName, " (")
		for n, i := range columns {
			q.add(separator(n), t.columns[i].sqlName)
		}
		q.add(") VALUES ")
		n := fill(tx.s, &tx.q, rows, func(n int) {
			q.add(separator(n), "(")
			for k, i := range columns {
				q.add(separator(k))
				t.columns[i].typ.write(q, t.columns[i].value(rows[n]))
			}
			q.add(")")
		})
		q.add(how.tail)
		written := rows[:n]
		answered := step{done: func(affected, id int64) {
			if how.id != nil {
				tx.s.ids(n, id, tx.increment, func(i int, id int64) { *how.id(written[i]) = id })
			}
			if how.done != nil {
				how.done(affected)
			}
		}}
		if how.all != nil {
			answered.check = func(affected int64) error {
				if affected < int64(n) {
					return how.all()
				}
				return nil
			}
		}
		collected, err := tx.writeStep(ctx, answered)
		if err != nil {
			return err
		}
		if collected && how.id != nil {
			variable := tx.script.keepID()
			for i, row := range written {
				*how.id(row) = reference(variable, int64(i)*tx.increment)
			}
		}
		rows = rows[n:]
	}
	return nil
}

// fill adds rows to the statement until it is full, and returns how many. A row that is larger than the limit goes
// alone.
func fill[R any](s *Store, q *statement, rows []R, add func(n int)) int {
	for n := range rows {
		before := q.mark()
		add(n)
		if n == maxRows {
			q.cut(before)
			return n
		}
		if n > 0 && s.full(q) {
			q.cut(before)
			return n
		}
	}
	return len(rows)
}

// filled lists the columns that some row has a value for. The others take their default, which is NULL: conform has
// seen to the rest.
func (t *table[R]) filled(rows []*R) []int {
	columns := make([]int, 0, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		if !c.typ.nullable || c.typ.preset.Valid || !allNull(c, rows) {
			columns = append(columns, i)
		}
	}
	return columns
}

func allNull[R any](c *column[R], rows []*R) bool {
	for _, row := range rows {
		if !isNull(c.value(row)) {
			return false
		}
	}
	return true
}

func separator(n int) string {
	if n == 0 {
		return ""
	}
	return ", "
}

// ids calls set with the number of each of n rows that one statement has inserted: those of one statement are equally
// spaced. id is what LastInsertId said.
func (s *Store) ids(n int, id, increment int64, set func(i int, id int64)) {
	first := s.dialect.firstID(n, id)
	for i := range n {
		set(i, first+int64(i)*increment)
	}
}

// InsertVisits adds visits in this order and sets their ids. A LastLinkAction that is not inserted yet is written as
// NULL.
func (tx *Tx) InsertVisits(ctx context.Context, visits []*Visit) error {
	return insertRows(ctx, tx, &tx.s.visits,
		insertion[Visit]{verb: insertInto, id: func(v *Visit) *int64 { return &v.ID }}, visits)
}

// InsertLinkActions adds actions in this order and sets their ids. Their visits must have been inserted, their entries
// created.
func (tx *Tx) InsertLinkActions(ctx context.Context, links []*LinkAction) error {
	return insertRows(ctx, tx, &tx.s.links,
		insertion[LinkAction]{verb: insertInto, id: func(l *LinkAction) *int64 { return &l.ID }}, links)
}

// InsertFailures adds failures; one that is known already stays as it is (spec §12.1).
func (tx *Tx) InsertFailures(ctx context.Context, failures []*Failure) error {
	return insertRows(ctx, tx, &tx.s.failures, insertion[Failure]{verb: insertInto, tail: tx.s.dialect.keepRow}, failures)
}
