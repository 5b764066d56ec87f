package php

import (
	"math"
	"strconv"
)

// List returns an array with the values under 0, 1, 2 ….
func List(values ...Value) *Array {
	a := NewArray(len(values))
	for _, v := range values {
		a.Append(v)
	}
	return a
}

// Serialize is PHP's serialize for scalars and arrays, the counterpart of Unserialize.
func Serialize(v Value) string { return string(appendSerialized(nil, v)) }

func appendSerialized(b []byte, v Value) []byte {
	switch v.kind {
	case KindBool:
		return append(b, 'b', ':', '0'+byte(v.num), ';')
	case KindInt:
		return append(strconv.AppendInt(append(b, "i:"...), v.Int(), 10), ';')
	case KindFloat:
		return append(append(append(b, "d:"...), shortestFloat(v.Float(), 'E')...), ';')
	case KindString:
		return append(appendSerializedText(b, v.Str()), ';')
	case KindArray:
		b = append(strconv.AppendInt(append(b, "a:"...), int64(v.Array().Len()), 10), ":{"...)
		for key, e := range v.Array().All() {
			b = appendSerialized(appendSerializedKey(b, key), e)
		}
		return append(b, '}')
	}
	return append(b, "N;"...)
}

func appendSerializedText(b []byte, s string) []byte {
	b = strconv.AppendInt(append(b, "s:"...), int64(len(s)), 10)
	return append(append(append(b, ':', '"'), s...), '"')
}

func appendSerializedKey(b []byte, key string) []byte {
	if isIntKey(key) {
		return append(append(append(b, "i:"...), key...), ';')
	}
	return append(appendSerializedText(b, key), ';')
}

// isIntKey reports whether PHP stores key as an integer, negative ones included.
func isIntKey(key string) bool {
	if key == "" || len(key) > 20 || key[0] > '9' {
		return false
	}
	n, err := strconv.ParseInt(key, 10, 64)
	return err == nil && n != math.MinInt64 && strconv.FormatInt(n, 10) == key
}
