package receive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

var errAway = errors.New("away")

// memory is a backend in memory that can be away, and silent: then it takes what it gets and fails all the same.
type memory struct {
	mu           sync.Mutex
	away, silent bool
	lists        map[string][]string
	marks        map[string]string
	writes       int
}

func newMemory() *memory { return &memory{lists: map[string][]string{}, marks: map[string]string{}} }

func (m *memory) set(away, silent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away, m.silent = away, silent
}

func (m *memory) Append(ctx context.Context, list string, elements ...[]byte) error {
	return m.AppendMarked(ctx, list, queue.Mark{}, elements...)
}

func (m *memory) AppendMarked(_ context.Context, list string, mark queue.Mark, elements ...[]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return errAway
	}
	m.writes++
	for _, e := range elements {
		m.lists[list] = append(m.lists[list], string(e))
	}
	m.marks[mark.Key] = mark.Value
	if m.silent {
		return errAway
	}
	return nil
}

func (m *memory) Get(_ context.Context, key string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away || m.silent {
		return "", false, errAway
	}
	v, ok := m.marks[key]
	return v, ok, nil
}

func (m *memory) list(name string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.lists[name]...)
}

func newTestWriter(t *testing.T, to Appender, s *Spool) *Writer {
	t.Helper()
	w := NewWriter(WriterOptions{
		Backend: to, Queues: 3, Spool: s, Timeout: testserver.Patience, Log: discard(),
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	t.Cleanup(w.Close)
	return w
}

func put(t *testing.T, w *Writer, id int, element string) error {
	t.Helper()
	return w.Write([]Entry{{id, []byte(element)}})
}

func TestSpooledEntriesFollowInOrderAndOnce(t *testing.T) {
	to := newMemory()
	s := openSpool(t, t.TempDir(), 1<<20)
	w := newTestWriter(t, to, s)
	var want []string
	for i, phase := range []struct{ away, silent bool }{{}, {silent: true}, {away: true}, {away: true}, {}, {silent: true}, {}} {
		to.set(phase.away, phase.silent)
		want = append(want, fmt.Sprint(i))
		if err := put(t, w, 0, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	testserver.Eventually(t, "the spool is empty", func() bool { n, _ := s.Waiting(); return n == 0 })
	if diff := cmp.Diff(want, to.list(queue.Key(0))); diff != "" {
		t.Error(diff)
	}
}

// A process that is killed has moved records of a segment that others of it keep on disk. The next process finds all of
// them again: none is appended twice.
func TestRecordsMovedBeforeAKillAreNotAppendedAgain(t *testing.T) {
	to := newMemory()
	dir := t.TempDir()
	first := openSpool(t, dir, 1<<20)
	var want []string
	var moved record
	for i := range 5 {
		r := record{Sequence: first.nextSequence(), List: queue.Key(0), Elements: [][]byte{fmt.Append(nil, i)}}
		if err := first.Append(r); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(i))
		if i < 3 {
			moved = r
			to.lists[r.List] = append(to.lists[r.List], want[i])
		}
	}
	to.marks["queuedtracking:received:{"+moved.List+"}:"+first.Owner()] = strconv.FormatUint(moved.Sequence, 10)
	first.Close()

	s := openSpool(t, dir, 1<<20)
	newTestWriter(t, to, s)
	testserver.Eventually(t, "the spool is empty", func() bool { n, _ := s.Waiting(); return n == 0 })
	if diff := cmp.Diff(want, to.list(queue.Key(0))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// silentLists is a backend of which one list keeps writers waiting, and another takes what it gets and fails all the
// same.
type silentLists struct {
	*memory
	slow, silent atomic.Pointer[string]
	release      chan struct{}
}

func (s *silentLists) AppendMarked(ctx context.Context, list string, mark queue.Mark, elements ...[]byte) error {
	if slow := s.slow.Load(); slow != nil && list == *slow {
		<-s.release
	}
	if err := s.memory.AppendMarked(ctx, list, mark, elements...); err != nil {
		return err
	}
	if silent := s.silent.Load(); silent != nil && list == *silent {
		return errAway
	}
	return nil
}

// A write whose answer is lost after the spool's records of its queue, but not those of others, have been moved.
func TestWriteWithoutAnswerIsNotRepeatedWhileOthersWait(t *testing.T) {
	to := &silentLists{memory: newMemory(), release: make(chan struct{})}
	s := openSpool(t, t.TempDir(), 1<<20)
	w := newTestWriter(t, to, s)
	first, second := queue.Key(0), queue.Key(1)
	write := func(id int, element string) {
		t.Helper()
		if err := put(t, w, id, element); err != nil {
			t.Fatal(err)
		}
	}
	to.set(true, false)
	write(0, "a")
	write(1, "b")
	to.slow.Store(&second)
	to.set(false, false)
	testserver.Eventually(t, "the first record is moved", func() bool { return s.waits(first) == 0 })
	to.silent.Store(&first)
	write(0, "c")
	to.silent.Store(nil)
	close(to.release)
	testserver.Eventually(t, "the spool is empty", func() bool { n, _ := s.Waiting(); return n == 0 })
	if diff := cmp.Diff([]string{"a", "c"}, to.list(first)); diff != "" {
		t.Error(diff)
	}
}

func TestEntriesWithoutAnyPlaceAreRefused(t *testing.T) {
	to := newMemory()
	to.set(true, false)
	if err := put(t, newTestWriter(t, to, nil), 0, "x"); !errors.Is(err, ErrFull) {
		t.Errorf("without spool: %v", err)
	}
	s := openSpool(t, t.TempDir(), 1<<20)
	s.disk.write = func(*os.File, []byte) (int, error) { return 0, syscall.ENOSPC }
	w := newTestWriter(t, to, s)
	if err := put(t, w, 0, "x"); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full disk: %v", err)
	}
	w.Close()
	if err := put(t, w, 0, "x"); !errors.Is(err, ErrFull) {
		t.Errorf("closed: %v", err)
	}
}

func TestEntriesOfOneRequestGoToTheirQueues(t *testing.T) {
	to := newMemory()
	w := newTestWriter(t, to, nil)
	if err := w.Write([]Entry{{2, []byte("a")}, {0, []byte("b")}, {2, []byte("c")}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, to.list(queue.Key(2))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b"}, to.list(queue.Key(0))); diff != "" {
		t.Error(diff)
	}
}

// held is a backend whose first write waits.
type held struct {
	*memory
	begun, release chan struct{}
	once           sync.Once
}

func (h *held) Append(ctx context.Context, list string, elements ...[]byte) error {
	h.once.Do(func() { close(h.begun); <-h.release })
	return h.memory.Append(ctx, list, elements...)
}

func TestEntriesThatComeDuringAWriteShareTheNext(t *testing.T) {
	to := &held{memory: newMemory(), begun: make(chan struct{}), release: make(chan struct{})}
	w := newTestWriter(t, to, nil)
	var wg sync.WaitGroup
	write := func() {
		if err := put(t, w, 0, "x"); err != nil {
			t.Error(err)
		}
	}
	wg.Go(write)
	<-to.begun
	for range 50 {
		wg.Go(write)
	}
	testserver.Eventually(t, "all wait", func() bool { return len(w.lanes[0].jobs) == 50 })
	close(to.release)
	wg.Wait()
	if to.writes != 2 || len(to.list(queue.Key(0))) != 51 {
		t.Errorf("%d entries in %d writes", len(to.list(queue.Key(0))), to.writes)
	}
}
