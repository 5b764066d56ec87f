package lookahead

import (
	"slices"
	"strconv"
	"testing"
)

func numbers(list []*Written[string]) (n []int64) {
	for _, w := range list {
		n = append(n, w.number)
	}
	return n
}

// add notes a batch without visits; its note is its number.
func add(f *InFlight[string], number int64) *Written[string] {
	return f.Add(number, newVisits(false), strconv.FormatInt(number, 10))
}

func TestListTellsWhatABatchCouldNotSee(t *testing.T) {
	var f InFlight[string]
	if _, ok := f.since(0, 1); ok || f.visible() != 0 {
		t.Error("an empty list knows a batch")
	}
	var list []*Written[string]
	for n := range int64(4) {
		list = append(list, add(&f, n+1))
	}
	f.Commit(list[0])
	f.Commit(list[1])
	if f.visible() != 2 {
		t.Errorf("%d is visible", f.visible())
	}
	if passed, ok := f.since(2, 4); !ok || len(passed) != 2 || passed[0] != list[2] {
		t.Errorf("%v, %v", numbers(passed), ok)
	}
	if _, ok := f.since(2, 5); ok {
		t.Error("the batch in front was not written")
	}
	f.RollBack(list[2])
	if _, ok := f.since(2, 4); ok {
		t.Error("what was built on a batch that was rolled back is still there")
	}
	if passed, ok := f.since(1, 2); !ok || len(passed) != 1 {
		t.Errorf("%v, %v", numbers(passed), ok)
	}
}

// Batches are committed some time after they were played, and each one was read when an earlier one was visible.
func TestListIsAsLongAsWhatIsOnItsWay(t *testing.T) {
	var f InFlight[string]
	var all []*Written[string]
	const behind = 3 // batches that are committed late
	seen := []int64{0}
	for n := range int64(100) {
		if passed, ok := f.since(seen[n], n); n > 0 && (!ok || int64(len(passed)) != n-seen[n]) {
			t.Fatalf("batch %d, read after %d: %v, %v", n+1, seen[n], numbers(passed), ok)
		}
		f.forget(seen[n])
		if len(f.list) > behind+2 {
			t.Fatalf("batch %d: the list has %v", n+1, numbers(f.list))
		}
		all = append(all, add(&f, n+1))
		if n >= behind {
			f.Commit(all[n-behind])
		}
		seen = append(seen, f.visible())
	}
	if _, ok := f.since(f.dropped-1, 100); ok {
		t.Error("a batch that was dropped is not missed")
	}
	f.end()
	if _, ok := f.since(100, 100); ok || f.visible() != 100 {
		t.Errorf("a list that has ended goes on after %d", f.visible())
	}
}

// The answer to COMMIT was lost: a batch is rolled back here, but is in the database. Who has read before does not
// know its rows, whether the next batch reads for itself or was played on it already.
func TestListMissesABatchThatWasCommittedUnawares(t *testing.T) {
	for about, readsItself := range map[string]bool{"next batch reads for itself": true, "next batch was played": false} {
		var f InFlight[string]
		f.Commit(add(&f, 1))
		before := f.visible()
		f.RollBack(add(&f, 2))
		if readsItself {
			f.end()
		}
		third := add(&f, 3)
		if passed, ok := f.since(before, 3); ok {
			t.Errorf("%s: batch 4, read after %d, goes on with %v", about, before, numbers(passed))
		}
		f.Commit(third)
		add(&f, 4)
		if passed, ok := f.since(f.visible(), 4); !ok || len(passed) != 1 {
			t.Errorf("%s: batch 5, read after %d: %v, %v", about, f.visible(), numbers(passed), ok)
		}
	}
}

// What a batch that may yet be rolled back has noted counts for the batches behind it. The newest note stays when the
// list ends, unless its batch was rolled back.
func TestNotesOfBatchesOnTheirWay(t *testing.T) {
	var f InFlight[string]
	check := func(about, newest string, uncommitted ...string) {
		t.Helper()
		if got := f.Newest(); got != newest {
			t.Errorf("%s: newest %q, want %q", about, got, newest)
		}
		if got := slices.Collect(f.Uncommitted()); !slices.Equal(got, uncommitted) {
			t.Errorf("%s: uncommitted %q, want %q", about, got, uncommitted)
		}
	}
	check("no batch", "")
	first, second := add(&f, 1), add(&f, 2)
	check("two on their way", "2", "1", "2")
	f.Commit(first)
	check("one committed", "2", "2")
	f.RollBack(second)
	check("one rolled back", "1")
	f.end()
	check("all forgotten", "1")
}
