package history

import (
	"maps"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/replay"
)

// Counts is what became of what was taken out of a queue.
type Counts struct {
	Batches     int64            `json:"batches"`
	Requests    int64            `json:"requests"`
	Tracked     int64            `json:"tracked"`
	Visits      int64            `json:"visits"`
	Actions     int64            `json:"actions"`
	Conversions int64            `json:"conversions"`
	BotRequests int64            `json:"bot_requests"`
	Excluded    map[string]int64 `json:"excluded"` // by the rule
	Rejected    map[string]int64 `json:"rejected"` // by the reason
	DeadLetters int64            `json:"dead_letters"`
	Recovered   int64            `json:"recovered"` // entries that an earlier run had committed and not removed
	Retries     int64            `json:"retries"`
}

// Sum adds up the numbers of a map by reason.
func Sum(byReason map[string]int64) (n int64) {
	for _, m := range byReason {
		n += m
	}
	return n
}

// of counts a batch.
func of(b replay.Report) Counts {
	r := b.Result
	c := Counts{
		Batches: 1, Requests: int64(r.Requests), Tracked: int64(r.Tracked), Visits: int64(r.Visits),
		Actions:     int64(r.Actions),
		Conversions: int64(r.Conversions), BotRequests: int64(r.BotRequests), DeadLetters: int64(r.Failed + b.Undecodable),
		Recovered: int64(b.Recovered), Retries: int64(b.Retries),
		Excluded: make(map[string]int64, len(r.Excluded)), Rejected: make(map[string]int64, len(r.Rejected)),
	}
	for rule, n := range r.Excluded {
		c.Excluded[rule] = int64(n)
	}
	for reason, n := range r.Rejected {
		c.Rejected[string(reason)] = int64(n)
	}
	return c
}

// numbers are the fields without reasons, by the names under which they are kept.
func (c *Counts) numbers() map[string]*int64 {
	return map[string]*int64{
		"batches": &c.Batches, "requests": &c.Requests, "tracked": &c.Tracked, "visits": &c.Visits, "actions": &c.Actions,
		"conversions": &c.Conversions, "bot_requests": &c.BotRequests, "dead_letters": &c.DeadLetters,
		"recovered": &c.Recovered,
		"retries":   &c.Retries,
	}
}

// The names of numbers by reason begin with these.
const (
	excludedPrefix = "excluded:"
	rejectedPrefix = "rejected:"
)

// addTo adds what is not zero to kept numbers.
func (c Counts) addTo(kept map[string]int64, queue int) {
	prefix := strconv.Itoa(queue) + ":"
	for name, n := range c.numbers() {
		if *n != 0 {
			kept[prefix+name] += *n
		}
	}
	for reason, n := range c.Excluded {
		kept[prefix+excludedPrefix+reason] += n
	}
	for reason, n := range c.Rejected {
		kept[prefix+rejectedPrefix+reason] += n
	}
}

// set takes a kept number over. It reports false when the name is none of a number.
func (c *Counts) set(name string, n int64) bool {
	if field, ok := c.numbers()[name]; ok {
		*field = n
		return true
	}
	if rule, ok := strings.CutPrefix(name, excludedPrefix); ok {
		c.Excluded[rule] = n
		return true
	}
	reason, ok := strings.CutPrefix(name, rejectedPrefix)
	if ok {
		c.Rejected[reason] = n
	}
	return ok
}

// Add adds the numbers of another queue or day.
func (c *Counts) Add(o Counts) {
	of := o.numbers()
	for name, n := range c.numbers() {
		*n += *of[name]
	}
	c.Excluded = merged(c.Excluded, o.Excluded)
	c.Rejected = merged(c.Rejected, o.Rejected)
}

func merged(into, from map[string]int64) map[string]int64 {
	sum := make(map[string]int64, len(into)+len(from))
	maps.Copy(sum, into)
	for reason, n := range from {
		sum[reason] += n
	}
	return sum
}
