package php

import (
	"math"
	"unsafe"
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

// Value is one PHP value. The zero Value is null. Values cannot be compared with ==, see LooseEqual.
//
// A string and an array share one pointer. With a field for each of them, to decode a queue entry takes 16 % more
// memory and 5 % more processor time (median of ten pairs of queue's BenchmarkDecodeTraffic). The pointer is read in
// Str and Array alone, each of which looks at the kind first, and no other code can set it. FuzzDecodeJSON holds it
// against encoding/json.
type Value struct {
	_    [0]func() // not comparable
	kind Kind
	num  uint64         // bool, int64, the bits of a float64 or the length of a string
	ref  unsafe.Pointer // bytes of a string or *Array
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
func String(s string) Value {
	return Value{kind: KindString, num: uint64(len(s)), ref: unsafe.Pointer(unsafe.StringData(s))}
}

// ArrayValue returns an array value; a nil array counts as an empty one.
func ArrayValue(a *Array) Value {
	if a == nil {
		a = &Array{}
	}
	return Value{kind: KindArray, ref: unsafe.Pointer(a)}
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
func (v Value) Str() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.ref), int(v.num))
}

// Array is the array held, nil for other kinds. A nil *Array can be read like an empty one.
func (v Value) Array() *Array {
	if v.kind != KindArray {
		return nil
	}
	return (*Array)(v.ref)
}
