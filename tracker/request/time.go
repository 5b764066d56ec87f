package request

import (
	"fmt"
	"math"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// maxAge is how far a custom time may lie in the past, in seconds: 20 years of 365 days.
const maxAge = 20 * 365 * 86400

// Time is the moment T of the request in unix seconds (spec §1.6): the time at which it was queued, or what the
// parameters cdt and cdo say. A custom time that is in the future, too far in the past or unreadable is ignored; an old
// one needs authentication and has to be younger than the age at which log rows are deleted, otherwise the request is
// refused with a Rejection, and so is one beyond 64 bits.
func (r *Request) Time() (int64, error) { return r.time.get(r, (*Request).findTime) }

func (r *Request) findTime() (int64, error) {
	clock := r.origin.QueuedAt
	if !r.Has("cdt") && !r.Has("cdo") {
		return clock, nil
	}
	custom, ok := r.customTime()
	if !ok {
		return clock, nil
	}
	if custom > float64(clock) || custom <= float64(clock-maxAge) {
		if custom > 1<<63 || custom < -1<<63 {
			return 0, Reject(WrongType, "cdt is no time") // PHP's date fails with a TypeError while Matomo makes a message of it
		}
		return clock, nil
	}
	if age := float64(clock) - custom; age >= float64(r.ctx.Settings.RequireAuthenticationOlderThan) {
		if err := r.authenticate(fmt.Sprintf("cdt is %.0f seconds old", age)); err != nil {
			return 0, err
		}
	}
	if keep := r.ctx.General.DeleteLogsOlder; keep > 0 && custom < float64(r.ctx.Now)-keep.Seconds() {
		return 0, Reject(InvalidParameter, "cdt is older than log rows are kept")
	}
	if t := int64(custom); t != 0 {
		return t, nil
	}
	return clock, nil
}

// customTime is the custom time in unix seconds, with the fraction that a numeric cdt may have. Words such as "now"
// are read against the request's clock, in older versions against the worker's. ok is false when there is none and
// when cdt is no date.
func (r *Request) customTime() (custom float64, ok bool) {
	cdt := r.Text("cdt")
	offset := math.Abs(float64(r.Int("cdo")))
	switch {
	case !php.EmptyString(cdt) && php.IsNumeric(cdt):
		custom = php.StringToFloat(cdt)
	case !php.EmptyString(cdt):
		clock := r.origin.QueuedAt
		if !r.ctx.Behaviours.RelativeTime {
			clock = r.ctx.Now
		}
		unix, ok := php.StrToTime(cdt, clock)
		if !ok {
			return 0, false
		}
		custom = float64(unix)
	case offset != 0:
		custom = float64(r.origin.QueuedAt)
	default:
		return 0, false
	}
	return custom - offset, true
}

// LocalTime is the visitor's time of day as HH:MM:SS (spec §1.10): h, m and s, each 0 when out of range and that of
// Time in UTC when absent or no number.
func (r *Request) LocalTime() (string, error) {
	t, err := r.Time()
	if err != nil {
		return "", err
	}
	second := int64(((t % 86400) + 86400) % 86400)
	var b [8]byte
	put := func(i int, name string, now, limit int64) {
		n := r.intOr(name, now)
		if n < 0 || n >= limit {
			n = 0
		}
		b[i], b[i+1] = byte('0'+n/10), byte('0'+n%10)
	}
	put(0, "h", second/3600, 24)
	put(3, "m", second/60%60, 60)
	put(6, "s", second%60, 60)
	b[2], b[5] = ':', ':'
	return string(b[:]), nil
}
