package php

import "time"

const secondsPerDay = 86400

// DateTime formats unix seconds as "Y-m-d H:i:s" in UTC, the form of every DATETIME column.
func DateTime(unix int64) string {
	return string(AppendDateTime(make([]byte, 0, len(time.DateTime)), unix))
}

// AppendDateTime appends what DateTime gives.
func AppendDateTime(to []byte, unix int64) []byte {
	days := unix / secondsPerDay
	seconds := unix % secondsPerDay
	if seconds < 0 {
		seconds += secondsPerDay
		days--
	}
	year, month, day := civil(days)
	if year < 0 || year > 9999 {
		return time.Unix(unix, 0).UTC().AppendFormat(to, time.DateTime)
	}
	var b [19]byte
	putDate(b[:], year, month, day)
	b[10], b[13], b[16] = ' ', ':', ':'
	put2(b[11:], int(seconds)/3600)
	put2(b[14:], int(seconds)/60%60)
	put2(b[17:], int(seconds)%60)
	return append(to, b[:]...)
}

// LocalDate formats unix seconds as "Y-m-d" in a time zone.
func LocalDate(unix int64, loc *time.Location) string {
	year, month, day := time.Unix(unix, 0).In(loc).Date()
	if year < 0 || year > 9999 {
		return time.Unix(unix, 0).In(loc).Format(time.DateOnly)
	}
	var b [10]byte
	putDate(b[:], year, int(month), day)
	return string(b[:])
}

func putDate(b []byte, year, month, day int) {
	put2(b, year/100)
	put2(b[2:], year%100)
	b[4], b[7] = '-', '-'
	put2(b[5:], month)
	put2(b[8:], day)
}

func put2(b []byte, n int) { b[0], b[1] = byte('0'+n/10), byte('0'+n%10) }

// civil is the date of a day counted from 1970-01-01, in the proleptic Gregorian calendar. It counts years from March,
// in eras of 400 years.
func civil(days int64) (year, month, day int) {
	const daysPerEra, daysToEpoch = 146097, 719468
	days += daysToEpoch
	era := days / daysPerEra
	if days < 0 {
		era = (days - daysPerEra + 1) / daysPerEra
	}
	d := int(days - era*daysPerEra)
	y := (d - d/1460 + d/36524 - d/146096) / 365
	d -= 365*y + y/4 - y/100
	m := (5*d + 2) / 153
	day = d - (153*m+2)/5 + 1
	month = m + 3
	if month > 12 {
		month -= 12
		y++
	}
	return y + int(era)*400, month, day
}

// ParseDateTime reads "Y-m-d H:i:s" in UTC, as DateTime writes it. ok is false for any other form and for dates that do
// not exist.
func ParseDateTime(s string) (unix int64, ok bool) {
	if len(s) != 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && i != 4 && i != 7 && i != 10 && i != 13 && i != 16 {
			return 0, false
		}
	}
	year, month, day := get2(s)*100+get2(s[2:]), get2(s[5:]), get2(s[8:])
	hour, minute, second := get2(s[11:]), get2(s[14:]), get2(s[17:])
	if hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix(), true
}

func get2(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
