package request

import (
	"strconv"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestWordsCountFromTheRequestsTimeFrom52On(t *testing.T) {
	// The worker runs a day after the request.
	relative := behaving(func(b *matomo.Behaviours) { b.RelativeTime = true })
	token := setToken("super")
	for _, test := range []struct {
		cdt      string
		old, new int64
	}{
		{"-2 hours", clock, clock - 7200}, // seen from the worker, in the request's future
		{"yesterday", clock - 36000, clock - 36000 - 86400},
		{"now", clock, clock},
		{"2026-11-22 09:00:00", clock - 3600, clock - 3600},
		{"-25 hours", clock - 3600, clock - 25*3600},
	} {
		for _, side := range []struct {
			options []option
			want    int64
		}{{[]option{token}, test.old}, {[]option{token, relative}, test.new}} {
			got, err := read(t, `{"cdt":"`+test.cdt+`"}`, side.options...).Time()
			if got != side.want || err != nil {
				t.Errorf("%s: %d (%+d) %v, want %+d", test.cdt, got, got-clock, err, side.want-clock)
			}
		}
	}
}

func TestTimeOfRequest(t *testing.T) {
	for _, test := range []struct {
		params string
		want   int64
	}{
		{`{}`, clock},
		// Dates of the last day need no token.
		{`{"cdt":"1795338000"}`, clock - 3600},
		{`{"cdt":"1795338000.9"}`, clock - 3600},
		{`{"cdt":" 1795338000"}`, clock - 3600},
		{`{"cdt":1795338000}`, clock - 3600},
		{`{"cdt":"2026-11-22 09:00:00"}`, clock - 3600},
		{`{"cdt":"2026-11-22T08:30:00+01:00"}`, clock - 9000},
		{`{"cdt":"2026-11-22"}`, clock - 36000},
		{`{"cdt":"@1795338000"}`, clock - 3600},
		{`{"cdt":"1795255201"}`, clock - 86399},
		// The future, the distant past and what is no date are ignored.
		{`{"cdt":"2026-11-22 10:00:30"}`, clock},
		{`{"cdt":"1990-01-01 00:00:00"}`, clock},
		{`{"cdt":"not a date"}`, clock},
		{`{"cdt":""}`, clock},
		{`{"cdt":"0"}`, clock},
		{`{"cdt":"-1"}`, clock},
		{`{"cdt":"20261122"}`, clock},
		{`{"cdt":"99999999999999"}`, clock},
		{`{"cdt":"9223372036854775807"}`, clock},
		{`{"cdt":"-9223372036854775809"}`, clock},
		{`{"cdt":["2026-11-22 09:00:00"]}`, clock},
		// Words are read against the worker's clock, a day later.
		{`{"cdt":"now"}`, clock},
		{`{"cdt":"+1 week"}`, clock},
		// Offsets into the past.
		{`{"cdo":"600"}`, clock - 600},
		{`{"cdo":"-600"}`, clock - 600},
		{`{"cdo":"0"}`, clock},
		{`{"cdo":"abc"}`, clock},
		{`{"cdo":"60","cdt":"2026-11-22 09:00:00"}`, clock - 3660},
		{`{"cdo":"60","cdt":"0"}`, clock - 60},
		{`{"cdo":"60","cdt":"not a date"}`, clock},
		{`{"cdo":"-9223372036854775808"}`, clock},
		// With a token.
		{`{"cdo":"90000","token_auth":"super"}`, clock - 90000},
		{`{"cdt":"2026-11-01 10:00:00","token_auth":"super"}`, clock - 21*86400},
	} {
		got, err := read(t, test.params).Time()
		if got != test.want || err != nil {
			t.Errorf("%s: %d (%+d) %v, want %d", test.params, got, got-clock, err, test.want)
		}
	}
}

func TestOldTimeNeedsAuthentication(t *testing.T) {
	for _, params := range []string{
		`{"cdt":"1795255200"}`, `{"cdo":"86400"}`, `{"cdt":"2026-11-20 10:00:00","token_auth":"wrong"}`,
	} {
		r := read(t, params)
		for range 2 {
			_, err := r.Time()
			wantRejection(t, err, NotAuthenticated)
		}
		_, err := r.LocalTime()
		wantRejection(t, err, NotAuthenticated)
	}
	newer := settings(func(s *matomo.TrackerSettings) { s.RequireAuthenticationOlderThan = 60 })
	if _, err := read(t, `{"cdo":"60"}`, newer).Time(); err == nil {
		t.Error("60 seconds old, not refused")
	}
	if got, err := read(t, `{"cdo":"59"}`, newer).Time(); got != clock-59 || err != nil {
		t.Errorf("59 seconds old: %d %v", got, err)
	}
	always := settings(func(s *matomo.TrackerSettings) { s.RequireAuthenticationOlderThan = 0 })
	now := `{"cdt":"` + strconv.FormatInt(clock, 10) + `"}` // is a custom time, too
	_, err := read(t, now, always).Time()
	wantRejection(t, err, NotAuthenticated)
}

func TestTimeBeyond64BitsIsRefused(t *testing.T) {
	for _, params := range []string{
		`{"cdt":"1e400"}`, `{"cdt":"99999999999999999999"}`, `{"cdt":"-1e20"}`, `{"cdt":1e20}`, `{"cdt":"1e20","cdo":"5"}`,
		`{"cdt":"-9223372036854775808","cdo":"2000"}`, `{"cdt":"1e400","token_auth":"super"}`,
	} {
		_, err := read(t, params).Time()
		wantRejection(t, err, WrongType)
	}
}

func TestTimeOfDeletedLogsIsRefused(t *testing.T) {
	deletion := general(func(g *matomo.General) { g.DeleteLogsOlder = 37 * 24 * time.Hour })
	_, err := read(t, `{"cdt":"2026-08-01 10:00:00","token_auth":"super"}`, deletion).Time()
	wantRejection(t, err, InvalidParameter)
	if _, err := read(t, `{"cdt":"2026-11-01 10:00:00","token_auth":"super"}`, deletion).Time(); err != nil {
		t.Error(err)
	}
}

// A time of 20 years ago to the second is ignored, one at which the oldest rows are kept to the second counts.
func TestBoundsOfACustomTime(t *testing.T) {
	const keep = 37 * 24 * time.Hour
	token := func(o *Origin, _ *Context) { o.TokenAuth = "super" }
	worker := func(_ *Origin, c *Context) { c.Now = clock }
	for _, test := range []struct{ cdt, want int64 }{
		{clock - maxAge, clock},
		{clock - maxAge + 1, clock - maxAge + 1},
	} {
		got, err := read(t, `{"cdt":"`+strconv.FormatInt(test.cdt, 10)+`"}`, token).Time()
		if got != test.want || err != nil {
			t.Errorf("%+d: %+d, error %v; want %+d, none", test.cdt-clock, got-clock, err, test.want-clock)
		}
	}
	deletion := general(func(g *matomo.General) { g.DeleteLogsOlder = keep })
	oldest := clock - int64(keep/time.Second)
	got, err := read(t, `{"cdt":"`+strconv.FormatInt(oldest, 10)+`"}`, token, worker, deletion).Time()
	if got != oldest || err != nil {
		t.Errorf("oldest: %+d, error %v; want %+d, none", got-clock, err, oldest-clock)
	}
	_, err = read(t, `{"cdt":"`+strconv.FormatInt(oldest-1, 10)+`"}`, token, worker, deletion).Time()
	wantRejection(t, err, InvalidParameter)
}

func TestTimeZeroIsNoCustomTime(t *testing.T) {
	early := func(o *Origin, _ *Context) { o.QueuedAt = 5 }
	if got, err := read(t, `{"cdo":"5"}`, early).Time(); got != 5 || err != nil {
		t.Errorf("%d %v", got, err)
	}
}

func TestLocalTimeDefaultsToUTC(t *testing.T) {
	for params, want := range map[string]string{
		`{}`:                                     "10:00:00",
		`{"cdo":"1"}`:                            "09:59:59",
		`{"h":"23","m":"59","s":"59"}`:           "23:59:59",
		`{"h":"24","m":"60","s":"-1"}`:           "00:00:00",
		`{"h":"x","m":"5"}`:                      "10:05:00",
		`{"h":7,"m":true,"s":"3.0"}`:             "07:01:03",
		`{"h":"99999999999999999999","m":"1.5"}`: "10:00:00",
	} {
		if got, err := read(t, params).LocalTime(); got != want || err != nil {
			t.Errorf("%s: %s %v, want %s", params, got, err, want)
		}
	}
}
