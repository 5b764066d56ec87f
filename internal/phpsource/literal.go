package phpsource

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// unquote is the value of a string in quotes; ok is false when it has variables in it or no end.
func unquote(s string) (value string, ok bool) {
	quote := s[0]
	if len(s) < 2 || s[len(s)-1] != quote {
		return "", false
	}
	s = s[1 : len(s)-1]
	if quote == '"' && hasVariable(s) {
		return "", false
	}
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		if quote == '"' {
			i += unescape(&b, s[i:])
			continue
		}
		if s[i+1] != '\\' && s[i+1] != '\'' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i+1])
		i += 2
	}
	return b.String(), true
}

// hasVariable reports whether PHP would look for variables in s.
func hasVariable(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		switch next := s[i+1]; {
		case s[i] == '\\':
			i++
		case s[i] == '$' && (startsWord(next) || next == '{'), s[i] == '{' && next == '$':
			return true
		}
	}
	return false
}

// simpleEscapes are the escapes of one letter in double quotes.
var simpleEscapes = map[byte]byte{
	'n': '\n', 't': '\t', 'r': '\r', 'v': '\v', 'e': 0x1b, 'f': '\f', '\\': '\\', '$': '$', '"': '"',
}

// unescape appends what the escape at the beginning of s stands for, and returns its length. What is no escape stays as
// it is.
func unescape(b *strings.Builder, s string) int {
	c := s[1]
	if v, ok := simpleEscapes[c]; ok {
		b.WriteByte(v)
		return 2
	}
	switch {
	case '0' <= c && c <= '7':
		n := digits(s[1:min(len(s), 4)], '0', '7')
		v, _ := strconv.ParseUint(s[1:1+n], 8, 16)
		b.WriteByte(byte(v))
		return 1 + n
	case c == 'x':
		if n := hexDigits(s[2:min(len(s), 4)]); n > 0 {
			v, _ := strconv.ParseUint(s[2:2+n], 16, 8)
			b.WriteByte(byte(v))
			return 2 + n
		}
	case c == 'u' && strings.HasPrefix(s[2:], "{"):
		if end := strings.IndexByte(s, '}'); end > 0 {
			if v, err := strconv.ParseUint(s[3:end], 16, 32); err == nil && v <= 0x10ffff {
				b.WriteRune(rune(v))
				return end + 1
			}
		}
	}
	b.WriteString(s[:2])
	return 2
}

func digits(s string, from, to byte) int {
	n := 0
	for n < len(s) && from <= s[n] && s[n] <= to {
		n++
	}
	return n
}

func hexDigits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789abcdefABCDEF"))
}

// parseNumber is the value of a number as PHP writes it: 1_000, 0x1F, 0b11, 017, 0o17, .5, 1e3. What does not fit into
// 64 bits is a float.
func parseNumber(s string) (php.Value, bool) {
	s = strings.ToLower(s)
	if strings.Contains(s, "__") || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || len(s) > 400 {
		return php.Null, false
	}
	plain := strings.ReplaceAll(s, "_", "")
	if strings.Trim(plain, "0123456789") == "" && plain[0] != '0' || plain == "0" {
		return integer(plain, 10)
	}
	for prefix, base := range map[string]int{"0x": 16, "0b": 2, "0o": 8} {
		if rest, ok := strings.CutPrefix(plain, prefix); ok {
			return integer(rest, base)
		}
	}
	if strings.Trim(plain, "0123456789") == "" {
		return integer(plain, 8)
	}
	if strings.Trim(plain, "0123456789.e+-") != "" {
		return php.Null, false
	}
	f, err := strconv.ParseFloat(plain, 64)
	return php.Float(f), err == nil
}

func integer(s string, base int) (php.Value, bool) {
	if s == "" || s[0] == '+' || s[0] == '-' {
		return php.Null, false
	}
	if i, err := strconv.ParseInt(s, base, 64); err == nil {
		return php.Int(i), true
	}
	i, ok := new(big.Int).SetString(s, base)
	if !ok {
		return php.Null, false
	}
	f, _ := new(big.Float).SetInt(i).Float64()
	return php.Float(f), true
}
