package php

import (
	"math"
	"strings"
)

// LooseEqualStrings is a == b: numeric strings are compared as numbers, others byte by byte (spec §A.2).
func LooseEqualStrings(a, b string) bool {
	if a == b {
		return true
	}
	if a == "" || b == "" || a[0] > '9' || b[0] > '9' {
		return false
	}
	na, nb := scanNumber(a), scanNumber(b)
	if na.digits == "" || nb.digits == "" || !na.whole || !nb.whole {
		return false
	}
	return equalNumbers(na, nb)
}

// equalNumbers compares two numeric strings that differ in writing.
func equalNumbers(a, b numberScan) bool {
	va, vb := a.number(), b.number()
	if va.kind == KindInt && vb.kind == KindInt {
		return va.num == vb.num
	}
	overA, overB := overflow(a, va), overflow(b, vb)
	fa, fb := ToFloat(va), ToFloat(vb)
	switch {
	case overA != 0 && overA == overB && fa-fb == 0:
		// Two integers beyond 64 bits: their floats prove nothing, their texts differ.
		return false
	case overA != 0 && vb.kind == KindInt, overB != 0 && va.kind == KindInt:
		return false
	case va.kind == vb.kind && fa == fb && math.IsInf(fa, 0):
		return false
	}
	return fa == fb
}

// overflow is the sign of an integer that did not fit into 64 bits, 0 for other numbers. PHP takes a number of 20
// digits and more for such a one before it sees a point or an exponent.
func overflow(n numberScan, v Value) int {
	const tooMany = 20
	switch {
	case v.kind == KindInt, n.float && integerDigits(n.digits) < tooMany:
		return 0
	case strings.HasPrefix(n.digits, "-"):
		return -1
	}
	return 1
}

// integerDigits counts the digits of a number before its point or exponent, without zeros in front.
func integerDigits(number string) int {
	number = strings.TrimLeft(strings.TrimLeft(number, "+-"), "0")
	return skipDigits(number, 0)
}

// LooseEqual is a == b of PHP 8 (spec §A.2). Arrays are equal when they have equal values under the same keys.
func LooseEqual(a, b Value) bool {
	if a.kind > b.kind {
		a, b = b, a
	}
	switch {
	case a.kind == KindNull && b.kind == KindString:
		return b.Str() == ""
	case a.kind <= KindBool:
		return ToBool(a) == ToBool(b)
	case a.kind == KindArray:
		return equalArrays(a.Array(), b.Array())
	case b.kind == KindArray:
		return false
	case a.kind == KindString:
		return LooseEqualStrings(a.Str(), b.Str())
	case b.kind == KindString:
		return equalNumberAndString(a, b.Str())
	case a.kind == KindInt && b.kind == KindInt:
		return a.num == b.num
	}
	return ToFloat(a) == ToFloat(b)
}

// equalNumberAndString compares as numbers when s is one, else the number's text with s.
func equalNumberAndString(v Value, s string) bool {
	n := scanNumber(s)
	if n.digits == "" || !n.whole {
		return ToString(v) == s
	}
	other := n.number()
	if v.kind == KindInt && other.kind == KindInt {
		return v.num == other.num
	}
	return ToFloat(v) == ToFloat(other)
}

func equalArrays(a, b *Array) bool {
	if a.Len() != b.Len() {
		return false
	}
	for key, v := range a.All() {
		other, ok := b.Get(key)
		if !ok || !LooseEqual(v, other) {
			return false
		}
	}
	return true
}
