package phpengine

import (
	"errors"

	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/replay"
)

// failedWith judges the error of a task's tracking. A request with which a second child has died is to blame, if others
// can be tracked. Where that is not known, others have to be tried first: a *replay.BreakdownError. The first death is
// an error after which the batch is tried again.
func (tx *transaction) failedWith(t *task, c call, err error) error {
	e := tx.engine
	err = tx.failed(err)
	death, died := errors.AsType[*phpchild.DeathError](err)
	if !died || death.Request == nil {
		return err
	}
	entry := c.entries[death.Request.Set]
	request := t.number(entry, death.Request.Request) - t.first[entry]
	if death.Request.Request < 0 {
		request = c.firstOf(death.Request.Set)
	}
	deaths := e.suspects.note(suspectOf(t.entries[entry].Element, request), death)
	e.options.Log.Warn("PHP died while it tracked a request",
		"request", request, "deaths", deaths.count, "error", death)
	if deaths.count < enoughDeaths {
		return err
	}
	if death.Tracked > 0 {
		e.suspects.vouched = true
	}
	return e.blame(t.first[entry]+request-t.from, death)
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

// blame makes the error of a request that ends children.
func (e *Engine) blame(request int, err error) error {
	if !e.suspects.vouched {
		return &replay.BreakdownError{Err: err}
	}
	e.suspects.vouched = false
	return &replay.GuiltyError{Request: request, Err: err}
}

// convicted looks for requests that are known to end children, so that no other one has to die. Without a request that
// was tracked meanwhile they are tried again.
func (e *Engine) convicted(t *task, c call) error {
	if len(e.suspects.deaths) == 0 || !e.suspects.vouched {
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
