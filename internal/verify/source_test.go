package verify

import (
	"bytes"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

func TestKeptEntriesAreReadAgain(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	set := page(1, "a?token_auth="+token, "token_auth", token)
	set.TokenAuth = token
	set.Env.Cookie.Set("session", php.String(token))
	set.Env.Server.Set("HTTP_AUTHORIZATION", php.String("Bearer "+token))
	var b bytes.Buffer
	for _, entry := range entriesOf(t, set, page(2, "b")) {
		entry.Queue = 3
		if err := Keep(&b)(&entry); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), token) {
		t.Errorf("a token is kept: %s", b.String())
	}
	plain := `{"requests":[{"idsite":"1"}],"env":{"server":[],"cookie":[]},"tokenAuth":false,"time":5}` + "\n\n"
	file := NewFile(strings.NewReader(b.String() + plain))
	entries, err := file.Next(t.Context(), 2)
	if err != nil || len(entries) != 2 || entries[1].Queue != 3 || entries[1].Position != 1 {
		t.Fatalf("%+v, %v; want two entries", entries, err)
	}
	if got := php.ToString(entries[1].Set.Requests[0].Value("action_name")); got != "Page b" {
		t.Errorf("page %q, want %q", got, "Page b")
	}
	decoded, err := queue.Decode(entries[0].Element)
	if err != nil || decoded.TokenAuth != "***" || decoded.Time != set.Time {
		t.Errorf("element %+v, %v", decoded, err)
	}
	entries, err = file.Next(t.Context(), 2)
	if err != nil || len(entries) != 1 || entries[0].Set.Time != 5 {
		t.Errorf("%+v, %v; want the entry as such", entries, err)
	}
	if entries, err = file.Next(t.Context(), 2); err != nil || len(entries) != 0 {
		t.Errorf("%+v, %v behind the end", entries, err)
	}
	if _, err := NewFile(strings.NewReader("192.0.2.1 - - GET /matomo.php\n")).Next(t.Context(), 1); err == nil ||
		!strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v, want one of line 1", err)
	}
}

// Workers take entries away while they are read; nothing is read twice in a row, nothing is removed, and it ends.
func TestQueuesThatMoveMeanwhile(t *testing.T) {
	t.Parallel()
	redis, database := testserver.RedisDatabase(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: redis.Host, Port: redis.Port, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	for i, entry := range append(entriesOf(t, page(1, "0"), page(2, "1"), page(3, "2"), page(4, "3"), page(5, "4")),
		Entry{Element: []byte("damaged")}) {
		if err := backend.Append(t.Context(), queue.Key(0), entry.Element); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := backend.Append(t.Context(), queue.Key(1), entriesOf(t, page(6, "other"))[0].Element); err != nil {
		t.Fatal(err)
	}
	read := func(q *Queues, n int) (seen []string) {
		t.Helper()
		entries, err := q.Next(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			seen = append(seen, strings.TrimPrefix(php.ToString(entry.Set.Requests[0].Value("action_name")), "Page "))
		}
		return seen
	}
	want := func(got []string, want ...string) {
		t.Helper()
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("entries %q, want %q", got, want)
		}
	}
	q := &Queues{Backend: backend, IDs: []int{0, 1}}
	want(read(q, 2), "0", "1")
	want(read(q, 2), "other")
	want(read(q, 2), "2", "3")
	want(read(q, 2), "4")
	want(read(q, 2))
	want(read(q, 2))
	want(read(&Queues{Backend: backend, IDs: []int{0}, Sample: 2}, 3), "0", "2", "4")

	q = &Queues{Backend: backend, IDs: []int{0}}
	want(read(q, 2), "0", "1")
	if _, err := backend.Delete(t.Context(), queue.Key(0)); err != nil { // a worker was faster
		t.Fatal(err)
	}
	want(read(q, 2))
	want(read(q, 2))
}
