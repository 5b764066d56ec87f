package replay_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// pushNumbered queues n entries and returns their titles.
func (s *site) pushNumbered(t *testing.T, n int) (titles []string) {
	t.Helper()
	for i := range n {
		titles = append(titles, fmt.Sprintf("page %02d", i))
	}
	s.push(t, titles...)
	return titles
}

// cutConnections ends every other connection to the database.
func (s *site) cutConnections(t *testing.T) {
	t.Helper()
	var ids []int64
	err := s.db.Select(&ids, "SELECT id FROM information_schema.PROCESSLIST WHERE id <> CONNECTION_ID()")
	if err != nil {
		t.Error(err)
	}
	for _, id := range ids {
		_, _ = s.db.Exec(fmt.Sprintf("KILL %d", id))
	}
}

// passes counts how often points are passed.
type passes struct {
	mu sync.Mutex
	n  map[replay.Point]int
}

func (p *passes) next(point replay.Point) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == nil {
		p.n = make(map[replay.Point]int)
	}
	p.n[point]++
	return p.n[point]
}

// While a batch is committed the next one is on its way: something goes wrong at each point of the third batch, while
// others are in flight.
func TestTroubleInFlight(t *testing.T) {
	for _, point := range []replay.Point{
		replay.AfterRead, replay.BeforeBegin, replay.AfterWrite, replay.BeforeCommit, replay.AfterCommit, replay.AfterRemoval,
	} {
		for name, trouble := range map[string]func(t *testing.T, s *site){
			"lock stolen": func(t *testing.T, s *site) {
				if _, err := s.backend.Delete(t.Context(), lock.Key(0)); err != nil {
					t.Error(err)
				}
			},
			"connections cut": func(t *testing.T, s *site) { s.cutConnections(t) },
			"panic":           func(*testing.T, *site) { panic("trouble") },
		} {
			t.Run(string(point)+", "+name, func(t *testing.T) {
				if name == "panic" && (point == replay.AfterRead || point == replay.AfterRemoval || point == replay.AfterCommit) {
					t.Skip("nothing recovers there")
				}
				s := newSite(t, testserver.MariaDB(t, testserver.Private()))
				titles := s.pushNumbered(t, 20)
				o := s.options()
				o.BatchSize = 2
				var passed passes
				o.Fault = func(p replay.Point) {
					if p == point && passed.next(p) == 3 {
						trouble(t, s)
					}
				}
				_, err := replay.Run(t.Context(), nil, o)
				o.Fault = nil
				if err != nil {
					t.Logf("ended with %v", err)
				}
				s.run(t, o)
				same(t, s.titles(t), titles...)
				if n := s.waiting(t); n != 0 {
					t.Errorf("%d left", n)
				}
			})
		}
	}
}

// counting notes what the tracker is asked for.
type counting struct {
	replay.Tracker
	mu                            sync.Mutex
	prepared, prefetched, discard int
}

func (c *counting) Prepare(ctx context.Context, sets []queue.RequestSet) (*tracker.Prepared, error) {
	c.mu.Lock()
	c.prepared++
	c.mu.Unlock()
	return c.Tracker.Prepare(ctx, sets)
}

func (c *counting) Prefetch(ctx context.Context, batches []*tracker.Prepared, front *tracker.Prepared) error {
	c.mu.Lock()
	c.prefetched += len(batches)
	c.mu.Unlock()
	return c.Tracker.Prefetch(ctx, batches, front)
}

func (c *counting) Discard(batch *tracker.Prepared) {
	c.mu.Lock()
	c.discard++
	c.mu.Unlock()
	c.Tracker.Discard(batch)
}

func TestBatchesAreReadAheadAndPreparedOnce(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	titles := s.pushNumbered(t, 20)
	o := s.options()
	o.BatchSize = 2
	c := &counting{Tracker: s.assembly.NewTracker()}
	o.NewEngine = s.engine(c)
	s.run(t, o)
	same(t, s.titles(t), titles...)
	if c.prepared != 10 || c.prefetched != 9 || c.discard != 0 {
		t.Errorf("%d prepared, %d prefetched, %d discarded; want 10, 9 and 0", c.prepared, c.prefetched, c.discard)
	}
}

// A batch whose changes to a visit have to wait makes the ones behind it wait, too: it must not find what it changes
// locked by them.
func TestFlightsChangeVisitsInOrder(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t, testserver.Private()))
	s.push(t, "locked", "free")
	s.run(t, s.options())
	var visit int64
	if err := s.db.Get(&visit, "SELECT idvisit FROM matomo_log_visit WHERE user_id = 'locked'"); err != nil {
		t.Fatal(err)
	}
	holder := s.db.MustBegin()
	holder.MustExec("UPDATE matomo_log_visit SET visit_total_time = visit_total_time WHERE idvisit = ?", visit)
	s.push(t, "first", "locked", "free", "free", "locked")
	o := s.options()
	o.BatchSize = 1
	ended := make(chan replay.Summary)
	go func() { ended <- s.run(t, o) }()
	testserver.EventuallyWriting(t, s.db, 2)
	for until := time.Now().Add(200 * time.Millisecond); time.Now().Before(until) &&
		!strings.Contains(s.log.String(), "step by step"); {
		time.Sleep(time.Millisecond)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if summary := <-ended; summary.Retries != 0 || summary.Tracked != 5 {
		t.Errorf("%+v\n%s", summary, s.log)
	}
	same(t, s.titles(t), "locked", "free", "first", "locked", "free", "free", "locked")
}

// A run that is stopped gives up the batch that is on its way, and the one that is read ahead.
func TestStoppedRunLeavesWhatIsInFlight(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	titles := s.pushNumbered(t, 20)
	o := s.options()
	o.BatchSize, o.MaxBatches = 2, 3
	c := &counting{Tracker: s.assembly.NewTracker()}
	o.NewEngine = s.engine(c)
	s.run(t, o)
	same(t, s.titles(t), titles[:6]...)
	if n := s.waiting(t); n != 14 || c.discard != c.prepared-3 {
		t.Errorf("%d left, %d of %d discarded", n, c.discard, c.prepared)
	}
	o.MaxBatches = 0
	s.run(t, o)
	same(t, s.titles(t), titles...)
}

// A worker of the plugin knows no checkpoint: it may have taken the queue between two of our runs.
func TestCheckpointOfAnEarlierRunIsNotTrusted(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	titles := s.pushNumbered(t, 8)
	o := s.options()
	o.BatchSize = 2
	o.NewEngine = s.engine(s.assembly.NewTracker())
	o.MaxBatches = 2
	s.run(t, o)
	other := s.options()
	other.BatchSize, other.MaxBatches = 2, 1
	s.run(t, other)
	o.MaxBatches = 0
	s.run(t, o)
	same(t, s.titles(t), titles...)
}
