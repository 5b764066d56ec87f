package tracker

import (
	"fmt"

	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Result counts what became of the requests of a batch. Requests = Tracked + Excluded + Rejected + Failed.
type Result struct {
	Sets     int
	Requests int
	Tracked  int                    // written, or rightly without rows (an empty request, a ping without a visit)
	Excluded map[string]int         // by the rule that excludes them
	Rejected map[request.Reason]int // by the reason for which Matomo refuses them
	Failed   int                    // could not be written: for the dead letters

	// Refusals tells the rejected and failed requests apart, in queue order.
	Refusals []Refusal

	Visits, Actions, Conversions int  // rows written
	BotRequests                  int  // the same, of log_bot_request
	RowsNotCounted               bool // the engine does not tell how many rows it has written
}

// Wrote reports whether rows were written, as far as is known.
func (r *Result) Wrote() bool {
	return r.Visits+r.Actions+r.Conversions+r.BotRequests > 0 || r.RowsNotCounted && r.Tracked > 0
}

// Refusal is one request that was not tracked although no rule excludes it.
type Refusal struct {
	Set, Request int // position in the batch and in the set
	Err          error
	// the fault is the data's or the program's: a dead letter. Otherwise Matomo refuses the request as well
	Failed bool
}

// Add sums up results of several batches; refusals are not kept.
func (r *Result) Add(o Result) {
	r.Sets += o.Sets
	r.Requests += o.Requests
	r.Tracked += o.Tracked
	r.Failed += o.Failed
	r.Visits += o.Visits
	r.Actions += o.Actions
	r.Conversions += o.Conversions
	r.BotRequests += o.BotRequests
	r.RowsNotCounted = r.RowsNotCounted || o.RowsNotCounted
	for reason, n := range o.Excluded {
		if r.Excluded == nil {
			r.Excluded = make(map[string]int)
		}
		r.Excluded[reason] += n
	}
	for reason, n := range o.Rejected {
		if r.Rejected == nil {
			r.Rejected = make(map[request.Reason]int)
		}
		r.Rejected[reason] += n
	}
}

// PanicError is a bug of ours that one request ran into.
type PanicError struct {
	Value any
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }
