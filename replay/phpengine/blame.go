package phpengine

import (
	"errors"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/replay"
)

// failedWith judges the error of a task's tracking. A request with which a second child has died, or that has ended a
// second transaction, is to blame, if others can be tracked. Where that is not known, others have to be tried first: a
// *replay.BreakdownError. The first time is an error after which the batch is tried again.
func (tx *transaction) failedWith(t *task, c call, err error) error {
	e := tx.engine
	err = tx.failed(err)
	at, tracked, cause := culprit(err)
	if at == nil {
		return err
	}
	entry := c.entries[at.Set]
	request := t.number(entry, at.Request) - t.first[entry]
	if at.Request < 0 {
		request = c.firstOf(at.Set)
	}
	times := e.suspects.note(suspectOf(t.entries[entry].Element, request), cause)
	e.options.Log.Warn("PHP failed while it tracked a request", "request", request, "times", times.count, "error", cause)
	if times.count < enough {
		return err
	}
	if tracked > 0 {
		e.suspects.vouched = true
	}
	return e.blame(t.first[entry]+request-t.from, cause)
}

// culprit is the request that was at work when the child died or the transaction was rolled back, nil for another
// error; how many requests were tracked before it, and the cause alone.
func culprit(err error) (at *phpchild.At, tracked int, cause error) {
	if death, ok := errors.AsType[*phpchild.DeathError](err); ok {
		return death.Request, death.Tracked, death
	}
	if back, ok := errors.AsType[*phpchild.RolledBackError](err); ok {
		return back.Request, back.Tracked, back
	}
	return nil, 0, nil
}

// firstOf is the first request of a set that is not left out.
func (c *call) firstOf(set int) int {
	n := 0
	for _, left := range c.sets[set].Leave {
		if left == n {
			n++
		}
	}
	return n
}

// blame makes the error of a request that ends children or transactions.
func (e *Engine) blame(request int, err error) error {
	if !e.suspects.vouched {
		return &replay.BreakdownError{Err: err}
	}
	e.suspects.vouched = false
	return &replay.GuiltyError{Request: request, Err: err}
}

// convicted looks for requests that are known to be to blame, so that nothing has to end once more. Without a request
// that was tracked meanwhile they are tried again.
func (e *Engine) convicted(t *task, c call) error {
	if len(e.suspects.records) == 0 || !e.suspects.vouched {
		return nil
	}
	for i, set := range c.sets {
		entry := c.entries[i]
		for n := t.first[entry]; n < t.first[entry+1]; n++ {
			if n < t.from || n >= t.to || t.failed[n] != nil {
				continue
			}
			if err := e.suspects.convicted(suspectOf(set.Element, n-t.first[entry])); err != nil {
				return e.blame(n-t.from, err)
			}
		}
	}
	return nil
}
