package tracker_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
)

// A request that is refused when its action is made has changed a copy of the visit.
func TestRefusedRequestLeavesNoTraceInItsVisit(t *testing.T) {
	shop := func(more string) string { return "idsite=2&url=https://shop.example.com/" + more + visitor }
	cvar := func(value string) string { return "&_cvar=" + url.QueryEscape(`{"1":["plan","`+value+`"]}`) }
	everywhere(t, []journey.Entry{
		entry(0, shop("&dimension1=gold"+cvar("a"))),
		entry(10, shop("&e_c=c&e_a=a&e_v=1e400&dimension1=lead"+cvar("b"))), // refused: no such number in the column
		entry(20, shop("")),
	}, func(t *testing.T, o outcome) {
		if got, want := o.counts(), "1 failed"; !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		wantCells(t, o, "log_visit", "custom_dimension_1", "gold")
		wantCells(t, o, "log_visit", "custom_var_v1", "a")
		wantCells(t, o, "log_visit", "visit_total_events", "0")
	})
}

// Matomo has looked the names of a ping up before it finds that no visit goes on.
func TestPingWithoutVisitLeavesItsNames(t *testing.T) {
	everywhere(t, []journey.Entry{entry(0, "ping=1&url=http://site1.example.org/p&action_name=Pinged"+visitor)},
		func(t *testing.T, o outcome) {
			wantCells(t, o, "log_visit", "idvisit")
			wantCells(t, o, "log_action", "name", "Pinged", "site1.example.org/p")
		})
}

// The first action of a visit refers to no page before, also where a campaign has cut the visit in two.
func TestFirstActionOfAForcedVisitHasNoPageBefore(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, page("/?utm_campaign=one")), entry(10, page("/a")),
		entry(20, page("/?utm_campaign=two")), entry(30, page("/b")),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_visit", "visit_total_actions", "2", "2")
		ids := make(map[string]string) // names by idaction
		for _, row := range o.rows["log_action"] {
			ids[fmt.Sprint(row["idaction"])] = fmt.Sprint(row["name"])
		}
		var got []string
		for _, id := range cells(o.rows["log_link_visit_action"], "idaction_url_ref") {
			got = append(got, ids[id])
		}
		const before = "site1.example.org/"
		if want := []string{"", before, "", before}; !slices.Equal(got, want) {
			t.Errorf("pages before: %q, want %q", got, want)
		}
	})
}

// Only a visit that was direct so far gets the referrer of a later request.
func TestLateReferrerIsThatOfADirectVisit(t *testing.T) {
	other := "&urlref=" + url.QueryEscape("https://other.example.net/x")
	for first, want := range map[string]string{
		"": "other.example.net",
		"&urlref=" + url.QueryEscape("https://first.example.net/y"): "first.example.net",
	} {
		everywhere(t, []journey.Entry{entry(0, page("/")+first), entry(10, page("/a")+other)}, func(t *testing.T, o outcome) {
			wantCells(t, o, "log_visit", "referer_name", want)
		})
	}
}

// The reports of a day that goes on in the site's time zone are made later anyway: the second request is from the
// evening before in UTC, but from the morning of the day in Auckland.
func TestOnlyDaysThatAreOverAreMarked(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, page("/")), entry(1, "idsite=3&url=http://site3.example.net/&cdo=60000"), entry(2, page("/")+past),
	}, func(t *testing.T, o outcome) {
		wantMarks(t, o, "_report_to_invalidate_1_2026-11-22_")
	})
}

// A request for a site that is not there is excluded where its address is: nothing is noted then.
func TestFailureIsNotNotedForABlockedRange(t *testing.T) {
	s := newStageOfSix(t, bench.SQLite)
	for _, batch := range []int{1, 500} {
		c := limited(100, []journey.Entry{
			entryFrom("203.0.113.7", 0, "idsite=98"), entryFrom("198.51.100.7", 1, "idsite=99"),
		})
		c.Options = map[string]string{"TrackingSpamBlockedIpRanges": `{"203.": ["203.0.113.0/24"]}`}
		wantCells(t, s.playCase(t, c, bench.Options{Batch: batch}), "tracking_failure", "idsite", "99")
	}
}
