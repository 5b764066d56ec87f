package store

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// decimal is a number as MySQL reads it from text: digits without leading zeros, the last fraction of them behind the
// point.
type decimal struct {
	negative bool
	digits   []byte
	fraction int // may be greater than the number of digits, or negative
}

// scanNumber returns the length of spaces, number and following spaces at the beginning of s. ok tells that s is
// nothing else.
func scanNumber(s string) (start, end int, ok bool) {
	for start < len(s) && isSpace(s[start]) {
		start++
	}
	end = start
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	whole := digitsAt(s, end)
	end += whole
	fraction := 0
	if end < len(s) && s[end] == '.' {
		fraction = digitsAt(s, end+1)
		end += fraction + 1
	}
	if whole+fraction == 0 {
		return start, start, false
	}
	end += exponentAt(s, end)
	rest := end
	for rest < len(s) && isSpace(s[rest]) {
		rest++
	}
	return start, end, rest == len(s)
}

// exponentAt is the length of an exponent at s[i:], 0 when there is none.
func exponentAt(s string, i int) int {
	if i >= len(s) || s[i] != 'e' && s[i] != 'E' {
		return 0
	}
	n := 1
	if i+n < len(s) && (s[i+n] == '-' || s[i+n] == '+') {
		n++
	}
	if digits := digitsAt(s, i+n); digits > 0 {
		return n + digits
	}
	return 0
}

func digitsAt(s string, i int) (n int) {
	for i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '9' {
		n++
	}
	return n
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// maxExponent is beyond every column's range.
const maxExponent = 10_000

// parseDecimal reads the number at the beginning of s, zero when there is none. whole tells that s is a number and
// nothing else.
func parseDecimal(s string) (d decimal, whole bool) {
	start, end, whole := scanNumber(s)
	text := s[start:end]
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			exponent = maxExponent
			if text[i+1] == '-' {
				exponent = -maxExponent
			}
		}
		d.fraction = -exponent
		text = text[:i]
	}
	d.negative = strings.HasPrefix(text, "-")
	text = strings.TrimLeft(text, "+-")
	if point := strings.IndexByte(text, '.'); point >= 0 {
		d.fraction += len(text) - point - 1
		text = text[:point] + text[point+1:]
	}
	d.digits = bytes.TrimLeft([]byte(text), "0")
	return d, whole
}

// round keeps at most scale digits behind the point, half away from zero.
func (d *decimal) round(scale int) {
	surplus := d.fraction - scale
	if surplus <= 0 {
		return
	}
	d.fraction = scale
	if surplus > len(d.digits) {
		d.digits = nil
		return
	}
	keep := len(d.digits) - surplus
	up := d.digits[keep] >= '5'
	d.digits = d.digits[:keep]
	if !up {
		return
	}
	for i := keep - 1; i >= 0; i-- {
		if d.digits[i] < '9' {
			d.digits[i]++
			return
		}
		d.digits[i] = '0'
	}
	d.digits = append([]byte{'1'}, d.digits...)
}

// integers is the number of digits before the point.
func (d decimal) integers() int { return len(d.digits) - d.fraction }

// format prints exactly scale digits behind the point, after a round to scale.
func (d decimal) format(scale int) string {
	digits := d.digits
	if len(digits) > 0 {
		digits = append(bytes.Clone(digits), bytes.Repeat([]byte("0"), scale-d.fraction)...)
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = append(bytes.Repeat([]byte("0"), missing), digits...)
	}
	out := make([]byte, 0, len(digits)+2)
	if d.negative && len(bytes.Trim(digits, "0")) > 0 {
		out = append(out, '-')
	}
	out = append(out, digits[:len(digits)-scale]...)
	if scale > 0 {
		out = append(out, '.')
		out = append(out, digits[len(digits)-scale:]...)
	}
	return string(out)
}

// int is the value of a number rounded to 0 digits, and whether an int64 holds it.
func (d decimal) int() (int64, bool) {
	if d.integers() > 19 {
		return 0, false
	}
	n, err := strconv.ParseInt(d.format(0), 10, 64)
	return n, err == nil
}

func (t *columnType) conformDecimal(s string, how converter) (string, string) {
	d, whole := parseDecimal(s)
	if !whole && how.strict {
		return s, notANumber
	}
	d.round(t.scale)
	tooMuch := len(d.digits) > 0 && d.integers() > t.precision-t.scale
	negative := d.negative && len(d.digits) > 0 && t.unsigned()
	if tooMuch || negative {
		if how.strict {
			return s, outOfRange
		}
		if negative {
			d = decimal{}
		} else {
			d.digits, d.fraction = bytes.Repeat([]byte("9"), t.precision), t.scale
		}
	}
	return d.format(t.scale), ""
}

// conformFloat treats text for FLOAT and DOUBLE. A number of up to 7 digits stays as it is: the server prints it the
// same way.
func (t *columnType) conformFloat(s string, how converter) (string, string) {
	start, end, whole := scanNumber(s)
	if !whole && how.strict {
		return s, notANumber
	}
	text := s[start:end]
	if text == "" {
		text = "0"
	}
	if t.precision > 0 {
		return t.conformFixed(text, how)
	}
	f, _ := strconv.ParseFloat(text, 64)
	limit := math.MaxFloat64
	if t.kind == kindFloat {
		limit = math.MaxFloat32
	}
	if low := min(max(f, t.lowest(limit)), limit); low != f {
		if how.strict {
			return s, outOfRange
		}
		return strconv.FormatFloat(low, 'g', -1, 64), ""
	}
	const exactDigits = 7
	if t.kind == kindFloat && len(text) > exactDigits &&
		math.Abs(f) < math.MaxFloat32 { // whose short form is out of range
		text = strconv.FormatFloat(f, 'g', -1, 32)
	}
	return text, ""
}

func (t *columnType) lowest(limit float64) float64 {
	if t.unsigned() {
		return 0
	}
	return -limit
}

// conformFixed treats FLOAT(m,d) and DOUBLE(m,d), which round to d digits.
func (t *columnType) conformFixed(text string, how converter) (string, string) {
	fixed := *t
	fixed.kind = kindDecimal
	return fixed.conformDecimal(text, how)
}

// conformTime treats text for a TIME column. Only HH:MM:SS is known here: nothing else is written.
func conformTime(s string, how converter) (string, string) {
	const maxHours = 838
	hours, rest, _ := strings.Cut(s, ":")
	h, err := strconv.Atoi(hours)
	if err == nil && h >= 0 && len(rest) == 5 && rest[2] == ':' && isSixty(rest[:2]) && isSixty(rest[3:]) {
		if h <= maxHours {
			return s, ""
		}
		if !how.strict {
			return "838:59:59", ""
		}
		return s, outOfRange
	}
	if how.strict {
		return s, invalidTime
	}
	return "00:00:00", ""
}

// isSixty reports whether s is a number from 00 to 59.
func isSixty(s string) bool { return s[0] >= '0' && s[0] <= '5' && s[1] >= '0' && s[1] <= '9' }
