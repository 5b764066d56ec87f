package php

import (
	"math"
	"strconv"
	"strings"
)

// numberScan is what PHP finds when it reads a number from the start of a string.
type numberScan struct {
	digits string // the number without white space around it, "" when there is none
	float  bool   // it has a point or an exponent
	whole  bool   // nothing but white space follows
}

func isSpace(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }
func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// skipDigits is the first position from i on that holds no digit.
func skipDigits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// scanNumber finds the longest numeric prefix of s (spec §A.2).
func scanNumber(s string) numberScan {
	start := 0
	for start < len(s) && isSpace(s[start]) {
		start++
	}
	i := start
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	intStart := i
	i = skipDigits(s, i)
	intDigits := i - intStart
	var n numberScan
	if i < len(s) && s[i] == '.' {
		end := skipDigits(s, i+1)
		if intDigits > 0 || end > i+1 {
			n.float = true
			i = end
		}
	}
	if intDigits == 0 && !n.float {
		return numberScan{}
	}
	if end := skipExponent(s, i); end > i {
		n.float = true
		i = end
	}
	n.digits = s[start:i]
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	n.whole = i == len(s)
	return n
}

// skipExponent is the position after the exponent at i, i when there is none.
func skipExponent(s string, i int) int {
	if i >= len(s) || s[i] != 'e' && s[i] != 'E' {
		return i
	}
	j := i + 1
	if j < len(s) && (s[j] == '+' || s[j] == '-') {
		j++
	}
	if end := skipDigits(s, j); end > j {
		return end
	}
	return i
}

// number is the value of the number found: an integer, or a float when it has a point, an exponent or does not fit into
// 64 bits.
func (n numberScan) number() Value {
	if !n.float {
		if i, err := strconv.ParseInt(n.digits, 10, 64); err == nil {
			return Int(i)
		}
	}
	return Float(parseFloat(n.digits))
}

// parseFloat reads digits that scanNumber has accepted; what is too large is infinite.
func parseFloat(digits string) float64 {
	f, _ := strconv.ParseFloat(digits, 64)
	return f
}

// IsNumeric tells whether s is a number with nothing but white space around it: is_numeric for strings (spec §A.2).
func IsNumeric(s string) bool {
	if s == "" || s[0] > '9' {
		return false
	}
	n := scanNumber(s)
	return n.digits != "" && n.whole
}

// StringToInt is (int)s: the number s begins with, cut to an integer and clamped to 64 bits; 0 when there is none or
// when it is infinite.
func StringToInt(s string) int64 {
	n := scanNumber(s)
	if n.digits == "" {
		return 0
	}
	v := n.number()
	if v.kind == KindInt {
		return v.Int()
	}
	switch f := v.Float(); {
	case math.IsInf(f, 0):
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f < -1<<63:
		return math.MinInt64
	default:
		return int64(f)
	}
}

// floatToInt is (int)f: cut, modulo 2^64 beyond the range, 0 for INF and NAN.
func floatToInt(f float64) int64 {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return 0
	}
	if f >= -1<<63 && f < 1<<63 {
		return int64(f)
	}
	const modulus = 1 << 64
	m := math.Mod(math.Trunc(f), modulus)
	if m < 0 {
		m += modulus
	}
	return int64(uint64(m))
}

// StringToFloat is (float)s: the number s begins with, 0 when there is none.
func StringToFloat(s string) float64 { return parseFloat(scanNumber(s).digits) }

// ToInt is (int)v. An array counts as 1, an empty one as 0.
func ToInt(v Value) int64 {
	switch v.kind {
	case KindBool, KindInt:
		return int64(v.num)
	case KindFloat:
		return floatToInt(v.Float())
	case KindString:
		return StringToInt(v.Str())
	case KindArray:
		return int64(min(v.Array().Len(), 1))
	}
	return 0
}

// ToFloat is (float)v.
func ToFloat(v Value) float64 {
	switch v.kind {
	case KindFloat:
		return v.Float()
	case KindString:
		return StringToFloat(v.Str())
	}
	return float64(ToInt(v))
}

// ToBool is (bool)v.
func ToBool(v Value) bool {
	switch v.kind {
	case KindFloat:
		return v.Float() != 0
	case KindString:
		return !EmptyString(v.Str())
	case KindArray:
		return v.Array().Len() > 0
	}
	return v.num != 0
}

// Empty is PHP's empty(): null, false, 0, 0.0, "", "0" and [] are.
func Empty(v Value) bool { return !ToBool(v) }

// EmptyString is empty() for strings: "" and "0" are.
func EmptyString(s string) bool { return s == "" || s == "0" }

// ToString is (string)v, with floats as FloatString writes them. An array is "Array".
func ToString(v Value) string {
	switch v.kind {
	case KindBool:
		if v.num != 0 {
			return "1"
		}
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return FloatString(v.Float())
	case KindString:
		return v.Str()
	case KindArray:
		return "Array"
	}
	return ""
}

// FloatString is (string)f with the setting precision = 14 (spec §A.3): 0.1+0.2 is 0.3, 1e14 is 1.0E+14, infinity is
// INF.
func FloatString(f float64) string { return formatFloat(f, 14, 13, 'E') }

// shortestFloat writes f so that it reads back equal, as json_encode and serialize do (serialize_precision = -1).
func shortestFloat(f float64, exponent byte) string { return formatFloat(f, 0, 16, exponent) }

// formatFloat writes f with so many significant digits (0: as many as it takes) and with an exponent when the decimal
// exponent is over maxExp or under -4.
func formatFloat(f float64, digits, maxExp int, exponent byte) string {
	switch {
	case math.IsNaN(f):
		return "NAN"
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	case f == 0 && math.Signbit(f):
		return "-0"
	}
	var buf [32]byte
	sci := string(strconv.AppendFloat(buf[:0], f, 'e', digits-1, 64))
	mantissa, exp, _ := strings.Cut(sci, "e")
	e, _ := strconv.Atoi(exp)
	if digits > 0 && strings.IndexByte(mantissa, '.') >= 0 {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if e < -4 || e > maxExp {
		return scientific(mantissa, e, exponent)
	}
	return positional(mantissa, e)
}

// scientific writes "1.0E+25": the mantissa always has a fraction, the exponent always a sign.
func scientific(mantissa string, e int, exponent byte) string {
	b := append(make([]byte, 0, 32), mantissa...)
	if strings.IndexByte(mantissa, '.') < 0 {
		b = append(b, ".0"...)
	}
	b = append(b, exponent)
	if e > 0 {
		b = append(b, '+')
	}
	return string(strconv.AppendInt(b, int64(e), 10))
}

// positional moves the point of a mantissa such as "-1.25" by e places.
func positional(mantissa string, e int) string {
	sign, digits := "", mantissa
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	digits = strings.Replace(digits, ".", "", 1)
	switch {
	case e < 0:
		return sign + "0." + strings.Repeat("0", -e-1) + digits
	case e+1 >= len(digits):
		return sign + digits + strings.Repeat("0", e+1-len(digits))
	}
	return sign + digits[:e+1] + "." + digits[e+1:]
}
