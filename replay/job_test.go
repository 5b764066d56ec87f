package replay

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// What an attempt without an answer to its COMMIT has found out holds if the whole batch was committed, perhaps
// together with those behind it.
func TestResultOfACommittedBatch(t *testing.T) {
	ours := &tracker.Result{Tracked: 2}
	for _, test := range []struct {
		about       string
		unconfirmed *tracker.Result
		before      int64
		want        int // tracked
	}{
		{"somebody else's", nil, 2, 0},
		{"ours, gone with its commit", ours, 0, 2},
		{"ours", ours, 2, 2},
		{"ours and the one behind it", ours, 4, 2},
		{"a part of it, which is somebody else's", ours, 1, 0},
	} {
		j := &job{unconfirmed: test.unconfirmed, committedBefore: test.before, head: queue.Batch{Elements: elements(0, 2)}}
		got, byUs := j.committedResult().Tracked, test.want > 0
		if got != test.want || j.committedByUs != byUs {
			t.Errorf("%s: %d tracked, by us %v; want %d, %v", test.about, got, j.committedByUs, test.want, byUs)
		}
	}
}

// A batch that has left the queue with its commit is known by the checkpoint alone.
func TestCommittedAttemptIsKnownByItsCheckpoint(t *testing.T) {
	stored := read(20, 10).after(queue.Batch{Elements: elements(20, 30), Offset: 20}, nil)
	ours := parseCheckpoint(stored)
	before, others, older := read(20, 10), ours, ours
	others.last, older.past = before.last, before.past
	joint, sent := struct{ queue.Transactional }{}, new(tracker.Result)
	for _, test := range []struct {
		about         string
		transactional queue.Transactional
		unconfirmed   *tracker.Result
		found         checkpoint
		want          bool
	}{
		{"ours", joint, sent, ours, true},
		{"the one before", joint, sent, before, false},
		{"another last batch", joint, sent, others, false},
		{"another past", joint, sent, older, false},
		{"no COMMIT was sent", joint, nil, ours, false},
		{"the queue is elsewhere", nil, sent, ours, false},
	} {
		j := &job{run: &run{transactional: test.transactional}, unconfirmed: test.unconfirmed, checkpoint: stored}
		if got := j.attemptCommitted(test.found); got != test.want {
			t.Errorf("%s: committed %v, want %v", test.about, got, test.want)
		}
	}
}

func TestErrorsOfDeadLettersAreShortened(t *testing.T) {
	for in, want := range map[string]string{
		"short":                        "short",
		strings.Repeat("x", 2000):      strings.Repeat("x", 1000),
		"x" + strings.Repeat("ä", 600): "x" + strings.Repeat("ä", 499), // not in the midst of a character
	} {
		if got := shorten(in); got != want {
			t.Errorf("%.10s…: %d bytes, want %d", in, len(got), len(want))
		}
	}
}
