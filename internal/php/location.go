package php

import (
	"math"
	"strings"
	"time"
	_ "time/tzdata" // time zones do not depend on the machine
)

// LoadLocation finds the time zone of a site (spec §A.10): an IANA name or "UTC+5.5", hours with a fraction. Other
// names, also "", are UTC. It reads the time zone database each time; callers keep the result.
func LoadLocation(name string) *time.Location {
	if hours, ok := strings.CutPrefix(name, "UTC"); ok && hours != "" && (hours[0] == '+' || hours[0] == '-') {
		offset := StringToFloat(hours[1:])
		if hours[0] == '-' {
			offset = -offset
		}
		return time.FixedZone(name, int(math.Round(offset*3600)))
	}
	// "Local" is a name of Go's, not of the database.
	if loc, err := time.LoadLocation(name); err == nil && name != "Local" {
		return loc
	}
	return time.UTC
}
