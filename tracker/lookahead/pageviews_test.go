package lookahead

import (
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func numbered(link int64) store.LinkID { return store.LinkID{Valid: true, ID: link} }

// pageViewsAt makes rows of the given moments, with page view ids a, b, c …, and the actions 1, 2, 3 …
func pageViewsAt(complete bool, moments ...int64) *PageViews {
	v := &PageViews{known: true, complete: complete}
	for i, at := range moments {
		id := store.Text(string(rune('a' + i)))
		row := &store.PageViewTime{Link: numbered(int64(i + 1)), ServerTime: at, PageviewID: id}
		v.Add(&PageView{PageViewTime: row})
	}
	return v
}

func TestWhichPageViewEnds(t *testing.T) {
	page := func(at int64) PageHit { return PageHit{Time: at, View: true, ID: "x"} }
	event := func(at int64) PageHit { return PageHit{Time: at} }
	named := func(id string, at int64) PageHit { return PageHit{Time: at, ID: id} }
	tests := []struct {
		about    string
		complete bool
		moments  []int64
		hit      PageHit
		want     int64 // action, 0 for none
		sure     bool
	}{
		{"page view after others", true, []int64{10, 20}, page(30), 2, true},
		{"its own id does not matter", true, []int64{10, 20}, PageHit{Time: 30, View: true, ID: "a"}, 2, true},
		{"event after others", true, []int64{10, 20}, event(30), 2, true},
		{"in the second of the last", true, []int64{10, 20}, page(20), 1, true},
		{"in the second of the first", true, []int64{10}, event(10), 0, true},
		{"two in one second: the one inserted later", true, []int64{10, 20, 20}, event(21), 3, true},
		{"out of order", true, []int64{10, 20, 30}, page(25), 2, true},
		{"rows that came out of order", true, []int64{10, 30, 20}, event(40), 2, true},
		{"before all", true, []int64{10, 20}, page(5), 0, true},
		{"before all that is known", false, []int64{10, 20}, page(5), 0, false},
		{"in the second of the oldest known", false, []int64{10, 20}, page(10), 0, false},
		{"after the oldest known", false, []int64{10, 20}, page(11), 1, true},
		{"nothing known", false, nil, event(10), 0, false},
		{"new visit", true, nil, page(10), 0, true},
		{"named", true, []int64{10, 20}, named("a", 30), 1, true},
		{"named, at an earlier moment", true, []int64{10, 20}, named("b", 15), 2, true},
		{"named, unknown", true, []int64{10, 20}, named("z", 30), 0, true},
		{"named, perhaps an older one", false, []int64{10, 20}, named("z", 30), 0, false},
		{"named in capitals", true, []int64{10}, named("A", 30), 0, true},
	}
	for _, test := range tests {
		found, sure := pageViewsAt(test.complete, test.moments...).Ended(&test.hit)
		got := int64(0)
		if found != nil {
			got = found.Link.ID
		}
		if got != test.want || sure != test.sure {
			t.Errorf("%s: action %d, sure %v, want %d, %v", test.about, got, sure, test.want, test.sure)
		}
	}
}

func TestOfTwoPageViewsWithOneIDTheNewerEnds(t *testing.T) {
	v := pageViewsAt(true, 10, 20, 15)
	for _, row := range v.rows {
		row.PageviewID = store.Text("same")
	}
	if found, _ := v.Ended(&PageHit{Time: 30, ID: "same"}); found.Link.ID != 2 {
		t.Errorf("action %d, want 2", found.Link.ID)
	}
}

// A row that was there for the page view itself does not end with it.
func TestPageViewDoesNotEndItself(t *testing.T) {
	v := pageViewsAt(true, 10, 20)
	if found, _ := v.Ended(&PageHit{Time: 30, View: true, Own: v.rows[1]}); found != v.rows[0] {
		t.Errorf("found %+v", found)
	}
}

// Rows that are read later come before those that are known, which stay the same.
func TestOlderPageViewsAreAdded(t *testing.T) {
	v := pageViewsAt(false, 10, 20)
	v.rows[0].Link, v.rows[1].Link = numbered(7), store.LinkOf(&store.LinkAction{})
	known := slices.Clone(v.rows)
	read := []store.PageViewTime{{Link: numbered(5), ServerTime: 3}, {Link: numbered(7), ServerTime: 10}}
	v.Complete(read)
	if len(v.rows) != 3 || v.rows[0].Link.ID != 5 || !v.rows[0].Written || !slices.Equal(v.rows[1:], known) {
		t.Errorf("rows %+v", v.rows)
	}
	if !v.complete {
		t.Error("not all rows are known")
	}
}

func TestPageViewsLetGoOfActionsThatHaveNumbers(t *testing.T) {
	v := pageViewsAt(true, 10, 20, 30)
	const deferred = -7
	known, onItsWay := &store.LinkAction{ID: 42}, &store.LinkAction{ID: deferred}
	v.rows[1].Link, v.rows[2].Link = store.LinkOf(known), store.LinkOf(onItsWay)
	v.settle()
	if v.rows[1].Link != numbered(42) || v.rows[2].Link.Row != onItsWay {
		t.Errorf("%+v, %+v", v.rows[1].Link, v.rows[2].Link)
	}
}
