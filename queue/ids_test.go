package queue

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeys(t *testing.T) {
	want := []string{"trackingQueueV1", "trackingQueueV1_1", "trackingQueueV1_2"}
	if diff := cmp.Diff(want, Keys(0, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Keys(3, 3); len(got) != 0 {
		t.Errorf("no queues: %v", got)
	}
	if got, want := OffsetKey(Key(4095)), "queuedtracking:offset:{trackingQueueV1_4095}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := FailedKey(Key(0)), "queuedtracking:failed:{trackingQueueV1}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestVisitorID(t *testing.T) {
	tests := []struct{ name, params, want string }{
		{"first-party cookie", `{"_id":"f2a74de452e6b438"}`, "f2a74de452e6b438"},
		{"longer ids are cut", `{"_id":"f2a74de452e6b438ffff"}`, "f2a74de452e6b438"},
		{"a short one counts as none", `{"_id":"f2a74de452e6b43"}`, ""},
		{"letters that are no digits count as 0", `{"_id":"zz23456789abcdeg"}`, "0023456789abcde0"},
		{"upper case", `{"_id":"ABCDEF0123456789"}`, "abcdef0123456789"},
		{"a number", `{"_id":1234567890123456}`, "1234567890123456"},
		{"forced id first", `{"_id":"f2a74de452e6b438","cid":"123456789abcdef0"}`, "123456789abcdef0"},
		{"forced id of the wrong length", `{"_id":"f2a74de452e6b438","cid":"123"}`, ""},
		{"forced id 0 is none", `{"_id":"f2a74de452e6b438","cid":"0"}`, "f2a74de452e6b438"},
		{"user id first of all", `{"_id":"f2a74de452e6b438","cid":"123456789abcdef0","uid":"anna"}`, "2bc1ecb410e142bc"},
		{"user id 0 is none", `{"_id":"f2a74de452e6b438","uid":"0"}`, "f2a74de452e6b438"},
		{"a list is none", `{"_id":["f2a74de452e6b438"]}`, ""},
		{"nothing", `[]`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hex.EncodeToString(VisitorID(array(t, tt.params))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// The queues are those that the plugin chose in the recordings golden/bulk-and-sharding/sharding-*.
func TestQueueIDOfRecordedRequests(t *testing.T) {
	tests := []struct {
		params, ip string
		workers    int
		want       int
	}{
		{`{}`, "203.0.113.1", 4, 2},
		{`{}`, "203.0.113.2", 4, 1},
		{`{}`, "2001:db8::3", 4, 1},
		{`{"_id":"344c110de7f93ffc","uid":"anna"}`, "198.18.226.168", 4, 0},
		{`{"_id":"e4910edf16ba371d","cid":"123456789abcdef0"}`, "198.19.153.128", 4, 3},
		{`{"_id":"f2a74de452e6b438"}`, "127.0.0.1", 4, 2},
		{`{"_id":"0c5c7fd0a6a3a450"}`, "127.0.0.1", 4, 1},
		{`{"_id":"9c6539382b0537e6"}`, "127.0.0.1", 4, 2},

		{`{"_id":"fff0000000000000"}`, "127.0.0.1", 4096, 4095},
		{`{"_id":"fff0000000000000"}`, "127.0.0.1", 1, 0},
		{`{"_id":"fff0000000000000"}`, "127.0.0.1", 0, 0},
	}
	for _, tt := range tests {
		if got := QueueIDOfVisitor(VisitorID(array(t, tt.params)), tt.ip, tt.workers); got != tt.want {
			t.Errorf("%s from %s of %d queues: %d, want %d", tt.params, tt.ip, tt.workers, got, tt.want)
		}
	}
}
