package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// elements are entries number from … to-1 of an imagined list.
func elements(from, to int) (list [][]byte) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Appendf(nil, "entry %d", i))
	}
	return list
}

// read is the checkpoint after the entries up to to were committed in batches of size.
func read(to, size int) checkpoint {
	var cp checkpoint
	for from := 0; from < to; from += size {
		stored := cp.after(queue.Batch{Elements: elements(from, min(from+size, to)), Offset: int64(from)}, nil)
		cp = checkpoint{parseRecord(stored.Digest), stored.Offset}
	}
	return cp
}

func TestCheckpointRecognisesCommittedEntries(t *testing.T) {
	for _, test := range []struct {
		name     string
		cp       checkpoint
		found    [][]byte // from where the oldest known entry is expected
		expected int      // entries up to the checkpoint
		want     int64
	}{
		{"the last batch", read(100, 10), elements(90, 120), 10, 10},
		{"several batches", read(100, 10), elements(60, 120), 40, 40},
		{"the end was lost, nothing came", read(100, 10), elements(60, 87), 40, 27},
		{"the end was lost, others came", read(100, 10), append(elements(60, 87), elements(500, 520)...), 40, 27},
		{
			"the last batch behind entries that have changed", read(100, 10), append(elements(500, 530), elements(90, 100)...),
			40, 40,
		},
		{"entries of others", read(100, 10), elements(500, 540), 40, 0},
		{"nothing is left", read(100, 10), nil, 40, 0},
		{"no checkpoint", checkpoint{}, elements(0, 10), 10, 0},
	} {
		found := test.found[:min(len(test.found), test.expected)]
		if got := test.cp.same(found, int64(test.expected)); got != test.want {
			t.Errorf("%s: %d entries, want %d", test.name, got, test.want)
		}
	}
}

func TestCheckpointKeepsWhatBordersOnTheBatch(t *testing.T) {
	cp := read(100, 10)
	for _, test := range []struct {
		position int64
		want     int
	}{{100, 100}, {87, 87}, {0, 0}, {101, 0}, {-1, 0}} {
		past := cp.before(test.position)
		if len(past) != test.want*entryDigits || !strings.HasPrefix(cp.past, past) {
			t.Errorf("before %d: %d entries, want %d", test.position, len(past)/entryDigits, test.want)
		}
	}
}

func TestCheckpointIsBounded(t *testing.T) {
	if cp := read(5000, 10); cp.entries() != minPast || cp.offset != 5000 || cp.count() != 10 {
		t.Errorf("%d entries, offset %d, last batch %d", cp.entries(), cp.offset, cp.count())
	}
	if cp := read(5000, 500); cp.entries() != 500*pastBatches {
		t.Errorf("%d entries for large batches", cp.entries())
	}
}

func TestRecordIsReadAsItWasWritten(t *testing.T) {
	dead := []deadLetter{{
		Offset: 7, Request: letters.WholeEntry, Reason: letters.Bug, Error: "ümlaut 😀 'quoted'\n",
		Time: "2026-11-20T12:00:00Z",
	}}
	all, each := digest(elements(0, 3))
	text := record{all, each, dead}.String()
	for _, c := range text {
		if c > '~' || c < ' ' {
			t.Fatalf("%q is not ASCII", text)
		}
	}
	got := parseRecord(text)
	if got.last != all || got.past != each || len(got.deadLetters) != 1 || got.deadLetters[0] != dead[0] {
		t.Errorf("%+v", got)
	}
	for _, damaged := range []string{"", "x", "25-abc", "25-abc qqq", "-1-abc 123456 %%%", "1- 1234567 bm90ZXM"} {
		if r := parseRecord(damaged); r.count() < 0 || len(r.past)%entryDigits != 0 || len(r.deadLetters) > 0 {
			t.Errorf("%q: %+v", damaged, r)
		}
	}
}
