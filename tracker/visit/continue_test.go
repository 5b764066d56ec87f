package visit

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
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
