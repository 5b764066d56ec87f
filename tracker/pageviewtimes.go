package tracker

import (
	"crypto/md5" // Matomo's format
	"encoding/hex"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// pageView is a row of log_page_view_time: how long a page view, or a site search, was looked at (tracker-spec-6, part
// 2 §3.1).
type pageView struct {
	*store.PageViewTime
	state   *visitState
	written bool // it is in the database, or on its way there: what changes is to be updated
	grown   bool // and will be
}

// pageViews is what is known of a visit's rows: the newest ones, without a gap, or all of them. Their order is that of
// their times; of equal times the one that was inserted later is the newer one.
type pageViews struct {
	rows     []*pageView // the newest last
	known    bool        // otherwise nobody has asked
	complete bool        // there are no older ones
}

// pageHit is what a request means for the visit's page view times.
type pageHit struct {
	time int64
	view bool   // it is a page view or a site search, and has a row of its own
	id   string // otherwise: of the page view that it belongs to; "" for the one before
	own  *pageView
}

// pageViewID is pv_id as log_page_view_time has it: up to six visible ASCII characters stay as they are, everything
// else is hashed.
func pageViewID(param string) string {
	const chars = 6
	if len(param) <= chars && !slices.ContainsFunc([]byte(param), func(c byte) bool { return c < '!' || c > '~' }) {
		return param
	}
	sum := md5.Sum([]byte(param))
	return hex.EncodeToString(sum[:])[:chars]
}

// newPageViews is what was read of a visit.
func newPageViews(state *visitState, read store.PageViews) pageViews {
	v := pageViews{known: true, complete: read.All}
	for _, row := range read.Rows {
		v.rows = append(v.rows, &pageView{PageViewTime: &row, state: state, written: true})
	}
	return v
}

// ended finds the page view that the hit shows to have been looked at until then, nil for none: the one that it names,
// else the newest that began before it. It is not sure when an older row may be the one.
func (v *pageViews) ended(hit *pageHit) (found *pageView, sure bool) {
	for _, row := range slices.Backward(v.rows) {
		switch {
		case hit.id != "" && !hit.view:
			if row.PageviewID.Valid && row.PageviewID.V == hit.id {
				return row, true
			}
		case row.ServerTime < hit.time && row != hit.own:
			return row, true
		}
	}
	return nil, v.complete
}

// add adds a row that was inserted last.
func (v *pageViews) add(row *pageView) {
	at := len(v.rows)
	for at > 0 && v.rows[at-1].ServerTime > row.ServerTime {
		at--
	}
	v.rows = slices.Insert(v.rows, at, row)
}

// of is the row of an action that has a number, nil for none.
func (v *pageViews) of(link int64) *pageView {
	for _, row := range v.rows {
		if row.Link.Number() == link {
			return row
		}
	}
	return nil
}

// older adds all rows that were not known: read is the whole of what the database has.
func (v *pageViews) older(state *visitState, read []store.PageViewTime) {
	var rows []*pageView
	for i := range read {
		if v.of(read[i].Link.ID) == nil {
			rows = append(rows, &pageView{PageViewTime: &read[i], state: state, written: true})
		}
	}
	v.rows, v.known, v.complete = append(rows, v.rows...), true, true
}

// settle lets go of actions that have got their numbers.
func (v *pageViews) settle() {
	for _, row := range slices.Backward(v.rows) {
		if row.Link.Row == nil {
			return
		}
		if id := row.Link.Row.ID; id > 0 {
			row.Link = store.LinkID{Valid: true, ID: id}
		}
	}
}

// spent is time_spent of a page view that was looked at until a moment: it never shrinks, but is cut to the length of
// a visit.
func (p *pageView) spent(until, longest int64) int64 {
	return min(longest, max(p.TimeSpent, until-p.ServerTime))
}
