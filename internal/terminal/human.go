package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes an integer with a comma after each three digits: -1,234,567.
func Number[T int | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Bytes writes a size in the largest fitting unit: 512 B, 1.5 KiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/1024, 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

var units = []string{"KiB", "MiB", "GiB", "TiB"}

// Span writes a duration with its two largest units: 4s, 3m 20s, 2h, 3d 4h. Negative ones count as none.
func Span(d time.Duration) string {
	seconds := max(0, int64(d/time.Second))
	days, hours, minutes := seconds/86400, seconds/3600%24, seconds/60%60
	switch {
	case days > 0:
		return twoUnits(days, "d", hours, "h")
	case hours > 0:
		return twoUnits(hours, "h", minutes, "m")
	case minutes > 0:
		return twoUnits(minutes, "m", seconds%60, "s")
	}
	return fmt.Sprintf("%ds", seconds)
}

func twoUnits(n int64, unit string, smaller int64, smallerUnit string) string {
	if smaller == 0 {
		return fmt.Sprintf("%d%s", n, unit)
	}
	return fmt.Sprintf("%d%s %d%s", n, unit, smaller, smallerUnit)
}

// Count writes a number with its noun: "1 queue", "1,200 queues".
func Count[T int | int64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}
