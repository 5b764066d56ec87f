package action

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const (
	noTiming  = -1 // the default of the pf_ parameters
	maxTiming = 1<<24 - 1
)

// timings are the parameters of plugin PagePerformance, in the order of the columns that performance fills.
var timings = [...]string{"pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl"}

func performance(columns [len(timings)]store.NullInt) store.Performance {
	return store.Performance{
		Network: columns[0], Server: columns[1], Transfer: columns[2],
		DOMProcessing: columns[3], DOMCompletion: columns[4], OnLoad: columns[5],
	}
}

// pagePerformance reads the timings of a page view (spec §5.8). What the columns cannot hold is left out, negative ones
// are refused.
func pagePerformance(r *request.Request) (store.Performance, error) {
	var columns [len(timings)]store.NullInt
	for i, parameter := range timings {
		switch ms := r.Int(parameter); {
		case ms == noTiming, ms > maxTiming:
		case ms < 0:
			return store.Performance{}, request.Reject(request.InvalidParameter, parameter+" is negative")
		default:
			columns[i] = store.Int(ms)
		}
	}
	return performance(columns), nil
}

// PerformanceUpdate reads the timings that a request brings for an earlier page view, the one with the id pvID
// (spec §5.8). Requests that are page views themselves must not be asked. ok is false when there is nothing to update.
// The timings have no upper bound: the database refuses what is too high.
func PerformanceUpdate(r *request.Request) (pvID string, perf store.Performance, ok bool) {
	if !r.Features().PagePerformance {
		return "", perf, false
	}
	pvID = r.Text("pv_id")
	if php.EmptyString(pvID) {
		return "", perf, false
	}
	var columns [len(timings)]store.NullInt
	for i, parameter := range timings {
		if ms := r.Int(parameter); ms > noTiming {
			columns[i] = store.Int(ms)
			ok = true
		}
	}
	return pvID, performance(columns), ok
}
