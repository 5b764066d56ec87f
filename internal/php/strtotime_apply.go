package php

import (
	"strconv"
	"strings"
	"time"
)

// The functions here take over what a timeFormat found. They report false for values that contradict each other or do
// not exist.

func dayKeyword(days int64) func(t *timeParts, group func(string) string) bool {
	return func(t *timeParts, _ func(string) string) bool {
		t.clearClock()
		t.relative.days = days
		return true
	}
}

func midnight(t *timeParts, _ func(string) string) bool {
	t.clearClock()
	return true
}

func noon(t *timeParts, _ func(string) string) bool {
	t.clearClock()
	return t.setClock(12, 0, 0)
}

func unixTime(t *timeParts, group func(string) string) bool {
	seconds, err := strconv.ParseInt(group("t"), 10, 64)
	if err != nil {
		return false
	}
	t.clearClock()
	t.year, t.month, t.day = 1970, 1, 1
	t.yearGiven, t.monthGiven, t.dayGiven = true, true, true
	t.relative.seconds += seconds
	t.zone = time.UTC
	t.zones++
	return t.zones <= 2
}

func edgeOfMonth(t *timeParts, group func(string) string) bool {
	t.relative.edge = lower(group("edge")[0])
	return true
}

func clock(t *timeParts, group func(string) string) bool {
	return t.setClock(hourOf(group), atoi(group("i")), atoi(group("s"))) && t.setZone(group("z"))
}

// hourOf is the hour, of twelve when am or pm follows.
func hourOf(group func(string) string) int {
	hour := atoi(group("h"))
	if meridian := group("ap"); meridian != "" {
		hour %= 12
		if lower(meridian[0]) == 'p' {
			hour += 12
		}
	}
	return hour
}

// shortClock reads four digits: a time of day, or the year when there is a time already.
func shortClock(t *timeParts, group func(string) string) bool {
	if t.clocks == 0 {
		return clock(t, group)
	}
	t.clocks++
	t.year, t.yearGiven = atoi(group("h"))*100+atoi(group("i")), true
	return t.clocks == 2
}

// date takes year, month and day as far as they are given; a month without a day is its first one.
func date(t *timeParts, group func(string) string) bool {
	year, month, day := group("y"), group("m"), group("d")
	if month == "" {
		t.year, t.yearGiven = atoi(year), true
		return true
	}
	twice := t.hasDate
	t.hasDate = true
	t.month, t.monthGiven = monthNumber(month), true
	if day != "" {
		t.day, t.dayGiven = atoi(day), true
	} else if year != "" {
		t.day, t.dayGiven = 1, true
	}
	if year != "" {
		t.year, t.yearGiven = fullYear(year), true
	}
	return !twice && t.month >= 0
}

func dateAndClock(t *timeParts, group func(string) string) bool {
	return date(t, group) && clock(t, group)
}

// dayOfYear reads a year and a day counted from its first one: 2024.100, 2024100.
func dayOfYear(t *timeParts, group func(string) string) bool {
	twice := t.hasDate
	t.setDate(atoi(group("y")), 1, atoi(group("d")))
	return !twice
}

// isoWeek reads a year, a week of ISO 8601 and perhaps a day of it: 2024-W10-1, 2024W10.
func isoWeek(t *timeParts, group func(string) string) bool {
	twice := t.hasDate
	year, day := atoi(group("y")), 1
	if d := group("d"); d != "" {
		day = atoi(d)
	}
	first := int(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Weekday())
	if first > 4 {
		first -= 7
	}
	t.setDate(year, 1, 1)
	t.relative.days += int64(7*(atoi(group("week"))-1) + day - first)
	return !twice
}

func (t *timeParts) setDate(year, month, day int) {
	t.hasDate, t.yearGiven, t.monthGiven, t.dayGiven = true, true, true, true
	t.year, t.month, t.day = year, month, day
}

// aroundHour is a quarter of an hour after the full one, or before it: "back of 7pm", "front of 7pm".
func aroundHour(t *timeParts, group func(string) string) bool {
	hour := hourOf(group)
	if lower(group("edge")[0]) == 'b' {
		return t.setClock(hour, 15, 0)
	}
	return t.setClock(hour-1, 45, 0)
}

// fullYear puts years of up to two digits between 1970 and 2069.
func fullYear(digits string) int {
	year := atoi(digits)
	switch {
	case len(digits) == 4 || year >= 100:
		return year
	case year < 70:
		return year + 2000
	}
	return year + 1900
}

// romanMonths are the months by the numbers that some write for them.
var romanMonths = map[string]int{
	"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12,
}

// monthNumber reads a number, a name or a Roman number; -1 when it is none.
func monthNumber(s string) int {
	if isDigit(s[0]) {
		return atoi(s)
	}
	s = ToLower(s)
	if n, ok := romanMonths[s]; ok {
		return n
	}
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(s) >= 3 {
		if i := strings.Index(names, s[:3]); i >= 0 && i%3 == 0 {
			return i/3 + 1
		}
	}
	return -1
}

func ago(t *timeParts, _ func(string) string) bool {
	r := &t.relative
	r.years, r.months, r.days, r.seconds, r.weekday = -r.years, -r.months, -r.days, -r.seconds, -r.weekday
	if r.weekday == 0 {
		r.weekday = -7
	}
	return true
}

func weekday(t *timeParts, group func(string) string) bool {
	t.clearClock()
	t.setWeekday(group("w"), true)
	return true
}

func (t *timeParts) setWeekday(name string, sameDayCounts bool) {
	t.relative.hasWeekday, t.relative.weekday, t.relative.sameDayCounts = true, weekdayNumber(name), sameDayCounts
}

// weekdayNumber is 0 for sunday, -1 for what is no weekday.
func weekdayNumber(s string) int64 {
	const names = "sunmontuewedthufrisat"
	if s = ToLower(s); len(s) < 3 || s == "second" || s == "seconds" || strings.HasPrefix(s, "month") {
		return -1
	}
	if i := strings.Index(names, s[:3]); i >= 0 && i%3 == 0 {
		return int64(i / 3)
	}
	return -1
}

var ordinals = map[string]int64{
	"last": -1, "previous": -1, "this": 0, "next": 1, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5,
	"sixth":   6,
	"seventh": 7, "eight": 8, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
}

func ordinalUnit(t *timeParts, group func(string) string) bool {
	word := ToLower(group("n"))
	if weekdayNumber(group("u")) >= 0 {
		t.clearClock()
	}
	return t.add(ordinals[word], group("u"), word == "this")
}

// relativeWeek moves by weeks, to the monday unless a weekday is given.
func relativeWeek(t *timeParts, group func(string) string) bool {
	r := &t.relative
	r.days += 7 * ordinals[ToLower(group("n"))]
	r.withinWeek = true
	if !r.hasWeekday {
		r.hasWeekday, r.weekday = true, 1
	}
	return true
}

func countedUnit(t *timeParts, group func(string) string) bool {
	text := group("n")
	digits := strings.TrimLeft(text, "+- \t")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return false
	}
	if strings.Count(text, "-")%2 == 1 {
		n = -n
	}
	return t.add(n, group("u")+group("week"), true)
}

// add adds n units; a weekday as unit means the n-th one from here.
func (t *timeParts) add(n int64, unit string, sameDayCounts bool) bool {
	if weekdayNumber(unit) >= 0 {
		t.setWeekday(unit, sameDayCounts)
		if n > 0 {
			n--
		}
		t.relative.days += n * 7
		return true
	}
	r := &t.relative
	switch strings.TrimSuffix(ToLower(unit), "s") {
	case "sec", "second":
		r.seconds += n
	case "min", "minute":
		r.seconds += n * 60
	case "hour":
		r.seconds += n * 3600
	case "day":
		r.days += n
	case "week":
		r.days += n * 7
	case "fortnight", "forthnight":
		r.days += n * 14
	case "month":
		r.months += n
	case "year":
		r.years += n
	}
	return true
}

func zoneOnly(t *timeParts, group func(string) string) bool { return t.setZone(group("z")) }

// zoneHours are the offsets of common abbreviations.
var zoneHours = map[string]float64{
	"utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2,
	"eest": 3, "msk": 3, "ist": 2,
	"jst": 9, "kst": 9, "hst": -10, "akst": -9, "akdt": -8, "pst": -8, "pdt": -7, "mst": -7, "mdt": -6, "cst": -6,
	"cdt": -5, "est": -5, "edt": -4,
	"ast": -4, "adt": -3, "nst": -3.5, "aest": 10, "aedt": 11, "acst": 9.5, "acdt": 10.5, "awst": 8, "nzst": 12,
	"nzdt": 13, "sast": 2,
}

// setZone sets the time zone from an offset, an abbreviation or an IANA name; none is fine, a second one is ignored,
// more are an error.
func (t *timeParts) setZone(name string) bool {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "("), ")")
	if name == "" {
		return true
	}
	if t.zones++; t.zones > 1 {
		return t.zones == 2
	}
	offset := name
	if len(name) > 3 && EqualFold(name[:3], "gmt") && (name[3] == '+' || name[3] == '-') {
		offset = name[3:]
	}
	switch lower := ToLower(name); {
	case offset[0] == '+' || offset[0] == '-':
		t.zone = time.FixedZone("", offsetSeconds(offset))
	case len(lower) == 1 && lower != "j":
		t.zone = time.FixedZone("", militaryHours(lower[0])*3600)
	default:
		if hours, ok := zoneHours[lower]; ok {
			t.zone = time.FixedZone("", int(hours*3600))
			return true
		}
		loc, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			return false
		}
		t.zone = loc
	}
	return true
}

// militaryHours is the offset of a zone of one letter: A to M without J are +1 to +12, N to Y -1 to -12, Z is 0.
func militaryHours(letter byte) int {
	switch {
	case letter == 'z':
		return 0
	case letter >= 'n':
		return int('n') - int(letter) - 1
	case letter > 'j':
		return int(letter - 'a')
	}
	return int(letter-'a') + 1
}

// offsetSeconds reads +h, +hh, +hmm, +hhmm, +hhmmss and +h:mm.
func offsetSeconds(s string) int {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	hours, minutes, colon := strings.Cut(s[1:], ":")
	seconds := ""
	switch n := len(hours); {
	case !colon && n == 6:
		hours, minutes, seconds = hours[:2], hours[2:4], hours[4:]
	case !colon && n > 2:
		hours, minutes = hours[:n-2], hours[n-2:]
	}
	return sign * (atoi(hours)*3600 + atoi(minutes)*60 + atoi(seconds))
}

// atoi reads digits; "" is 0.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
