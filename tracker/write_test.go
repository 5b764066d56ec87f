package tracker

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// A request that is to blame is taken out of its batch with all that would have been written for it.
func TestRequestThatIsTakenOutLeavesNothing(t *testing.T) {
	blame := errors.New("too long")
	for _, tt := range []struct {
		about string
		p     parsed
		want  bool
	}{
		{"a request with a visit", parsed{}, true},
		{"a refused one whose failure is noted", parsed{err: errors.New("no such site"), failure: new(store.Failure)}, true},
		{"a bot's", parsed{bot: new(botRequest)}, true},
		{"an excluded one", parsed{excluded: "rule"}, false},
		{"a refused one", parsed{err: errors.New("wrong type")}, false},
		{"an empty one", parsed{empty: true}, false},
	} {
		before := tt.p
		b := &Prepared{requests: []*parsed{&tt.p}}
		if got := b.Fail(0, blame); got != tt.want {
			t.Errorf("%s: taken out %v, want %v", tt.about, got, tt.want)
		}
		if !tt.want {
			if tt.p.err != before.err {
				t.Errorf("%s: error %v, want %v", tt.about, tt.p.err, before.err)
			}
			continue
		}
		if tt.p.err != blame || tt.p.active() || tt.p.failure != nil || tt.p.bot != nil {
			t.Errorf("%s: error %v, active %v, failure %v, bot %v; want %v and nothing to be written",
				tt.about, tt.p.err, tt.p.active(), tt.p.failure, tt.p.bot, blame)
		}
	}
}

// A batch that will not be written leaves the tracker as it was before.
func TestDiscardedBatchLeavesTheTrackerAsItWas(t *testing.T) {
	site, other := &matomo.Site{ID: 1}, &matomo.Site{ID: 2}
	tracker := &Tracker{trust: trust{on: true, byIntranet: true}, asked: other}
	tracker.Discard(&Prepared{trust: trust{}, askedSite: site})
	if tracker.trust != (trust{}) || tracker.asked != site {
		t.Errorf("trust %+v, asked site %v; want %+v, site 1", tracker.trust, tracker.asked.ID, trust{})
	}
}

// The first answer for an address stays, unless there are too many to remember.
func TestRememberedAddressesAreBounded(t *testing.T) {
	server := &php.Array{}
	server.Set("REMOTE_ADDR", php.String("203.0.113.7"))
	r := request.New(&php.Array{}, &request.Origin{Env: request.Env{Server: server, Cookie: &php.Array{}}})
	r.Bind(&request.Context{General: &matomo.General{}, Settings: &matomo.TrackerSettings{}})
	a := &applier{t: &Tracker{addresses: make(map[string]bool)}}
	for i := range maxAddresses {
		a.t.addresses[strconv.Itoa(i)] = false
	}
	for _, tt := range []struct {
		ranges string
		want   bool
	}{{"203.0.113.0/24", true}, {"203.0.114.0/24", true}} {
		a.bans = bans{}.with(&matomo.General{Spam: &matomo.SpamPrevention{BlockedRanges: `{"203.":["` + tt.ranges + `"]}`}})
		if got := a.inBlockedRange(&parsed{req: r, askRanges: true}); got != tt.want {
			t.Errorf("%s: blocked %v, want %v", tt.ranges, got, tt.want)
		}
	}
	if got := len(a.t.addresses); got > maxAddresses {
		t.Errorf("%d addresses are remembered, want at most %d", got, maxAddresses)
	}
}

func TestResultsAddUp(t *testing.T) {
	one := Result{
		Sets: 1, Requests: 20, Tracked: 3, Failed: 4, Visits: 5, Actions: 6, Conversions: 7, BotRequests: 8,
		Excluded: map[string]int{"a": 1, "b": 2}, Rejected: map[request.Reason]int{"x": 3},
		Refusals: []Refusal{{Set: 1}},
	}
	two := Result{
		Sets: 10, Requests: 200, Tracked: 30, Failed: 40, Visits: 50, Actions: 60, Conversions: 70, BotRequests: 80,
		Excluded: map[string]int{"b": 20}, Rejected: map[request.Reason]int{"x": 30, "y": 40},
	}
	want := Result{
		Sets: 11, Requests: 220, Tracked: 33, Failed: 44, Visits: 55, Actions: 66, Conversions: 77, BotRequests: 88,
		Excluded: map[string]int{"a": 1, "b": 22}, Rejected: map[request.Reason]int{"x": 33, "y": 40},
	}
	var got Result
	got.Add(one)
	got.Add(two)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
