package phpengine

import (
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// byMatomo stands for the rule by which Matomo has excluded a request: it does not tell.
const byMatomo = "by Matomo"

// result makes one of the statuses of a task's requests. The error is that of the whole batch: one of the database that
// is no request's fault, such as a table that is missing.
func (t *task) result(c call, statuses [][]phpchild.Status) (*tracker.Result, error) {
	r := &tracker.Result{
		RowsNotCounted: true, Excluded: make(map[string]int), Rejected: make(map[request.Reason]int),
	}
	done := make(map[int][]phpchild.Status, len(c.entries))
	for i, entry := range c.entries {
		done[entry] = statuses[i]
	}
	for i := range t.entries {
		first, behind := max(t.first[i], t.from), min(t.first[i+1], t.to)
		if first >= behind && !(t.first[i] == t.first[i+1] && t.Len() == t.first[len(t.entries)]) {
			continue // not of this task
		}
		r.Sets++
		for n := first; n < behind; n++ {
			r.Requests++
			j := n - t.first[i]
			if err := t.failed[n]; err != nil {
				fail(r, i, j, err)
				continue
			}
			if err := add(r, i, j, statusOf(done[i], j)); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// statusOf is that of a request. One that PHP does not see in its entry has nothing to be tracked.
func statusOf(set []phpchild.Status, j int) *phpchild.Status {
	if len(set) == 1 && set[0].What == phpchild.Unopened {
		return &set[0]
	}
	if j >= len(set) {
		return &phpchild.Status{What: phpchild.Tracked}
	}
	return &set[j]
}

func add(r *tracker.Result, set, n int, status *phpchild.Status) error {
	switch status.What {
	case phpchild.Tracked:
		r.Tracked++
	case phpchild.Excluded:
		r.Excluded[byMatomo]++
	case phpchild.Rejected:
		reason := reasons[status.Kind]
		r.Rejected[reason]++
		r.Refusals = append(r.Refusals, tracker.Refusal{
			Set: set, Request: n, Err: request.Reject(reason, status.Err().Error()),
		})
	case phpchild.Failed:
		err := status.Err()
		if !store.IsDataError(err) {
			return err
		}
		fail(r, set, n, err)
	default: // Broken, Unopened: the request's fault, or that of PHP's code
		fail(r, set, n, &replay.BreakdownError{Err: status.Err()})
	}
	return nil
}

func fail(r *tracker.Result, set, n int, err error) {
	r.Failed++
	r.Refusals = append(r.Refusals, tracker.Refusal{Set: set, Request: n, Err: err, Failed: true})
}

// reasons are the kinds of rejections. What Matomo says is in the detail.
var reasons = map[string]request.Reason{
	"site": request.UnknownSite, "parameter": request.InvalidParameter, "type": request.WrongType,
}
