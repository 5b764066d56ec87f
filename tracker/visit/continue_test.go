package visit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// TestUnknownResolution has what 5.0 and later versions make of a visit's unknown resolution when a later request
// knows it.
func TestUnknownResolution(t *testing.T) {
	for _, tt := range []struct {
		follows      bool
		stored, want string
	}{
		{false, "unknown", "unknown"},
		{true, "unknown", "1920x1080"},
		{true, "800x600", "800x600"},
	} {
		f := &Facts{
			Site: &matomo.Site{ID: 1, Tracker: &matomo.TrackerSettings{}}, Resolution: "1920x1080", ResolutionFollows: tt.follows,
		}
		v := &store.Visit{Resolution: store.Text(tt.stored)}
		Continue(f, v, Continuation{})
		if v.Resolution.V != tt.want {
			t.Errorf("%s, follows %v: %q, want %q", tt.stored, tt.follows, v.Resolution.V, tt.want)
		}
	}
}

// spec §5.3: an order on a visit that goes on is the visitor's last one.
func TestOrderOfAContinuedVisit(t *testing.T) {
	for _, tt := range []struct {
		order        bool
		before, want store.NullInt
	}{
		{false, store.NullInt{}, store.NullInt{}},
		{false, store.Int(500), store.Int(500)},
		{true, store.NullInt{}, store.Int(0)},
		{true, store.Int(500), store.Int(0)},
	} {
		f := &Facts{Site: &matomo.Site{Tracker: &matomo.TrackerSettings{}}, HasOrder: tt.order}
		v := &store.Visit{SecondsSinceOrder: tt.before}
		Continue(f, v, Continuation{})
		if v.SecondsSinceOrder != tt.want {
			t.Errorf("order %v, before %v: %v seconds since the order, want %v", tt.order, tt.before, v.SecondsSinceOrder,
				tt.want)
		}
	}
}

// spec §5.4: the entry page of a visit that began without one is the first page that has an id.
func TestEntryAndExitPageOfAContinuedVisit(t *testing.T) {
	type pages struct{ Entry, Exit store.ActionID }
	null, first, second := store.ActionID{}, store.ActionID{Valid: true, ID: 1}, store.ActionID{Valid: true, ID: 2}
	page := func(id store.ActionID) Action {
		return Action{
			Action: &action.Action{Type: action.TypePageURL}, URL: action.IDResult{ID: id}, Name: action.IDResult{False: true},
		}
	}
	event := Action{
		Action: &action.Action{Type: action.TypeEvent}, URL: action.IDResult{False: true}, Name: action.IDResult{False: true},
	}
	for _, tt := range []struct {
		about        string
		before, want pages
		action       Action
	}{
		{"a page in a visit without pages", pages{null, null}, pages{second, second}, page(second)},
		{"a page without URL as the first one", pages{null, null}, pages{null, store.NoAction}, page(store.NoAction)},
		{"a page in a visit with pages", pages{first, first}, pages{first, second}, page(second)},
		{"a page in a visit that began without URL", pages{store.NoAction, first}, pages{store.NoAction, second}, page(second)},
		{"an event", pages{null, first}, pages{null, first}, event},
	} {
		f := &Facts{Site: &matomo.Site{Tracker: &matomo.TrackerSettings{}}}
		v := &store.Visit{EntryURL: tt.before.Entry, ExitURL: tt.before.Exit}
		Continue(f, v, Continuation{Action: tt.action})
		if diff := cmp.Diff(tt.want, pages{v.EntryURL, v.ExitURL}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.about, diff)
		}
	}
}
