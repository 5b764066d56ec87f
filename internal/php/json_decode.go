package php

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// Causes of the errors of DecodeJSON, after PHP's json_last_error.
var (
	errJSONSyntax  = errors.New("syntax error")
	errJSONDepth   = errors.New("nested too deeply")
	errJSONControl = errors.New("control character in text")
	errJSONUTF8    = errors.New("text is not UTF-8")
	errJSONUTF16   = errors.New("unpaired surrogate")
)

// DecodeJSON is json_decode(s, true) with its depth limit of 512: objects become arrays in their order, of equal keys
// the last value counts in the place of the first, integers beyond 64 bits become floats. Literals are lower-case only;
// invalid UTF-8 and unpaired surrogates are errors.
func DecodeJSON(s string) (Value, error) { return DecodeJSONInPlace([]byte(s)) }

// DecodeJSONInPlace is DecodeJSON for text that nobody else has or will look at again: the strings of the result are
// parts of buf, where escapes are replaced by the shorter text that they stand for. After an error buf is of no use.
func DecodeJSONInPlace(buf []byte) (Value, error) {
	stack := stacks.Get().(*[]entry)
	d := decoder{s: buf, stack: *stack}
	defer func() {
		if cap(d.stack) <= keepStack {
			clear(d.stack[:cap(d.stack)]) // what it refers to is not to be held
			*stack = d.stack[:0]
			stacks.Put(stack)
		}
	}()
	v, err := d.value()
	if err == nil {
		if d.skipSpace(); d.pos < len(d.s) {
			err = errJSONSyntax
		}
	}
	if err != nil {
		return Null, fmt.Errorf("json at byte %d: %w", d.pos, err)
	}
	return v, nil
}

// stacks are used again. One is as long as a document has open entries at a time: for a queue entry some forty.
var stacks = sync.Pool{New: func() any { return new([]entry) }}

// keepStack is the capacity up to which a stack is worth keeping.
const keepStack = 256

type decoder struct {
	s     []byte
	pos   int
	depth int
	stack []entry // entries of the arrays that are still open

	arrays  []Array // not used yet, see newArray
	entries []entry
}

// view is a part of the buffer as a string, the only place where the decoder needs package unsafe. That is safe because
// what has become a string is not written to again: escapes are replaced before, and each within its own text. Without
// it, with the texts that had escapes in memory of their own, to decode a queue entry takes 20 % more memory and 10 %
// more processor time (median of ten pairs of queue's BenchmarkDecodeTraffic). FuzzDecodeJSON compares all strings with
// those of encoding/json.
func (d *decoder) view(from, to int) string {
	return unsafe.String(unsafe.SliceData(d.s[from:to]), to-from)
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
	if len(d.s)-d.pos < len(word) || string(d.s[d.pos:d.pos+len(word)]) != word {
		return Null, errJSONSyntax
	}
	d.pos += len(word)
	return v, nil
}

func (d *decoder) number() (Value, error) {
	s := d.view(d.pos, len(d.s))
	i := 0
	if s[i] == '-' {
		i++
	}
	end := skipDigits(s, i)
	if end == i {
		return Null, errJSONSyntax
	}
	if s[i] == '0' {
		end = i + 1
	}
	integer := true
	if end < len(s) && s[end] == '.' {
		if e := skipDigits(s, end+1); e > end+1 {
			integer, end = false, e
		}
	}
	if e := skipExponent(s, end); e > end {
		integer, end = false, e
	}
	d.pos += end
	return numberScan{digits: s[:end], float: !integer}.number(), nil
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
		return ArrayValue(d.pop(base, object)), nil
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
	a := d.newArray(len(d.stack) - base)
	copy(a.entries, d.stack[base:])
	d.stack = d.stack[:base]
	if object {
		a.mergeDuplicates()
	} else {
		for i := range a.entries {
			a.keys.add(a.entries[i].key)
		}
		a.reindex()
	}
	return a
}

// Arrays, and the entries of short ones, are cut from pieces that hold those of a whole queue entry: they are garbage
// together as well.
const piece = 8

// newArray returns an array of n entries to be filled in.
func (d *decoder) newArray(n int) *Array {
	if len(d.arrays) == 0 {
		d.arrays = make([]Array, piece)
	}
	a := &d.arrays[0]
	d.arrays = d.arrays[1:]
	switch {
	case n > piece:
		a.entries = make([]entry, n)
		return a
	case n > len(d.entries):
		d.entries = make([]entry, piece)
	}
	a.entries = d.entries[:n:n]
	d.entries = d.entries[n:]
	return a
}

// plain are the bytes that stand for themselves within a text: ASCII without control characters, quote and backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// Eight bytes of text in one number, the first of them lowest.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// below marks the first byte of word that is less than n ≤ 128 by its highest bit, and maybe others behind it: a byte
// less than n borrows when n is subtracted.
func below(word uint64, n byte) uint64 { return (word - uint64(n)*ones) &^ word & highs }

// equal marks the first byte of word that is c, and maybe others behind it.
func equal(word uint64, c byte) uint64 { return below(word^uint64(c)*ones, 1) }

// run is the end of the bytes from i on that stand for themselves, or are not ASCII: it is where a quote, a backslash,
// a control character or the end of the input is. It looks at eight bytes at a time. When ascii is true all of them are
// ASCII.
func (d *decoder) run(i int) (end int, ascii bool) {
	var seen uint64
	for ; i+8 <= len(d.s); i += 8 {
		word := binary.LittleEndian.Uint64(d.s[i:])
		seen |= word
		if found := below(word, ' ') | equal(word, '"') | equal(word, '\\'); found != 0 {
			return i + bits.TrailingZeros64(found)/8, seen&highs == 0
		}
	}
	for ; i < len(d.s) && (plain[d.s[i]] || d.s[i] >= utf8.RuneSelf); i++ {
		seen |= uint64(d.s[i])
	}
	return i, seen&highs == 0
}

// text reads a quoted text.
func (d *decoder) text() (string, error) {
	start := d.pos + 1
	end, ascii := d.run(start)
	d.pos = end
	switch {
	case end == len(d.s) || d.s[end] < ' ':
		return "", errJSONControl
	case d.s[end] == '\\':
		return d.escapedText(start, ascii)
	case !ascii && !utf8.Valid(d.s[start:end]):
		return "", errJSONUTF8
	}
	d.pos++
	return d.view(start, end), nil
}

// escapedText goes on at the first backslash of the text that began at start. What an escape stands for, and what
// follows, is written right behind the text before it.
func (d *decoder) escapedText(start int, ascii bool) (string, error) {
	for end := d.pos; ; {
		switch {
		case d.pos == len(d.s) || d.s[d.pos] < ' ':
			return "", errJSONControl
		case d.s[d.pos] == '"':
			d.pos++
			if !ascii && !utf8.Valid(d.s[start:end]) {
				return "", errJSONUTF8
			}
			return d.view(start, end), nil
		}
		r, err := d.escape()
		if err != nil {
			return "", err
		}
		if r < utf8.RuneSelf {
			d.s[end] = byte(r)
			end++
		} else {
			end += utf8.EncodeRune(d.s[end:], r)
		}
		next, plain := d.run(d.pos)
		ascii = ascii && plain
		end += copy(d.s[end:], d.s[d.pos:next])
		d.pos = next
	}
}

// escape is the character that the escape sequence at the position stands for.
func (d *decoder) escape() (rune, error) {
	if d.pos+1 >= len(d.s) {
		return 0, errJSONSyntax
	}
	c := d.s[d.pos+1]
	d.pos += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return d.unicodeEscape()
	}
	return 0, errJSONSyntax
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
	if r > 0xdbff || len(d.s)-d.pos < 6 || string(d.s[d.pos:d.pos+2]) != `\u` {
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
	for _, c := range d.s[d.pos : d.pos+4] {
		digit := hexDigit(c)
		if digit < 0 {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	d.pos += 4
	return r, true
}
