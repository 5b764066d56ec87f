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
	if !tracker.markedInFlight(key) || tracker.markedInFlight(markKey{2, "2026-11-20"}) {
		t.Error("marks of a batch on its way do not count")
	}
	if tracker.inFlight.Commit(written); tracker.markedInFlight(key) {
		t.Error("a committed batch still answers")
	}
}
