package store

import (
	"fmt"
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// scanner puts one column of a result into the row that is being read.
type scanner struct {
	typ   *columnType
	value any // as column.value
}

// Scan implements sql.Scanner. What is written does not refer to the driver's memory.
func (s *scanner) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil // rows begin with NULLs
	case int64:
		return s.number(v)
	case uint64:
		return s.number(int64(v)) // an id or counter beyond int64 has never been given
	case []byte:
		return s.text(string(v))
	case string:
		return s.text(v)
	case float64:
		return s.text(strconv.FormatFloat(v, 'g', -1, 64))
	case float32:
		return s.text(strconv.FormatFloat(float64(v), 'g', -1, 32))
	default:
		return fmt.Errorf("a column of Go type %T", src)
	}
}

func (s *scanner) number(n int64) error {
	switch v := s.value.(type) {
	case *int64:
		*v = n
	case *rowID:
		*v = rowID(n)
	case *NullInt:
		*v = Int(n)
	case *ActionID:
		*v = ActionID{Valid: true, ID: n}
	case *LinkID:
		*v = LinkID{Valid: true, ID: n}
	case *bool:
		*v = n != 0
	default:
		return s.text(strconv.FormatInt(n, 10))
	}
	return nil
}

func (s *scanner) text(text string) error {
	switch v := s.value.(type) {
	case *NullText:
		*v = Text(text)
	case *string:
		*v = text
	case *BinaryID:
		copy(v[:], text)
	case *int64:
		if s.typ.kind == kindMoment {
			*v, _ = php.ParseDateTime(text) // a zero date is 0
			return nil
		}
		return s.parse(text)
	default:
		return s.parse(text)
	}
	return nil
}

// parse reads a number that the driver hands over as text. A BIGINT beyond int64 is no id or counter that Matomo has
// ever given.
func (s *scanner) parse(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("a number: %w", err)
	}
	return s.number(n)
}

// reader scans the columns of a table that are read back.
type reader[R any] struct {
	t        *table[R]
	scanners []scanner
	dests    []any
}

// newReader returns a reader of results whose first columns go to leading.
func newReader[R any](t *table[R], leading ...any) *reader[R] {
	r := &reader[R]{t: t, scanners: make([]scanner, len(t.reads)), dests: leading}
	for n, i := range t.reads {
		r.scanners[n].typ = &t.columns[i].typ
		r.dests = append(r.dests, &r.scanners[n])
	}
	return r
}

// scan reads the current row of a result into row.
func (r *reader[R]) scan(rows interface{ Scan(dest ...any) error }, row *R) error {
	for n, i := range r.t.reads {
		r.scanners[n].value = r.t.columns[i].value(row)
	}
	return rows.Scan(r.dests...)
}

// list adds the columns that are read back to a statement.
func (r *reader[R]) list(q *statement, prefix string) {
	for _, i := range r.t.reads {
		q.add(", ", prefix, r.t.columns[i].sqlName)
	}
}
