package lookahead

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Of visits whose last actions are of the same second the index decides, which runs in one direction or the other.
func TestOrderOfVisitsOfTheSameSecond(t *testing.T) {
	visit := func(id, last int64) *Visit { return &Visit{Row: &store.Visit{ID: id, LastActionTime: last}} }
	for _, tt := range []struct {
		about       string
		s, other    *Visit
		lowestFirst bool
		want        bool
	}{
		{"a later action", visit(1, 11), visit(2, 10), false, true},
		{"a later action, lowest id first", visit(2, 11), visit(1, 10), true, true},
		{"an earlier action", visit(2, 10), visit(1, 11), false, false},
		{"highest id first", visit(2, 10), visit(1, 10), false, true},
		{"highest id first, asked the other way", visit(1, 10), visit(2, 10), false, false},
		{"lowest id first", visit(1, 10), visit(2, 10), true, true},
		{"lowest id first, asked the other way", visit(2, 10), visit(1, 10), true, false},
		{"one that has no id yet", visit(0, 10), visit(9, 10), false, true},
		{"one that a batch in front inserts", visit(-1, 10), visit(9, 10), false, true},
	} {
		if got := tt.s.newer(tt.other, tt.lowestFirst); got != tt.want {
			t.Errorf("%s: newer %v, want %v", tt.about, got, tt.want)
		}
	}
}
