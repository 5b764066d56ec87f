package php

import (
	"testing"
	"time"
)

func TestDateTimeBothWays(t *testing.T) {
	for s, want := range map[string]int64{"1970-01-01 00:00:00": 0, "2026-11-22 10:00:00": 1795341600, "2024-02-29 23:59:59": 1709251199, "1969-12-31 23:59:59": -1, "0001-01-01 00:00:00": -62135596800} {
		if got := DateTime(want); got != s {
			t.Errorf("DateTime(%d) = %s, want %s", want, got, s)
		}
		if got, ok := ParseDateTime(s); !ok || got != want {
			t.Errorf("ParseDateTime(%s) = %d, %v", s, got, ok)
		}
	}
	for unix := int64(-70_000_000_000); unix < 300_000_000_000; unix += 86399 * 31 {
		if got, want := DateTime(unix), time.Unix(unix, 0).UTC().Format(time.DateTime); got != want {
			t.Fatalf("DateTime(%d) = %s, want %s", unix, got, want)
		}
	}
	for _, s := range []string{"", "2024-02-30 00:00:00", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-01-01T00:00:00", "2024-01-01 24:00:00", "2024-1-01 00:00:000", "2024-04-31 00:00:00", "202x-01-01 00:00:00"} {
		if _, ok := ParseDateTime(s); ok {
			t.Errorf("%q is no date and time", s)
		}
	}
}

func TestLocationsOfSites(t *testing.T) {
	const unix = 1795341600 // 2026-11-22 10:00:00
	for name, want := range map[string]string{
		"": "2026-11-22 10:00", "UTC": "2026-11-22 10:00", "Pacific/Auckland": "2026-11-22 23:00", "America/New_York": "2026-11-22 05:00", "UTC+5.5": "2026-11-22 15:30", "UTC-0.75": "2026-11-22 09:15",
		"UTC+14": "2026-11-23 00:00", "Nowhere/City": "2026-11-22 10:00", "Local": "2026-11-22 10:00", "UTC+": "2026-11-22 10:00", "UTC-12": "2026-11-21 22:00",
	} {
		loc := LoadLocation(name)
		if got := time.Unix(unix, 0).In(loc).Format("2006-01-02 15:04"); got != want {
			t.Errorf("in %q it is %s, want %s", name, got, want)
		}
		if got := LocalDate(unix, loc); got != want[:10] {
			t.Errorf("in %q the day is %s, want %s", name, got, want[:10])
		}
	}
	if got := LocalDate(300_000_000_000, time.UTC); got != "11476-08-15" {
		t.Errorf("far future: %s", got)
	}
}

func TestStrToTime(t *testing.T) {
	const now = 1795341600 // sunday, 2026-11-22 10:00:00
	for _, tt := range []struct{ in, want string }{
		{"2026-11-21 09:08:07", "2026-11-21 09:08:07"},
		{"2026-11-21", "2026-11-21 00:00:00"},
		{"2026-11-21T09:08:07Z", "2026-11-21 09:08:07"},
		{"2026-11-21T09:08:07.5+02:00", "2026-11-21 07:08:07"},
		{"2026-11-21 09:08:07 -0330", "2026-11-21 12:38:07"},
		{"2026-11-21 09:08 Europe/Berlin", "2026-11-21 08:08:00"},
		{"11/21/2026 3pm", "2026-11-21 15:00:00"},
		{"Sat, 21 Nov 2026 09:08:07 +0000", "2026-11-21 09:08:07"},
		{"@1795341600", "2026-11-22 10:00:00"},
		{"now", "2026-11-22 10:00:00"},
		{"today", "2026-11-22 00:00:00"},
		{"yesterday noon", "2026-11-21 12:00:00"},
		{"tomorrow", "2026-11-23 00:00:00"},
		{"-2 hours", "2026-11-22 08:00:00"},
		{"1 day ago", "2026-11-21 10:00:00"},
		{"last friday", "2026-11-20 00:00:00"},
		{"next monday", "2026-11-23 00:00:00"},
		{"monday next week", "2026-11-23 00:00:00"},
		{"sunday next week", "2026-11-29 00:00:00"},
		{"this sunday", "2026-11-22 00:00:00"},
		{"monday ago", "2026-11-16 00:00:00"},
		{"first day of next month", "2026-12-01 10:00:00"},
		{"last day of february 2024", "2024-02-29 00:00:00"},
		{"2024-01-31 +1 month", "2024-03-02 00:00:00"},
		{"10:00 2024", "2024-11-22 10:00:00"},
		{"2026-11-21 B", "2026-11-20 22:00:00"},
		{"2026-11-21 N", "2026-11-21 01:00:00"},
		{"2026-11-21 K", "2026-11-20 14:00:00"},
		{"2026-11-21 x", "2026-11-21 11:00:00"},
		{"21 XI 99", "1999-11-21 00:00:00"},
		{"1/2/145", "0145-01-02 00:00:00"},
		{"1995", "1995-11-22 10:00:00"},
		{" ", "2026-11-22 10:00:00"},
		{"third friday", "2026-12-11 00:00:00"},
		{"- 1 fortnight", "2026-11-08 10:00:00"},
		{"+1 year", "2027-11-22 10:00:00"},
		{"+5 min", "2026-11-22 10:05:00"},
		{"", "none"},
		{"garbage text", "none"},
		{"10:00 11:00", "none"},
		{"2024-01-01 2024-01-02", "none"},
		{"@99999999999999999999", "none"},
		{"10:00 UTC GMT Z", "none"},
		{"2026-11-21 Nowhere/City", "none"},
		{"2026-11-21 Local/X", "none"},
		{"10:00 2024 2025", "none"},
		{"10/Foo/2024:10:00:00 +0000", "none"},
	} {
		got := "none"
		if unix, ok := StrToTime(tt.in, now); ok {
			got = DateTime(unix)
		}
		if got != tt.want {
			t.Errorf("StrToTime(%q) is %s, want %s", tt.in, got, tt.want)
		}
	}
}
