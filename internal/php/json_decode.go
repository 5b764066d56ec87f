package php

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Causes of the errors of DecodeJSON, after PHP's json_last_error.
var (
	errJSONSyntax  = errors.New("syntax error")
	errJSONDepth   = errors.New("nested too deeply")
	errJSONControl = errors.New("control character in text")
	errJSONUTF8    = errors.New("text is not UTF-8")
	errJSONUTF16   = errors.New("unpaired surrogate")
)

// DecodeJSON is json_decode(s, true) with its depth limit of 512: objects become arrays in their order, of equal keys the last value
// counts in the place of the first, integers beyond 64 bits become floats. Literals are lower-case only; invalid UTF-8 and
// unpaired surrogates are errors. Text without escapes shares the memory of s.
func DecodeJSON(s string) (Value, error) {
	const bytesPerEntry = 24
	d := decoder{s: s, stack: make([]entry, 0, min(len(s)/bytesPerEntry, 64))}
	v, err := d.value()
	if err == nil {
		if d.skipSpace(); d.pos < len(s) {
			err = errJSONSyntax
		}
	}
	if err != nil {
		return Null, fmt.Errorf("json at byte %d: %w", d.pos, err)
	}
	return v, nil
}

type decoder struct {
	s     string
	pos   int
	depth int
	stack []entry // entries of the arrays that are still open
	spare []byte  // room for the text that is being freed of its escapes
}

func (d *decoder) skipSpace() {
	for d.pos < len(d.s) {
		switch d.s[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// peek is the next byte after white space, 0 at the end.
func (d *decoder) peek() byte {
	if d.skipSpace(); d.pos < len(d.s) {
		return d.s[d.pos]
	}
	return 0
}

func (d *decoder) value() (Value, error) {
	switch c := d.peek(); c {
	case '"':
		text, err := d.text()
		return String(text), err
	case '{':
		return d.nested(true, '}')
	case '[':
		return d.nested(false, ']')
	case 't':
		return d.literal("true", Bool(true))
	case 'f':
		return d.literal("false", Bool(false))
	case 'n':
		return d.literal("null", Null)
	default:
		if c == '-' || isDigit(c) {
			return d.number()
		}
	}
	return Null, errJSONSyntax
}

func (d *decoder) literal(word string, v Value) (Value, error) {
	if len(d.s)-d.pos < len(word) || d.s[d.pos:d.pos+len(word)] != word {
		return Null, errJSONSyntax
	}
	d.pos += len(word)
	return v, nil
}

func (d *decoder) number() (Value, error) {
	start := d.pos
	i := start
	if d.s[i] == '-' {
		i++
	}
	end := skipDigits(d.s, i)
	if end == i {
		return Null, errJSONSyntax
	}
	if d.s[i] == '0' {
		end = i + 1
	}
	integer := true
	if end < len(d.s) && d.s[end] == '.' {
		if e := skipDigits(d.s, end+1); e > end+1 {
			integer, end = false, e
		}
	}
	if e := skipExponent(d.s, end); e > end {
		integer, end = false, e
	}
	d.pos = end
	return numberScan{digits: d.s[start:end], float: !integer}.number(), nil
}

// nested reads an object or a list up to its closing bracket.
func (d *decoder) nested(object bool, closing byte) (Value, error) {
	if d.depth++; d.depth > maxDepth {
		return Null, errJSONDepth
	}
	d.pos++
	base := len(d.stack)
	if d.peek() == closing {
		d.pos++
		d.depth--
		return ArrayValue(nil), nil
	}
	for {
		e, err := d.entry(object, len(d.stack)-base)
		if err != nil {
			return Null, err
		}
		d.stack = append(d.stack, e)
		switch c := d.peek(); c {
		case ',':
			d.pos++
		case closing:
			d.pos++
			d.depth--
			return ArrayValue(d.pop(base, object)), nil
		default:
			return Null, errJSONSyntax
		}
	}
}

// entry reads one value with its key; in a list the key is the position.
func (d *decoder) entry(object bool, position int) (e entry, err error) {
	if !object {
		e.key = strconv.Itoa(position)
		e.value, err = d.value()
		return e, err
	}
	if d.peek() != '"' {
		return e, errJSONSyntax
	}
	if e.key, err = d.text(); err != nil {
		return e, err
	}
	if d.peek() != ':' {
		return e, errJSONSyntax
	}
	d.pos++
	e.value, err = d.value()
	return e, err
}

// pop makes an array of the entries from base on.
func (d *decoder) pop(base int, object bool) *Array {
	entries := d.stack[base:]
	a := &Array{entries: make([]entry, len(entries))}
	copy(a.entries, entries)
	d.stack = d.stack[:base]
	if !object || !a.mergeDuplicates() {
		a.reindex()
	}
	return a
}

// plain are the bytes that stand for themselves within a text: ASCII without control characters, quote and backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text reads a quoted text.
func (d *decoder) text() (string, error) {
	d.pos++
	start, ascii := d.pos, true
	for d.pos < len(d.s) {
		c := d.s[d.pos]
		switch {
		case plain[c]:
			d.pos++
		case c >= utf8.RuneSelf:
			ascii = false
			d.pos++
		case c == '"':
			text := d.s[start:d.pos]
			if !ascii && !utf8.ValidString(text) {
				return "", errJSONUTF8
			}
			d.pos++
			return text, nil
		case c == '\\':
			return d.escapedText(start)
		default:
			return "", errJSONControl
		}
	}
	return "", errJSONControl
}

// escapedText goes on at the first backslash of the text that began at start.
func (d *decoder) escapedText(start int) (string, error) {
	b := d.spare[:0]
	for done := start; d.pos < len(d.s); {
		switch c := d.s[d.pos]; {
		case c == '\\':
			b = append(b, d.s[done:d.pos]...)
			var err error
			if b, err = d.escape(b); err != nil {
				return "", err
			}
			done = d.pos
		case c == '"':
			b = append(b, d.s[done:d.pos]...)
			d.pos++
			d.spare = b
			if !utf8.Valid(b) {
				return "", errJSONUTF8
			}
			return string(b), nil
		case c < ' ':
			return "", errJSONControl
		default:
			d.pos++
		}
	}
	return "", errJSONControl
}

// escape appends what the escape sequence at the position stands for.
func (d *decoder) escape(b []byte) ([]byte, error) {
	if d.pos+1 >= len(d.s) {
		return nil, errJSONSyntax
	}
	c := d.s[d.pos+1]
	d.pos += 2
	switch c {
	case '"', '\\', '/':
		return append(b, c), nil
	case 'b':
		return append(b, '\b'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'u':
		r, err := d.unicodeEscape()
		return utf8.AppendRune(b, r), err
	}
	return nil, errJSONSyntax
}

// unicodeEscape reads the digits after \u, and the second half of a surrogate pair.
func (d *decoder) unicodeEscape() (rune, error) {
	r, ok := d.hex4()
	if !ok {
		return 0, errJSONSyntax
	}
	if r < 0xd800 || r > 0xdfff {
		return r, nil
	}
	if r > 0xdbff || len(d.s)-d.pos < 6 || d.s[d.pos:d.pos+2] != `\u` {
		return 0, errJSONUTF16
	}
	d.pos += 2
	low, ok := d.hex4()
	if !ok || low < 0xdc00 || low > 0xdfff {
		return 0, errJSONUTF16
	}
	return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, nil
}

func (d *decoder) hex4() (r rune, ok bool) {
	if len(d.s)-d.pos < 4 {
		return 0, false
	}
	for _, c := range []byte(d.s[d.pos : d.pos+4]) {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	d.pos += 4
	return r, true
}
