package terminal

import (
	"math"
	"strings"
)

// bars are the heights of a sparkline.
const bars = "▁▂▃▄▅▆▇█"

// Sparkline draws the last of some values as bars, one column each, between the lowest and the highest of them and 0:
// the lowest bar is 0 where no value is negative. What is not a number is a blank. The line is columns wide; it is
// filled from the right.
func Sparkline(values []float64, columns int) string {
	values = values[max(0, len(values)-columns):]
	lowest, highest := 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			lowest, highest = min(lowest, v), max(highest, v)
		}
	}
	heights := []rune(bars)
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", max(0, columns-len(values))))
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case highest == lowest:
			b.WriteRune(heights[0])
		default:
			b.WriteRune(heights[int(math.Round((v-lowest)/(highest-lowest)*float64(len(heights)-1)))])
		}
	}
	return b.String()
}

// DrawsBlocks reports whether a locale, as the variables of lookupEnv name it, has the characters of a Sparkline.
func DrawsBlocks(lookupEnv func(name string) (string, bool)) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, ok := lookupEnv(name); ok && value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
