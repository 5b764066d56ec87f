package phpengine

import (
	"context"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/replay"
)

// batch is what the tasks of the same entries share.
type batch struct {
	entries []replay.Entry
	first   []int // number of each entry's first request, and of the one behind the last
	failed  map[int]error
}

// task is a replay.Task: the requests of a batch from one to another.
type task struct {
	*batch
	from, to int
}

// Prepare implements replay.Engine. PHP opens the entries itself.
func (e *Engine) Prepare(_ context.Context, entries []replay.Entry) (replay.Task, error) {
	b := &batch{entries: entries, failed: make(map[int]error)}
	n := 0
	for i := range entries {
		b.first = append(b.first, n)
		n += len(entries[i].Set.Requests)
	}
	b.first = append(b.first, n)
	return &task{b, 0, n}, nil
}

// Len implements replay.Task.
func (t *task) Len() int { return t.to - t.from }

// Prefix implements replay.Task.
func (t *task) Prefix(n int) replay.Task { return &task{t.batch, t.from, t.from + n} }

// Only implements replay.Task.
func (t *task) Only(i int) replay.Task { return &task{t.batch, t.from + i, t.from + i + 1} }

// Fail implements replay.Task.
func (t *task) Fail(i int, err error) bool {
	i += t.from
	if t.failed[i] != nil {
		return false
	}
	t.failed[i] = err
	return true
}

// Discard implements replay.Task.
func (t *task) Discard() {}

// call is what a child is asked to do for a task.
type call struct {
	sets    []phpchild.Set
	entries []int // the entry of each set
}

// call leaves out what failed before and what is not of the task.
func (t *task) call() call {
	var c call
	for i := range t.entries {
		first, behind := t.first[i], t.first[i+1]
		set := phpchild.Set{Element: t.entries[i].Element}
		for n := first; n < behind; n++ {
			if n < t.from || n >= t.to || t.failed[n] != nil {
				set.Leave = append(set.Leave, n-first)
			}
		}
		if len(set.Leave) < behind-first {
			c.sets = append(c.sets, set)
			c.entries = append(c.entries, i)
		}
	}
	return c
}

// number is that of a request in the batch. PHP might find more requests in an entry than this program has.
func (t *task) number(entry, request int) int {
	return min(t.first[entry]+max(0, request), t.first[entry+1]-1)
}
