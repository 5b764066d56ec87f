package php

import (
	"errors"
	"strings"
)

// ErrType is PHP's TypeError: an array stands where a number is read. Matomo refuses such a request (spec §H.4).
var ErrType = errors.New("array given where a number is expected")

// param finds a parameter that counts as given: set, not null, and with a text form that is not empty (spec §A.4).
func param(params *Array, name string) (Value, bool) {
	if EmptyString(name) {
		return Null, false
	}
	v, _ := params.Get(name)
	switch v.kind {
	case KindNull:
		return Null, false
	case KindBool:
		return v, v.num != 0
	case KindString:
		return v, v.Str() != ""
	}
	return v, true
}

// ReadString is the generic reader for text (spec §A.4). The result is sanitised, def as well. Booleans and arrays give
// def.
func ReadString(params *Array, name, def string) string {
	v, ok := param(params, name)
	if ok {
		switch v.kind {
		case KindString:
			return Sanitize(v.Str())
		case KindInt, KindFloat:
			return ToString(v)
		}
	}
	return Sanitize(def)
}

// ReadInt is the generic reader for integers (spec §A.4): "5.0", "1e2", " 7", "007" and true are accepted, "5abc", 1.5
// and arrays give def.
func ReadInt(params *Array, name string, def int64) int64 {
	v, ok := param(params, name)
	if !ok {
		return def
	}
	if v = SanitizeValue(v); !LooseEqual(v, String(ToString(Int(ToInt(v))))) {
		return def
	}
	return ToInt(v)
}

// Decimal is a parameter that should be a decimal number. Value is 0 unless it is one.
type Decimal struct {
	Value  float64
	Given  bool // the parameter is there
	Number bool // and a number
}

// ReadFloat is the generic reader for decimals (spec §A.4). A comma is accepted as the point but ends the number: "1,5"
// is 1. An array is ErrType.
func ReadFloat(params *Array, name string) (Decimal, error) {
	v, given := param(params, name)
	if v.kind == KindArray {
		return Decimal{Given: true}, ErrType
	}
	v = SanitizeValue(v)
	if !given || !isDecimal(strings.ReplaceAll(ToString(v), ",", ".")) {
		return Decimal{Given: given}, nil
	}
	return Decimal{ToFloat(v), true, true}, nil
}

// ReadComparedFloat is the reader of Matomo 5.0: a value is a number when it equals its own float, printed with 14
// digits. So "0.30000000000000004", "1e400" and "1,5" are none, " 5" is one. An array is none, too.
func ReadComparedFloat(params *Array, name string) Decimal {
	v, given := param(params, name)
	v = SanitizeValue(v)
	if !given || !LooseEqual(v, String(FloatString(ToFloat(v)))) {
		return Decimal{Given: given}
	}
	return Decimal{ToFloat(v), true, true}
}

// isDecimal reports whether all of s is a decimal number; a line break may follow it (PCRE's $).
func isDecimal(s string) bool {
	s = strings.TrimSuffix(s, "\n")
	return s != "" && scanNumber(s).digits == s
}

// ReadJSON is the generic reader for JSON (spec §A.4): text is decoded (null when it is no JSON), structured values are
// taken as they are. Strings in the result are sanitised, keys too. present is false when the parameter is missing or
// empty.
func ReadJSON(params *Array, name string) (v Value, present bool) {
	v, present = param(params, name)
	if !present {
		return Null, false
	}
	if v.kind == KindString {
		decoded, err := DecodeJSON(v.Str())
		if err != nil {
			return Null, true
		}
		v = decoded
	}
	return SanitizeValue(v), true
}

// RawString is the newer reader for text (spec §V1.3.1): nothing is sanitised but NUL bytes, which are removed. Numbers
// are text; anything else, and a parameter that is missing, is "".
func RawString(params *Array, name string) string {
	switch v := params.Value(name); v.kind {
	case KindString:
		return strings.ReplaceAll(v.Str(), "\x00", "")
	case KindInt, KindFloat:
		return ToString(v)
	}
	return ""
}

// RawInt is the newer reader for integers (spec §V2.1.4): a number, or text that is written exactly as PHP would print
// it. "200", 200 and 200.0 are 200; "0200", "+200", " 200", "200.0" and true are none.
func RawInt(params *Array, name string) (n int64, ok bool) {
	text := RawString(params, name)
	if text == "" {
		return 0, false
	}
	n = ToInt(String(text))
	return n, ToString(Int(n)) == text
}
