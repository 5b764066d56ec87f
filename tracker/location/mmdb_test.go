package location

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// writeDatabase writes a database of one record, which holds for all addresses up to 7fff:…, and returns its path.
func writeDatabase(t *testing.T, dir, name, kind string, record map[string]any) string {
	t.Helper()
	const nodes, separator = 1, 16
	left := nodes + separator // the record is at the start of the data
	file := []byte{0, 0, byte(left), 0, 0, nodes}
	file = append(file, make([]byte, separator)...)
	file = appendMMDB(file, record)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	file = appendMMDB(file, map[string]any{
		"node_count": uint32(nodes), "record_size": uint16(24), "ip_version": uint16(6), "database_type": kind, "languages": []any{"en"},
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1), "description": map[string]any{},
	})
	if err := os.MkdirAll(filepath.Join(dir, "misc"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "misc", name)
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// appendMMDB encodes a value as MaxMind's format describes.
func appendMMDB(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(appendControl(b, 2, len(v)), v...)
	case float64:
		return binary.BigEndian.AppendUint64(appendControl(b, 3, 8), math.Float64bits(v))
	case uint16:
		return binary.BigEndian.AppendUint16(appendControl(b, 5, 2), v)
	case uint32:
		return binary.BigEndian.AppendUint32(appendControl(b, 6, 4), v)
	case uint64:
		return binary.BigEndian.AppendUint64(appendControl(b, 9, 8), v)
	case map[string]any:
		b = appendControl(b, 7, len(v))
		for key, value := range v {
			b = appendMMDB(appendMMDB(b, key), value)
		}
	case []any:
		b = appendControl(b, 11, len(v))
		for _, value := range v {
			b = appendMMDB(b, value)
		}
	}
	return b
}

// appendControl writes type and size; types above 7 take a second byte.
func appendControl(b []byte, kind, size int) []byte {
	first, rest := byte(kind<<5), []byte(nil)
	if kind > 7 {
		first, rest = 0, []byte{byte(kind - 7)}
	}
	if size < 29 {
		return append(append(b, first|byte(size)), rest...)
	}
	return append(append(append(b, first|29), rest...), byte(size-29))
}
