package replay

import (
	"slices"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// Report says what became of one batch.
type Report struct {
	Queue    int
	Offset   int64 // position of the first entry since the list began; a Refusal's Set is counted from here
	Left     int64 // sets that were waiting behind it
	Duration time.Duration
	Result   tracker.Result

	// What else the worker did since its report before.
	Undecodable, Recovered, Retries int

	request func(entry, request int) *php.Array
}

// Request gives the parameters of a request by its Refusal's Set and Request, nil when they are not known.
func (b Report) Request(r tracker.Refusal) *php.Array {
	if b.request == nil {
		return nil
	}
	return b.request(r.Set, r.Request)
}

// Summary counts what a run did.
type Summary struct {
	tracker.Result
	Batches     int
	Undecodable int   // entries that cannot be read: in the dead letters
	Recovered   int   // entries that a killed worker had committed and not removed: removed, not tracked again
	Retries     int   // attempts that the database rolled back
	Busy        int   // queues that held enough sets and were locked by somebody else when the run ended
	Full        []int // queues that have as many dead letters as they may have
	Refused     []int // queues of which the database refuses every request
}

// Add sums up summaries.
func (s *Summary) Add(o Summary) {
	s.Result.Add(o.Result)
	s.Batches += o.Batches
	s.Undecodable += o.Undecodable
	s.Recovered += o.Recovered
	s.Retries += o.Retries
	s.Busy = max(s.Busy, o.Busy)
	s.Full, s.Refused = union(s.Full, o.Full), union(s.Refused, o.Refused)
}

// union adds what is not in the list yet.
func union(list, more []int) []int {
	for _, id := range more {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// report counts a batch and reports it to the caller.
func (j *job) report(took time.Duration, result tracker.Result) {
	j.worker.summary.Batches++
	j.worker.summary.Result.Add(result)
	j.trace(result)
	if j.options.OnBatch != nil {
		now, last := j.worker.summary, j.worker.reported
		j.options.OnBatch(Report{
			Queue: j.queue, Offset: j.head.Offset, Left: j.left(), Duration: took, Result: result, request: j.request,
			Undecodable: now.Undecodable - last.Undecodable,
			Recovered:   now.Recovered - last.Recovered,
			Retries:     now.Retries - last.Retries,
		})
		j.worker.reported = now
	}
}

// request gives the parameters of a request of an entry, nil when there is none.
func (j *job) request(entry, request int) *php.Array {
	i, found := slices.BinarySearchFunc(j.entries, entry, func(e Entry, position int) int { return e.Position - position })
	if !found || request < 0 || request >= len(j.entries[i].Set.Requests) {
		return nil
	}
	return j.entries[i].Set.Requests[request]
}
