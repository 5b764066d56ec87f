package tracker

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
)

// A day that was marked by a batch that may yet be rolled back counts for the batches behind it; afterwards the marks
// know.
func TestMarksOfBatchesOnTheirWay(t *testing.T) {
	var tracker Tracker
	key := markKey{1, "2026-11-20"}
	written := tracker.inFlight.Add(1, new(lookahead.Visits), note{marked: map[markKey]bool{key: true}})
	other := markKey{2, "2026-11-20"}
	if got, gotOther := tracker.markedInFlight(key), tracker.markedInFlight(other); !got || gotOther {
		t.Errorf("on the way: %v marked %v, %v marked %v; want true, false", key, got, other, gotOther)
	}
	tracker.inFlight.Commit(written)
	if got := tracker.markedInFlight(key); got {
		t.Errorf("committed: %v marked %v, want false", key, got)
	}
}

// What was read counts for as long as Matomo's general cache, and no longer than until it is read again: Matomo's
// archiver takes marks away.
func TestMarksAreReadNowAndThen(t *testing.T) {
	const read = 10_000
	day := func(site int64) markKey { return markKey{site, "2026-11-20"} }
	m := new(marks)
	m.add([]markKey{day(4)})
	if _, known := m.marked(read, day(4)); known {
		t.Error("nothing was read: known true, want false")
	}
	m.load(read-marksTTL, []string{day(2).optionName(7), day(3).optionName(7)})
	m.load(read, []string{day(1).optionName(7), day(3).optionName(7), "Abcd_report_to_invalidate_5", "version_core"})
	m.add([]markKey{day(4)})
	for _, tt := range []struct {
		about         string
		now, site     int64
		marked, known bool
	}{
		{"read", read, 1, true, true},
		{"taken away since", read, 2, false, true},
		{"still there", read, 3, true, true},
		{"committed since", read, 4, true, true},
		{"no mark", read, 5, false, true},
		{"the last second", read + marksTTL - 1, 1, true, true},
		{"read too long ago", read + marksTTL, 1, true, false},
	} {
		if marked, known := m.marked(tt.now, day(tt.site)); marked != tt.marked || known != tt.known {
			t.Errorf("%s: marked %v, known %v; want %v, %v", tt.about, marked, known, tt.marked, tt.known)
		}
	}
}
