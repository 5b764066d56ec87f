package php

import (
	"strings"
	"time"
)

// StrToTime is strtotime in UTC (spec §A.9): the unix seconds of a date, a time, both, or words such as "yesterday
// noon" and "+2 days", where now (unix seconds) fills in what is missing. ok is false for text that is none.
//
// It knows the forms that people and libraries write. Working days ("2 weekdays ago") and "first monday of" are not
// among them.
func StrToTime(s string, now int64) (unix int64, ok bool) {
	if unix, ok := ParseDateTime(s); ok {
		return unix, true
	}
	if s == "" {
		return 0, false
	}
	s = strings.Trim(s, " \t\n\r\v\x00")
	t := timeParts{}
	for s != "" {
		if strings.IndexByte(" .,\t", s[0]) >= 0 {
			s = s[1:]
			continue
		}
		n := t.readLongest(s)
		if n == 0 {
			return 0, false
		}
		s = s[n:]
	}
	return t.unix(now)
}

// readLongest applies the format that takes the most of s; it is 0 when none fits or the format contradicts what was
// read before.
func (t *timeParts) readLongest(s string) int {
	var best timeFormat
	var at []int
	for _, f := range timeFormats() {
		if m := f.re.FindStringSubmatchIndex(s); m != nil && (at == nil || m[1] > at[1]) {
			best, at = f, m
		}
	}
	if at == nil {
		return 0
	}
	group := func(name string) string {
		for i, known := range best.re.SubexpNames() {
			if known == name && at[2*i] >= 0 {
				return s[at[2*i]:at[2*i+1]]
			}
		}
		return ""
	}
	if !best.apply(t, group) {
		return 0
	}
	return at[1]
}

// timeParts is what was read so far.
type timeParts struct {
	year, month, day     int
	yearGiven            bool
	monthGiven, dayGiven bool
	hasDate              bool
	clocks               int // how often a time of day was given
	clockGiven           bool
	hour, minute, second int
	zone                 *time.Location
	zones                int // how often a zone was given
	relative             relativeTime
}

// relativeTime is what is added in the end.
type relativeTime struct {
	years, months, days, seconds int64
	hasWeekday                   bool
	weekday                      int64
	sameDayCounts                bool // "monday" on a monday is that day, "next monday" is not
	withinWeek                   bool // "monday next week" is the monday of that week
	edge                         byte // 'f' and 'l' for "first day of" and "last day of"
}

// setClock sets the time of day; giving it twice is an error.
func (t *timeParts) setClock(hour, minute, second int) bool {
	t.clocks++
	t.clockGiven = true
	t.hour, t.minute, t.second = hour, minute, second
	return t.clocks == 1
}

// clearClock makes it midnight; a time of day may still be given.
func (t *timeParts) clearClock() {
	t.clocks, t.clockGiven = 0, true
	t.hour, t.minute, t.second = 0, 0, 0
}

// unix combines everything.
func (t *timeParts) unix(now int64) (int64, bool) {
	base := time.Unix(now, 0).UTC()
	zone := t.zone
	if zone == nil {
		zone = time.UTC
	}
	if !t.yearGiven {
		t.year = base.Year()
	}
	if !t.monthGiven {
		t.month = int(base.Month())
	}
	if !t.dayGiven {
		t.day = base.Day()
	}
	if !t.clockGiven && !t.hasDate {
		t.hour, t.minute, t.second = base.Clock()
	}
	if t.relative.edge != 0 {
		t.day = 1 // a day that the month has not would lead into the next one
	}
	d := time.Date(t.year, time.Month(t.month), t.day, t.hour, t.minute, t.second, 0, time.UTC)
	return inZone(t.relative.addTo(d), zone).Unix() + t.relative.seconds, true
}

// inZone is the same clock in another time zone.
func inZone(t time.Time, zone *time.Location) time.Time {
	hour, minute, second := t.Clock()
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, second, 0, zone)
}

// addTo adds everything but the seconds: first the way to the weekday, then days, months and years.
func (r relativeTime) addTo(t time.Time) time.Time {
	t = t.AddDate(0, 0, int(r.daysToWeekday(int64(t.Weekday()))))
	hour, minute, second := t.Clock()
	year, month, day := t.Year()+int(r.years), t.Month()+time.Month(r.months), t.Day()+int(r.days)
	switch r.edge {
	case 'f':
		day = 1
	case 'l':
		month, day = month+1, 0
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC)
}

// daysToWeekday is the way from a day of the week to the one asked for, backwards when that is negative.
func (r relativeTime) daysToWeekday(from int64) int64 {
	if !r.hasWeekday {
		return 0
	}
	days := r.weekday - from
	if r.withinWeek {
		switch {
		case from == 0 && r.weekday != 0:
			days -= 7
		case from != 0 && r.weekday == 0:
			days += 7
		}
		return days
	}
	if r.weekday < 0 {
		return -(7 - (-r.weekday - from))
	}
	if r.days < 0 && days < 0 || r.days >= 0 && (days < 0 || days == 0 && !r.sameDayCounts) {
		days += 7
	}
	return days
}
