package php

import (
	"iter"
	"math"
	"strconv"
)

// Kind is the type of a Value.
type Kind uint8

// The types a decoded JSON document or a request parameter can have.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindArray
)

// Value is one PHP value. The zero Value is null.
type Value struct {
	kind Kind
	num  uint64 // bool, int64 or the bits of a float64
	str  string
	arr  *Array
}

// Null is PHP's null, the zero Value.
var Null Value

// Bool returns a boolean value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int returns an integer value.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Float returns a floating point value.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// String returns a (byte) string value.
func String(s string) Value { return Value{kind: KindString, str: s} }

// ArrayValue returns an array value; a nil array counts as an empty one.
func ArrayValue(a *Array) Value {
	if a == nil {
		a = &Array{}
	}
	return Value{kind: KindArray, arr: a}
}

// Kind tells the type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsString reports whether v is a string.
func (v Value) IsString() bool { return v.kind == KindString }

// IsArray reports whether v is an array.
func (v Value) IsArray() bool { return v.kind == KindArray }

// Bool is the boolean held, false for other kinds. See ToBool for PHP's conversion.
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// Int is the integer held, 0 for other kinds. See ToInt for PHP's conversion.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.num)
}

// Float is the floating point number held, 0 for other kinds. See ToFloat for PHP's conversion.
func (v Value) Float() float64 {
	if v.kind != KindFloat {
		return 0
	}
	return math.Float64frombits(v.num)
}

// Str is the string held, "" for other kinds. See ToString for PHP's conversion.
func (v Value) Str() string { return v.str }

// Array is the array held, nil for other kinds. A nil *Array can be read like an empty one.
func (v Value) Array() *Array { return v.arr }

// Array is PHP's ordered map. Keys are kept as text: PHP turns keys such as "7" into integers, which has no effect on the order,
// on look-ups or on the text form. The zero Array is empty and ready to use; reading a nil *Array is allowed.
type Array struct {
	entries []entry
	index   map[string]int // built when the array is long enough to profit
}

type entry struct {
	key   string
	value Value
}

const indexFrom = 16

// NewArray returns an empty array with room for n entries.
func NewArray(n int) *Array { return &Array{entries: make([]entry, 0, n)} }

// List returns an array with the values under 0, 1, 2 ….
func List(values ...Value) *Array {
	a := NewArray(len(values))
	for _, v := range values {
		a.Append(v)
	}
	return a
}

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
	a.entries = append(a.entries, entry{key, v})
	if a.index != nil {
		a.index[key] = len(a.entries) - 1
	}
}

// Append adds v under the next integer key, as PHP's $a[] = v does.
func (a *Array) Append(v Value) {
	next := 0
	if n := len(a.entries); n > 0 && !a.IsList() {
		for _, e := range a.entries {
			if k, ok := intKey(e.key); ok && k >= next {
				next = k + 1
			}
		}
	} else {
		next = n
	}
	a.Set(strconv.Itoa(next), v)
}

// Delete removes the entry under key, if there is one.
func (a *Array) Delete(key string) {
	i := a.find(key)
	if i < 0 {
		return
	}
	a.entries = append(a.entries[:i:i], a.entries[i+1:]...)
	a.index = nil
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
	c := NewArray(a.Len())
	if a != nil {
		c.entries = append(c.entries, a.entries...)
	}
	return c
}

func (a *Array) find(key string) int {
	if a == nil {
		return -1
	}
	if len(a.entries) < indexFrom {
		for i := range a.entries {
			if a.entries[i].key == key {
				return i
			}
		}
		return -1
	}
	if a.index == nil {
		a.index = make(map[string]int, len(a.entries)*2)
		for i := range a.entries {
			a.index[a.entries[i].key] = i
		}
	}
	if i, ok := a.index[key]; ok {
		return i
	}
	return -1
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
