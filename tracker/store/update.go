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
	groups := make(map[string]*rowChanges)
	var key []byte
	for _, change := range changes {
		key = key[:0]
		for i := range t.columns {
			c := &t.columns[i]
			before, after := c.value(change.Before), c.value(change.After)
			if c.fixed || same(before, after) {
				continue
			}
			key = binary.LittleEndian.AppendUint16(key, uint16(i))
			if c.counter && !isNull(before) && !isNull(after) {
				key = append(key, '+')
			} else {
				key = append(key, '=')
			}
		}
		if len(key) == 0 {
			continue
		}
		g, ok := groups[string(key)]
		if !ok {
			g = t.group(key)
			groups[string(key)] = g
		}
		g.rows = append(g.rows, rowChange{change.After.ID, func(q *statement, column int, relative bool) {
			c := &t.columns[column]
			if relative {
				q.int(c.value(change.After).(*NullInt).V - c.value(change.Before).(*NullInt).V)
				return
			}
			c.typ.write(q, c.value(change.After))
		}})
	}
	return tx.updateGroups(ctx, t.sqlName, "`idvisit`", groups)
}

// rowChange is one row of an UPDATE.
type rowChange struct {
	id    int64
	write func(q *statement, column int, relative bool)
}

// rowChanges are rows in which the same columns change.
type rowChanges struct {
	columns []changedColumn
	rows    []rowChange
}

type changedColumn struct {
	index    int
	sqlName  string
	relative bool // the value is added to what there is
}

// group reads a key made of column numbers and '+' or '='.
func (t *table[R]) group(key []byte) *rowChanges {
	g := new(rowChanges)
	for ; len(key) > 0; key = key[3:] {
		i := int(binary.LittleEndian.Uint16(key))
		g.columns = append(g.columns, changedColumn{i, t.columns[i].sqlName, key[2] == '+'})
	}
	return g
}

// updateGroups updates each group with one statement. Rows are locked in the order of their ids, and groups one after the other in the
// order of their first ids, so that two workers rarely wait for each other in a circle.
func (tx *Tx) updateGroups(ctx context.Context, table, id string, groups map[string]*rowChanges) error {
	ordered := make([]*rowChanges, 0, len(groups))
	for _, g := range groups {
		slices.SortFunc(g.rows, func(a, b rowChange) int { return cmp.Compare(a.id, b.id) })
		ordered = append(ordered, g)
	}
	slices.SortFunc(ordered, func(a, b *rowChanges) int { return cmp.Compare(a.rows[0].id, b.rows[0].id) })
	for _, g := range ordered {
		for rows := g.rows; len(rows) > 0; {
			n := 1
			if len(rows) == 1 {
				tx.updateOne(table, id, g, rows[0])
			} else {
				n = tx.updateMany(table, id, g, rows)
			}
			result, err := tx.exec(ctx)
			if err != nil {
				return err
			}
			matched, err := result.RowsAffected()
			if err != nil {
				return err
			}
			tx.stats.GoneVisits += n - int(matched)
			rows = rows[n:]
		}
	}
	return nil
}

func (tx *Tx) updateOne(table, id string, g *rowChanges, row rowChange) {
	q := tx.begin("UPDATE ", table, " SET ")
	for i, c := range g.columns {
		q.add(separator(i), c.sqlName, " = ")
		if c.relative {
			q.add(c.sqlName, " + ")
		}
		row.write(q, c.index, c.relative)
	}
	q.add(" WHERE ", id, " = ").int(row.id)
}

// updateMany begins a statement that joins the table with the new values, as many rows as fit, and returns their number. MySQL and
// MariaDB are told to go through the values first: whatever the statistics say, only the rows that change are locked, by ascending id.
func (tx *Tx) updateMany(table, id string, g *rowChanges, rows []rowChange) int {
	if tx.s.sqlite {
		q := tx.begin("UPDATE ", table, " AS t SET ")
		assign(q, "", g)
		q.add(" FROM (")
		n := tx.newValues(g, rows)
		q.add(") AS n WHERE t.", id, " = n.c0")
		return n
	}
	q := tx.begin("UPDATE (")
	n := tx.newValues(g, rows)
	q.add(") AS n STRAIGHT_JOIN ", table, " AS t ON t.", id, " = n.c0 SET ")
	assign(q, "t.", g)
	return n
}

// newValues adds a table of new values with the columns c0 (the id), c1, c2 …
func (tx *Tx) newValues(g *rowChanges, rows []rowChange) int {
	return fill(tx, rows, func(n int) {
		q := &tx.q
		if n > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT ").int(rows[n].id)
		if n == 0 {
			q.add(" AS c0")
		}
		for i, c := range g.columns {
			q.add(", ")
			rows[n].write(q, c.index, c.relative)
			if n == 0 {
				q.add(" AS c", strconv.Itoa(i+1))
			}
		}
	})
}

func assign(q *statement, prefix string, g *rowChanges) {
	for i, c := range g.columns {
		q.add(separator(i), prefix, c.sqlName, " = ")
		if c.relative {
			q.add("t.", c.sqlName, " + ")
		}
		q.add("n.c", strconv.Itoa(i+1))
	}
}

// LinkChange is what a later request knows about an action that is in the database. Fields without a value stay as they are.
type LinkChange struct {
	ID          int64        // idlink_va
	TimeSpent   NullInt      // seconds (§5.6)
	Performance *Performance // §5.8
}

// UpdateLinkActions writes the changes, at most one of each action.
func (tx *Tx) UpdateLinkActions(ctx context.Context, changes []LinkChange) error {
	t := &tx.s.links
	groups := make(map[string]*rowChanges)
	var key []byte
	for _, change := range changes {
		row := LinkAction{TimeSpent: change.TimeSpent}
		if change.Performance != nil {
			row.Performance = *change.Performance
		}
		key = key[:0]
		for i := range t.columns {
			c := &t.columns[i]
			if v, ok := c.value(&row).(*NullInt); ok && v.Valid {
				key = append(binary.LittleEndian.AppendUint16(key, uint16(i)), '=')
			}
		}
		if len(key) == 0 {
			continue
		}
		g, ok := groups[string(key)]
		if !ok {
			g = t.group(key)
			groups[string(key)] = g
		}
		g.rows = append(g.rows, rowChange{change.ID, func(q *statement, column int, _ bool) {
			c := &t.columns[column]
			c.typ.write(q, c.value(&row))
		}})
	}
	gone := tx.stats.GoneVisits
	err := tx.updateGroups(ctx, t.sqlName, "`idlink_va`", groups)
	tx.stats.GoneVisits = gone
	return err
}
