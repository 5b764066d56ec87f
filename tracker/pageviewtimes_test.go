package tracker

import (
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
		view := &store.PageViewTime{ServerTime: test.began, TimeSpent: test.before}
		if got := timeSpent(view, test.until, test.longest); got != test.want {
			t.Errorf("%+v: %d s", test, got)
		}
	}
}
