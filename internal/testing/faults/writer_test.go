package faults

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// waveEntry is a page view that the rows name.
type waveEntry struct {
	entry
	pageView string // column idpageview
}

// wave are page views of visitors who come back again and again.
func wave(t *testing.T, n int) []waveEntry {
	t.Helper()
	const viewsPerVisit, pages, duration = 8, 300, 1000
	var entries []waveEntry
	for i := range n {
		view := waveEntry{pageView: fmt.Sprintf("%06d", i)}
		set := page(i%(n/viewsPerVisit), fmt.Sprint("page-", i%pages))
		set.Requests[0].Set("pv_id", php.String(view.pageView))
		set.Time += int64(i * duration / n)
		view.entry = encode(t, set)
		entries = append(entries, view)
	}
	return entries
}

// writer adds entries, those of each queue in order, and knows which of them a replica has. It speaks to the servers
// itself.
type writer struct {
	t       *testing.T
	entries []waveEntry
	master  func(list string) *testserver.RedisServer // nil while a list has none
	done    chan struct{}

	mu                sync.Mutex
	confirmed, unsure map[string]bool // by page view
}

func newWriter(t *testing.T, entries []waveEntry, master func(string) *testserver.RedisServer) *writer {
	return &writer{
		t: t, entries: entries, master: master, done: make(chan struct{}),
		confirmed: map[string]bool{}, unsure: map[string]bool{},
	}
}

// run writes everything. What is not acknowledged is not written again: it may be there.
func (w *writer) run() {
	defer close(w.done)
	var all sync.WaitGroup
	for id := range queues {
		var mine []waveEntry
		for _, e := range w.entries {
			if e.queue == id {
				mine = append(mine, e)
			}
		}
		all.Go(func() { w.fill(queue.Key(id), mine) })
	}
	all.Wait()
}

const (
	// writeAtOnce is how many entries go into one command.
	writeAtOnce = 10
	// maxBacklog is how long the writer lets a queue grow: the checkpoint identifies so many entries, and more, that a
	// server has forgotten to be removed.
	maxBacklog = 300
)

func (w *writer) fill(list string, entries []waveEntry) {
	var conn redis.Conn
	for len(entries) > 0 && w.t.Context().Err() == nil {
		chunk := entries[:min(writeAtOnce, len(entries))]
		err := errNotWritten
		if conn == nil {
			conn = w.connect(list)
		}
		if conn != nil {
			err = push(conn, list, chunk)
		}
		if err != nil && conn != nil {
			_ = conn.Close()
			conn = nil
		}
		if errors.Is(err, errNotWritten) {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		w.note(chunk, err == nil)
		entries = entries[len(chunk):]
	}
	if conn != nil {
		_ = conn.Close()
	}
}

func (w *writer) connect(list string) redis.Conn {
	server := w.master(list)
	if server == nil {
		return nil
	}
	conn, err := redis.Dial("unix", server.Socket)
	if err != nil {
		return nil
	}
	return conn
}

var (
	// errNotWritten: the server says that it has not taken the entries, or there is none.
	errNotWritten = errors.New("not written")
	// errUnsure: nobody knows.
	errUnsure = errors.New("not acknowledged")
)

// patienceForReplica is how long a replica may be away, in ms.
const patienceForReplica = 20_000

// push adds entries, unless the queue is long enough, and waits until a replica has them.
func push(conn redis.Conn, list string, entries []waveEntry) error {
	if n, err := redis.Int(conn.Do("LLEN", list)); err != nil || n > maxBacklog {
		return errNotWritten
	}
	args := []any{list}
	for _, e := range entries {
		args = append(args, e.bytes)
	}
	_, err := conn.Do("RPUSH", args...)
	if refused, ok := errors.AsType[redis.Error](err); ok {
		return fmt.Errorf("%w: %w", errNotWritten, refused)
	}
	if err != nil {
		return errUnsure
	}
	replicas, err := redis.Int(conn.Do("WAIT", 1, patienceForReplica))
	if err != nil || replicas == 0 {
		return errUnsure
	}
	return nil
}

func (w *writer) note(entries []waveEntry, sure bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range entries {
		if sure {
			w.confirmed[e.pageView] = true
		} else {
			w.unsure[e.pageView] = true
		}
	}
}

func (w *writer) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// verify wants the confirmed page views once and the others at most once, and returns the entries that were tracked.
func (w *writer) verify(t *testing.T, s *site) (tracked []entry) {
	t.Helper()
	var rows []struct {
		PageView string `db:"idpageview"`
		Times    int    `db:"times"`
	}
	err := s.db.Select(&rows, "SELECT idpageview, COUNT(*) AS times FROM matomo_log_link_visit_action GROUP BY idpageview")
	if err != nil {
		t.Fatal(err)
	}
	times := make(map[string]int, len(rows))
	for _, row := range rows {
		times[row.PageView] = row.Times
	}
	lost, doubled := 0, 0
	for _, e := range w.entries {
		switch n := times[e.pageView]; {
		case n > 1:
			doubled++
		case n == 1:
			tracked = append(tracked, e.entry)
		case w.confirmed[e.pageView]:
			lost++
		}
	}
	if lost > 0 || doubled > 0 {
		t.Errorf("%d confirmed entries are lost, %d entries are tracked twice", lost, doubled)
	}
	if n := len(w.confirmed); n < len(w.entries)*9/10 {
		t.Errorf("only %d of %d entries were confirmed", n, len(w.entries))
	}
	return tracked
}
