package tracker

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// pageHit is what the request means for the page view times of its visit; ok is false when it means nothing. acts
// tells whether it has an action.
func (p *parsed) pageHit(acts bool) (hit lookahead.PageHit, ok bool) {
	if !p.viewTimes {
		return hit, false
	}
	hit = lookahead.PageHit{
		Time: p.facts.Time, ID: p.viewID,
		View: acts && (p.action.IsPageview() || p.action.Type == action.TypeSiteSearch),
	}
	return hit, acts || hit.ID != ""
}

// findPageViews reads what the requests of batches may have to know of the visits that were found: their newest rows,
// and all rows of those of which that is not enough. answer is what the database has said to a query.
func findPageViews(ctx context.Context, in interface {
	FindPageViewTimes(ctx context.Context, visits []int64, all bool) (map[int64]store.PageViews, error)
}, answer func(q store.VisitQuery) store.Found, batches ...*Prepared,
) (map[int64]store.PageViews, error) {
	hits := make(map[int64][]lookahead.PageHit)
	begun := make(map[string]bool) // page views that begin in the batches
	var visits []int64
	for _, b := range batches {
		for _, p := range b.requests {
			last := answer(p.query).Visit
			if !p.active() || !p.viewTimes || last == nil || visit.StartsNew(&p.facts, last) {
				continue
			}
			if _, listed := hits[last.ID]; !listed {
				visits = append(visits, last.ID)
			}
			hit, ok := p.pageHit(p.action != nil && !p.facts.Ping)
			if ok && (hit.View || !begun[hit.ID]) {
				hits[last.ID] = append(hits[last.ID], hit)
			} else if hits[last.ID] == nil {
				hits[last.ID] = []lookahead.PageHit{}
			}
			begun[hit.ID] = hit.ID != "" && (hit.View || begun[hit.ID])
		}
	}
	if len(visits) == 0 {
		return nil, nil
	}
	views, err := in.FindPageViewTimes(ctx, visits, false)
	if err != nil {
		return nil, fmt.Errorf("log_page_view_time: %w", err)
	}
	visits = slices.DeleteFunc(visits, func(id int64) bool {
		v := lookahead.ReadPageViews(views[id])
		return !slices.ContainsFunc(hits[id], func(hit lookahead.PageHit) bool {
			_, sure := v.Ended(&hit)
			return !sure
		})
	})
	if len(visits) == 0 {
		return views, nil
	}
	all, err := in.FindPageViewTimes(ctx, visits, true)
	if err != nil {
		return nil, fmt.Errorf("log_page_view_time: %w", err)
	}
	for id, list := range all {
		views[id] = list
	}
	return views, nil
}

// readPageViews reads what is known of the visits' page view times, and finds out once whether the table is one to be
// trusted.
func (a *applier) readPageViews(ctx context.Context, tx *store.Tx) (err error) {
	if a.t.behaviours.PageViewTimes && !a.t.viewsInStep {
		ahead, err := tx.PageViewsAhead(ctx)
		if err != nil {
			return fmt.Errorf("log_page_view_time: %w", err)
		}
		a.t.viewsInStep, a.batch.viewThere = !ahead, a.batch.viewThere || ahead
	}
	a.viewsRead, err = findPageViews(ctx, tx, a.visits.Answer, a.batch)
	return err
}

// recordPageViewTime gives a page view its row, and tells the visit's earlier page view how long it was looked at.
// Matomo does this before it changes a visit that goes on, and lets no error of it refuse the request: what the table
// cannot hold is left out.
func (a *applier) recordPageViewTime(ctx context.Context, s *step, state *lookahead.Visit) error {
	hit, ok := s.p.pageHit(s.action != nil)
	if !ok || a.work.dry {
		return nil
	}
	row := &store.PageViewTime{}
	if hit.View {
		row = s.pageViewTime(state.Row, hit.ID)
		if err := a.t.store.ConformPageViewTime(row); err != nil {
			return nil
		}
	}
	if err := a.knowPageViews(ctx, state); err != nil {
		return err
	}
	views := &state.Views
	if a.batch.viewThere && hit.View {
		hit.Own = views.Of(s.link.ID)
	}
	ended, sure := views.Ended(&hit)
	if !sure {
		if err := a.knowAllPageViews(ctx, state); err != nil {
			return err
		}
		ended, _ = views.Ended(&hit)
	}
	if hit.View {
		added := &lookahead.PageView{PageViewTime: row}
		a.work.pending.views = append(a.work.pending.views, added)
		if hit.Own == nil {
			views.Add(added)
		}
	}
	if ended != nil {
		a.grow(state, ended, hit.Time)
	}
	return nil
}

// pageViewTime is the row of the request's page view.
func (s *step) pageViewTime(row *store.Visit, id string) *store.PageViewTime {
	p := &store.PageViewTime{Visit: row, SiteID: s.link.SiteID, Link: store.LinkOf(s.link), ServerTime: s.link.ServerTime}
	if id != "" {
		p.PageviewID = store.Text(id)
	}
	if !s.link.URL.IsZero() && s.action.IsPageview() {
		p.URL = s.link.URL
	}
	if !s.link.Name.IsZero() {
		p.Name = s.link.Name
	}
	return p
}

// grownView is a page view that the database has, and its visit.
type grownView struct {
	*lookahead.PageView
	visit *lookahead.Visit
}

// grow lets a page view of a visit last until a moment.
func (a *applier) grow(state *lookahead.Visit, view *lookahead.PageView, until int64) {
	row := *view.PageViewTime
	row.TimeSpent = timeSpent(&row, until, a.t.global.VisitStandardLength)
	if row.TimeSpent == view.TimeSpent || a.t.store.ConformPageViewTime(&row) != nil {
		return
	}
	if view.TimeSpent = row.TimeSpent; view.Written && !view.Grown {
		view.Grown = true
		a.work.pending.grown = append(a.work.pending.grown, grownView{view, state})
	}
}

// knowPageViews makes sure that something is known of the visit. Where the table has rows that nobody could expect,
// what it has counts.
func (a *applier) knowPageViews(ctx context.Context, state *lookahead.Visit) error {
	if a.batch.viewThere {
		if err := a.work.flush(ctx); err != nil {
			return err
		}
		state.Views = lookahead.PageViews{}
	}
	if state.Views.Known() {
		return nil
	}
	if read, ok := a.viewsRead[state.Row.ID]; ok && !a.batch.viewThere {
		state.Views = lookahead.ReadPageViews(read)
		return nil
	}
	return a.knowAllPageViews(ctx, state)
}

// knowAllPageViews asks the database, which has all rows that are not known: those of batches in front are committed
// by now.
func (a *applier) knowAllPageViews(ctx context.Context, state *lookahead.Visit) error {
	tx, err := a.work.database(ctx)
	if err != nil {
		return err
	}
	id := state.Row.ID
	found, err := tx.FindPageViewTimes(ctx, []int64{id}, true)
	if err != nil {
		return fmt.Errorf("log_page_view_time: %w", err)
	}
	state.Views.Complete(found[id].Rows)
	return nil
}

func (w *unitOfWork) insertPageViewTimes(ctx context.Context) error {
	rows := make([]*store.PageViewTime, len(w.pending.views))
	for i, view := range w.pending.views {
		rows[i] = view.PageViewTime
	}
	batch := w.batch
	if err := w.tx.InsertPageViewTimes(ctx, rows, batch.viewThere, func() { batch.viewThere = true }); err != nil {
		return fmt.Errorf("log_page_view_time: %w", err)
	}
	for _, view := range w.pending.views {
		view.Written = true
		view.Visit, view.URL, view.Name = nil, store.ActionID{}, store.ActionID{} // nobody needs them any more
	}
	return nil
}

func (w *unitOfWork) updatePageViewTimes(ctx context.Context) error {
	rows := make([]*store.PageViewTime, len(w.pending.grown))
	for i, grown := range w.pending.grown {
		grown.Grown = false
		row := *grown.PageViewTime
		row.Visit = grown.visit.Row
		rows[i] = &row
	}
	if err := w.tx.UpdatePageViewTimes(ctx, rows); err != nil {
		return fmt.Errorf("log_page_view_time: %w", err)
	}
	return nil
}
