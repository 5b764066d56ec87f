package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
)

// VisitChange is a visit as the database has it and as it shall be.
type VisitChange struct{ Before, After *Visit }

// UpdateVisits writes what differs between Before and After. The counters of actions, interactions, searches and events
// are written as differences, so that what another worker adds at the same time survives; everything else as it is in
// After. A visit that is no longer there is left out and counted in Stats.
func (tx *Tx) UpdateVisits(ctx context.Context, changes []VisitChange) error {
	t := &tx.s.visits
	rows := make([]rowChange, 0, len(changes))
	for _, change := range changes {
		row := rowChange{id: change.After.ID}
		for i := range t.columns {
			c := &t.columns[i]
			before, after := c.value(change.Before), c.value(change.After)
			if c.fixed || same(before, after) {
				continue
			}
			v := newValue{column: i, value: after}
			if c.counter && !isNull(before) && !isNull(after) {
				v.value, v.relative = &NullInt{V: after.(*NullInt).V - before.(*NullInt).V, Valid: true}, true
			}
			row.values = append(row.values, v)
		}
		rows = append(rows, row)
	}
	return updateRows(ctx, tx, t, "`idvisit`", rows, func(gone int) { tx.stats.GoneVisits += gone })
}

// LinkChange is what a later request knows about an action that is in the database, or will be when the script has run
// that inserts it. Fields without a value stay as they are.
type LinkChange struct {
	Link        LinkID
	TimeSpent   NullInt      // seconds (spec §5.6)
	Performance *Performance // spec §5.8
}

// UpdateLinkActions writes the changes, at most one of each action.
func (tx *Tx) UpdateLinkActions(ctx context.Context, changes []LinkChange) error {
	t := &tx.s.links
	rows := make([]rowChange, 0, len(changes))
	for _, change := range changes {
		link := &LinkAction{TimeSpent: change.TimeSpent}
		if change.Performance != nil {
			link.Performance = *change.Performance
		}
		row := rowChange{id: change.Link.Number()}
		for i := range t.columns {
			if v, ok := t.columns[i].value(link).(*NullInt); ok && v.Valid {
				row.values = append(row.values, newValue{column: i, value: v})
			}
		}
		rows = append(rows, row)
	}
	return updateRows(ctx, tx, t, "`idlink_va`", rows, func(int) {})
}

// rowChange is one row of an UPDATE: the values that change, in the order of the table's columns.
type rowChange struct {
	id     int64
	values []newValue
}

// newValue is the value that a column gets or, when it is relative, what is added to it.
type newValue struct {
	column   int
	relative bool
	value    any
}

// updateRows updates rows with as few statements as fit, and tells how many rows are no longer there. Rows are locked
// in the order of their ids, so that two workers rarely wait for each other in a circle.
func updateRows[R any](ctx context.Context, tx *Tx, t *table[R], id string, rows []rowChange, gone func(n int)) error {
	rows = slices.DeleteFunc(rows, func(r rowChange) bool { return len(r.values) == 0 })
	slices.SortFunc(rows, func(a, b rowChange) int { return cmp.Compare(a.id, b.id) })
	for _, group := range alike(t, rows) {
		for len(group) > 0 {
			n := update(tx, t, id, group)
			_, err := tx.write(ctx, func(matched, _ int64) { gone(n - int(matched)) })
			if err != nil {
				return err
			}
			group = group[n:]
		}
	}
	return nil
}

// alike groups rows that one statement can update: those in which the same texts change, so that no text is ever
// written back. Numbers and moments may change in some of the rows only.
func alike[R any](t *table[R], rows []rowChange) [][]rowChange {
	groups := make(map[string]int)
	var ordered [][]rowChange
	var key []byte
	for _, row := range rows {
		key = key[:0]
		for _, v := range row.values {
			if kind := t.columns[v.column].typ.kind; kind != kindInt && kind != kindMoment {
				key = binary.LittleEndian.AppendUint16(key, uint16(v.column))
			}
		}
		i, known := groups[string(key)]
		if !known {
			i = len(ordered)
			groups[string(key)] = i
			ordered = append(ordered, nil)
		}
		ordered[i] = append(ordered[i], row)
	}
	return ordered
}

// maxChanged bounds the rows of one UPDATE. The server finds a row's values by comparing its id with those of the
// others, so that the cost of a row grows with their number; up to here it falls.
const maxChanged = 32

// update begins a statement that changes as many rows as fit, and returns their number. MySQL and MariaDB are made to
// find them by their ids, whatever the statistics of a small table say: only the rows that change are locked.
func update[R any](tx *Tx, t *table[R], id string, rows []rowChange) int {
	rows = rows[:min(len(rows), maxChanged)]
	for {
		q := tx.begin("UPDATE ", t.sqlName, tx.s.hints[primary], " SET ")
		for n, c := range changes(rows) {
			q.add(separator(n))
			t.assign(q, c, id, len(rows))
		}
		where(q, id, rows)
		if len(rows) == 1 || !tx.s.full(q) {
			return len(rows)
		}
		rows = rows[:len(rows)/2]
	}
}

// where adds the condition that finds the rows. References come first, each for itself: one of them in a list, and the
// server would read the whole table.
func where(q *statement, id string, rows []rowChange) {
	glue := " WHERE "
	for len(rows) > 0 && Deferred(rows[0].id) {
		q.add(glue, id, " = ").id(rows[0].id)
		glue, rows = " OR ", rows[1:]
	}
	for n := range rows {
		if n == 0 {
			q.add(glue, id, " IN (")
		}
		q.add(separator(n)).id(rows[n].id)
	}
	if len(rows) > 0 {
		q.add(")")
	}
}

// changing is a column that some rows change, and the values that they get, in the order of the rows.
type changing struct {
	column int
	ids    []int64
	values []newValue
}

// changes lists the columns that the rows change.
func changes(rows []rowChange) []changing {
	var list []changing
	for _, row := range rows {
		for _, v := range row.values {
			i := slices.IndexFunc(list, func(c changing) bool { return c.column == v.column })
			if i < 0 {
				i = len(list)
				list = append(list, changing{column: v.column})
			}
			list[i].ids, list[i].values = append(list[i].ids, row.id), append(list[i].values, v)
		}
	}
	return list
}

// assign adds the assignment of a column for so many rows. When all of them change it, what the first one gets is the
// ELSE and need not be repeated; otherwise the ELSE is what they have.
func (t *table[R]) assign(q *statement, c changing, id string, rows int) {
	own := &t.columns[c.column]
	q.add(own.sqlName, " = ")
	absolute := slices.ContainsFunc(c.values, func(v newValue) bool { return !v.relative })
	if !absolute {
		q.add(own.sqlName, " + ")
	}
	write := func(v newValue) {
		if v.relative && absolute {
			q.add(own.sqlName, " + ")
		}
		own.typ.write(q, v.value)
	}
	first, all, several := c.values[0], len(c.values) == rows, false
	for i, v := range c.values {
		if all && v.relative == first.relative && same(v.value, first.value) {
			continue
		}
		if !several {
			q.add("CASE ", id)
			several = true
		}
		q.add(" WHEN ").id(c.ids[i]).add(" THEN ")
		write(v)
	}
	if several {
		q.add(" ELSE ")
	}
	switch {
	case all:
		write(first)
	case absolute:
		q.add(own.sqlName)
	default:
		q.add("0")
	}
	if several {
		q.add(" END")
	}
}
