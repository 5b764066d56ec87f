package php

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var errJSONInfinite = errors.New("INF and NAN cannot be encoded")

// EncodeJSON is json_encode without flags: "/" is escaped, everything outside ASCII is written as \uXXXX, floats as
// short as they read back equal, an empty array as []. Text that is not UTF-8, infinite floats and more than 512 levels
// are errors.
func EncodeJSON(v Value) (string, error) {
	b, err := AppendJSON(nil, v)
	return string(b), err
}

// AppendJSON appends what EncodeJSON returns to b. After an error it returns nil.
func AppendJSON(b []byte, v Value) ([]byte, error) {
	b, err := appendJSON(b, v, 0)
	if err != nil {
		return nil, fmt.Errorf("json: %w", err)
	}
	return b, nil
}

func appendJSON(b []byte, v Value, depth int) ([]byte, error) {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.num != 0), nil
	case KindInt:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case KindFloat:
		f := v.Float()
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, errJSONInfinite
		}
		return append(b, shortestFloat(f, 'e')...), nil
	case KindString:
		return appendJSONText(b, v.Str())
	case KindArray:
		if depth == maxDepth {
			return nil, errJSONDepth
		}
		return appendJSONArray(b, v.Array(), depth+1)
	}
	return append(b, "null"...), nil
}

func appendJSONArray(b []byte, a *Array, depth int) (_ []byte, err error) {
	list := a.IsList()
	opening, closing := byte('{'), byte('}')
	if list {
		opening, closing = '[', ']'
	}
	b = append(b, opening)
	for i := range a.entries {
		e := &a.entries[i]
		if i > 0 {
			b = append(b, ',')
		}
		if !list {
			if b, err = appendJSONText(b, e.key); err != nil {
				return nil, err
			}
			b = append(b, ':')
		}
		if b, err = appendJSON(b, e.value, depth); err != nil {
			return nil, err
		}
	}
	return append(b, closing), nil
}

func appendJSONText(b []byte, s string) ([]byte, error) {
	b = append(b, '"')
	for i := 0; i < len(s); {
		same := unescapedEnd(s, i)
		b = append(b, s[i:same]...)
		if i = same; i == len(s) {
			break
		}
		c := s[i]
		if c < utf8.RuneSelf {
			b = appendJSONEscape(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, errJSONUTF8
		}
		b = appendUTF16(b, r)
		i += n
	}
	return append(b, '"'), nil
}

// unescapedEnd is the end of the bytes of s from i on that are written as they are. It looks at eight bytes at a time.
func unescapedEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		word := binary.LittleEndian.Uint64([]byte(s[i : i+8]))
		if found := word&highs | below(word, ' ') | equal(word, '"') | equal(word, '\\') | equal(word, '/'); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && plain[s[i]] && s[i] != '/' {
		i++
	}
	return i
}

func appendJSONEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\', '/':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return appendUTF16(b, rune(c))
}

// appendUTF16 writes r as one \uXXXX or as a surrogate pair of them.
func appendUTF16(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUTF16(appendUTF16(b, high), low)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
