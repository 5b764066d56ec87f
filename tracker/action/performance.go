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

// timings are the parameters of plugin PagePerformance with their columns.
var timings = [...]struct {
	parameter string
	column    func(p *store.Performance) *store.NullInt
}{
	{"pf_net", func(p *store.Performance) *store.NullInt { return &p.Network }},
	{"pf_srv", func(p *store.Performance) *store.NullInt { return &p.Server }},
	{"pf_tfr", func(p *store.Performance) *store.NullInt { return &p.Transfer }},
	{"pf_dm1", func(p *store.Performance) *store.NullInt { return &p.DOMProcessing }},
	{"pf_dm2", func(p *store.Performance) *store.NullInt { return &p.DOMCompletion }},
	{"pf_onl", func(p *store.Performance) *store.NullInt { return &p.OnLoad }},
}

// pagePerformance reads the timings of a page view (§5.8). What the columns cannot hold is left out, negative ones are refused.
func pagePerformance(r *request.Request) (p store.Performance, err error) {
	for _, t := range timings {
		switch ms := r.Int(t.parameter); {
		case ms == noTiming, ms > maxTiming:
		case ms < 0:
			return p, request.Reject(request.InvalidParameter, t.parameter+" is negative")
		default:
			*t.column(&p) = store.Int(ms)
		}
	}
	return p, nil
}

// PerformanceUpdate reads the timings that a request brings for an earlier page view, the one with the id pvID (§5.8). Requests that
// are page views themselves must not be asked. ok is false when there is nothing to update. The timings have no upper bound: the
// database refuses what is too high.
func PerformanceUpdate(r *request.Request) (pvID string, perf store.Performance, ok bool) {
	if !r.Features().PagePerformance {
		return "", perf, false
	}
	pvID = r.Text("pv_id")
	if php.EmptyString(pvID) {
		return "", perf, false
	}
	for _, t := range timings {
		if ms := r.Int(t.parameter); ms > noTiming {
			*t.column(&perf) = store.Int(ms)
			ok = true
		}
	}
	return pvID, perf, ok
}
