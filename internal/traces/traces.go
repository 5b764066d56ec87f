// Package traces finds what this program has left beside the queues and in Matomo's database, and removes it: for
// whoever goes back to PHP's worker for good.
package traces

import (
	"context"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Trace is something of ours beside the queues or in Matomo's database, which Matomo and its plugin do not know.
type Trace struct {
	Kind  Kind
	Name  string // key of the queues' server, or option
	Queue int    // NoQueue for what belongs to all
	Count int64  // of dead letters; else 1
}

// Kind tells what a trace is for.
type Kind string

// What there may be.
const (
	Checkpoint Kind = "checkpoint"   // in the table option: how far the queue is tracked
	Trial      Kind = "trial"        // in the table option: of a killed run of PHP that was to leave nothing
	Counter    Kind = "counter"      // of the entries that have left the queue
	Mark       Kind = "mark"         // whose dead letters were put aside last; it expires
	Letters    Kind = "dead letters" // what could not be tracked
	Statistics Kind = "statistics"   // of runs
)

// NoQueue is the queue of what belongs to all.
const NoQueue = -1

const daysOfStatistics = int(history.Keep/(24*time.Hour)) + 1

// Find finds what is there. Marks that serve and moves between queues leave expire within a month, and are left out.
func Find(ctx context.Context, o replay.Options) (found []Trace, err error) {
	if found, err = optionTraces(ctx, o.Store); err != nil {
		return nil, err
	}
	keys := make([]Trace, 0, 3*queue.MaxQueues+daysOfStatistics)
	for id := range queue.MaxQueues {
		list := queue.Key(id)
		keys = append(keys, Trace{Counter, queue.OffsetKey(list), id, 1}, Trace{Mark, replay.MarkKey(list), id, 1})
	}
	for _, name := range statisticsKeys(o.Clock()) {
		keys = append(keys, Trace{Statistics, name, NoQueue, 1})
	}
	names := make([]string, len(keys))
	for i, t := range keys {
		names[i] = t.Name
	}
	left, err := o.Backend.TTLs(ctx, names...)
	if err != nil {
		return nil, err
	}
	for i, ttl := range left {
		if ttl != 0 {
			found = append(found, keys[i])
		}
	}
	letters, err := letterTraces(ctx, o.Backend)
	return append(found, letters...), err
}

func optionTraces(ctx context.Context, s *store.Store) (found []Trace, err error) {
	tx, err := s.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // nothing was written
	lists, err := tx.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	for option, list := range lists {
		id, ok := queue.ID(list)
		if !ok {
			id = NoQueue
		}
		found = append(found, Trace{Checkpoint, option, id, 1})
	}
	trials, err := tx.Trials(ctx)
	for _, option := range trials {
		found = append(found, Trace{Trial, option, NoQueue, 1})
	}
	return found, err
}

func letterTraces(ctx context.Context, b queue.Backend) (found []Trace, err error) {
	lists := queue.Keys(0, queue.MaxQueues)
	for i, list := range lists {
		lists[i] = queue.FailedKey(list)
	}
	counts, err := b.Lens(ctx, lists...)
	for id, n := range counts {
		if n > 0 {
			found = append(found, Trace{Letters, lists[id], id, n})
		}
	}
	return found, err
}

// statisticsKeys are those of the days that are kept, and of all days together.
func statisticsKeys(now time.Time) []string {
	names := []string{queue.TotalKey}
	for day := range daysOfStatistics {
		names = append(names, queue.DayKey(now.UTC().AddDate(0, 0, -day).Format(time.DateOnly)))
	}
	return names
}

// Remove removes traces of one queue, or of all together (id NoQueue). The queue is locked meanwhile: where somebody
// else has done that the error is replay.ErrLocked. What a killed worker has committed leaves the queue before:
// without the checkpoint it would be tracked again.
func Remove(ctx context.Context, o replay.Options, id int, traces []Trace) error {
	options, keys := parted(traces)
	if id == NoQueue {
		if err := deleteOptions(ctx, o.Store, options); err != nil {
			return err
		}
		return deleteKeys(ctx, o.Backend, keys)
	}
	return replay.WithQueue(ctx, o, id, func(ctx context.Context) error {
		if err := deleteOptions(ctx, o.Store, options); err != nil {
			return err
		}
		// Later than the checkpoint: a counter alone does no harm. What a killed worker has left may have made it anew.
		list := queue.Key(id)
		return deleteKeys(ctx, o.Backend, append(keys, Trace{Name: queue.OffsetKey(list)}, Trace{Name: replay.MarkKey(list)}))
	})
}

// parted parts what is in the database from what is beside the queues.
func parted(traces []Trace) (options, keys []Trace) {
	for _, t := range traces {
		if t.Kind == Checkpoint || t.Kind == Trial {
			options = append(options, t)
		} else {
			keys = append(keys, t)
		}
	}
	return options, keys
}

func deleteOptions(ctx context.Context, s *store.Store, options []Trace) error {
	if len(options) == 0 {
		return nil
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit there is nothing to roll back
	for _, t := range options {
		if err := tx.DeleteOption(ctx, t.Name); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

func deleteKeys(ctx context.Context, b queue.Backend, traces []Trace) error {
	for _, t := range traces {
		if _, err := b.Delete(ctx, t.Name); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}
