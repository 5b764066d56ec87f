package receive

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// newDrain is a writer of which nothing runs.
func newDrain(to Appender, s *Spool) *Writer {
	return &Writer{o: WriterOptions{
		Backend: to, Queues: 1, Spool: s, Timeout: testserver.Patience, Log: discard(),
		Metrics: NewMetrics(prometheus.NewRegistry()),
	}}
}

// seldom is a backend that is away for some of the times at which it is asked for marks.
type seldom struct {
	*memory
	away  []bool // one attempt after the other
	asked []time.Time
	end   func() // called with the last one
}

func (s *seldom) Get(ctx context.Context, key string) (string, bool, error) {
	away := s.away[len(s.asked)]
	if s.asked = append(s.asked, time.Now()); len(s.asked) == len(s.away) {
		s.end()
	}
	if away {
		return "", false, errAway
	}
	return s.memory.Get(ctx, key)
}

// The longer the queue is away the longer are the pauses, up to a bound. Once it has answered they are short again.
func TestPausesGrowWhileTheQueueIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		away := []bool{true, true, true, true, true, true, true, false, true, true, false}
		to := &seldom{memory: newMemory(), away: away, end: end}
		s := openSpool(t, t.TempDir(), 1<<20)
		for _, list := range []string{"a", "b"} { // each asks for its mark
			if err := s.Append(group(s, list, "1")); err != nil {
				t.Fatal(err)
			}
		}
		newDrain(to, s).drain(ctx)
		var got []time.Duration
		for i := range to.asked[1:] {
			got = append(got, to.asked[i+1].Sub(to.asked[i]))
		}
		want := []time.Duration{
			firstPause, 2 * firstPause, 4 * firstPause, 8 * firstPause, 16 * firstPause, maxPause, maxPause, // list a
			0, firstPause, 2 * firstPause, // list b
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// deaf is a backend whose answers to some writes get lost.
type deaf struct {
	*memory
	lost map[int]bool // by the number of the write, from 1 on
	end  func()       // called with the last write that is answered
	last string       // element
}

func (d *deaf) AppendMarked(ctx context.Context, list string, mark queue.Mark, elements ...[]byte) error {
	if err := d.memory.AppendMarked(ctx, list, mark, elements...); err != nil {
		return err
	}
	if d.lost[d.writes] {
		return errAway
	}
	if all := d.list(list); all[len(all)-1] == d.last {
		d.end()
	}
	return nil
}

// A record that others of its list were in front of is appended without a look at the mark, but not a second time when
// the answer to that is lost.
func TestRecordWhoseAnswerIsLostIsLookedForBeforeItIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		to := &deaf{memory: newMemory(), lost: map[int]bool{2: true, 4: true}, end: end, last: "3"}
		s := openSpool(t, t.TempDir(), 1<<20)
		want := []string{"0", "1", "2", "3"}
		for _, element := range want {
			if err := s.Append(group(s, "a", element)); err != nil {
				t.Fatal(err)
			}
		}
		newDrain(to, s).drain(ctx)
		if diff := cmp.Diff(want, to.list("a")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A process that ends leaves to the next one what is in its spool.
func TestSpoolIsNotEmptiedAtTheEnd(t *testing.T) {
	to := newMemory()
	s := openSpool(t, t.TempDir(), 1<<20)
	const records = 3
	for i := range records {
		if err := s.Append(group(s, "a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	newDrain(to, s).drain(ctx)
	if got, want := len(to.list("a")), 1; got != want {
		t.Errorf("%d records are moved, want %d", got, want)
	}
	if got, want := s.waits("a"), records-1; got != want {
		t.Errorf("%d records wait, want %d", got, want)
	}
}

// What the queue tells of a list's last group decides whether the spool's first record is appended.
func TestRecordsAreAppendedUnlessTheMarkHasPassedThem(t *testing.T) {
	for _, tt := range []struct {
		about string
		mark  func(own uint64) string
		want  []string
		set   func(own uint64) string // mark afterwards
	}{
		{"no mark", nil, []string{"x"}, same},
		{"an earlier group", plus(-1), []string{"x"}, same},
		{"this group", same, nil, same},
		{"a later group", plus(1), nil, plus(1)}, // must not go back: the list has it
		{"no number", func(uint64) string { return "not ours" }, []string{"x"}, same},
	} {
		to := newMemory()
		s := openSpool(t, t.TempDir(), 1<<20)
		r := group(s, "a", "x")
		if err := s.Append(r); err != nil {
			t.Fatal(err)
		}
		w := newDrain(to, s)
		key := w.mark("a", 0).Key
		if tt.mark != nil {
			to.marks[key] = tt.mark(r.Sequence)
		}
		if err := w.move(r, make(map[string]bool)); err != nil {
			t.Errorf("%s: %v", tt.about, err)
		}
		if diff := cmp.Diff(tt.want, to.list("a")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.about, diff)
		}
		if got, want := to.marks[key], tt.set(r.Sequence); got != want {
			t.Errorf("%s: mark %s, want %s", tt.about, got, want)
		}
		if got := s.waits("a"); got != 0 {
			t.Errorf("%s: %d records wait, want 0", tt.about, got)
		}
		// Where replicas are waited for, they have to have what is in the list before it leaves the spool.
		if to.writes != 1 {
			t.Errorf("%s: %d writes, want 1", tt.about, to.writes)
		}
	}
}

func same(own uint64) string { return fmt.Sprint(own) }

func plus(n int) func(own uint64) string {
	return func(own uint64) string { return fmt.Sprint(own + uint64(n)) }
}

// Whoever may have been sent before, without an answer, is looked for first.
func TestCertainIsOnlyWhatCameWhileOthersOfItsListWaited(t *testing.T) {
	for _, tt := range []struct {
		about  string
		behind int // records behind the first one
		fails  bool
		want   bool
	}{
		{"alone", 0, false, false},
		{"others wait", 1, false, true},
		{"not taken", 1, true, false},
	} {
		to := newMemory()
		s := openSpool(t, t.TempDir(), 1<<20)
		first := group(s, "a", "x")
		for i := range tt.behind + 1 {
			r := first
			if i > 0 {
				r = group(s, "a", "y")
			}
			if err := s.Append(r); err != nil {
				t.Fatal(err)
			}
		}
		certain := make(map[string]bool)
		to.set(tt.fails, false)
		if err := newDrain(to, s).move(first, certain); (err != nil) != tt.fails {
			t.Errorf("%s: error %v, want one: %v", tt.about, err, tt.fails)
		}
		if certain["a"] != tt.want {
			t.Errorf("%s: certain %v, want %v", tt.about, certain["a"], tt.want)
		}
	}
}
