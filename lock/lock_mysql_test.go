package lock_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

func TestLocksInMySQL(t *testing.T) {
	db := testserver.MariaDB(t).NewDatabase(t)
	store, err := queue.NewMySQL(db, "matomo_", "database")
	if err != nil {
		t.Fatal(err)
	}
	l := lock.New(store, rand.Reader)
	if held, err := l.List(t.Context()); len(held) != 0 || err != nil {
		t.Errorf("before there is a table: %v, %v", held, err)
	}
	ours := acquire(t, l, 3)
	if _, ok, err := l.Acquire(t.Context(), 3, pluginTTL); ok || err != nil {
		t.Errorf("acquired twice: %v, %v", ok, err)
	}
	for range 2 { // the same time again, within one second
		if err := ours.Extend(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
	}
	held, err := l.List(t.Context())
	for i := range held {
		held[i].Left = held[i].Left.Round(time.Minute)
	}
	want := []lock.Held{{QueueID: 3, Key: "QueuedTrackingLock3", Left: time.Hour}}
	if diff := cmp.Diff(want, held); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// Our lock has run out, and another worker has taken it.
	if _, err := db.Exec("UPDATE matomo_queuedtracking_queue SET queue_value = 'theirs' WHERE queue_key = ?", ours.Key()); err != nil {
		t.Fatal(err)
	}
	if err := ours.Extend(t.Context(), time.Hour); !errors.Is(err, lock.ErrLost) {
		t.Errorf("extend a lock taken over: %v", err)
	}
	if err := ours.Release(t.Context()); !errors.Is(err, lock.ErrLost) {
		t.Errorf("release a lock taken over: %v", err)
	}
	if ok, err := l.Unlock(t.Context(), ours.Key()); !ok || err != nil {
		t.Errorf("unlock: %v, %v", ok, err)
	}
	if err := acquire(t, l, 3).Release(t.Context()); err != nil {
		t.Error(err)
	}
}
