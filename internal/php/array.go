package php

import (
	"iter"
	"maps"
	"slices"
	"strconv"
)

// Array is PHP's ordered map. Keys are kept as text: PHP turns keys such as "7" into integers, which has no effect on
// the order, on look-ups or on the text form. The zero Array is empty and ready to use; reading a nil *Array is
// allowed.
type Array struct {
	entries []entry
	keys    keySet         // those of the entries, and maybe some that were deleted
	index   map[string]int // positions, nil while the array is short
	next    int            // the key that Append uses, 0 while it is not known
}

type entry struct {
	key   string
	value Value
}

// NewArray returns an empty array with room for n entries.
func NewArray(n int) *Array { return &Array{entries: make([]entry, 0, n)} }

// Len is the number of entries.
func (a *Array) Len() int {
	if a == nil {
		return 0
	}
	return len(a.entries)
}

// At returns the entry at position i, 0 ≤ i < Len.
func (a *Array) At(i int) (key string, v Value) { return a.entries[i].key, a.entries[i].value }

// Get returns the value under key, and whether there is one (it may be null).
func (a *Array) Get(key string) (Value, bool) {
	if i := a.find(key); i >= 0 {
		return a.entries[i].value, true
	}
	return Null, false
}

// Value is the value under key, null when there is none: PHP's $a[key] ?? null.
func (a *Array) Value(key string) Value {
	v, _ := a.Get(key)
	return v
}

// Set replaces the value under key in its place or appends a new entry.
func (a *Array) Set(key string, v Value) {
	if i := a.find(key); i >= 0 {
		a.entries[i].value = v
		return
	}
	a.add(key, v)
	if a.index != nil {
		a.index[key] = len(a.entries) - 1
	} else if len(a.entries) > indexFrom {
		a.reindex()
	}
}

// SetNew is Set for a key that is not there yet, which saves the search for it. An array that has no index gets none.
func (a *Array) SetNew(key string, v Value) {
	if a.index != nil {
		a.Set(key, v)
		return
	}
	a.add(key, v)
}

// add appends an entry, which is not in the index yet.
func (a *Array) add(key string, v Value) {
	a.entries = append(a.entries, entry{key, v})
	a.keys.add(key)
	if a.next > 0 {
		a.noteKey(key)
	}
}

// Append adds v under the next integer key, as PHP's $a[] = v does.
func (a *Array) Append(v Value) {
	if a.next == 0 {
		for _, e := range a.entries {
			a.noteKey(e.key)
		}
	}
	next := a.next
	a.Set(strconv.Itoa(next), v)
	a.next = next + 1
}

func (a *Array) noteKey(key string) {
	if k, ok := intKey(key); ok && k >= a.next {
		a.next = k + 1
	}
}

// Delete removes the entry under key, if there is one. It copies the array's entries.
func (a *Array) Delete(key string) {
	i := a.find(key)
	if i < 0 {
		return
	}
	a.entries = slices.Concat(a.entries[:i], a.entries[i+1:])
	a.reindex()
}

// All yields the entries in order.
func (a *Array) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if a == nil {
			return
		}
		for _, e := range a.entries {
			if !yield(e.key, e.value) {
				return
			}
		}
	}
}

// IsList reports whether the keys are 0, 1, 2 … in order (an empty array is a list).
func (a *Array) IsList() bool {
	if a == nil {
		return true
	}
	for i, e := range a.entries {
		if k, ok := intKey(e.key); !ok || k != i {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares nested arrays.
func (a *Array) Clone() *Array {
	if a == nil {
		return &Array{}
	}
	return &Array{entries: slices.Clone(a.entries), keys: a.keys, index: maps.Clone(a.index), next: a.next}
}

// find is the position of key, -1 when there is none. It changes nothing, so that several goroutines can read an array.
func (a *Array) find(key string) int {
	if a == nil || !a.keys.mayHave(key) {
		return -1
	}
	return a.search(a.entries, key)
}

// intKey reports whether PHP would store key as a non-negative integer.
func intKey(key string) (int, bool) {
	if key == "" || len(key) > 18 || key[0] == '0' && key != "0" {
		return 0, false
	}
	for i := 0; i < len(key); i++ {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(key)
	return n, err == nil
}
