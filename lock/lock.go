// Package lock holds the lock of a queue: at most one worker, PHP's or ours, takes entries from a queue at a time
// (spec §0.1). Names and values are those of Matomo's plugin QueuedTracking, so that both respect each other's locks.
//
// The package knows keys and times, not where they are kept: that is a Store, which every queue.Backend is.
package lock

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxQueues is the highest number of queues that the plugin's settings allow.
const maxQueues = 4096

const prefix = "QueuedTrackingLock"

// Key is the name of the lock of a queue.
func Key(queueID int) string { return prefix + strconv.Itoa(queueID) }

// QueueID is the queue whose lock has this name; ok is false for a name that is no lock's.
func QueueID(key string) (id int, ok bool) {
	digits, ok := strings.CutPrefix(key, prefix)
	id, err := strconv.Atoi(digits)
	if !ok || err != nil || id < 0 || id >= maxQueues || Key(id) != key {
		return 0, false
	}
	return id, true
}

// ErrLost is the error when a lock ran out, was released by somebody else or was taken over.
var ErrLost = errors.New("lock lost")

// Store keeps the locks.
type Store interface {
	// SetIfNotExists sets a key that expires after ttl and reports whether it was free.
	SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// ExpireIfValue lets the key expire ttl from now if it has this value, and reports whether it has.
	ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// DeleteIfValue deletes the key if it has this value, and reports whether it had.
	DeleteIfValue(ctx context.Context, key, value string) (bool, error)
	// Delete deletes a key and reports whether it existed.
	Delete(ctx context.Context, key string) (bool, error)
	// TTLs returns the time left of each key: 0 for one that does not exist, negative for one that stays.
	TTLs(ctx context.Context, keys ...string) ([]time.Duration, error)
}

// Locker takes and lists the locks of a store. It may be used by several goroutines if its random source may.
type Locker struct {
	store  Store
	random io.Reader
}

// New makes the locker of a store; the values of locks are drawn from random (crypto/rand.Reader).
func New(store Store, random io.Reader) *Locker { return &Locker{store, random} }

// Lock is a lock that was acquired. Its methods may be used by several goroutines.
type Lock struct {
	store   Store
	queueID int
	value   string
}

// valueBytes is half the number of hexadecimal digits in a lock's value.
const valueBytes = 6

// Acquire takes the lock of a queue for ttl. ok is false when somebody has it.
func (l *Locker) Acquire(ctx context.Context, queueID int, ttl time.Duration) (lock *Lock, ok bool, err error) {
	var b [valueBytes]byte
	if _, err := io.ReadFull(l.random, b[:]); err != nil {
		return nil, false, fmt.Errorf("value for lock %s: %w", Key(queueID), err)
	}
	lock = &Lock{l.store, queueID, hex.EncodeToString(b[:])}
	ok, err = l.store.SetIfNotExists(ctx, lock.Key(), lock.value, ttl)
	if err != nil || !ok {
		return nil, false, err
	}
	return lock, true, nil
}

// QueueID is the queue that is locked.
func (l *Lock) QueueID() int { return l.queueID }

// Key is the name of the lock.
func (l *Lock) Key() string { return Key(l.queueID) }

// Extend lets the lock run out ttl from now, later or earlier than before. ErrLost: we do not have it any more.
func (l *Lock) Extend(ctx context.Context, ttl time.Duration) error {
	ours, err := l.store.ExpireIfValue(ctx, l.Key(), l.value, ttl)
	return l.lost(ours, err)
}

// Release gives the lock back. ErrLost: there was nothing to give back; somebody else's lock is left alone.
func (l *Lock) Release(ctx context.Context) error {
	ours, err := l.store.DeleteIfValue(ctx, l.Key(), l.value)
	return l.lost(ours, err)
}

func (l *Lock) lost(ours bool, err error) error {
	if err == nil && !ours {
		return fmt.Errorf("%s: %w", l.Key(), ErrLost)
	}
	return err
}

// Held is a lock that somebody has.
type Held struct {
	QueueID int
	Key     string
	Left    time.Duration // until it runs out; negative: never
}

// List finds the locks that anybody has, by queue id. It asks for every name that a lock can have rather than for a
// pattern, which would make the server look at all its keys and which managed servers forbid.
func (l *Locker) List(ctx context.Context) ([]Held, error) {
	keys := make([]string, maxQueues)
	for id := range keys {
		keys[id] = Key(id)
	}
	left, err := l.store.TTLs(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var held []Held
	for id, d := range left {
		if d != 0 {
			held = append(held, Held{id, keys[id], d})
		}
	}
	return held, nil
}

// Unlock deletes a lock by its name, whoever has it, and reports whether there was one. A name that is no lock's is an
// error.
func (l *Locker) Unlock(ctx context.Context, key string) (bool, error) {
	if _, ok := QueueID(key); !ok {
		return false, fmt.Errorf("%q is no lock: locks are named %s to %s", key, Key(0), Key(maxQueues-1))
	}
	return l.store.Delete(ctx, key)
}
