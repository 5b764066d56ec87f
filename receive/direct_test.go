package receive

import (
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

func TestStatusOfWhatIsTrackedAtOnce(t *testing.T) {
	refused := func(reasons ...request.Reason) map[request.Reason]int {
		all := make(map[request.Reason]int)
		for _, reason := range reasons {
			all[reason] = 1
		}
		return all
	}
	for _, c := range []struct {
		result tracker.Result
		want   int
	}{
		{tracker.Result{Tracked: 1}, fasthttp.StatusOK},
		{tracker.Result{Rejected: refused(request.UnknownSite)}, fasthttp.StatusBadRequest},
		{tracker.Result{Rejected: refused(request.WrongType)}, fasthttp.StatusInternalServerError},
		{tracker.Result{Failed: 1}, fasthttp.StatusInternalServerError},
		// Of a bulk request: the worst one counts.
		{tracker.Result{Rejected: refused(request.UnknownSite, request.WrongType)}, fasthttp.StatusInternalServerError},
		{tracker.Result{Rejected: refused(request.UnknownSite), Failed: 1}, fasthttp.StatusInternalServerError},
	} {
		if got := directStatus(c.result); got != c.want {
			t.Errorf("%+v: %d, want %d", c.result, got, c.want)
		}
	}
}
