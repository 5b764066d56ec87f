package action

import (
	"hash/crc32"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Field names the column that takes the id of a Lookup.
type Field uint8

// The columns with ids of log_action.
const (
	FieldURL Field = iota
	FieldName
	FieldProductCategory1
	FieldProductCategory2
	FieldProductCategory3
	FieldProductCategory4
	FieldProductCategory5
	FieldProductName
	FieldProductSKU
	FieldEventCategory
	FieldEventAction
	FieldContentInteraction
	FieldContentName
	FieldContentPiece
	FieldContentTarget
)

// Lookup is a name whose id is needed. An empty Name, which stands for PHP's empty(), is present but has the id 0: it
// is neither looked up nor inserted.
type Lookup struct {
	Field  Field
	Type   int64
	Name   string
	Prefix store.NullInt
}

// NewLookup returns a Lookup; the name "0" is empty, too.
func NewLookup(field Field, kind int64, name string) Lookup {
	if php.EmptyString(name) {
		name = ""
	}
	return Lookup{Field: field, Type: kind, Name: name}
}

func (a *Action) lookUp(field Field, kind int64, name string) {
	if a.Lookups == nil {
		a.Lookups = a.usual[:0]
	}
	a.Lookups = append(a.Lookups, NewLookup(field, kind, name))
}

// ResolveLoosely reproduces how Matomo finds the ids of a request's lookups among the rows it has read (spec §6.6):
// names that PHP's == takes for equal share an id, so that the sku 00123 gets the id of 123 when both are in a cart.
// exists reports whether the name of lookup i was in log_action before the request.
//
// The result gives for each lookup the index of the one whose id it takes, itself as a rule; nil means that all take
// their own. A lookup that takes another's id inserts nothing. Where several match, the last in the order of the index
// (type, hash) wins.
func ResolveLoosely(lookups []Lookup, exists func(i int) bool) []int {
	var from []int
	for i := range lookups {
		if !looksNumeric(lookups[i].Name) {
			continue
		}
		best := i
		for j := range lookups {
			if looselyEqual(&lookups[i], &lookups[j]) && exists(j) &&
				(!exists(best) || later(lookups[j].Name, lookups[best].Name)) {
				best = j
			}
		}
		if best == i {
			continue
		}
		if from == nil {
			from = ownIDs(len(lookups))
		}
		from[i] = best
	}
	return from
}

func ownIDs(n int) []int {
	from := make([]int, n)
	for i := range from {
		from[i] = i
	}
	return from
}

// looselyEqual reports whether different names of the same type are equal as numbers.
func looselyEqual(a, b *Lookup) bool {
	return a.Type == b.Type && a.Name != b.Name && looksNumeric(b.Name) && php.LooseEqualStrings(a.Name, b.Name)
}

// later reports whether the database gives the row of name a after that of name b.
func later(a, b string) bool { return crc32.ChecksumIEEE([]byte(a)) > crc32.ChecksumIEEE([]byte(b)) }

// looksNumeric is a cheap test that all numeric strings pass.
func looksNumeric(s string) bool {
	if s == "" {
		return false
	}
	last := s[len(s)-1]
	return ('0' <= last && last <= '9' || last == '.' || last <= ' ') && php.IsNumeric(s)
}
