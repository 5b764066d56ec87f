package letters_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

func newBox(t *testing.T) (*letters.Box, *queue.Redis) {
	t.Helper()
	redis, database := testserver.RedisDatabase(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: redis.Host, Port: redis.Port, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return letters.NewBox(backend), backend
}

// entry is a set with these page titles.
func entry(t *testing.T, titles ...string) []byte {
	t.Helper()
	set := queue.RequestSet{TokenAuth: "token", Time: 5}
	for _, title := range titles {
		params := php.NewArray(1)
		params.Set("action_name", php.String(title))
		set.Requests = append(set.Requests, params)
	}
	bytes, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func titles(t *testing.T, bytes []byte) (titles []string) {
	t.Helper()
	set, err := queue.Decode(bytes)
	if err != nil {
		t.Fatal(err)
	}
	if set.TokenAuth != "token" || set.Time != 5 {
		t.Errorf("token %q, time %d", set.TokenAuth, set.Time)
	}
	for _, params := range set.Requests {
		titles = append(titles, php.ToString(params.Value("action_name")))
	}
	return titles
}

func put(t *testing.T, backend queue.Backend, id int, l letters.Letter) {
	t.Helper()
	element, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := backend.Append(context.Background(), queue.FailedKey(queue.Key(id)), element); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, box *letters.Box, id int) (found []letters.Stored) {
	t.Helper()
	err := box.Each(t.Context(), id, func(l letters.Stored) (bool, error) {
		found = append(found, l)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOnlyWhatFailedGoesBackIntoTheQueue(t *testing.T) {
	box, backend := newBox(t)
	put(t, backend, 3, letters.Letter{Request: 1, Entry: entry(t, "a", "b", "c")})
	put(t, backend, 3, letters.Letter{Request: 0, Entry: entry(t, "d")})
	put(t, backend, 3, letters.Letter{Request: letters.WholeEntry, Entry: entry(t, "e", "f")})
	for _, l := range all(t, box, 3) {
		for _, want := range []bool{true, false} {
			if done, err := box.Retry(t.Context(), l); err != nil || done != want {
				t.Errorf("%v, %v, want %v", done, err, want)
			}
		}
	}
	elements, err := backend.Range(t.Context(), queue.Key(3), 0, 10)
	if err != nil || len(elements) != 3 {
		t.Fatalf("%d entries, %v", len(elements), err)
	}
	for i, want := range [][]string{{"b"}, {"d"}, {"e", "f"}} {
		if got := titles(t, elements[i]); !slices.Equal(got, want) {
			t.Errorf("entry %d: %v, want %v", i, got, want)
		}
	}
	if left := all(t, box, 3); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestLetterThatCannotGoBackStays(t *testing.T) {
	box, backend := newBox(t)
	put(t, backend, 0, letters.Letter{Request: 7, Entry: entry(t, "a", "b")})
	put(t, backend, 0, letters.Letter{Request: 0, Entry: []byte("no entry")})
	for _, l := range all(t, box, 0) {
		if done, err := box.Retry(t.Context(), l); err == nil || done {
			t.Errorf("%v, %v", done, err)
		}
	}
	found := all(t, box, 0)
	if len(found) != 2 {
		t.Fatalf("%d are left", len(found))
	}
	for _, want := range []bool{true, false} {
		if done, err := box.Delete(t.Context(), found[0]); err != nil || done != want {
			t.Errorf("%v, %v, want %v", done, err, want)
		}
	}
}

func TestLettersAreCountedAndVisitedInOrder(t *testing.T) {
	box, backend := newBox(t)
	const many = 1203 // several pages
	for n := range many {
		put(t, backend, 2, letters.Letter{Offset: int64(n), Error: fmt.Sprint(n)})
	}
	put(t, backend, 4095, letters.Letter{})
	counts, err := box.Counts(t.Context())
	if err != nil || len(counts) != 2 || counts[2] != many || counts[4095] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	found := all(t, box, 2)
	ids := make(map[string]bool)
	for n, l := range found {
		if l.Offset != int64(n) || l.Queue != 2 {
			t.Fatalf("%d: %+v", n, l.Letter)
		}
		ids[l.ID] = true
	}
	if len(ids) != many {
		t.Errorf("%d different IDs of %d letters", len(ids), many)
	}
	visited := 0
	_ = box.Each(t.Context(), 2, func(letters.Stored) (bool, error) {
		visited++
		return visited < 10, nil
	})
	if visited != 10 {
		t.Errorf("%d visited after the end", visited)
	}
}

func TestElementThatIsNoLetterIsShownAsSuch(t *testing.T) {
	box, backend := newBox(t)
	if err := backend.Append(t.Context(), queue.FailedKey(queue.Key(0)), []byte("{")); err != nil {
		t.Fatal(err)
	}
	found := all(t, box, 0)
	if len(found) != 1 || found[0].Error == "" || found[0].Request != letters.WholeEntry || string(found[0].Entry) != "{" {
		t.Fatalf("%+v", found)
	}
	if done, err := box.Delete(t.Context(), found[0]); err != nil || !done {
		t.Errorf("%v, %v", done, err)
	}
}
