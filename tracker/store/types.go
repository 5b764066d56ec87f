package store

import (
	"database/sql"
	"math"
	"strconv"
	"strings"
)

// kind is a family of column types that treat values alike.
type kind uint8

const (
	kindOther   kind = iota // not modelled: values go to the server as they are
	kindInt                 // TINYINT … BIGINT
	kindFloat               // FLOAT
	kindDouble              // DOUBLE, REAL
	kindDecimal             // DECIMAL(m,d)
	kindChar                // CHAR: loses spaces at its end
	kindText                // VARCHAR, TEXT
	kindBinary              // BINARY, VARBINARY, BLOB
	kindMoment              // DATETIME, TIMESTAMP
	kindTime                // TIME
)

// charset is what a text column can hold.
type charset uint8

const (
	unicode    charset = iota // all of it
	basicPlane                // utf8mb3: no 4-byte characters
	latin1                    // Windows-1252
	ascii
)

// columnType is the declared type of a column.
type columnType struct {
	kind      kind
	min, max  int64 // kindInt
	precision int   // kindDecimal, and FLOAT(m,d): all digits, 0: not limited
	scale     int   // of these behind the point
	length    int   // kindChar, kindText: characters, kindBinary: bytes; TEXT types: bytes
	inBytes   bool  // length counts bytes
	charset   charset
	nullable  bool
	preset    sql.NullString // the default, NULL when there is none
}

// intBytes are the sizes of the integer types, textBytes the greatest lengths of the TEXT and BLOB types.
var (
	intBytes = map[string]int{
		"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "integer": 4, "bigint": 8, "bool": 1,
		"boolean": 1,
	}
	textBytes = map[string]int{
		"tinytext": 1<<8 - 1, "text": 1<<16 - 1, "mediumtext": 1<<24 - 1, "longtext": math.MaxInt32,
		"tinyblob": 1<<8 - 1, "blob": 1<<16 - 1, "mediumblob": 1<<24 - 1, "longblob": math.MaxInt32,
	}
)

// parseType reads a type as information_schema prints it, such as "decimal(9,6)" or "bigint(10) unsigned".
func parseType(declared, charsetName string) columnType {
	declared = strings.ToLower(declared)
	base, rest, _ := strings.Cut(declared, "(")
	base, _, _ = strings.Cut(base, " ")
	numbers, _, _ := strings.Cut(rest, ")")
	first, second := typeNumbers(numbers)
	unsigned := strings.Contains(declared, "unsigned")

	t := columnType{charset: parseCharset(charsetName)}
	switch base {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "bool", "boolean":
		t.kind = kindInt
		t.min, t.max = intRange(intBytes[base], unsigned)
	case "float":
		t.kind, t.precision, t.scale = kindFloat, first, second
	case "double", "real":
		t.kind, t.precision, t.scale = kindDouble, first, second
	case "decimal", "numeric":
		t.kind, t.precision, t.scale = kindDecimal, first, second
		if first == 0 {
			t.precision = 10
		}
	case "char":
		t.kind, t.length = kindChar, max(first, 1)
	case "varchar":
		t.kind, t.length = kindText, first
	case "tinytext", "text", "mediumtext", "longtext":
		t.kind, t.length, t.inBytes = kindText, textBytes[base], true
	case "binary", "varbinary":
		t.kind, t.length = kindBinary, max(first, 1)
	case "tinyblob", "blob", "mediumblob", "longblob":
		t.kind, t.length = kindBinary, textBytes[base]
	case "datetime", "timestamp":
		t.kind = kindMoment
	case "time":
		t.kind = kindTime
	}
	if unsigned && t.kind != kindInt {
		t.min = 0 // unsigned fractions
	} else if t.kind != kindInt {
		t.min = math.MinInt64
	}
	return t
}

func typeNumbers(s string) (first, second int) {
	a, b, _ := strings.Cut(s, ",")
	first, _ = strconv.Atoi(strings.TrimSpace(a))
	second, _ = strconv.Atoi(strings.TrimSpace(b))
	return first, second
}

func intRange(bytes int, unsigned bool) (low, high int64) {
	bits := 8 * bytes
	switch {
	case unsigned && bits == 64: // int64 is all that the rows can hold
		return 0, math.MaxInt64
	case unsigned:
		return 0, 1<<bits - 1
	default:
		return -1 << (bits - 1), 1<<(bits-1) - 1
	}
}

func parseCharset(name string) charset {
	switch name {
	case "utf8", "utf8mb3", "ucs2":
		return basicPlane
	case "latin1":
		return latin1
	case "ascii":
		return ascii
	default:
		return unicode
	}
}

// setPreset takes the default as the database prints it: MariaDB and SQLite quote text and print NULL as a word.
func (t *columnType) setPreset(preset sql.NullString) {
	if preset.Valid && strings.EqualFold(preset.String, "NULL") {
		return
	}
	if n := len(preset.String); n >= 2 && preset.String[0] == '\'' && preset.String[n-1] == '\'' {
		preset.String = strings.ReplaceAll(preset.String[1:n-1], "''", "'")
	}
	t.preset = preset
}

// unsigned reports whether a fraction must not be negative.
func (t *columnType) unsigned() bool { return t.min == 0 }
