package replay_test

import (
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// newJointSite is a site whose queues are in its database.
func newJointSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, testserver.MariaDB(t))
	s.backend = mysqlOn(t, s.db)
	return s
}

func mysqlOn(t *testing.T, db *sqlx.DB) queue.Backend {
	t.Helper()
	backend, err := queue.NewMySQL(db, "matomo_", "database")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// watched runs and tells how many entries wait, and how many dead letters there are, at a point of the only batch.
func (s *site) watched(t *testing.T, point replay.Point) (waiting int64, letters int) {
	t.Helper()
	o := s.options()
	o.Fault = func(p replay.Point) {
		if p == point {
			waiting, letters = s.waiting(t), len(s.letters(t))
		}
	}
	if summary := s.run(t, o); summary.Tracked != 2 || summary.Undecodable != 1 || summary.Batches != 1 {
		t.Errorf("%+v", summary)
	}
	same(t, s.titles(t), "a", "b")
	if s.waiting(t) != 0 || len(s.letters(t)) != 1 {
		t.Errorf("%d left, %v", s.waiting(t), s.letters(t))
	}
	return waiting, letters
}

// The commit does everything where it can: nothing of it is to be seen before, and nothing is left to do afterwards.
func TestCommitEmptiesAQueueInItsDatabase(t *testing.T) {
	for _, test := range []struct {
		name    string
		open    func(*testing.T) *site
		point   replay.Point
		waiting int64
		letters int
	}{
		{"before the commit", newJointSite, replay.BeforeCommit, 3, 0},
		{"after the commit", newJointSite, replay.AfterCommit, 0, 1},
		{"in Redis", func(t *testing.T) *site { return newSite(t, testserver.MariaDB(t)) }, replay.AfterCommit, 3, 0},
		{"in another database", func(t *testing.T) *site {
			s := newSite(t, testserver.MariaDB(t))
			s.backend = mysqlOn(t, testserver.MariaDB(t).NewDatabase(t))
			return s
		}, replay.AfterCommit, 3, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.open(t)
			s.push(t, "a")
			if err := s.backend.Append(t.Context(), queue.Key(0), []byte("no entry")); err != nil {
				t.Fatal(err)
			}
			s.push(t, "b")
			if waiting, letters := s.watched(t, test.point); waiting != test.waiting || letters != test.letters {
				t.Errorf("%d entries and %d dead letters, want %d and %d", waiting, letters, test.waiting, test.letters)
			}
		})
	}
}

// A worker of the plugin has taken over a queue whose lock was lost, and removed what it has tracked, which it does not
// count.
func TestEntriesThatThePluginHasTakenAreNotTracked(t *testing.T) {
	s := newJointSite(t)
	s.push(t, "theirs", "theirs too", "ours")
	o := s.options()
	o.BatchSize = 2
	taken := false
	o.Fault = func(p replay.Point) {
		if p == replay.BeforeBegin && !taken {
			taken = true
			s.db.MustExec("DELETE FROM matomo_queuedtracking_list_" + queue.Key(0) + " ORDER BY idqueuelist ASC LIMIT 2")
		}
	}
	s.run(t, o)
	same(t, s.titles(t), "ours")
}

// Two workers believe that they have the lock: the second one waits for the first one's commit and finds that its batch
// is gone.
func TestBatchInTheDatabaseIsTrackedOnce(t *testing.T) {
	s := newJointSite(t)
	s.push(t, "a", "b", "c")
	o := s.options()
	first := true
	o.Fault = func(p replay.Point) {
		if p == replay.BeforeBegin && first {
			first = false
			if _, err := s.backend.Delete(t.Context(), lock.Key(0)); err != nil {
				t.Error(err)
			}
			if other := s.run(t, s.options()); other.Tracked != 3 {
				t.Errorf("the other worker: %+v", other)
			}
		}
	}
	if summary := s.run(t, o); summary.Tracked != 0 {
		t.Errorf("%+v", summary)
	}
	same(t, s.titles(t), "a", "b", "c")
}

// The tables of the queue were restored from a copy, the log tables were not.
func TestRestoredTablesOfAQueueAreRecognised(t *testing.T) {
	s := newJointSite(t)
	s.push(t, "a", "b")
	old, err := s.backend.Range(t.Context(), queue.Key(0), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, s.options())
	if deleted, err := s.backend.Delete(t.Context(), queue.OffsetKey(queue.Key(0))); err != nil || !deleted {
		t.Fatal(deleted, err)
	}
	if err := s.backend.Append(t.Context(), queue.Key(0), old...); err != nil {
		t.Fatal(err)
	}
	s.push(t, "c")
	if summary := s.run(t, s.options()); summary.Recovered != 2 || summary.Tracked != 1 {
		t.Errorf("%+v", summary)
	}
	same(t, s.titles(t), "a", "b", "c")
}
