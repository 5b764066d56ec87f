package store

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// owner is the plugin that a column belongs to.
type owner struct {
	plugin string
	active func(f *matomo.Features) bool
}

// column is one column of a table whose rows are R.
type column[R any] struct {
	name  string
	owner *owner // nil: the core
	// value points to the column's value in a row: *int64 (a moment in a DATETIME column), *rowID, *NullInt, *NullText,
	// *string (bytes in a BINARY column), *bool, *BinaryID, *ActionID or *LinkID. Without a value it is nil.
	value   func(row *R) any
	read    bool // among the fields that are read back
	counter bool // changes are written as differences
	fixed   bool // never changed once the row is there

	sqlName string
	typ     columnType
}

// inUse reports whether the column's plugin is active.
func (c column[R]) inUse(features *matomo.Features) bool {
	return c.owner == nil || c.owner.active(features)
}

// reading marks columns that are read back.
func reading[R any](columns ...column[R]) []column[R] {
	for i := range columns {
		columns[i].read = true
	}
	return columns
}

// table is a table as discovered: the columns that exist and are in use, in the order of the list.
type table[R any] struct {
	name    string // without prefix
	sqlName string
	columns []column[R]
	reads   []int // indexes of the columns that are read back
}

// discover makes a table of the columns that are wanted and found.
func discover[R any](
	base, sqlName string, wanted []column[R], found []foundColumn, features *matomo.Features,
) table[R] {
	t := table[R]{name: base, sqlName: sqlName}
	for _, c := range wanted {
		i := slices.IndexFunc(found, func(f foundColumn) bool { return strings.EqualFold(f.name, c.name) })
		if i < 0 || !c.inUse(features) {
			continue
		}
		c.sqlName, c.typ = name(found[i].name), found[i].typ
		if c.read {
			t.reads = append(t.reads, len(t.columns))
		}
		t.columns = append(t.columns, c)
	}
	return t
}

// unknown lists the columns found that nobody wants.
func unknown[R any](wanted []column[R], found []foundColumn, others ...string) []string {
	var names []string
	for _, f := range found {
		isWanted := slices.ContainsFunc(wanted, func(c column[R]) bool { return strings.EqualFold(f.name, c.name) })
		if !isWanted && !slices.Contains(others, strings.ToLower(f.name)) {
			names = append(names, f.name)
		}
	}
	return names
}

// isNull reports whether a value is NULL.
func isNull(value any) bool {
	switch v := value.(type) {
	case *NullInt:
		return !v.Valid
	case *NullText:
		return !v.Valid
	case *ActionID:
		return !v.Valid
	case *LinkID:
		return !v.Valid || v.Row != nil && v.Row.ID == 0
	}
	return value == nil
}

// same reports whether two values of one column are equal.
func same(a, b any) bool {
	if a == nil || b == nil {
		return isNull(a) && isNull(b)
	}
	switch a := a.(type) {
	case *int64:
		return *a == *b.(*int64)
	case *rowID:
		return *a == *b.(*rowID)
	case *NullInt:
		b := b.(*NullInt)
		return a.Valid == b.Valid && (!a.Valid || a.V == b.V)
	case *NullText:
		b := b.(*NullText)
		return a.Valid == b.Valid && (!a.Valid || a.V == b.V)
	case *string:
		return *a == *b.(*string)
	case *bool:
		return *a == *b.(*bool)
	case *BinaryID:
		return *a == *b.(*BinaryID)
	case *ActionID:
		b := b.(*ActionID)
		return a.Valid == b.Valid && (!a.Valid || a.Same(*b))
	case *LinkID:
		b := b.(*LinkID)
		return a.Valid == b.Valid && a.Row == b.Row && a.Number() == b.Number()
	}
	return false
}

// write adds a value to a statement.
func (t *columnType) write(q *statement, value any) {
	if isNull(value) {
		q.add("NULL")
		return
	}
	switch v := value.(type) {
	case *int64:
		if t.kind == kindMoment {
			q.moment(*v)
		} else {
			q.int(*v)
		}
	case *NullInt:
		q.int(v.V)
	case *NullText:
		q.text(v.V)
	case *string:
		if t.kind == kindBinary {
			q.blob([]byte(*v))
		} else {
			q.text(*v)
		}
	case *bool:
		if *v {
			q.int(1)
		} else {
			q.int(0)
		}
	case *BinaryID:
		q.blob(v[:])
	case *ActionID:
		q.int(v.Number())
	case *LinkID:
		q.id(v.Number())
	case *rowID:
		q.id(int64(*v))
	}
}
