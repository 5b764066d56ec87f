package php

import (
	"math"
	"strconv"
)

// Round is round(f, places) of PHP up to 8.3: it rounds to 15 significant digits first and then half away from zero, so
// that 1.005 becomes 1.01 (spec §A.3).
func Round(f float64, places int) float64 {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	scaled := f
	if exact := 14 - decimalExponent(f); exact > places && exact-15 < places {
		use := max(-4*15, min(exact, 4*15))
		scaled = math.Round(shift(f, use))
		use = max(-4*15, places-use)
		scaled /= math.Pow10(-use)
	} else {
		scaled = shift(f, places)
		if math.Abs(scaled) >= 1e15 {
			return f
		}
	}
	if math.Abs(scaled) >= 1e15 {
		return f
	}
	scaled = math.Round(scaled)
	if places < -22 || places > 22 {
		return roundedFromText(f, scaled, places)
	}
	if places > 0 {
		return scaled / math.Pow10(places)
	}
	return scaled * math.Pow10(-places)
}

// shift is f·10^places.
func shift(f float64, places int) float64 {
	if places >= 0 {
		return f * math.Pow10(places)
	}
	return f / math.Pow10(-places)
}

func roundedFromText(f, scaled float64, places int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(scaled, 'f', 6, 64)+"e"+strconv.Itoa(-places), 64)
	if err != nil {
		return f
	}
	return r
}

// decimalExponent is floor(log10(|f|)) with the logarithm rounded as the C library does: just below a power of ten it
// is that power.
func decimalExponent(f float64) int {
	f = math.Abs(f)
	sci := strconv.FormatFloat(f, 'e', -1, 64)
	e, _ := strconv.Atoi(sci[len(sci)-exponentLen(sci):])
	next := float64(e + 1)
	missing := (math.Pow10(e+1) - f) / math.Pow10(e+1) / math.Ln10
	if missing < (next-math.Nextafter(next, math.Inf(-1)))/2 {
		return e + 1
	}
	return e
}

// exponentLen is the length of the exponent with its sign at the end of a number in scientific form.
func exponentLen(sci string) int {
	n := 0
	for sci[len(sci)-1-n] != 'e' {
		n++
	}
	return n
}
