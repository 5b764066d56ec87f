package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strconv"
)

// VisitChange is a visit as the database has it and as it shall be.
type VisitChange struct{ Before, After *Visit }

// UpdateVisits writes what differs between Before and After. The counters of actions, interactions, searches and events are written as
// differences, so that what another worker adds at the same time survives; everything else as it is in After. A visit that is no longer
// there is left out and counted in Stats.
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

// LinkChange is what a later request knows about an action that is in the database, or will be when the script has run that inserts it.
// Fields without a value stay as they are.
type LinkChange struct {
	Link        LinkID
	TimeSpent   NullInt      // seconds (§5.6)
	Performance *Performance // §5.8
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

// updateRows updates rows with as few statements as fit, and tells how many rows are no longer there. Rows are locked in the order of
// their ids, so that two workers rarely wait for each other in a circle.
func updateRows[R any](ctx context.Context, tx *Tx, t *table[R], id string, rows []rowChange, gone func(n int)) error {
	rows = slices.DeleteFunc(rows, func(r rowChange) bool { return len(r.values) == 0 })
	slices.SortFunc(rows, func(a, b rowChange) int { return cmp.Compare(a.id, b.id) })
	for _, group := range alike(t, rows) {
		for len(group) > 0 {
			n := 1
			if len(group) == 1 {
				updateOne(tx, t, id, group[0])
			} else {
				n = updateMany(tx, t, id, group)
			}
			_, err := tx.write(ctx, func(matched, _ int64) { gone(n - int(matched)) })
			if err != nil {
				return err
			}
			group = group[n:]
		}
	}
	return nil
}

// alike groups rows that one statement can update: those in which the same texts change. Numbers may change in some of the rows only.
func alike[R any](t *table[R], rows []rowChange) [][]rowChange {
	groups := make(map[string]int)
	var ordered [][]rowChange
	var key []byte
	for _, row := range rows {
		key = key[:0]
		for _, v := range row.values {
			if t.columns[v.column].typ.kind != kindInt {
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

func updateOne[R any](tx *Tx, t *table[R], id string, row rowChange) {
	q := tx.begin("UPDATE ", t.sqlName, " SET ")
	for i, v := range row.values {
		c := &t.columns[v.column]
		q.add(separator(i), c.sqlName, " = ")
		if v.relative {
			q.add(c.sqlName, " + ")
		}
		c.typ.write(q, v.value)
	}
	q.add(" WHERE ", id, " = ").id(row.id)
}

// changing is a column that some rows of an UPDATE change.
type changing struct {
	column   int
	relative bool
	rows     int  // how many
	flag     uint // of the rows that change it, 0: all do
}

// find returns the value that a row has for it.
func (c *changing) find(row *rowChange) (any, bool) {
	for i := range row.values {
		if v := &row.values[i]; v.column == c.column && v.relative == c.relative {
			return v.value, true
		}
	}
	return nil, false
}

// maxFlags is the number of columns that may change in some of the rows only: bits of a BIGINT.
const maxFlags = 60

// changes lists the columns that the rows change. Those that not all of them change have a flag.
func (t *table[R]) changes(rows []rowChange) []changing {
	var list []changing
	for r := range rows {
		for _, v := range rows[r].values {
			i := slices.IndexFunc(list, func(c changing) bool { return c.column == v.column && c.relative == v.relative })
			if i < 0 {
				i = len(list)
				list = append(list, changing{column: v.column, relative: v.relative})
			}
			list[i].rows++
		}
	}
	flag := uint(1)
	for i := range list {
		if list[i].rows < len(rows) {
			list[i].flag, flag = flag, flag<<1
		}
	}
	return list
}

// updateMany begins a statement that joins the table with the new values, as many rows as fit, and returns their number. MySQL and
// MariaDB are told to go through the values first: whatever the statistics say, only the rows that change are locked, by ascending id.
func updateMany[R any](tx *Tx, t *table[R], id string, rows []rowChange) int {
	rows = rows[:min(len(rows), maxRows)]
	columns := t.changes(rows)
	for len(columns) > maxFlags { // never with Matomo's tables
		rows = rows[:len(rows)/2]
		columns = t.changes(rows)
	}
	if tx.s.sqlite {
		q := tx.begin("UPDATE ", t.sqlName, " AS t SET ")
		assign(q, t, "", columns)
		q.add(" FROM (")
		n := newValues(tx, t, columns, rows)
		q.add(") AS n WHERE t.", id, " = n.c0")
		return n
	}
	q := tx.begin("UPDATE (")
	n := newValues(tx, t, columns, rows)
	q.add(") AS n STRAIGHT_JOIN ", t.sqlName, " AS t ON t.", id, " = n.c0 SET ")
	assign(q, t, "t.", columns)
	return n
}

// newValues adds a table of new values with the columns c0 (the id), f (the flags) and c1, c2 … A row has NULL for what it does not change,
// or 0 to add.
func newValues[R any](tx *Tx, t *table[R], columns []changing, rows []rowChange) int {
	return fill(tx.s, &tx.q, rows, func(n int) {
		q := &tx.q
		as := func(name string) {
			if n == 0 {
				q.add(" AS ", name)
			}
		}
		if n > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT ").id(rows[n].id)
		as("c0")
		var flags uint
		for i := range columns {
			c := &columns[i]
			q.add(", ")
			if value, ok := c.find(&rows[n]); ok {
				flags |= c.flag
				t.columns[c.column].typ.write(q, value)
			} else if c.relative {
				q.add("0")
			} else {
				q.add("NULL")
			}
			as("c" + strconv.Itoa(i+1))
		}
		q.add(", ").int(int64(flags))
		as("f")
	})
}

// assign adds the assignments, one for each column of the table: a column may be set in some rows and added to in others.
func assign[R any](q *statement, t *table[R], prefix string, columns []changing) {
	glue := ""
	for i := range columns {
		c := &columns[i]
		own, value := "t."+t.columns[c.column].sqlName, "n.c"+strconv.Itoa(i+1)
		other := slices.IndexFunc(columns, func(o changing) bool { return o.column == c.column && o.relative != c.relative })
		switch {
		case c.relative && other >= 0:
			continue // with the other one
		case c.relative:
			value = own + " + " + value
		case other >= 0:
			value = choice(c.flag, value, own+" + n.c"+strconv.Itoa(other+1))
		case c.flag != 0:
			value = choice(c.flag, value, own)
		}
		q.add(glue, prefix, t.columns[c.column].sqlName, " = ", value)
		glue = ", "
	}
}

// choice is an expression: yes where the flag is set.
func choice(flag uint, yes, no string) string {
	return "CASE WHEN n.f & " + strconv.FormatUint(uint64(flag), 10) + " THEN " + yes + " ELSE " + no + " END"
}
