package queue

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// defaultVisitor is the rule of a Matomo with default settings and without proxies.
func defaultVisitor(set RequestSet, i int) ([]byte, string) {
	return VisitorID(set.Requests[i]), set.Env.Server.Value("REMOTE_ADDR").Str()
}

func newManager(t testing.TB, b Backend, workers int) *Manager {
	t.Helper()
	m, err := NewManager(b, workers)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// request is one of visitor n, whose id puts it into queue n of any number of queues above n.
func request(n int, url string) *php.Array {
	a := php.NewArray(2)
	a.Set("_id", php.String(fmt.Sprintf("%03x0000000000000", n)))
	a.Set("url", php.String(url))
	return a
}

// urls lists the requests of a queue: one text per entry.
func urls(t *testing.T, b Backend, id int) []string {
	t.Helper()
	elements, err := b.Range(t.Context(), Key(id), 0, 1_000_000)
	must(t, err)
	var got []string
	for _, e := range elements {
		set, err := Decode(e)
		if err != nil {
			got = append(got, string(e))
			continue
		}
		text := ""
		for _, r := range set.Requests {
			text += r.Value("url").Str()
		}
		got = append(got, text)
	}
	return got
}

func TestNumberOfQueuesIsBounded(t *testing.T) {
	for _, n := range []int{-1, 0, 4097} {
		if _, err := NewManager(nil, n); err == nil {
			t.Errorf("%d queues accepted", n)
		}
	}
}

func TestAddSplitsASetByVisitor(t *testing.T) {
	b := openRedis(t)
	m := newManager(t, b, 4)
	set := RequestSet{
		Requests:  []*php.Array{request(2, "a"), request(0, "b"), request(2, "c"), php.NewArray(0), nil},
		Env:       Env{Server: array(t, `{"REMOTE_ADDR":"203.0.113.2"}`)}, // queue 1
		TokenAuth: "t", Time: 7,
	}
	must(t, m.Add(t.Context(), set, func(set RequestSet, i int) ([]byte, string) {
		return VisitorID(set.Requests[i]), "203.0.113.2"
	}))
	must(t, m.Add(t.Context(), RequestSet{}, defaultVisitor))
	waiting, err := m.Waiting(t.Context())
	if diff := cmp.Diff([]int64{1, 1, 1, 0}, waiting); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	elements, err := b.Range(t.Context(), Key(2), 0, 1)
	must(t, err)
	got, err := Decode(elements[0])
	must(t, err)
	want := set
	want.Requests = []*php.Array{request(2, "a"), request(2, "c")}
	if diff := cmp.Diff(want, got, byJSON); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	elements, err = b.Range(t.Context(), Key(1), 0, 1)
	must(t, err)
	if got, err := Decode(elements[0]); err != nil || len(got.Requests) != 2 {
		t.Errorf("empty requests: %+v, %v", got, err)
	}
}

func TestAddRefusesWhatPHPCannotWrite(t *testing.T) {
	b := openRedis(t)
	set := RequestSet{Requests: []*php.Array{notUTF8()}}
	if err := newManager(t, b, 1).Add(t.Context(), set, defaultVisitor); err == nil {
		t.Error("no error")
	}
	expectList(t, b, Key(0))
}

func TestRotationVisitsEveryQueueFromWhereItWasLeft(t *testing.T) {
	r := newManager(t, nil, 4).NewRotation(1)
	round := func(stopAt int) (ids []int) {
		for id := range r.Round() {
			ids = append(ids, id)
			if id == stopAt {
				break
			}
		}
		return ids
	}
	for _, tt := range []struct {
		stopAt int
		want   []int
	}{
		{-1, []int{2, 3, 0, 1}},
		{3, []int{2, 3}},
		{3, []int{0, 1, 2, 3}},
		{0, []int{0}},
		{-1, []int{1, 2, 3, 0}},
	} {
		if diff := cmp.Diff(tt.want, round(tt.stopAt)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestOrphansAreFound(t *testing.T) {
	b := openRedis(t)
	for id, n := range map[int]int{0: 3, 2: 1, 4095: 2} {
		must(t, b.Append(t.Context(), Key(id), numbered(0, n)...))
	}
	got, err := newManager(t, b, 2).Orphans(t.Context())
	if diff := cmp.Diff([]Orphan{{2, 1}, {4095, 2}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := newManager(t, b, MaxQueues).Orphans(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("all in use: %v, %v", got, err)
	}
}
