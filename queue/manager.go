package queue

import (
	"context"
	"fmt"
	"iter"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// VisitorFunc tells who made request i of a set: the visitor id (8 bytes, or nil when the request names none,
// spec §1.8) and the client's address as text (spec §1.7).
type VisitorFunc func(set RequestSet, i int) (visitorID []byte, ip string)

// Manager knows the queues 0 … workers-1 of a backend.
type Manager struct {
	backend Backend
	workers int
}

// NewManager makes the manager of workers queues, 1 … MaxQueues (setting numQueueWorkers).
func NewManager(backend Backend, workers int) (*Manager, error) {
	if workers < 1 || workers > MaxQueues {
		return nil, fmt.Errorf("number of queues %d: must be 1 to %d (setting numQueueWorkers)", workers, MaxQueues)
	}
	return &Manager{backend, workers}, nil
}

// Workers is the number of queues.
func (m *Manager) Workers() int { return m.workers }

// Waiting returns the number of sets in each queue, by queue id.
func (m *Manager) Waiting(ctx context.Context) ([]int64, error) {
	return m.backend.Lens(ctx, Keys(0, m.workers)...)
}

// Orphan is a queue beyond the number of queues that still holds sets.
type Orphan struct {
	ID      int
	Waiting int64 // sets
}

// Orphans finds the queues that were left behind when the number of queues shrank, in the order of their ids.
func (m *Manager) Orphans(ctx context.Context) ([]Orphan, error) {
	lens, err := m.backend.Lens(ctx, Keys(m.workers, MaxQueues)...)
	if err != nil {
		return nil, err
	}
	var orphans []Orphan
	for i, n := range lens {
		if n > 0 {
			orphans = append(orphans, Orphan{m.workers + i, n})
		}
	}
	return orphans, nil
}

// Add queues a set as the plugin does: the requests of each queue become an entry of their own. A set without requests
// is not queued.
func (m *Manager) Add(ctx context.Context, set RequestSet, visitor VisitorFunc) error {
	for _, part := range m.split(set, visitor) {
		element, err := Encode(part.set)
		if err != nil {
			return err
		}
		if err := m.backend.Append(ctx, Key(part.id), element); err != nil {
			return err
		}
	}
	return nil
}

// part is what of a set belongs to one queue.
type part struct {
	id  int
	set RequestSet
}

// split sorts the requests of a set by queue, in the order in which the queues come up first.
func (m *Manager) split(set RequestSet, visitor VisitorFunc) []part {
	var parts []part
	at := map[int]int{}
	for i, params := range set.Requests {
		visitorID, ip := visitor(set, i)
		id := QueueIDOfVisitor(visitorID, ip, m.workers)
		p, known := at[id]
		if !known {
			p = len(parts)
			at[id] = p
			parts = append(parts, part{id: id, set: set})
			parts[p].set.Requests = nil
		}
		parts[p].set.Requests = append(parts[p].set.Requests, orEmpty(params))
	}
	return parts
}

func orEmpty(params *php.Array) *php.Array {
	if params == nil {
		return php.NewArray(0)
	}
	return params
}

// Rotation is the order in which one worker looks for work, so that no queue waits for ever: each round begins behind
// the queue where the round before was left. It belongs to one worker.
type Rotation struct {
	workers int
	current int
}

// NewRotation begins behind queue start; workers begin at random ones so that they do not all try the same queue first.
func (m *Manager) NewRotation(start int) *Rotation {
	return &Rotation{m.workers, start}
}

// Round yields every queue id once. The queue at which the loop is left is remembered.
func (r *Rotation) Round() iter.Seq[int] {
	return func(yield func(int) bool) {
		for range r.workers {
			r.current = (r.current + 1) % r.workers
			if !yield(r.current) {
				return
			}
		}
	}
}
