package tracker

import (
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The examples are those of the recordings (golden-6, page-view-time/pv-id-forms).
func TestPageViewIDs(t *testing.T) {
	tests := []struct{ param, want string }{
		{"", ""},
		{"a", "a"},
		{"abc123", "abc123"},
		{"!~#/\\'", "!~#/\\'"},
		{"AbC", "AbC"},
		{"1.5", "1.5"},
		{"123456", "123456"},
		{"1234567", "fcea92"}, // seven: the first digits of its MD5
		{"a b", "0cc9cd"},     // a blank is not visible
		{"caf\u00e9", "07117f"},
		{"a\x7f", "2773e0"},
		{"&quot;", "&quot;"},
		{"a&amp;b", "40014f"},
	}
	for _, test := range tests {
		if got := pageViewID(test.param); got != test.want {
			t.Errorf("pv_id %q: %q, want %q", test.param, got, test.want)
		}
	}
}

// viewed makes rows of the given moments, with page view ids a, b, c …, and the actions 1, 2, 3 …
func viewed(complete bool, moments ...int64) *pageViews {
	v := &pageViews{known: true, complete: complete}
	for i, at := range moments {
		row := &store.PageViewTime{Link: store.LinkID{Valid: true, ID: int64(i + 1)}, ServerTime: at, PageviewID: store.Text(string(rune('a' + i)))}
		v.add(&pageView{PageViewTime: row})
	}
	return v
}

func TestWhichPageViewEnds(t *testing.T) {
	page, event := func(at int64) pageHit { return pageHit{time: at, view: true, id: "x"} }, func(at int64) pageHit { return pageHit{time: at} }
	named := func(id string, at int64) pageHit { return pageHit{time: at, id: id} }
	tests := []struct {
		about    string
		complete bool
		moments  []int64
		hit      pageHit
		want     int64 // action, 0 for none
		sure     bool
	}{
		{"page view after others", true, []int64{10, 20}, page(30), 2, true},
		{"its own id does not matter", true, []int64{10, 20}, pageHit{time: 30, view: true, id: "a"}, 2, true},
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
		found, sure := viewed(test.complete, test.moments...).ended(&test.hit)
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
	v := viewed(true, 10, 20, 15)
	for _, row := range v.rows {
		row.PageviewID = store.Text("same")
	}
	if found, _ := v.ended(&pageHit{time: 30, id: "same"}); found.Link.ID != 2 {
		t.Errorf("action %d, want 2", found.Link.ID)
	}
}

// A row that was there for the page view itself does not end with it.
func TestPageViewDoesNotEndItself(t *testing.T) {
	v := viewed(true, 10, 20)
	if found, _ := v.ended(&pageHit{time: 30, view: true, own: v.rows[1]}); found != v.rows[0] {
		t.Errorf("found %+v", found)
	}
}

func TestTimeSpent(t *testing.T) {
	tests := []struct{ began, before, until, longest, want int64 }{
		{100, 0, 130, 1800, 30},
		{100, 40, 130, 1800, 40}, // never shrinks
		{100, 0, 90, 1800, 0},
		{100, 0, 100 + 1800, 1800, 1800},
		{100, 0, 100 + 1801, 1800, 1800},
		{100, 1800, 130, 600, 600}, // the setting was changed
		{100, 0, 130, 0, 0},
	}
	for _, test := range tests {
		view := pageView{PageViewTime: &store.PageViewTime{ServerTime: test.began, TimeSpent: test.before}}
		if got := view.spent(test.until, test.longest); got != test.want {
			t.Errorf("%+v: %d s", test, got)
		}
	}
}

// Rows that are read later come before those that are known, which stay the same.
func TestOlderPageViewsAreAdded(t *testing.T) {
	v := viewed(false, 10, 20)
	v.rows[0].Link, v.rows[1].Link = store.LinkID{Valid: true, ID: 7}, store.LinkOf(&store.LinkAction{})
	known := slices.Clone(v.rows)
	read := []store.PageViewTime{{Link: store.LinkID{Valid: true, ID: 5}, ServerTime: 3}, {Link: store.LinkID{Valid: true, ID: 7}, ServerTime: 10}}
	v.older(nil, read)
	if len(v.rows) != 3 || v.rows[0].Link.ID != 5 || !v.rows[0].written || !slices.Equal(v.rows[1:], known) || !v.complete {
		t.Errorf("%+v", v.rows)
	}
}

func TestPageViewsLetGoOfActionsThatHaveNumbers(t *testing.T) {
	v := viewed(true, 10, 20, 30)
	const deferred = -7
	numbered, onItsWay := &store.LinkAction{ID: 42}, &store.LinkAction{ID: deferred}
	v.rows[1].Link, v.rows[2].Link = store.LinkOf(numbered), store.LinkOf(onItsWay)
	v.settle()
	if v.rows[1].Link != (store.LinkID{Valid: true, ID: 42}) || v.rows[2].Link.Row != onItsWay {
		t.Errorf("%+v, %+v", v.rows[1].Link, v.rows[2].Link)
	}
}
