package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// stealLock lets somebody else take the queue.
func (s *site) stealLock(t *testing.T) {
	t.Helper()
	if _, err := s.backend.Delete(t.Context(), lock.Key(0)); err != nil {
		t.Error(err)
	}
}

// appendText queues what is no entry.
func (s *site) appendText(t *testing.T, text string) {
	t.Helper()
	if err := s.backend.Append(t.Context(), queue.Key(0), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// entries are those of the queue.
func (s *site) entries(t *testing.T) [][]byte {
	t.Helper()
	all, err := s.backend.Range(t.Context(), queue.Key(0), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// restore brings back entries that were removed from an empty queue, as a server does that was restored from a copy.
func (s *site) restore(t *testing.T, old [][]byte) {
	t.Helper()
	if _, err := s.backend.Delete(t.Context(), queue.OffsetKey(queue.Key(0))); err != nil {
		t.Fatal(err)
	}
	if err := s.backend.Append(t.Context(), queue.Key(0), old...); err != nil {
		t.Fatal(err)
	}
}

// notLogged wants none of the texts in the log.
func (s *site) notLogged(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if log := s.log.String(); strings.Contains(log, text) {
			t.Errorf("logged %q, want it not:\n%s", text, log)
		}
	}
}

// Of two successors the second removes what was committed while the first is about to: what is at the head then is not
// the first one's to remove.
func TestTwoSuccessorsRemoveNothingElse(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	s.appendText(t, "no entry")
	s.push(t, "b", "c")
	var killed, successor passes
	at := func(passed *passes, point replay.Point, next func(o replay.Options)) replay.Options {
		o := s.options()
		o.BatchSize, o.MaxBatches = 2, 1
		o.Fault = func(p replay.Point) {
			if p == point && passed.next(p) == 1 {
				s.stealLock(t)
				second := s.options()
				second.BatchSize, second.MaxBatches = 2, 1
				next(second)
			}
		}
		return o
	}
	run := func(o replay.Options) {
		if _, err := replay.Run(t.Context(), nil, o); err != nil {
			t.Logf("ended with %v", err)
		}
	}
	run(at(&killed, replay.AfterCommit, func(replay.Options) {
		run(at(&successor, replay.AfterLetters, run))
	}))
	s.run(t, s.options())
	same(t, s.titles(t), "a", "b", "c")
	if n := len(s.letters(t)); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

// A worker that has lost its lock puts no dead letters aside: whoever has it now does.
func TestDeadLettersAreLeftToWhoeverHasTheLock(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	s.appendText(t, "no entry")
	o := s.options()
	var passed passes
	o.Fault = func(p replay.Point) {
		if p == replay.AfterCommit && passed.next(p) == 1 {
			s.stealLock(t)
		}
		if n := len(s.letters(t)); p == replay.AfterLetters && passed.next(p) == 1 && n != 0 {
			t.Errorf("%d dead letters without a lock, want none", n)
		}
	}
	summary := s.run(t, o) // takes the queue once more
	if summary.Recovered != 2 || summary.Undecodable != 1 || len(s.letters(t)) != 1 || s.waiting(t) != 0 {
		t.Errorf("%+v, %d dead letters, %d waiting; want 2 recovered, 1 undecodable, 1 and none",
			summary, len(s.letters(t)), s.waiting(t))
	}
}

// The server of the queue has lost the entry of a dead letter that was not put aside yet, and another one has come in
// its place, which is none.
func TestLostEntryIsNoDeadLetter(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	old := s.entries(t)
	s.appendText(t, "no entry")
	s.run(t, s.options())
	for _, key := range []string{replay.MarkKey(queue.Key(0)), queue.FailedKey(queue.Key(0))} {
		if _, err := s.backend.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	s.restore(t, old)
	s.push(t, "b")
	if summary := s.run(t, s.options()); summary.Recovered != 1 || summary.Tracked != 1 {
		t.Errorf("%+v, want 1 recovered, 1 tracked", summary)
	}
	same(t, s.titles(t), "a", "b")
	if found := s.letters(t); len(found) != 0 {
		t.Errorf("dead letters %+v, want none", found)
	}
	if want := "entry of a dead letter is gone"; !strings.Contains(s.log.String(), want) {
		t.Errorf("logged %s, want %q", s.log, want)
	}
}

// Requests of entries behind one that cannot be read are found where they are in the queue.
func TestDeadLettersAreCountedByEntry(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(5)")
	s.appendText(t, "no entry")
	s.push(t, "a", "much too long")
	s.run(t, s.options())
	var got []int64
	for _, letter := range s.letters(t) {
		got = append(got, letter.Offset)
		if letter.Offset == 2 && !strings.Contains(letter.Error, "user_id") {
			t.Errorf("letter of entry 2: %q, want an error of user_id", letter.Error)
		}
	}
	if len(got) != 2 || got[0] != 0 || got[1] != 2 {
		t.Errorf("letters of entries %v, want 0 and 2", got)
	}
}

// A batch with dead letters is not put in flight among others: they are noted in the checkpoint.
func TestDeadLettersOfBatchesInTheMidstOfOthers(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	s.appendText(t, "no entry")
	s.push(t, "d", "e")
	event := set("too much")
	for name, value := range map[string]string{"e_c": "c", "e_a": "a", "e_v": "1e400"} { // no column holds that
		event.Requests[0].Set(name, php.String(value))
	}
	s.append(t, event)
	s.push(t, "f")
	o := s.options()
	o.BatchSize = 1
	if summary := s.run(t, o); summary.Tracked != 6 || summary.Undecodable != 1 || summary.Failed != 1 {
		t.Errorf("%+v, want 6 tracked, 1 undecodable, 1 failed", summary)
	}
	same(t, s.titles(t), "a", "b", "c", "d", "e", "f")
	var got []string
	for _, letter := range s.letters(t) {
		got = append(got, fmt.Sprint(letter.Offset))
	}
	same(t, got, "3", "6")
}

// What is read ahead counts only behind a batch that leaves the queue alone, by its own worker.
func TestBatchReadAheadOfOneThatOthersRemoveIsReadAnew(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.BatchSize = 1
	var passed passes
	o.Fault = func(p replay.Point) {
		if p == replay.AfterCommit && passed.next(p) == 1 {
			s.stealLock(t)
			s.run(t, s.options())
		}
	}
	s.run(t, o)
	same(t, s.titles(t), "a", "b", "c")
	s.notLogged(t, "lock lost", "somebody else has just removed it", "step by step")

	s = newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b")
	old := s.entries(t)
	o = s.options()
	o.BatchSize = 1
	s.run(t, o)
	s.restore(t, old)
	s.push(t, "c")
	if summary := s.run(t, o); summary.Recovered != 2 || summary.Tracked != 1 {
		t.Errorf("%+v, want 2 recovered, 1 tracked", summary)
	}
	s.notLogged(t, "somebody else has just removed it")
}

// The checkpoint that a worker has left is not the one of a queue whose server has forgotten removals since.
func TestRemovalForgottenInTheMidstOfARun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c", "d")
	old := s.entries(t)
	o := s.options()
	o.BatchSize = 2
	var passed passes
	o.Fault = func(p replay.Point) {
		if p == replay.BeforeRelease && passed.next(p) == 1 {
			s.restore(t, old)
			s.push(t, "e")
		}
	}
	if summary := s.run(t, o); summary.Recovered != 4 || summary.Tracked != 5 {
		t.Errorf("%+v, want 4 recovered, 5 tracked", summary)
	}
	same(t, s.titles(t), "a", "b", "c", "d", "e")
}

// Committed entries that are more than the checkpoint names one by one are removed at once.
func TestManyCommittedEntriesAreRemovedAtOnce(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	empty, err := queue.Encode(queue.RequestSet{Time: now.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	old := slices.Repeat([][]byte{empty}, 600)
	o := s.options()
	o.BatchSize = 100
	s.restore(t, old)
	s.run(t, o)
	s.restore(t, old)
	if summary := s.run(t, o); summary.Recovered != 600 || summary.Batches != 1 {
		t.Errorf("%d recovered in %d batches, want 600 in 1", summary.Recovered, summary.Batches)
	}
}

// A run that is told to stop while it waits for the last batch on its way reads nothing more.
func TestStopWhileTheLastBatchIsOnItsWay(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a", "b", "c")
	o := s.options()
	o.BatchSize = 2
	stop := make(chan struct{})
	var passed passes
	o.Fault = func(p replay.Point) {
		if p == replay.AfterRemoval && passed.next(p) == 2 {
			s.push(t, "late")
			close(stop)
		}
	}
	summary, err := replay.Run(t.Context(), stop, o)
	if err != nil || summary.Tracked != 3 || s.waiting(t) != 1 {
		t.Errorf("%+v, error %v, %d waiting; want 3 tracked, none and 1", summary, err, s.waiting(t))
	}
}

// losing is a server on which a queue is read once its lock has gone to somebody else.
type losing struct {
	queue.Backend
	reads, from int // from this read on
	id          int
}

func (l *losing) Head(ctx context.Context, list string, n int) (queue.Batch, error) {
	if l.reads++; l.reads >= l.from {
		if _, err := l.Delete(ctx, lock.Key(l.id)); err != nil {
			return queue.Batch{}, err
		}
	}
	return l.Backend.Head(ctx, list, n)
}

// Nothing is done with a queue whose lock was lost meanwhile.
func TestLostLockEndsWhatNeedsIt(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	o := s.options()
	o.Backend = &losing{Backend: s.backend, from: 1}
	done := false
	err := replay.WithQueue(t.Context(), o, 0, func(context.Context) error {
		done = true
		return nil
	})
	if !errors.Is(err, lock.ErrLost) || done {
		t.Errorf("error %v, done %v; want %v, false", err, done, lock.ErrLost)
	}

	s.appendTo(t, 1, set("b"))
	o.Backend = &losing{Backend: s.backend, from: 2, id: 1} // the first read is for what is committed
	visitor := func(queue.RequestSet, int) ([]byte, string) { return nil, "" }
	if moved, err := replay.MoveOrphans(t.Context(), o, visitor); !errors.Is(err, lock.ErrLost) || moved != 0 {
		t.Errorf("%d moved, error %v; want none, %v", moved, err, lock.ErrLost)
	}
	if n := s.waiting(t); n != 1 {
		t.Errorf("%d in queue 0, want 1", n)
	}
}

// An orphan that somebody else has locked is left to that one.
func TestLockedOrphansStay(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.appendTo(t, 1, set("a"))
	s.appendTo(t, 2, set("b"))
	if _, err := s.backend.SetIfNotExists(t.Context(), lock.Key(1), "other", time.Minute); err != nil {
		t.Fatal(err)
	}
	visitor := func(queue.RequestSet, int) ([]byte, string) { return nil, "" }
	if moved, err := replay.MoveOrphans(t.Context(), s.options(), visitor); err != nil || moved != 1 {
		t.Errorf("%d moved, error %v; want 1, none", moved, err)
	}
	s.run(t, s.options())
	same(t, s.titles(t), "b")
}

// A batch that waits in the database ends when its lock is lost, and the worker goes on.
func TestLostLockEndsABatchThatWaits(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t, testserver.Private()))
	s.push(t, "a")
	s.run(t, s.options())
	holder := s.db.MustBegin()
	holder.MustExec("UPDATE matomo_log_visit SET visit_total_time = visit_total_time + 1")
	s.push(t, "a")
	o := s.options()
	o.LockTTL = time.Second
	ended := make(chan error, 1)
	go func() {
		_, err := replay.Run(t.Context(), nil, o)
		ended <- err
	}()
	testserver.EventuallyWriting(t, s.db, 2) // the holder and the batch
	s.stealLock(t)
	const want = "lock lost"
	for until := time.Now().Add(20 * time.Second); !strings.Contains(s.log.String(), want) && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	if !strings.Contains(s.log.String(), want) {
		t.Errorf("logged %s, want %q while the batch waits", s.log, want)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("error %v, want none", err)
	}
	same(t, s.titles(t), "a", "a")
}

// late is a server whose answer about a lock comes when the run has been cancelled.
type late struct {
	queue.Backend
	cancel context.CancelFunc
}

func (l *late) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	ok, err := l.Backend.SetIfNotExists(context.WithoutCancel(ctx), key, value, ttl)
	l.cancel()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return ok, err
}

func TestLockThatComesLateIsGivenBack(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.push(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	o := s.options()
	o.Backend = &late{s.backend, cancel}
	_, err := replay.Run(ctx, nil, o)
	held, listing := lock.New(s.backend, nil).List(t.Context())
	if !errors.Is(err, context.Canceled) || listing != nil || len(held) != 0 {
		t.Errorf("error %v, locks %v (%v); want %v and none", err, held, listing, context.Canceled)
	}
}

// A queue that was left for others with entries in it is taken again, also if another queue is locked.
func TestRoundsGoOnBesideALockedQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	empty, err := queue.Encode(queue.RequestSet{Time: now.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	// More than ten batches, and what is read ahead with the last of them.
	if err := s.backend.Append(t.Context(), queue.Key(0), slices.Repeat([][]byte{empty}, 1000)...); err != nil {
		t.Fatal(err)
	}
	s.appendTo(t, 1, set("theirs"))
	if _, err := s.backend.SetIfNotExists(t.Context(), lock.Key(1), "other", time.Minute); err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.Queues, o.BatchSize, o.Start = 2, 25, 1
	var asked atomic.Int64
	o.Clock = func() time.Time { return now.Add(time.Duration(asked.Add(1)) * time.Second) }
	if summary := s.run(t, o); summary.Sets != 1000 || summary.Busy != 1 {
		t.Errorf("%+v, want 1000 sets, 1 queue busy", summary)
	}
}

// A dry run goes through the whole queue as a run would, without the entries that are too few for a batch.
func TestDryRunGoesThroughTheQueue(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.pushNumbered(t, 5)
	o := s.options()
	o.DryRun, o.BatchSize = true, 2
	for threshold, want := range map[int]int{1: 5, 3: 4} {
		o.Threshold = threshold
		if summary := s.run(t, o); summary.Tracked != want {
			t.Errorf("threshold %d: %d tracked, want %d", threshold, summary.Tracked, want)
		}
	}
}

// A report counts what happened since the one before.
func TestReportsCountOnce(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	for _, title := range []string{"a", "b"} {
		s.appendText(t, "no entry")
		s.push(t, title)
	}
	var got []int
	o := s.options()
	o.BatchSize = 1
	o.OnBatch = func(b replay.Report) { got = append(got, b.Undecodable) }
	s.run(t, o)
	if want := []int{1, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("undecodable %v, want %v", got, want)
	}
}

// Busy queues are those that the run might have taken, also with a lock that never runs out.
func TestBusyQueuesAreThoseOfTheRun(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	conn := s.redis.Dial(t)
	for id, sets := range []int{2, 2, 1} {
		for range sets {
			s.appendTo(t, id, set("a"))
		}
		if _, err := conn.Do("SET", lock.Key(id), "other"); err != nil {
			t.Fatal(err)
		}
	}
	o := s.options()
	o.Queues, o.Threshold = 3, 2
	for only, want := range map[int]int{replay.AnyQueue: 2, 1: 1} {
		o.Only = only
		if summary := s.run(t, o); summary.Busy != want {
			t.Errorf("only %d: %d queues busy, want %d", only, summary.Busy, want)
		}
	}
}
