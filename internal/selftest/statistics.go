package selftest

import (
	"github.com/queuedtracking/queuedtracking/queue"
)

const (
	adviceStatistics = "the Redis user needs the commands HSET, HINCRBY, HGETALL and PEXPIRE on keys queuedtracking:*"
	triedName        = "tried"
	triedText        = "text"
)

// statistics tries what is kept of what workers did. Requests are tracked without it, too.
func (q *queueCheck) statistics() {
	const name = "keep statistics"
	day, total := q.tallies()
	tally := queue.Tally{Numbers: map[string]int64{triedName: 2}, Texts: map[string]string{triedText: "x"}}
	tried, err := map[string]string(nil), q.backend.AddTally(q.ctx, day, total, firstTTL, tally)
	if err == nil {
		tried, err = q.backend.Tally(q.ctx, total)
	}
	if err = orElse(err, tried[triedName] == "2" && tried[triedText] == "x",
		"another number came back than was added"); err == nil {
		q.OK(name, "")
		return
	}
	advice := adviceStatistics
	if q.inDatabase {
		advice = adviceDatabase
	}
	q.Notice(name, err.Error(), "monitor will not show what runs did; "+advice)
}

// tallies are the keys of the check, in one hash slot.
func (q *queueCheck) tallies() (day, total string) {
	return q.prefix + ":{tally}:day", q.prefix + ":{tally}:total"
}

// talliesToDelete are the keys in Redis, and those of the rows in the database.
func (q *queueCheck) talliesToDelete() []string {
	day, total := q.tallies()
	return []string{day, total, day + ":" + triedName, total + ":" + triedName, day + ":" + triedText, total + ":" +
		triedText}
}
