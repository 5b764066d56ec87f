package lookahead

import (
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// PageView is a row of log_page_view_time: how long a page view, or a site search, was looked at (spec §V2.3.1).
type PageView struct {
	*store.PageViewTime
	Written bool // it is in the database, or on its way there: what changes is to be updated
	Grown   bool // and will be
}

// PageViews is what is known of a visit's rows: the newest ones, without a gap, or all of them. Their order is that of
// their times; of equal times the one that was inserted later is the newer one.
type PageViews struct {
	rows     []*PageView // the newest last
	known    bool        // otherwise nobody has asked
	complete bool        // there are no older ones
}

// PageHit is what a request means for the visit's page view times.
type PageHit struct {
	Time int64
	View bool      // it is a page view or a site search, and has a row of its own
	ID   string    // otherwise: of the page view that it belongs to; "" for the one before
	Own  *PageView // the row that was there for this page view, nil for none
}

// ReadPageViews is what was read of a visit.
func ReadPageViews(read store.PageViews) PageViews {
	v := PageViews{known: true, complete: read.All}
	for _, row := range read.Rows {
		v.rows = append(v.rows, &PageView{PageViewTime: &row, Written: true})
	}
	return v
}

// Known reports whether anything is known of the visit's rows.
func (v *PageViews) Known() bool { return v.known }

// Ended finds the page view that the hit shows to have been looked at until then, nil for none: the one that it names,
// else the newest that began before it. It is not sure when an older row may be the one.
func (v *PageViews) Ended(hit *PageHit) (found *PageView, sure bool) {
	for _, row := range slices.Backward(v.rows) {
		switch {
		case hit.ID != "" && !hit.View:
			if row.PageviewID.Valid && row.PageviewID.V == hit.ID {
				return row, true
			}
		case row.ServerTime < hit.Time && row != hit.Own:
			return row, true
		}
	}
	return nil, v.complete
}

// Add adds a row that was inserted last.
func (v *PageViews) Add(row *PageView) {
	at := len(v.rows)
	for at > 0 && v.rows[at-1].ServerTime > row.ServerTime {
		at--
	}
	v.rows = slices.Insert(v.rows, at, row)
}

// Of is the row of an action that has a number, nil for none.
func (v *PageViews) Of(link int64) *PageView {
	for _, row := range v.rows {
		if row.Link.Number() == link {
			return row
		}
	}
	return nil
}

// Complete adds all rows that were not known: read is the whole of what the database has.
func (v *PageViews) Complete(read []store.PageViewTime) {
	var rows []*PageView
	for i := range read {
		if v.Of(read[i].Link.ID) == nil {
			rows = append(rows, &PageView{PageViewTime: &read[i], Written: true})
		}
	}
	v.rows, v.known, v.complete = append(rows, v.rows...), true, true
}

// settle lets go of actions that have got their numbers.
func (v *PageViews) settle() {
	for _, row := range slices.Backward(v.rows) {
		if row.Link.Row == nil {
			return
		}
		if id := row.Link.Row.ID; id > 0 {
			row.Link = store.LinkID{Valid: true, ID: id}
		}
	}
}
