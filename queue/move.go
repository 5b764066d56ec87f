package queue

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// moveBatch is how many entries are moved at a time.
	moveBatch = 100
	// markTTL is how long an interrupted move may wait for its continuation.
	markTTL = 7 * 24 * time.Hour
)

// ErrOvertaken says that another worker has taken entries of a queue while it was being moved.
var ErrOvertaken = errors.New("queue changed while it was moved")

// Move takes the entries of queue from, which is beyond the number of queues, into the remaining ones in order, as the
// plugin's settings page does, and returns how many. Entries whose requests belong to one queue keep their bytes and
// all keep their time; what cannot be decoded, or holds no requests, goes to a queue of the remaining ones as it is.
//
// The caller holds the lock of queue from; before each step keepLock extends it. A Move that is interrupted at any
// instant is continued by the next one without losing or doubling an entry.
func (m *Manager) Move(
	ctx context.Context, from int, visitor VisitorFunc, keepLock func(context.Context) error,
) (moved int, err error) {
	if from < m.workers {
		return 0, fmt.Errorf("queue %d is in use", from)
	}
	source := Key(from)
	for {
		batch, err := m.backend.Head(ctx, source, moveBatch)
		if err != nil || len(batch.Elements) == 0 {
			return moved, err
		}
		if err := keepLock(ctx); err != nil {
			return moved, err
		}
		if err := m.moveBatch(ctx, from, batch, visitor); err != nil {
			return moved, err
		}
		removed, err := m.backend.RemoveFirst(ctx, source, batch)
		if err != nil {
			return moved, err
		}
		if !removed {
			return moved, fmt.Errorf("queue %s: %w", source, ErrOvertaken)
		}
		moved += len(batch.Elements)
	}
}

// moveBatch appends the batch to the queues it belongs to, each with a mark by which a continued Move sees what it has
// already.
func (m *Manager) moveBatch(ctx context.Context, from int, batch Batch, visitor VisitorFunc) error {
	for id, elements := range m.route(batch, from, visitor) {
		if len(elements) == 0 {
			continue
		}
		list := Key(id)
		markKey := movedKey(list, from)
		value, _, err := m.backend.Get(ctx, markKey)
		if err != nil {
			return err
		}
		done := movedBefore(value, batch)
		var missing [][]byte
		for _, e := range elements {
			if e.position >= done {
				missing = append(missing, e.bytes)
			}
		}
		if len(missing) == 0 {
			continue
		}
		mark := Mark{Key: markKey, Value: markValue(batch, len(batch.Elements)), TTL: markTTL, WhenFull: true}
		if err := m.backend.AppendMarked(ctx, list, mark, missing...); err != nil {
			return err
		}
	}
	return nil
}

// routed is an entry for another queue, with the position in the batch of the entry it comes from.
type routed struct {
	position int
	bytes    []byte
}

// route tells for every remaining queue, by id, what it takes over from the batch.
func (m *Manager) route(batch Batch, from int, visitor VisitorFunc) [][]routed {
	routes := make([][]routed, m.workers)
	for position, element := range batch.Elements {
		for _, target := range m.targets(element, from, visitor) {
			routes[target.id] = append(routes[target.id], routed{position, target.bytes})
		}
	}
	return routes
}

type target struct {
	id    int
	bytes []byte
}

func (m *Manager) targets(element []byte, from int, visitor VisitorFunc) []target {
	asItIs := target{from % m.workers, element}
	set, err := Decode(element)
	if err != nil {
		return []target{asItIs}
	}
	parts := m.split(set, visitor)
	switch len(parts) {
	case 0:
		return []target{asItIs}
	case 1:
		return []target{{parts[0].id, element}}
	}
	targets := make([]target, 0, len(parts))
	for _, p := range parts {
		bytes, err := Encode(p.set)
		if err != nil { // a number such as 1e999, which JSON can hold but PHP cannot write again
			return []target{asItIs}
		}
		targets = append(targets, target{p.id, bytes})
	}
	return targets
}

// markValue says that the first n entries of the batch were taken over: their position, number and digest.
func markValue(batch Batch, n int) string {
	h := sha256.New()
	var size [8]byte
	for _, e := range batch.Elements[:n] {
		h.Write(binary.BigEndian.AppendUint64(size[:0], uint64(len(e))))
		h.Write(e)
	}
	return fmt.Sprintf("%d %d %s", batch.Offset, n, hex.EncodeToString(h.Sum(nil)[:16]))
}

// movedBefore tells how many entries at the beginning of the batch a mark covers.
func movedBefore(mark string, batch Batch) int {
	_, rest, _ := strings.Cut(mark, " ")
	count, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > len(batch.Elements) || mark != markValue(batch, n) {
		return 0
	}
	return n
}
