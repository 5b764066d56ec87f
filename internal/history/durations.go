package history

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// DurationBuckets are the bounds, in seconds, of the classes in which the durations of batches are counted; beyond the
// last one there is another class.
var DurationBuckets = []float64{
	0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
	8.192, 16.384,
}

// Durations is how long batches took.
type Durations struct {
	Seconds float64
	Classes []int64 // how many belong to each class, not to those before it
}

// Count is the number of batches.
func (d Durations) Count() (n int64) {
	for _, class := range d.Classes {
		n += class
	}
	return n
}

// duration is that of one batch.
type duration time.Duration

const (
	durationSum   = general + ":duration_us"
	durationClass = general + ":duration:" // and the number of the class
)

func (d duration) addTo(kept map[string]int64) {
	class, _ := slices.BinarySearch(DurationBuckets, time.Duration(d).Seconds())
	kept[durationClass+strconv.Itoa(class)]++
	kept[durationSum] += time.Duration(d).Microseconds()
}

// set takes a kept number over.
func (d *Durations) set(name string, n int64) {
	if name == durationSum {
		d.Seconds = float64(n) / 1e6
		return
	}
	number, ok := strings.CutPrefix(name, durationClass)
	class, err := strconv.Atoi(number)
	if ok && err == nil && class >= 0 && class < len(d.Classes) {
		d.Classes[class] = n
	}
}
