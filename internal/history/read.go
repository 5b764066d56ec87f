package history

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
)

// general is what concerns no queue, in the place of a queue's number.
const general = "all"

// Moment is when somebody was at work, who, and what tracked: "native" or "php", "" where it is not known.
type Moment struct {
	Time   time.Time `json:"time"`
	Host   string    `json:"host"`
	Engine string    `json:"engine,omitempty"`
}

// Failure is what ended a run.
type Failure struct {
	Moment
	Error string `json:"error"`
}

// Queue is what happened to a queue.
type Queue struct {
	ID int `json:"queue"`
	Counts
	LastBatch *Moment  `json:"last_batch"` // null: none
	LastError *Failure `json:"last_error"`
}

// Period is what happened in a day, or in all days.
type Period struct {
	Day       string    `json:"day,omitempty"` // 2006-01-02 in UTC
	Queues    []Queue   `json:"queues"`
	Errors    int64     `json:"errors"` // runs that ended with one
	LastRun   *Moment   `json:"last_run"`
	LastError *Failure  `json:"last_error"`
	Durations Durations `json:"-"`
}

// All adds up the counts of the queues.
func (p Period) All() (c Counts) {
	for _, q := range p.Queues {
		c.Add(q.Counts)
	}
	return c
}

// Queue gives the counts of a queue.
func (p Period) Queue(id int) Counts {
	for _, q := range p.Queues {
		if q.ID == id {
			return q.Counts
		}
	}
	return Counts{}
}

// ReadDays reads what happened on this day and those before it, the latest first.
func ReadDays(ctx context.Context, tallies queue.Tallies, now time.Time, days int) ([]Period, error) {
	periods := make([]Period, days)
	for i := range periods {
		day := now.UTC().AddDate(0, 0, -i).Format(time.DateOnly)
		kept, err := tallies.Tally(ctx, queue.DayKey(day))
		if err != nil {
			return nil, err
		}
		periods[i] = read(kept)
		periods[i].Day = day
	}
	return periods, nil
}

// ReadTotal reads what happened since statistics are kept.
func ReadTotal(ctx context.Context, tallies queue.Tallies) (Period, error) {
	kept, err := tallies.Tally(ctx, queue.TotalKey)
	return read(kept), err
}

// read makes sense of what is kept, and leaves out what it does not know: a newer version may have written it.
func read(kept map[string]string) Period {
	p := Period{Queues: []Queue{}, Durations: Durations{Classes: make([]int64, len(DurationBuckets)+1)}}
	queues := make(map[int]*Queue)
	for name, text := range kept {
		owner, name, _ := strings.Cut(name, ":")
		n, err := strconv.ParseInt(text, 10, 64)
		isNumber := err == nil
		if owner == general {
			switch {
			case name == "errors" && isNumber:
				p.Errors = n
			case isNumber:
				p.Durations.set(owner+":"+name, n)
			}
			continue
		}
		id, err := strconv.Atoi(owner)
		if err != nil || id < 0 || id >= queue.MaxQueues {
			continue
		}
		q := queues[id]
		if q == nil {
			q = &Queue{ID: id, Counts: Counts{Excluded: make(map[string]int64), Rejected: make(map[string]int64)}}
			q.LastBatch, q.LastError = moment(kept, owner, ""), failure(kept, owner)
			queues[id] = q
		}
		if isNumber {
			q.set(name, n)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(queues)) {
		p.Queues = append(p.Queues, *queues[id])
	}
	p.LastRun, p.LastError = moment(kept, general, ""), failure(kept, general)
	return p
}

func moment(kept map[string]string, owner, prefix string) *Moment {
	at, err := time.Parse(time.RFC3339, kept[owner+":"+prefix+"time"])
	if err != nil {
		return nil
	}
	return &Moment{at, kept[owner+":"+prefix+"host"], kept[owner+":"+prefix+"engine"]}
}

func failure(kept map[string]string, owner string) *Failure {
	at := moment(kept, owner, "error_")
	if at == nil {
		return nil
	}
	return &Failure{*at, kept[owner+":error"]}
}
