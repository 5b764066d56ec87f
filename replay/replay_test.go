package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// run processes the queue and wants no error.
func (s *site) run(t *testing.T, o replay.Options) replay.Summary {
	t.Helper()
	summary, err := replay.Run(context.Background(), nil, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	return summary
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBatchesAreTrackedInOrder(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c", "d", "e", "f", "g")
	var batches []replay.Report
	o := s.options()
	o.OnBatch = func(b replay.Report) { batches = append(batches, b) }
	if summary := s.run(t, o); summary.Tracked != 7 || summary.Batches != 2 {
		t.Errorf("%+v", summary)
	}
	last := batches[len(batches)-1]
	if params := last.Request(tracker.Refusal{Set: 1}); params == nil ||
		php.ToString(params.Value("action_name")) != "g" ||
		last.Request(tracker.Refusal{Set: 2}) != nil || last.Request(tracker.Refusal{Set: 1, Request: 1}) != nil {
		t.Errorf("request g is %v", params)
	}
	if len(batches) != 2 || batches[0].Left != 2 || batches[1].Offset != 5 || batches[1].Left != 0 {
		t.Errorf("%+v", batches)
	}
	same(t, s.titles(t), "a", "b", "c", "d", "e", "f", "g")
}

func TestMaxBatchesEndsTheRun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.BatchSize, o.MaxBatches = 1, 2
	if summary := s.run(t, o); summary.Tracked != 2 || s.waiting(t) != 1 {
		t.Errorf("%+v, %d left", summary, s.waiting(t))
	}
}

// Only queues that somebody else has locked are reported as left to them, not those whose worker had reached its limit.
func TestBusyQueuesAreThoseOfOthers(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	o := s.options()
	o.BatchSize, o.MaxBatches, o.Workers = 1, 1, 4
	s.push(t, "a", "b", "c", "d", "e", "f")
	if summary := s.run(t, o); summary.Busy != 0 || s.waiting(t) == 0 {
		t.Errorf("%d queues busy, %d sets wait", summary.Busy, s.waiting(t))
	}
	if _, err := s.backend.SetIfNotExists(t.Context(), lock.Key(0), "other", time.Minute); err != nil {
		t.Fatal(err)
	}
	if summary := s.run(t, o); summary.Busy != 1 || summary.Tracked != 0 {
		t.Errorf("%+v", summary)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	_ = s.backend.Append(t.Context(), queue.Key(0), []byte("no entry"))
	o := s.options()
	o.DryRun = true
	summary := s.run(t, o)
	if summary.Tracked != 2 || summary.Undecodable != 1 || s.waiting(t) != 3 || len(s.titles(t)) > 0 ||
		len(s.letters(t)) > 0 {
		t.Errorf("%+v, %d waiting, %v, %v", summary, s.waiting(t), s.titles(t), s.letters(t))
	}
}

// A time that the database does not know is refused where visits are looked up, before anything is written.
func TestTimeThatTheDatabaseDoesNotKnow(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	far := set("c", "d")
	far.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	s.append(t, far)
	s.push(t, "e")
	o := s.options()
	o.DryRun = true
	if summary := s.run(t, o); summary.Tracked != 3 || summary.Failed != 2 || s.waiting(t) != 4 {
		t.Errorf("dry run: %+v, %d waiting", summary, s.waiting(t))
	}
	o.DryRun = false
	if summary := s.run(t, o); summary.Tracked != 3 || summary.Failed != 2 || s.waiting(t) != 0 || len(s.letters(t)) != 2 {
		t.Errorf("%+v, %d waiting, %v", summary, s.waiting(t), s.letters(t))
	}
	same(t, s.titles(t), "a", "b", "e")
}

func TestStoppedRunTakesNoFurtherBatch(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	stop := make(chan struct{})
	close(stop)
	if summary, err := replay.Run(t.Context(), stop, s.options()); err != nil || summary.Batches != 0 ||
		s.waiting(t) != 2 {
		t.Errorf("%v, %+v, %d left", err, summary, s.waiting(t))
	}
}

func TestCancelledRunRollsBack(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	ctx, cancel := context.WithCancelCause(t.Context())
	o := s.options()
	o.Fault = func(p replay.Point) {
		if p == replay.BeforeCommit {
			cancel(replay.ErrStopped)
		}
	}
	if _, err := replay.Run(ctx, nil, o); !errors.Is(err, replay.ErrStopped) {
		t.Errorf("%v", err)
	}
	if held, _ := lock.New(s.backend, nil).List(t.Context()); s.waiting(t) != 2 || len(s.titles(t)) > 0 || len(held) > 0 {
		t.Errorf("%d left, %v, %v", s.waiting(t), s.titles(t), held)
	}
}

// What is cancelled after the commit is removed from the queue all the same.
func TestCancelledAfterTheCommitFinishes(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	ctx, cancel := context.WithCancelCause(t.Context())
	o := s.options()
	o.Fault = func(p replay.Point) {
		if p == replay.AfterCommit {
			cancel(replay.ErrStopped)
		}
	}
	_, err := replay.Run(ctx, nil, o)
	if !errors.Is(err, replay.ErrStopped) || s.waiting(t) != 0 {
		t.Errorf("%v, %d left", err, s.waiting(t))
	}
	same(t, s.titles(t), "a")
}

// The server refuses a value that our own check has let through: the column was made shorter meanwhile.
func TestRequestThatTheDatabaseRefusesIsIsolated(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(5)")
	s.push(t, "a", "b")
	s.append(t, set("c", "much too long", "d"))
	s.push(t, "long again", "e")
	summary := s.run(t, s.options())
	if summary.Tracked != 5 || summary.Failed != 2 {
		t.Errorf("%+v", summary)
	}
	same(t, s.titles(t), "a", "b", "c", "d", "e")
	found := s.letters(t)
	if len(found) != 2 || found[0].Offset != 2 || found[0].Request != 1 || found[1].Offset != 3 ||
		found[1].Reason != letters.BadData {
		t.Errorf("%+v", found)
	}
	if !strings.Contains(s.log.String(), "put aside as a dead letter") {
		t.Error("nothing logged")
	}
}

// An error that is nobody's fault in the batch must not fill the dead letters.
func TestBrokenInstallationStopsTheRun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	s.db.MustExec("DROP TABLE matomo_log_link_visit_action")
	_, err := replay.Run(t.Context(), nil, s.options())
	if err == nil || !strings.Contains(err.Error(), "matomo_log_link_visit_action") {
		t.Errorf("%v", err)
	}
	if s.waiting(t) != 2 || len(s.letters(t)) > 0 {
		t.Errorf("%d left, %v", s.waiting(t), s.letters(t))
	}
}

// buggy is a tracker that panics where a tracker's own precautions do not reach.
type buggy struct {
	replay.Tracker
	prepare string // title that makes it panic
}

func (b *buggy) Prepare(ctx context.Context, sets []queue.RequestSet) (*tracker.Prepared, error) {
	for _, set := range sets {
		for _, params := range set.Requests {
			if php.ToString(params.Value("action_name")) == b.prepare {
				panic("bug in prepare")
			}
		}
	}
	return b.Tracker.Prepare(ctx, sets)
}

func (b *buggy) Write(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error) {
	result, err := b.Tracker.Write(ctx, tx, batch)
	if err == nil && result.Tracked > 2 {
		panic("bug in write")
	}
	return result, err
}

func TestPanicsHitOnlyTheirRequests(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "bad", "b", "c", "d")
	o := s.options()
	o.NewEngine = s.engine(&buggy{Tracker: s.assembly.NewTracker(), prepare: "bad"})
	summary := s.run(t, o)
	same(t, s.titles(t), "a", "b")
	if found := s.letters(t); len(found) != 3 || found[0].Request != letters.WholeEntry ||
		found[0].Reason != letters.Bug || summary.Failed != 2 ||
		summary.Undecodable != 1 {
		t.Errorf("%+v, %+v", summary, found)
	}
}

// crowded is a tracker that panics over several entries at once, and over none of them alone.
type crowded struct{ replay.Tracker }

func (c *crowded) Prepare(ctx context.Context, sets []queue.RequestSet) (*tracker.Prepared, error) {
	if len(sets) > 1 {
		panic("bug in prepare")
	}
	return c.Tracker.Prepare(ctx, sets)
}

func TestPanicOfNoRequestEndsTheRun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	o := s.options()
	o.NewEngine = s.engine(&crowded{s.assembly.NewTracker()})
	_, err := replay.Run(t.Context(), nil, o)
	if _, bug := errors.AsType[*tracker.PanicError](err); !bug || s.waiting(t) != 2 || len(s.letters(t)) != 0 {
		t.Errorf("error %v, %d waiting, %d letters; want a panic, 2 and none", err, s.waiting(t), len(s.letters(t)))
	}
}

func TestLettersAreKeptWithinTheirBound(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	for n := range 8 {
		_ = s.backend.Append(t.Context(), queue.Key(0), fmt.Appendf(nil, "no entry %d", n))
	}
	o := s.options()
	o.MaxLetters = 5
	summary, err := replay.Run(t.Context(), nil, o)
	if !errors.Is(err, replay.ErrTooManyLetters) || len(s.letters(t)) != 5 || s.waiting(t) != 3 ||
		!slices.Equal(summary.Full, []int{0}) {
		t.Errorf("%v, %d letters, %d left, full %v", err, len(s.letters(t)), s.waiting(t), summary.Full)
	}
	if ofQueue, ok := errors.AsType[*replay.QueueError](err); !ok || ofQueue.Queue != 0 {
		t.Errorf("%v names no queue", err)
	}
}

func TestDatabaseThatStaysAwayEndsTheRun(t *testing.T) {
	maria := testserver.MariaDB(t, testserver.Private())
	s := newSite(t, maria)
	s.push(t, "a")
	o := s.options()
	o.Patience = time.Millisecond
	maria.Stop(t)
	_, err := replay.Run(t.Context(), nil, o)
	if err == nil || !strings.Contains(err.Error(), "database away, given up after 8 attempts") || s.waiting(t) != 1 {
		t.Errorf("%v, %d left", err, s.waiting(t))
	}
	if !strings.Contains(s.log.String(), `msg="database away, trying again" queue=0 offset=0 attempt=3`) {
		t.Errorf("logged:\n%s", s.log)
	}

	stop := make(chan struct{})
	o.Patience = time.Minute
	o.Fault = func(p replay.Point) {
		if p == replay.AfterRead {
			close(stop)
		}
	}
	if _, err := replay.Run(t.Context(), stop, o); err != nil ||
		!strings.Contains(s.log.String(), "stopped while a server was away") {
		t.Errorf("stopped: %v\n%s", err, s.log)
	}
	maria.Start(t)
	o.Fault = nil
	s.run(t, o)
	same(t, s.titles(t), "a")
}

func TestQueueServerThatStaysAwayEndsTheRun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	o := s.options()
	o.Patience = time.Millisecond
	s.redis.Stop(t)
	_, err := replay.Run(t.Context(), nil, o)
	if !errors.Is(err, queue.ErrUnavailable) ||
		!strings.Contains(err.Error(), "queue server away, given up after 8 attempts") {
		t.Errorf("%v", err)
	}
}

func TestQueueServerThatRefusesIsNotAskedAgain(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	closed := testserver.Redis(t, testserver.WithPassword("right"))
	backend, err := queue.NewRedis(queue.RedisOptions{Host: closed.Host, Port: closed.Port, Password: "wrong"})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	o := s.options()
	o.Backend = backend
	if summary, err := replay.Run(t.Context(), nil, o); !errors.Is(err, queue.ErrDenied) || summary.Retries != 0 {
		t.Errorf("%v after %d retries", err, summary.Retries)
	}
}

func TestLostLockRollsBackAndLeavesAfterAWhile(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	o := s.options()
	o.Fault = func(p replay.Point) {
		if p == replay.AfterWrite {
			_, _ = s.backend.Delete(t.Context(), lock.Key(0))
		}
	}
	summary := s.run(t, o)
	if summary.Tracked != 0 || s.waiting(t) != 1 || len(s.titles(t)) != 0 {
		t.Errorf("%+v, %d left", summary, s.waiting(t))
	}
	if n := strings.Count(s.log.String(), "lock lost"); n != 3 {
		t.Errorf("%d locks lost:\n%s", n, s.log)
	}
}

// The batch is gone and another is at the head when the transaction begins: a worker that was frozen has finished its
// own work.
func TestStaleBatchIsLeft(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.BatchSize = 2
	first := true
	o.Fault = func(p replay.Point) {
		if p == replay.AfterRead && first {
			first = false
			_, _ = s.backend.Delete(t.Context(), lock.Key(0))
			other := s.options()
			other.BatchSize, other.MaxBatches = 2, 1
			s.run(t, other)
		}
	}
	s.run(t, o)
	same(t, s.titles(t), "a", "b", "c")
	if !strings.Contains(s.log.String(), "somebody else has just removed it") {
		t.Errorf("logged:\n%s", s.log)
	}
}

// A worker freezes after its commit, and another one takes over: that one puts the dead letters aside and empties the
// queue, the first one finds nothing left to do.
func TestSuccessorFinishesWhatIsCommitted(t *testing.T) {
	for _, point := range []replay.Point{replay.AfterCommit, replay.AfterLetters} {
		t.Run(string(point), func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			s.push(t, "a")
			_ = s.backend.Append(t.Context(), queue.Key(0), []byte("no entry"))
			s.push(t, "b")
			o := s.options()
			first := true
			o.Fault = func(p replay.Point) {
				if p == point && first {
					first = false
					_, _ = s.backend.Delete(t.Context(), lock.Key(0))
					if other := s.run(t, s.options()); other.Recovered != 3 || other.Tracked != 0 {
						t.Errorf("successor: %+v", other)
					}
				}
			}
			s.run(t, o)
			same(t, s.titles(t), "a", "b")
			if found := s.letters(t); len(found) != 1 || string(found[0].Entry) != "no entry" || found[0].Offset != 1 {
				t.Errorf("%+v", found)
			}
			if s.waiting(t) != 0 {
				t.Errorf("%d left", s.waiting(t))
			}
		})
	}
}

// The server of the queue has forgotten the removal of a batch, and its last entry; another one has come since.
func TestForgottenRemovalIsMadeUpFor(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	old, err := s.backend.Range(t.Context(), queue.Key(0), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, s.options())
	_, _ = s.backend.Delete(t.Context(), queue.OffsetKey(queue.Key(0)))
	if err := s.backend.Append(t.Context(), queue.Key(0), old...); err != nil {
		t.Fatal(err)
	}
	s.push(t, "d")
	if summary := s.run(t, s.options()); summary.Recovered != 2 || summary.Tracked != 1 {
		t.Errorf("%+v", summary)
	}
	same(t, s.titles(t), "a", "b", "c", "d")
}

// More entries are committed and not removed than are removed at once: each counts once.
func TestCommittedEntriesAreCountedAsTheyAreRemoved(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	empty, err := queue.Encode(queue.RequestSet{Time: now.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	old := slices.Repeat([][]byte{empty}, 6000)
	o := s.options()
	o.BatchSize = 3000
	if err := s.backend.Append(t.Context(), queue.Key(0), old...); err != nil {
		t.Fatal(err)
	}
	s.run(t, o)
	_, _ = s.backend.Delete(t.Context(), queue.OffsetKey(queue.Key(0)))
	if err := s.backend.Append(t.Context(), queue.Key(0), old...); err != nil {
		t.Fatal(err)
	}
	if summary := s.run(t, o); summary.Recovered != 6000 || s.waiting(t) != 0 {
		t.Errorf("%d recovered, %d left", summary.Recovered, s.waiting(t))
	}
	for _, want := range []string{"entries=5000", "entries=1000"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("no %s logged:\n%s", want, s.log)
		}
	}
}

// The number of queues shrinks while a batch of a queue beyond it is committed and still in the queue.
func TestOrphansAreMovedWithoutWhatIsCommitted(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	four := s.options()
	four.Queues = 4
	visitor := func(set queue.RequestSet, i int) ([]byte, string) { return queue.VisitorID(set.Requests[i]), "" }
	manager, err := queue.NewManager(s.backend, four.Queues)
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := manager.Add(t.Context(), set(title), visitor); err != nil {
			t.Fatal(err)
		}
	}
	before, err := s.backend.Range(t.Context(), queue.Key(3), 0, 2)
	if err != nil || len(before) < 2 {
		t.Fatalf("queue 3 holds %d sets, %v", len(before), err)
	}
	four.Only, four.BatchSize, four.MaxBatches = 3, 1, 1
	s.run(t, four)
	conn := s.redis.Dial(t) // as if the worker had been killed before the removal
	for _, command := range [][]any{{"LPUSH", queue.Key(3), before[0]}, {"DEL", queue.OffsetKey(queue.Key(3))}} {
		if _, err := conn.Do(command[0].(string), command[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := replay.MoveOrphans(t.Context(), s.options(), visitor); err != nil {
		t.Fatal(err)
	}
	s.run(t, s.options())
	got := s.titles(t)
	slices.Sort(got)
	same(t, got, "a", "b", "c", "d", "e", "f", "g", "h")
}

// Another worker is just writing what is in our way: the batch is tried again, and nobody is to blame.
func TestPassingTroubleIsNobodysFault(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	o := s.options()
	failures := 0
	o.NewEngine = s.engine(&unlucky{s.assembly.NewTracker(), &failures})
	if summary := s.run(t, o); summary.Tracked != 2 || summary.Failed != 0 || failures != 1 {
		t.Errorf("%+v after %d failures", summary, failures)
	}
}

// unlucky fails the first time that it writes.
type unlucky struct {
	replay.Tracker
	failures *int
}

func (u *unlucky) Write(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error) {
	if *u.failures == 0 {
		*u.failures++
		return nil, &store.DataError{Table: "log_conversion", Column: "idorder", Reason: "taken"}
	}
	return u.Tracker.Write(ctx, tx, batch)
}

func TestRequestsAreLoggedWithoutSecrets(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	unknown := set("b")
	unknown.Requests[0].Set("idsite", php.String("99"))
	s.append(t, unknown)
	s.run(t, s.options())
	log := s.log.String()
	if !strings.Contains(log, `msg=request queue=0 offset=0 request=0 outcome=taken`) ||
		!strings.Contains(log, "unknown site") ||
		strings.Contains(log, "0123456789abcdef") {
		t.Errorf("logged:\n%s", log)
	}
}

// refusingList is a backend that refuses to read one list once another one has got shorter.
type refusingList struct {
	queue.Backend
	list, other string
	shorter     int64
}

func (r refusingList) Head(ctx context.Context, list string, n int) (queue.Batch, error) {
	for list == r.list {
		left, err := r.Len(ctx, r.other)
		if err != nil || left < r.shorter {
			return queue.Batch{}, errors.Join(queue.ErrDenied, err)
		}
	}
	return r.Backend.Head(ctx, list, n)
}

func TestErrorOfOneWorkerEndsTheOthers(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	const many = 2000 // they take longer than the end of a worker to be told of
	s.push(t, "refused")
	for i := range many {
		s.appendTo(t, 1, set(fmt.Sprint(i)))
	}
	o := s.options()
	o.Queues, o.Workers, o.BatchSize, o.Threshold = 2, 2, 1, 1
	o.Backend = refusingList{s.backend, queue.Key(0), queue.Key(1), many}
	summary, err := replay.Run(t.Context(), nil, o)
	if !errors.Is(err, queue.ErrDenied) {
		t.Errorf("error %v, want the one worker's", err)
	}
	if summary.Tracked == 0 || summary.Tracked == many {
		t.Errorf("%d of %d requests tracked, want some", summary.Tracked, many)
	}
}
