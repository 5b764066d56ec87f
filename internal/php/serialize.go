package php

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// errSerialized is the cause of every error of Unserialize.
var errSerialized = errors.New("malformed serialized value")

// maxDepth is how deep arrays may be nested in JSON and in serialized values.
const maxDepth = 512

// Unserialize is PHP's unserialize for scalars and arrays. Objects, references and everything malformed are errors;
// what follows the value is ignored.
func Unserialize(s string) (Value, error) {
	d := unserializer{rest: s}
	v, err := d.value(0)
	if err != nil {
		return Null, fmt.Errorf("unserialize at byte %d: %w", len(s)-len(d.rest), err)
	}
	return v, nil
}

type unserializer struct{ rest string }

func (d *unserializer) value(depth int) (Value, error) {
	if strings.HasPrefix(d.rest, "N;") {
		d.rest = d.rest[2:]
		return Null, nil
	}
	if len(d.rest) < 2 || d.rest[1] != ':' {
		return Null, errSerialized
	}
	kind := d.rest[0]
	d.rest = d.rest[2:]
	switch kind {
	case 's':
		text, err := d.text()
		return String(text), err
	case 'a':
		return d.array(depth)
	}
	return d.number(kind)
}

// until cuts off the text before the next separator.
func (d *unserializer) until(separator string) (string, error) {
	text, rest, ok := strings.Cut(d.rest, separator)
	if !ok {
		return "", errSerialized
	}
	d.rest = rest
	return text, nil
}

func (d *unserializer) number(kind byte) (Value, error) {
	text, err := d.until(";")
	if err != nil {
		return Null, err
	}
	switch kind {
	case 'b':
		if text == "0" || text == "1" {
			return Bool(text == "1"), nil
		}
	case 'i':
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Int(n), nil
		}
	case 'd':
		return serializedFloat(text)
	}
	return Null, errSerialized
}

func serializedFloat(text string) (Value, error) {
	switch text {
	case "INF", "+INF":
		return Float(math.Inf(1)), nil
	case "-INF":
		return Float(math.Inf(-1)), nil
	case "NAN":
		return Float(math.NaN()), nil
	}
	if text == "" || scanNumber(text).digits != text {
		return Null, errSerialized
	}
	return Float(parseFloat(text)), nil
}

// text reads what follows "s:", up to and including the ";".
func (d *unserializer) text() (string, error) {
	length, err := d.until(`:"`)
	if err != nil {
		return "", err
	}
	n, err := strconv.ParseUint(length, 10, 31)
	if err != nil || int(n)+2 > len(d.rest) || d.rest[n:n+2] != `";` {
		return "", errSerialized
	}
	text := d.rest[:n]
	d.rest = d.rest[n+2:]
	return text, nil
}

// array reads what follows "a:".
func (d *unserializer) array(depth int) (Value, error) {
	length, err := d.until(":{")
	if err != nil {
		return Null, err
	}
	n, err := strconv.ParseUint(length, 10, 31)
	if err != nil || depth >= maxDepth || int(n) > len(d.rest) {
		return Null, errSerialized
	}
	a := NewArray(int(min(n, 1024)))
	for range n {
		key, err := d.key()
		if err != nil {
			return Null, err
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return Null, err
		}
		a.Set(key, v)
	}
	if !strings.HasPrefix(d.rest, "}") {
		return Null, errSerialized
	}
	d.rest = d.rest[1:]
	return ArrayValue(a), nil
}

func (d *unserializer) key() (string, error) {
	v, err := d.value(maxDepth)
	if err != nil || v.kind != KindInt && v.kind != KindString {
		return "", errSerialized
	}
	return ToString(v), nil
}
