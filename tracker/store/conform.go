package store

import (
	"math"
	"strconv"
)

// Reasons of a DataError.
const (
	outOfRange  = "out of range"
	tooLong     = "too long"
	invalidText = "incorrect string value"
	notANumber  = "not a number"
	noDefault   = "no value and no default"
	invalidTime = "incorrect time value"
)

// converter is how the server treats a value that does not fit.
type converter struct {
	strict     bool // refuse it
	mariadb    bool
	basicPlane bool // the connection has no 4-byte characters
}

func (s *Store) converter(ignore bool) converter {
	return converter{strict: s.server.strict && !ignore, mariadb: s.server.mariadb, basicPlane: s.server.basicPlane}
}

// ConformVisit brings the values of a visit to what log_visit would store, or returns a *DataError. Fields that are not
// read back stay as they are in a visit that comes from the database and has no value for them.
func (s *Store) ConformVisit(v *Visit) error {
	return conform(&s.visits, v, s.converter(false), v.ID != 0)
}

// ConformLinkAction brings the values of an action's row to what log_link_visit_action would store, or returns a
// *DataError.
func (s *Store) ConformLinkAction(l *LinkAction) error {
	return conform(&s.links, l, s.converter(false), false)
}

// ConformPerformance does the same for timings that are written to an existing row (spec §5.8).
func (s *Store) ConformPerformance(p *Performance) error {
	row := LinkAction{Performance: *p}
	for i := range s.links.columns {
		c := &s.links.columns[i]
		v, ok := c.value(&row).(*NullInt)
		if !ok || !v.Valid {
			continue
		}
		if reason := c.typ.conform(v, s.converter(false)); reason != "" {
			return &DataError{s.links.name, c.name, reason}
		}
	}
	*p = row.Performance
	return nil
}

// ConformConversion brings the values of a conversion to what INSERT IGNORE would store. It refuses nothing
// (spec §B.3).
func (s *Store) ConformConversion(c *Conversion) {
	_ = conform(&s.conversions, c, s.converter(true), false)
}

// ConformCart brings the values of a conversion that takes the place of a cart (UpdateCart) to what log_conversion
// would store, or returns a *DataError, which Matomo takes for "not recorded" (spec §8.5): that UPDATE knows no IGNORE.
// A conversion that went through ConformConversion always passes.
func (s *Store) ConformCart(c *Conversion) error {
	return conform(&s.conversions, c, s.converter(false), true)
}

// ConformItem brings the values of an item to what log_conversion_item would store: a new item is written by INSERT
// IGNORE, which never refuses it; one that is updated can be refused with a *DataError (spec §8.5.2).
func (s *Store) ConformItem(i *Item, update bool) error {
	return conform(&s.items, i, s.converter(!update), false)
}

// ConformEntry brings name and prefix to what log_action would store, or returns a *DataError.
func (s *Store) ConformEntry(e *ActionEntry) error {
	return conform(&s.entries, e, s.converter(false), false)
}

// conform treats all columns of a row. Existing rows keep columns that are not NULL in the database but were not read.
func conform[R any](t *table[R], row *R, how converter, existing bool) error {
	for i := range t.columns {
		c := &t.columns[i]
		value := c.value(row)
		if existing && !c.read && isNull(value) {
			continue
		}
		if reason := c.typ.conform(value, how); reason != "" {
			return &DataError{t.name, c.name, reason}
		}
	}
	return nil
}

// conform changes a value into what a column of this type stores. The reason why it is refused is empty when it is not.
func (t *columnType) conform(value any, how converter) (reason string) {
	switch v := value.(type) {
	case *NullInt:
		if !v.Valid {
			return t.conformNull(how, func(preset string) { v.V, v.Valid = atoi(preset), true })
		}
		return t.conformInt(&v.V, how)
	case *int64:
		if t.kind == kindMoment {
			return t.conformMoment(v, how)
		}
		return t.conformInt(v, how)
	case *NullText:
		if !v.Valid {
			return t.conformNull(how, func(preset string) { v.V, v.Valid = preset, true })
		}
		v.V, reason = t.conformText(v.V, how)
	case *string:
		*v, reason = t.conformText(*v, how)
	case *ActionID:
		if !v.Valid {
			return t.conformNull(how, func(preset string) { *v = ActionID{Valid: true, ID: atoi(preset)} })
		}
	}
	return reason
}

// conformNull gives a column that cannot be NULL its default: the row has no value for it.
func (t *columnType) conformNull(how converter, set func(preset string)) string {
	switch {
	case t.nullable:
		return ""
	case t.preset.Valid:
		set(t.preset.String)
		return ""
	case how.strict:
		return noDefault
	}
	set(t.zero())
	return ""
}

// zero is the implicit default of a type.
func (t *columnType) zero() string {
	switch t.kind {
	case kindInt, kindFloat, kindDouble:
		return "0"
	case kindDecimal:
		return decimal{}.format(t.scale)
	case kindTime:
		return "00:00:00"
	}
	return ""
}

func (t *columnType) conformInt(n *int64, how converter) string {
	if t.kind != kindInt || *n >= t.min && *n <= t.max {
		return ""
	}
	if how.strict {
		return outOfRange
	}
	*n = min(max(*n, t.min), t.max)
	return ""
}

// Bounds of DATETIME in unix seconds: the years 0 to 9999. The server takes the years before 1000 as well.
const (
	firstMoment = -62167219200
	lastMoment  = 253402300799
)

func (t *columnType) conformMoment(unix *int64, how converter) string {
	if *unix >= firstMoment && *unix <= lastMoment {
		return ""
	}
	if how.strict {
		return invalidTime
	}
	*unix = 0
	return ""
}

// conformText treats text on its way to a column of any type.
func (t *columnType) conformText(s string, how converter) (string, string) {
	switch t.kind {
	case kindChar, kindText:
		return t.conformChars(s, how)
	case kindBinary:
		if len(s) <= t.length {
			return s, ""
		}
		if how.strict {
			return s, tooLong
		}
		return s[:t.length], ""
	case kindDecimal:
		return t.conformDecimal(s, how)
	case kindFloat, kindDouble:
		return t.conformFloat(s, how)
	case kindInt:
		return t.conformIntText(s, how)
	case kindTime:
		return conformTime(s, how)
	default:
		return s, ""
	}
}

// conformIntText treats text for an integer column: fractions are rounded half away from zero.
func (t *columnType) conformIntText(s string, how converter) (string, string) {
	d, whole := parseDecimal(s)
	if !whole && how.strict {
		return s, notANumber
	}
	d.round(0)
	n, ok := d.int()
	if !ok {
		n = math.MaxInt64
		if d.negative {
			n = math.MinInt64
		}
		if how.strict {
			return s, outOfRange
		}
	}
	reason := t.conformInt(&n, how)
	return strconv.FormatInt(n, 10), reason
}

func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
