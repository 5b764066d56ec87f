package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestBackends(t *testing.T) {
	tests := []struct {
		behaviour string
		check     func(*testing.T, context.Context, subject)
	}{
		{"absent lists and keys are empty", absentIsEmpty},
		{"elements keep bytes and order", elementsKeepBytesAndOrder},
		{"lengths of many lists", lengthsOfManyLists},
		{"head and remove move the offset", headAndRemoveMoveTheOffset},
		{"parts of a batch are removed one by one", partsAreRemovedOneByOne},
		{"the next batch is there before and after the removal", nextIsThereBeforeAndAfterRemoval},
		{"a batch is removed once", batchIsRemovedOnce},
		{"a batch that another client trimmed is not removed", trimmedBatchIsNotRemoved},
		{"append with a mark", appendWithMark},
		{"take and move", takeAndMove},
		{"a key is set once until it runs out", keyIsSetOnceUntilItRunsOut},
		{"a key is extended and deleted only by its value", keyIsExtendedAndDeletedByItsValue},
		{"one of many gets the key", oneOfManyGetsTheKey},
		{"tallies add up", talliesAddUp},
		{"tallies of several workers add up", talliesOfSeveralWorkersAddUp},
		{"concurrent writers lose nothing", concurrentWritersLoseNothing},
		{"cancelled calls end", cancelledCallsEnd},
		{"recorded entries keep their bytes", recordedEntriesKeepTheirBytes},
		{"info", infoIsTold},
	}
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			open := s.start(t)
			for _, tt := range tests {
				t.Run(tt.behaviour, func(t *testing.T) { tt.check(t, t.Context(), open(t)) })
			}
		})
	}
}

// ignoreRows compares batches of all backends alike.
var ignoreRows = cmpopts.IgnoreUnexported(Batch{})

const (
	testList = "trackingQueueV1_3"
	testKey  = "QueuedTrackingLock3"
)

func absentIsEmpty(t *testing.T, ctx context.Context, b subject) {
	if n, err := b.Len(ctx, testList); n != 0 || err != nil {
		t.Errorf("Len: %d, %v", n, err)
	}
	if e, err := b.Range(ctx, testList, 0, 5); len(e) != 0 || err != nil {
		t.Errorf("Range: %q, %v", e, err)
	}
	if h, err := b.Head(ctx, testList, 5); len(h.Elements) != 0 || h.Len != 0 || h.Offset != 0 || err != nil {
		t.Errorf("Head: %+v, %v", h, err)
	}
	if n, err := b.Offset(ctx, testList); n != 0 || err != nil {
		t.Errorf("Offset: %d, %v", n, err)
	}
	if ok, err := b.Take(ctx, testList, []byte("x")); ok || err != nil {
		t.Errorf("Take: %v, %v", ok, err)
	}
	if v, ok, err := b.Get(ctx, testKey); ok || v != "" || err != nil {
		t.Errorf("Get: %q, %v, %v", v, ok, err)
	}
	if ok, err := b.Delete(ctx, testKey); ok || err != nil {
		t.Errorf("Delete: %v, %v", ok, err)
	}
	if d, err := b.TTLs(ctx, testKey); !cmp.Equal(d, []time.Duration{0}) || err != nil {
		t.Errorf("TTLs: %v, %v", d, err)
	}
	if err := b.Append(ctx, testList); err != nil {
		t.Errorf("Append nothing: %v", err)
	}
}

func elementsKeepBytesAndOrder(t *testing.T, ctx context.Context, b subject) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	elements := [][]byte{[]byte("one"), all, {}, bytes.Repeat([]byte("long"), 100_000)}
	must(t, b.Append(ctx, testList, elements[:1]...))
	must(t, b.Append(ctx, testList, elements[1:]...))
	expectList(t, b, testList, elements...)
	got, err := b.Range(ctx, testList, 1, 2)
	if diff := cmp.Diff(elements[1:3], got); err != nil || diff != "" {
		t.Errorf("Range from 1: %v\n%s", err, diff)
	}
	for _, n := range []int{0, -1} {
		if got, err := b.Range(ctx, testList, 0, n); len(got) != 0 || err != nil {
			t.Errorf("Range of %d: %q, %v", n, got, err)
		}
		if got, err := b.Head(ctx, testList, n); len(got.Elements) != 0 || got.Len != 4 || err != nil {
			t.Errorf("Head of %d: %d elements of %d, %v", n, len(got.Elements), got.Len, err)
		}
	}
}

func lengthsOfManyLists(t *testing.T, ctx context.Context, b subject) {
	want := make([]int64, MaxQueues)
	for _, id := range []int{0, 7, 1024, MaxQueues - 1} {
		want[id] = int64(id%3 + 1)
		must(t, b.Append(ctx, Key(id), numbered(0, id%3+1)...))
	}
	got, err := b.Lens(ctx, Keys(0, MaxQueues)...)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := b.Lens(ctx); len(got) != 0 || err != nil {
		t.Errorf("no lists: %v, %v", got, err)
	}
}

func headAndRemoveMoveTheOffset(t *testing.T, ctx context.Context, b subject) {
	must(t, b.Append(ctx, testList, numbered(0, 5)...))
	head, err := b.Head(ctx, testList, 3)
	if diff := cmp.Diff(Batch{Elements: numbered(0, 3), Offset: 0, Len: 5}, head, ignoreRows); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	expect(t, true)(b.RemoveFirst(ctx, testList, head.First(2)))
	head, err = b.Head(ctx, testList, 10)
	if diff := cmp.Diff(Batch{Elements: numbered(2, 5), Offset: 2, Len: 3}, head, ignoreRows); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	expect(t, true)(b.RemoveFirst(ctx, testList, head))
	expect(t, true)(b.RemoveFirst(ctx, testList, Batch{}))
	if n, err := b.Offset(ctx, testList); n != 5 || err != nil {
		t.Errorf("offset %d, %v", n, err)
	}
	expectList(t, b, testList)
	if n, err := b.Offset(ctx, Key(0)); n != 0 || err != nil {
		t.Errorf("offset of another list %d, %v", n, err)
	}
}

func partsAreRemovedOneByOne(t *testing.T, ctx context.Context, b subject) {
	must(t, b.Append(ctx, testList, numbered(0, 7)...))
	head, err := b.Head(ctx, testList, 1)
	must(t, err)
	next, err := b.Next(ctx, testList, head, 5)
	must(t, err)
	parts := next.Parts(2)
	want := []Batch{
		{Elements: numbered(1, 3), Offset: 1, Len: 6},
		{Elements: numbered(3, 5), Offset: 3, Len: 4},
		{Elements: numbered(5, 6), Offset: 5, Len: 2},
	}
	if diff := cmp.Diff(want, parts, ignoreRows); diff != "" {
		t.Fatal(diff)
	}
	if whole := next.Parts(5); len(whole) != 1 || len(whole[0].Elements) != 5 {
		t.Errorf("%d parts", len(whole))
	}
	expect(t, false)(b.RemoveFirst(ctx, testList, parts[0]))
	for _, part := range append([]Batch{head}, parts...) {
		expect(t, true)(b.RemoveFirst(ctx, testList, part))
	}
	expect(t, false)(b.RemoveFirst(ctx, testList, parts[2]))
	expectList(t, b, testList, numbered(6, 7)...)
}

func nextIsThereBeforeAndAfterRemoval(t *testing.T, ctx context.Context, b subject) {
	must(t, b.Append(ctx, testList, numbered(0, 5)...))
	head, err := b.Head(ctx, testList, 2)
	must(t, err)
	want := Batch{Elements: numbered(2, 4), Offset: 2, Len: 3}
	for _, when := range []string{"before", "after"} {
		next, err := b.Next(ctx, testList, head, 2)
		if diff := cmp.Diff(want, next, ignoreRows); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", when, err, diff)
		}
		if when == "before" {
			expect(t, true)(b.RemoveFirst(ctx, testList, head))
		}
	}
}

func batchIsRemovedOnce(t *testing.T, ctx context.Context, b subject) {
	same := [][]byte{[]byte("same"), []byte("same"), []byte("same")}
	must(t, b.Append(ctx, testList, same...))
	head, err := b.Head(ctx, testList, 1)
	must(t, err)
	expect(t, true)(b.RemoveFirst(ctx, testList, head))
	expect(t, false)(b.RemoveFirst(ctx, testList, head))
	expectList(t, b, testList, same[1:]...)
}

func trimmedBatchIsNotRemoved(t *testing.T, ctx context.Context, b subject) {
	must(t, b.Append(ctx, testList, numbered(0, 4)...))
	head, err := b.Head(ctx, testList, 2)
	must(t, err)
	for _, e := range head.Elements { // PHP trims without counting
		expect(t, true)(b.Take(ctx, testList, e))
	}
	expect(t, false)(b.RemoveFirst(ctx, testList, head))
	expectList(t, b, testList, numbered(2, 4)...)
	if n, err := b.Offset(ctx, testList); n != 0 || err != nil {
		t.Errorf("offset %d, %v", n, err)
	}
}

func appendWithMark(t *testing.T, ctx context.Context, b subject) {
	mark := Mark{Key: movedKey(testList, 9), Value: "first", TTL: time.Hour}
	must(t, b.AppendMarked(ctx, testList, mark, numbered(0, 2)...))
	mark.Value = "second"
	must(t, b.AppendMarked(ctx, testList, mark))
	const many = 8500 // more than a script passes on at once
	must(t, b.AppendMarked(ctx, testList, mark, numbered(2, many)...))
	expectList(t, b, testList, numbered(0, many)...)
	if v, ok, err := b.Get(ctx, mark.Key); v != "second" || !ok || err != nil {
		t.Errorf("mark %q, %v, %v", v, ok, err)
	}
	if d, err := b.TTLs(ctx, mark.Key); err != nil || d[0] <= 59*time.Minute || d[0] > time.Hour {
		t.Errorf("TTL %v, %v", d, err)
	}
}

func takeAndMove(t *testing.T, ctx context.Context, b subject) {
	failed := FailedKey(testList)
	must(t, b.Append(ctx, failed, []byte("a"), []byte("b"), []byte("a"), []byte("c"), []byte("c")))
	expect(t, true)(b.Take(ctx, failed, []byte("a")))
	expect(t, true)(b.Move(ctx, failed, testList, []byte("c"), []byte("c first")))
	expectList(t, b, failed, []byte("b"), []byte("a"), []byte("c"))
	expect(t, true)(b.Move(ctx, failed, testList, []byte("c"), []byte("c again")))
	expect(t, false)(b.Move(ctx, failed, testList, []byte("c"), []byte("c again")))
	expectList(t, b, failed, []byte("b"), []byte("a"))
	expectList(t, b, testList, []byte("c first"), []byte("c again"))
}

func keyIsSetOnceUntilItRunsOut(t *testing.T, ctx context.Context, b subject) {
	expect(t, true)(b.SetIfNotExists(ctx, testKey, "mine", time.Minute))
	expect(t, false)(b.SetIfNotExists(ctx, testKey, "theirs", time.Hour))
	if d, err := b.TTLs(ctx, testKey, "QueuedTrackingLock4"); err != nil || d[0] <= 10*time.Second ||
		d[0] > time.Minute || d[1] != 0 {
		t.Errorf("TTLs %v, %v", d, err)
	}
	if v, ok, err := b.Get(ctx, testKey); v != "mine" || !ok || err != nil {
		t.Errorf("value %q, %v, %v", v, ok, err)
	}
	expect(t, true)(b.ExpireIfValue(ctx, testKey, "mine", time.Second))
	for deadline := time.Now().Add(testserver.Patience); ; b.pass(100 * time.Millisecond) {
		_, ok, err := b.Get(ctx, testKey)
		must(t, err)
		if !ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("key stays")
		}
	}
	expect(t, false)(b.ExpireIfValue(ctx, testKey, "mine", time.Minute))
	expect(t, false)(b.DeleteIfValue(ctx, testKey, "mine"))
	expect(t, true)(b.SetIfNotExists(ctx, testKey, "theirs", time.Hour))
	expect(t, true)(b.Delete(ctx, testKey))
	expect(t, true)(b.SetIfNotExists(ctx, testKey, "mine", time.Hour))
}

func keyIsExtendedAndDeletedByItsValue(t *testing.T, ctx context.Context, b subject) {
	expect(t, true)(b.SetIfNotExists(ctx, testKey, "mine", time.Minute))
	expect(t, false)(b.ExpireIfValue(ctx, testKey, "theirs", time.Hour))
	expect(t, false)(b.DeleteIfValue(ctx, testKey, "theirs"))
	expect(t, true)(b.ExpireIfValue(ctx, testKey, "mine", time.Hour))
	if d, err := b.TTLs(ctx, testKey); err != nil || d[0] <= 59*time.Minute || d[0] > time.Hour {
		t.Errorf("TTL %v, %v", d, err)
	}
	expect(t, true)(b.DeleteIfValue(ctx, testKey, "mine"))
	expect(t, false)(b.DeleteIfValue(ctx, testKey, "mine"))
}

func oneOfManyGetsTheKey(t *testing.T, ctx context.Context, b subject) {
	var wg sync.WaitGroup
	got := make(chan int, 20)
	for i := range 20 {
		wg.Go(func() {
			ok, err := b.SetIfNotExists(ctx, testKey, fmt.Sprint(i), time.Minute)
			if err != nil {
				t.Error(err)
			}
			if ok {
				got <- i
			}
		})
	}
	wg.Wait()
	if len(got) != 1 {
		t.Errorf("%d got the key", len(got))
	}
}

func talliesAddUp(t *testing.T, ctx context.Context, b subject) {
	first, second := DayKey("2026-11-30"), DayKey("2026-12-01")
	add := func(key string, tally Tally) {
		t.Helper()
		must(t, b.AddTally(ctx, key, TotalKey, 2*time.Second, tally))
	}
	want := func(key string, want map[string]string) {
		t.Helper()
		got, err := b.Tally(ctx, key)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", key, err, diff)
		}
	}
	want(first, nil)
	long := strings.Repeat("n", MaxTallyName)
	add(first, Tally{
		Numbers: map[string]int64{"0:tracked": 5, long: 1, long[:99] + "m": 2},
		Texts:   map[string]string{"0:error": "x = 'ä'; y"},
	})
	add(first, Tally{Numbers: map[string]int64{"0:tracked": 1 << 40, long: 10, "0:requests": -1}})
	want(first, map[string]string{
		"0:tracked": "1099511627781", "0:requests": "-1", long: "11", long[:99] + "m": "2", "0:error": "x = 'ä'; y",
	})
	add(second, Tally{Numbers: map[string]int64{"0:tracked": 1}, Texts: map[string]string{"0:error": ""}})
	want(second, map[string]string{"0:tracked": "1", "0:error": ""})
	add(second, Tally{})
	total := map[string]string{
		"0:tracked": "1099511627782", "0:requests": "-1", long: "11", long[:99] + "m": "2",
		"0:error": "",
	}
	want(TotalKey, total)
	b.pass(3100 * time.Millisecond)
	want(first, nil)
	want(TotalKey, total)
	add(first, Tally{Numbers: map[string]int64{"0:tracked": 2}}) // an old one does not come back
	want(first, map[string]string{"0:tracked": "2"})
}

func talliesOfSeveralWorkersAddUp(t *testing.T, ctx context.Context, b subject) {
	const workers, times = 4, 10
	tally := Tally{
		Numbers: map[string]int64{"0:tracked": 1, "1:tracked": 2, "1:rejected:unknown site": 3},
		Texts:   map[string]string{"0:host": "h"},
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for done := 0; done < times; {
				err := b.AddTally(ctx, DayKey("2026-11-30"), TotalKey, time.Hour, tally)
				if err == nil {
					done++
				} else if !errors.Is(err, ErrUnavailable) { // a deadlock, which leaves nothing behind
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for _, key := range []string{DayKey("2026-11-30"), TotalKey} {
		got, err := b.Tally(ctx, key)
		want := map[string]string{"0:tracked": "40", "1:tracked": "80", "1:rejected:unknown site": "120", "0:host": "h"}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", key, err, diff)
		}
	}
}

func concurrentWritersLoseNothing(t *testing.T, ctx context.Context, b subject) {
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := b.Append(ctx, testList, fmt.Appendf(nil, "%d-%d", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]int{}
	for len(seen) < writers*each {
		head, err := b.Head(ctx, testList, 7)
		must(t, err)
		for _, e := range head.Elements {
			seen[string(e)]++
		}
		expect(t, true)(b.RemoveFirst(ctx, testList, head))
	}
	wg.Wait()
	if n, err := b.Offset(ctx, testList); n != writers*each || err != nil {
		t.Errorf("offset %d, %v", n, err)
	}
}

func cancelledCallsEnd(t *testing.T, _ context.Context, b subject) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Len(ctx, testList); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Errorf("Len: %v", err)
	}
	if _, err := b.Head(ctx, testList, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Head: %v", err)
	}
	if _, err := b.Lens(ctx, testList); !errors.Is(err, context.Canceled) {
		t.Errorf("Lens: %v", err)
	}
	if _, err := b.TTLs(ctx, testList); !errors.Is(err, context.Canceled) {
		t.Errorf("TTLs: %v", err)
	}
}

func recordedEntriesKeepTheirBytes(t *testing.T, ctx context.Context, b subject) {
	var elements [][]byte
	for _, name := range []string{"page-view.zlib", "bulk-objects.zlib", "bulk-utf8.zlib", "not-utf8.zlib"} {
		elements = append(elements, readFile(t, filepath.Join("testdata", name)))
	}
	must(t, b.Append(ctx, testList, elements...))
	expectList(t, b, testList, elements...)
	head, err := b.Head(ctx, testList, len(elements))
	if diff := cmp.Diff(elements, head.Elements); err != nil || diff != "" {
		t.Errorf("%v (-recorded +read):\n%s", err, diff)
	}
}

func infoIsTold(t *testing.T, ctx context.Context, b subject) {
	info, err := b.Info(ctx)
	if err != nil || info.Server == "" {
		t.Errorf("%+v, %v", info, err)
	}
}

func numbered(from, to int) [][]byte {
	var elements [][]byte
	for i := from; i < to; i++ {
		elements = append(elements, fmt.Appendf(nil, "element %d", i))
	}
	return elements
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, want bool) func(bool, error) {
	return func(got bool, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	}
}

func expectList(t *testing.T, b Backend, list string, want ...[]byte) {
	t.Helper()
	got, err := b.Range(t.Context(), list, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("%s (-want +got):\n%s", list, diff)
	}
	if n, err := b.Len(t.Context(), list); n != int64(len(want)) || err != nil {
		t.Errorf("%s: length %d, %v; want %d", list, n, err, len(want))
	}
}

func TestListsNameTheirQueue(t *testing.T) {
	for _, id := range []int{0, 1, 12, MaxQueues - 1} {
		if got, ok := ID(Key(id)); got != id || !ok {
			t.Errorf("ID(%q) = %d, %v, want %d", Key(id), got, ok, id)
		}
	}
	for _, list := range []string{
		"", "trackingQueueV1_", "trackingQueueV1_01", "trackingQueueV1_0", "trackingQueueV1_x", Key(MaxQueues), "other",
	} {
		if got, ok := ID(list); ok {
			t.Errorf("ID(%q) = %d, want none", list, got)
		}
	}
}
