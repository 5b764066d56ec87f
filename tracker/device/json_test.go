package device_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// decodeJSON reads a document into PHP values with the order of its keys.
func decodeJSON(tb testing.TB, text string) php.Value {
	tb.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return v
}

func decodeValue(d *json.Decoder) (php.Value, error) {
	token, err := d.Token()
	if err != nil {
		return php.Null, err
	}
	switch t := token.(type) {
	case string:
		return php.String(t), nil
	case bool:
		return php.Bool(t), nil
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return php.Int(i), nil
		}
		f, err := t.Float64()
		return php.Float(f), err
	case json.Delim:
		a := &php.Array{}
		for d.More() {
			key := ""
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return php.Null, err
				}
				key = k.(string)
			}
			v, err := decodeValue(d)
			if err != nil {
				return php.Null, err
			}
			if t == '{' {
				a.Set(key, v)
			} else {
				a.Append(v)
			}
		}
		_, err := d.Token()
		return php.ArrayValue(a), err
	case nil:
		return php.Null, nil
	}
	return php.Null, io.ErrUnexpectedEOF
}
