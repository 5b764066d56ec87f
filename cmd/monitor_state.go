package cmd

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
)

// snapshot is what monitor saw at one moment.
type snapshot struct {
	Time      time.Time     `json:"time"`
	Enabled   bool          `json:"queue_enabled"`
	Workers   int           `json:"workers"`
	Threshold int           `json:"requests_to_process"`
	Queues    []queueState  `json:"queues"`
	Orphans   []orphanState `json:"orphans"`
	Total     int64         `json:"total"`
	// sets that the queues lose per second, negative when they grow; null at first
	Rate    *float64    `json:"diff_per_second"`
	Memory  memoryState `json:"memory"`
	Active  int         `json:"active_workers"`
	verdict             // of --once

	DeadLetters  int64         `json:"dead_letters"`
	History      *historyState `json:"history"`       // null: it cannot be read
	HistoryError *string       `json:"history_error"` // why
}

type queueState struct {
	ID     int      `json:"id"`
	Sets   int64    `json:"sets"`
	Oldest *float64 `json:"oldest_age_seconds"` // null: empty, or it cannot be decoded
	Rate   *float64 `json:"diff_per_second"`    // as that of all queues
	// until it is empty at this rate; null: it does not shrink, or nobody knows
	Left   *float64 `json:"seconds_left"`
	Locked bool     `json:"locked"`

	DeadLetters int64 `json:"dead_letters"`
}

// orphanState is a queue beyond the number of queues.
type orphanState struct {
	ID     int      `json:"id"`
	Sets   int64    `json:"sets"`
	Oldest *float64 `json:"oldest_age_seconds"`
}

type memoryState struct {
	Used *int64 `json:"used_bytes"`
	Peak *int64 `json:"peak_bytes"`
}

// takeSnapshot looks at the queues. before is what was seen last, nil at first.
func takeSnapshot(ctx context.Context, c *connection, before *snapshot) (*snapshot, error) {
	settings := c.settings.queue
	s := &snapshot{
		Time: c.program.clock(), Enabled: settings.Enabled, Workers: settings.NumQueueWorkers,
		Threshold: settings.NumRequestsToProcess,
		Orphans:   []orphanState{},
	}
	waiting, err := c.manager.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	for id, n := range waiting {
		q := queueState{ID: id, Sets: n}
		if n > 0 {
			if q.Oldest, err = oldestAge(ctx, c.backend, id, s.Time); err != nil {
				return nil, err
			}
		}
		s.Queues = append(s.Queues, q)
		s.Total += n
	}
	if err := s.addOrphans(ctx, c); err != nil {
		return nil, err
	}
	if err := s.addServer(ctx, c.backend); err != nil {
		return nil, err
	}
	s.compare(before)
	return s, nil
}

// compare finds the rates since an earlier snapshot.
func (s *snapshot) compare(before *snapshot) {
	if before == nil || !s.Time.After(before.Time) {
		return
	}
	seconds := s.Time.Sub(before.Time).Seconds()
	rate := float64(before.Total-s.Total) / seconds
	s.Rate = &rate
	for i := range min(len(s.Queues), len(before.Queues)) {
		q := &s.Queues[i]
		rate := float64(before.Queues[i].Sets-q.Sets) / seconds
		q.Rate, q.Left = &rate, secondsLeft(q.Sets, rate)
	}
}

// secondsLeft is how long it takes until nothing is left of n sets, when rate of them go each second.
func secondsLeft(n int64, rate float64) *float64 {
	if rate <= 0 {
		return nil
	}
	left := float64(n) / rate
	return &left
}

func oldestAge(ctx context.Context, backend queue.Backend, id int, now time.Time) (*float64, error) {
	first, err := backend.Range(ctx, queue.Key(id), 0, 1)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	set, err := queue.Decode(first[0])
	if err != nil {
		return nil, nil // the age is not known: process puts such an entry aside
	}
	age := max(0, now.Sub(time.Unix(set.Time, 0)).Truncate(time.Millisecond).Seconds())
	return &age, nil
}

func (s *snapshot) addOrphans(ctx context.Context, c *connection) error {
	orphans, err := c.manager.Orphans(ctx)
	if err != nil {
		return err
	}
	for _, o := range orphans {
		oldest, err := oldestAge(ctx, c.backend, o.ID, s.Time)
		if err != nil {
			return err
		}
		s.Orphans = append(s.Orphans, orphanState{o.ID, o.Waiting, oldest})
		s.Total += o.Waiting
	}
	return nil
}

func (s *snapshot) addServer(ctx context.Context, backend queue.Backend) error {
	held, err := lock.New(backend, rand.Reader).List(ctx)
	if err != nil {
		return err
	}
	for _, h := range held {
		if h.QueueID < len(s.Queues) {
			s.Queues[h.QueueID].Locked = true
		}
	}
	s.Active = len(held)
	info, err := backend.Info(ctx)
	if err != nil {
		return err
	}
	if info.MemoryUsed != queue.Unknown {
		s.Memory.Used = &info.MemoryUsed
	}
	if info.MemoryPeak != queue.Unknown {
		s.Memory.Peak = &info.MemoryPeak
	}
	return nil
}
