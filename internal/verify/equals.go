package verify

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

// clockSlack is how far the clocks of PHP, this program and the database may be apart.
const clockSlack = 2 * time.Second

// equals decides whether cells that differ mean the same: values that both draw at random, and the present moment.
type equals struct {
	given       string          // what the requests say: nothing in it is random
	known       map[string]bool // visitor ids that the database had
	from, to    time.Time       // of the comparison
	randomPrint func(site int64) bool

	there, back map[string]string // random values of Matomo's side, and ours that stand for them
}

// alike is for rows.Rule.
func (e *equals) alike(table, column string, want, got rows.Row) bool {
	w, g := fmt.Sprint(want[column]), fmt.Sprint(got[column])
	switch {
	case want[column] == nil || got[column] == nil:
		return false
	case column == "idvisitor":
		return e.drawn(w) && e.drawn(g) && e.stands(w, g)
	case column == "config_id":
		site, _ := strconv.ParseInt(fmt.Sprint(want["idsite"]), 10, 64)
		return e.randomPrint != nil && e.randomPrint(site) && e.stands(w, g)
	case column == "idorder":
		return anonymous.MatchString(w) && anonymous.MatchString(g) && e.drawn(w) && e.drawn(g) && e.stands(w, g)
	case table == "option" && column == "option_value":
		return w != g && e.withoutNow(w) == e.withoutNow(g)
	case !strings.HasPrefix(table, "log_"):
		return e.isNow(w) && e.isNow(g)
	}
	return false
}

// anonymous is the form of order ids that Matomo has made up.
var anonymous = regexp.MustCompile(`^[0-9a-f]{32,40}$`)

// drawn reports whether nobody but a random generator can have made a value.
func (e *equals) drawn(value string) bool {
	return value != "" && !e.known[value] && !strings.Contains(e.given, strings.ToLower(value))
}

// stands reports whether ours always stands where Matomo's does.
func (e *equals) stands(want, got string) bool {
	if e.there == nil {
		e.there, e.back = make(map[string]string), make(map[string]string)
	}
	g, known := e.there[want]
	w, taken := e.back[got]
	if known || taken {
		return g == got && w == want
	}
	e.there[want], e.back[got] = got, want
	return true
}

var seconds = regexp.MustCompile(`\b[0-9]{10}\b`)

// withoutNow replaces unix seconds of the comparison.
func (e *equals) withoutNow(text string) string {
	return seconds.ReplaceAllStringFunc(text, func(digits string) string {
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && e.within(time.Unix(n, 0)) {
			return "now"
		}
		return digits
	})
}

// isNow reports whether a value is a moment of the comparison: unix seconds or a date in UTC.
func (e *equals) isNow(text string) bool {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return e.within(time.Unix(int64(n), 0))
	}
	t, err := time.ParseInLocation(time.DateTime, text, time.UTC)
	return err == nil && e.within(t)
}

func (e *equals) within(t time.Time) bool {
	return !t.Before(e.from.Truncate(time.Second)) && !t.After(e.to)
}
