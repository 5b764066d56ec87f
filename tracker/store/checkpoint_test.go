package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

const testList = "trackingQueueV1_2"

// storeCheckpoint sets what the option of testList holds.
func storeCheckpoint(t testing.TB, s *Store, value string) {
	t.Helper()
	inTx(t, s, func(ctx context.Context, tx *Tx) error {
		return tx.SetOptions(ctx, []Option{{Name: checkpointPrefix + testList, Value: value}})
	})
}

func storedCheckpoint(t testing.TB, s *Store) (value string) {
	t.Helper()
	if err := s.db.Get(&value, "SELECT COALESCE(MAX(option_value), 'none') FROM m_option WHERE option_name = ?", checkpointPrefix+testList); err != nil {
		t.Fatal(err)
	}
	return value
}

// beginMove begins a transaction that moves the checkpoint and inserts a visit.
func beginMove(t testing.TB, s *Store, from, to Checkpoint) (*Tx, error) {
	t.Helper()
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if err = tx.MoveCheckpoint(t.Context(), testList, from, to); err == nil {
		err = tx.InsertVisits(t.Context(), []*Visit{newTestVisit(1, 1, testTime)})
	}
	return tx, err
}

func TestCheckpointMovesWhenItIsAsTold(t *testing.T) {
	to := Checkpoint{75, "next last 25:50"}
	onEachDatabase(t, func(t *testing.T, s *Store) {
		for _, c := range []struct {
			stored string
			from   Checkpoint
			moves  bool
		}{
			{"50 abcd", Checkpoint{50, "abcd"}, true},
			{"50 abcd 0123 25:40", Checkpoint{50, "abcd 0123 25:40"}, true},
			{"50 it's? 0123", Checkpoint{50, "it's? 0123"}, true},
			// Only the offset and the last batch count.
			{"50 abcd 0123 25:40", Checkpoint{50, "abcd 4567"}, true},
			{"50 abcd 0123", Checkpoint{50, "abcd"}, true},
			// Somebody else has written.
			{"51 abcd 0123", Checkpoint{50, "abcd 0123"}, false},
			{"5 abcd 0123", Checkpoint{50, "abcd 0123"}, false},
			{"500 abcd 0123", Checkpoint{50, "abcd 0123"}, false},
			{"50 abce 0123", Checkpoint{50, "abcd 0123"}, false},
			{"50 abcde 0123", Checkpoint{50, "abcd 0123"}, false},
			{"50 ABCD 0123", Checkpoint{50, "abcd 0123"}, false},
			{"50 abcd", Checkpoint{50, "abcd 0123"}, false},
			// A list that was never replayed has an empty option, which Checkpoint makes.
			{"", Checkpoint{}, false},
		} {
			s.db.MustExec("DELETE FROM m_log_visit")
			storeCheckpoint(t, s, c.stored)
			tx, err := beginMove(t, s, c.from, to)
			if err == nil {
				err = tx.Flush(t.Context())
			}
			want, rows := c.stored, 0
			if c.moves {
				want, rows, err = to.String(), 1, errors.Join(err, tx.Commit(t.Context()))
			} else if !errors.Is(err, ErrCheckpointMoved) || IsRetryable(err) || IsDataError(err) {
				t.Errorf("%q from %q: error %v, want %v, neither retryable nor of the data", c.stored, c.from, err,
					ErrCheckpointMoved)
			} else {
				err = nil
			}
			err = errors.Join(err, tx.Rollback())
			if got, n := storedCheckpoint(t, s), countRows(t, s); err != nil || got != want || n != rows {
				t.Errorf("%q from %q: %q, %d rows, error %v; want %q, %d and none", c.stored, c.from, got, n, err, want, rows)
			}
		}
	})
}

func TestCheckpointThatIsNotThereDoesNotMove(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		tx, err := beginMove(t, s, Checkpoint{}, Checkpoint{25, "abcd"})
		if err == nil {
			err = tx.Commit(t.Context())
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if n, got := countRows(t, s), storedCheckpoint(t, s); !errors.Is(err, ErrCheckpointMoved) || n != 0 || got != "none" {
			t.Errorf("error %v, %d rows, checkpoint %s; want %v, 0 and none", err, n, got, ErrCheckpointMoved)
		}
	})
}

func TestMovedCheckpointFencesASecondWorker(t *testing.T) {
	from, to := Checkpoint{50, "abcd 0123"}, Checkpoint{75, "efgh abcd"}
	onMariaDB(t, func(t *testing.T, s *Store) {
		for _, c := range []struct {
			about string
			end   func(first *Tx) error
			want  error // of the second
		}{
			{"first one commits", func(first *Tx) error { return first.Commit(t.Context()) }, ErrCheckpointMoved},
			{"first one rolls back", func(first *Tx) error { return first.Rollback() }, nil},
		} {
			s.db.MustExec("DELETE FROM m_log_visit")
			storeCheckpoint(t, s, from.String())
			first, err := beginMove(t, s, from, to)
			if err := errors.Join(err, first.Flush(t.Context())); err != nil {
				t.Fatal(err)
			}
			told := make(chan error, 1)
			go func() {
				second, err := beginMove(t, s, from, to)
				if err == nil {
					err = second.Commit(t.Context())
				}
				told <- err
				_ = second.Rollback()
			}()
			waitForLock(t, s)
			if err := c.end(first); err != nil {
				t.Fatal(err)
			}
			if err := <-told; !errors.Is(err, c.want) {
				t.Errorf("%s: error %v of the second, want %v", c.about, err, c.want)
			}
			if n, got := countRows(t, s), storedCheckpoint(t, s); n != 1 || got != to.String() {
				t.Errorf("%s: %d rows, checkpoint %s; want 1 and %s", c.about, n, got, to)
			}
		}
	})
}

// TestCheckpointDoesNotMoveWithAnotherIncrement: the references of a script rely on the increment that the Store knows.
func TestCheckpointDoesNotMoveWithAnotherIncrement(t *testing.T) {
	onMariaDB(t, func(t *testing.T, s *Store) {
		s.db.SetMaxOpenConns(1)
		from, to := Checkpoint{50, "abcd"}, Checkpoint{75, "efgh"}
		storeCheckpoint(t, s, from.String())
		for _, increment := range []int{3, 1} {
			s.db.MustExec(fmt.Sprintf("SET auto_increment_increment = %d", increment))
			tx, err := beginMove(t, s, from, to)
			if err == nil {
				err = tx.Commit(t.Context())
			}
			if want := map[int]error{3: ErrCheckpointMoved}[increment]; !errors.Is(err, want) {
				t.Errorf("increment %d: error %v, want %v", increment, err, want)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}
		if n := countRows(t, s); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// TestCheckpointIsNotSavedWithAnotherIncrement: a node left the cluster after the checkpoint was read, and the rows may
// have ids at another distance than they were told. The next transaction knows the new one.
func TestCheckpointIsNotSavedWithAnotherIncrement(t *testing.T) {
	onMariaDB(t, func(t *testing.T, s *Store) {
		s.db.SetMaxOpenConns(1)
		storeCheckpoint(t, s, "")
		s.replays.Store(checkpointPrefix+testList, true) // else Checkpoint asks on a second connection
		save := func(during int) error {
			tx, err := s.Begin(t.Context())
			if err != nil {
				return err
			}
			defer tx.Rollback() // after a commit it does nothing
			if _, err := tx.Checkpoint(t.Context(), testList); err != nil {
				return err
			}
			if _, err := tx.conn.ExecContext(t.Context(), "SET auto_increment_increment = ?", during); err != nil {
				return err
			}
			s.replays.Store(checkpointPrefix+testList, true)
			if err := tx.SaveCheckpoint(t.Context(), testList, Checkpoint{25, "abcd"}); err != nil {
				return err
			}
			return tx.Commit(t.Context())
		}
		s.db.MustExec("SET auto_increment_increment = 3")
		err := save(2)
		if !errors.Is(err, ErrDistanceMoved) || !IsRetryable(err) || storedCheckpoint(t, s) != "" {
			t.Errorf("error %v, checkpoint %q; want %v, to be tried again, and nothing saved", err, storedCheckpoint(t, s),
				ErrDistanceMoved)
		}
		s.replays.Store(checkpointPrefix+testList, true)
		if err := save(2); err != nil || storedCheckpoint(t, s) != "25 abcd" {
			t.Errorf("error %v, checkpoint %q; want 25 abcd", err, storedCheckpoint(t, s))
		}
		if got := s.distance.Load(); got != 2 {
			t.Errorf("the distance is %d, want 2", got)
		}
	})
}
