package tracker

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

func TestRequestsWithRandomConfigIDsLookForNoVisit(t *testing.T) {
	query := func(site int64) store.VisitQuery { return store.VisitQuery{SiteID: site, ByConfig: true} }
	b := &Prepared{requests: []*parsed{
		{query: query(1)},
		{query: query(2), facts: visit.Facts{RandomConfigID: true}},
		{query: query(3), excluded: "rule"},
	}}
	if diff := cmp.Diff([]store.VisitQuery{query(1)}, b.lookUps().Queries); diff != "" {
		t.Error(diff)
	}
	s := &step{p: b.requests[1]}
	if err := new(applier).recognise(t.Context(), s); err != nil || !s.isNew || s.last != nil {
		t.Errorf("new %v, last %v, %v", s.isNew, s.last, err)
	}
}

// TestDoNotTrackOfUnknownSites: where sites have settings of their own, Matomo asks that of the site that it was asked
// for before.
func TestDoNotTrackOfUnknownSites(t *testing.T) {
	on, off := &matomo.Site{ID: 1, Privacy: matomo.Privacy{DoNotTrack: true}}, &matomo.Site{ID: 2}
	read := func(site *matomo.Site, dnt string, perSite bool) *request.Request {
		server := &php.Array{}
		server.Set("HTTP_DNT", php.String(dnt))
		r := request.New(&php.Array{}, &request.Origin{Env: request.Env{Server: server, Cookie: &php.Array{}}})
		r.Bind(&request.Context{
			Site: site, General: &matomo.General{}, Settings: &matomo.TrackerSettings{CharsetUTF8MB4: true},
			Behaviours: matomo.Behaviours{PrivacyPerSite: perSite},
		})
		return r
	}
	for _, tt := range []struct {
		before   *matomo.Site // asked in the batch in front
		asked    *matomo.Site // by the request in front; nil for none
		all      bool         // the setting of all sites
		dnt      string
		perSite  bool
		recorded bool
	}{
		{nil, nil, true, "1", true, false},
		{nil, nil, false, "1", true, true},
		{nil, off, true, "1", true, true},
		{nil, on, false, "1", true, false},
		{nil, on, false, "0", true, true},
		{on, nil, false, "1", true, false},
		{on, off, false, "1", true, true},
		// Before 5.5 the exclusions have asked already.
		{nil, nil, true, "1", false, true},
	} {
		front := &parsed{req: read(tt.asked, "", tt.perSite), asked: tt.asked != nil}
		unknown := &parsed{req: read(nil, tt.dnt, tt.perSite), failure: &store.Failure{}}
		general := &matomo.General{Privacy: matomo.Privacy{DoNotTrack: tt.all}}
		tracker := &Tracker{asked: tt.before}
		last := tracker.doNotTrack(&Prepared{requests: []*parsed{front, unknown}, general: general})
		want := tt.asked
		if want == nil {
			want = tt.before
		}
		if got := unknown.failure != nil; got != tt.recorded || last != want {
			t.Errorf("%+v: recorded %v, last site %v", tt, got, last)
		}
	}
}
