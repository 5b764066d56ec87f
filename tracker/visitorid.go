package tracker

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// visitorChange is a visit whose visitor id has changed, and the ids that its rows in the database may have.
type visitorChange struct {
	state  *lookahead.Visit
	before []store.BinaryID
}

// spreadVisitorID lets a visitor id that the request has changed reach the earlier rows of the visit (spec §V1.4):
// those of the batch in memory, those that are in the database with the batch's other rows. For these everything in
// front has to be committed: a batch that inserts rows of the visit and one that looks for them would wait for each
// other.
func (a *applier) spreadVisitorID(ctx context.Context, s *step, state *lookahead.Visit) error {
	if s.isNew || !a.t.behaviours.SpreadVisitorID || s.last.Visitor == s.row.Visitor {
		return nil
	}
	before, after := s.last.Visitor, s.row.Visitor
	for _, link := range a.work.pending.links {
		if link.Visit == state.Row && link.Visitor == before {
			link.Visitor = after
		}
	}
	for _, c := range a.work.pending.conversions {
		if c.Visit == state.Row && c.Visitor == before {
			c.Visitor = after
		}
	}
	if state.Stored == nil || a.work.dry {
		return nil
	}
	if _, err := a.work.database(ctx); err != nil {
		return err
	}
	i := slices.IndexFunc(a.work.pending.visitors, func(c *visitorChange) bool { return c.state == state })
	if i < 0 {
		i = len(a.work.pending.visitors)
		a.work.pending.visitors = append(a.work.pending.visitors, &visitorChange{state: state})
	}
	if c := a.work.pending.visitors[i]; !slices.Contains(c.before, before) {
		c.before = append(c.before, before)
	}
	return nil
}

func (w *unitOfWork) writeVisitorIDs(ctx context.Context) error {
	if len(w.pending.visitors) == 0 {
		return nil
	}
	var changes []store.VisitorChange
	for _, c := range w.pending.visitors {
		after := c.state.Row.Visitor
		before := slices.DeleteFunc(c.before, func(id store.BinaryID) bool { return id == after })
		if len(before) > 0 {
			changes = append(changes, store.VisitorChange{Visit: c.state.Row, Before: before, After: after})
		}
	}
	if err := w.tx.SpreadVisitorIDs(ctx, changes); err != nil {
		return fmt.Errorf("visitor ids: %w", err)
	}
	w.tx.Cut() // before the batch behind inserts more rows of these visits
	return nil
}
