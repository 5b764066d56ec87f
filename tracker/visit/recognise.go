package visit

import (
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Query is the look-up that finds the visitor's last visit: by visitor id, by fingerprint, or by the one and then the
// other (spec §3.1, §3.2).
func Query(f *Facts) store.VisitQuery {
	settings := f.Site.Tracker
	q := store.VisitQuery{SiteID: f.Site.ID, To: f.Time + settings.VisitStandardLength}
	if f.HasVisitor {
		q.ByVisitor, q.Visitor = true, f.Visitor
		if f.oneFieldOnly() {
			return q
		}
	}
	q.ByConfig, q.ConfigID = true, f.ConfigID
	q.From = f.Time - max(settings.VisitStandardLength, settings.WindowLookBack)
	if !f.oneFieldOnly() && !php.EmptyString(f.UserID) {
		q.UserID = store.Text(f.UserID) // somebody else's user id is kept out when both are looked up
	}
	return q
}

// oneFieldOnly is Matomo's shouldLookupOneVisitorFieldOnly.
func (f *Facts) oneFieldOnly() bool {
	switch {
	case f.HasVisitor && f.TrustCookies:
		return true
	case f.HasUserID:
		return false
	default:
		return f.ForcedID || !f.HasVisitor
	}
}

// TooManyActions reports whether the visit that was found is so long that its visitor counts as unknown (spec §3.3).
func TooManyActions(f *Facts, last Last) bool {
	limit := f.Site.Tracker.NewVisitAfterActions
	return last != nil && limit > 0 && last.TotalActions.V >= limit
}

// StartsNew reports whether the request begins a new visit, campaigns and websites that force one apart (spec §3.4).
func StartsNew(f *Facts, last Last) bool {
	settings := f.Site.Tracker
	switch {
	case last == nil, f.ForceNew, settings.AlwaysNewVisitor:
		return true
	case last.LastActionTime <= f.Time-settings.VisitStandardLength:
		return true
	case settings.NewVisitAfterMidnight && !sameDay(f.Site.Location, last.LastActionTime, f.Time):
		return true
	case settings.UserIDOverwritesVisitorID && !f.UserIDChangeNewVisit:
		return false
	}
	return last.UserID.Valid && !php.EmptyString(last.UserID.V) && !php.EmptyString(f.UserID) && last.UserID.V != f.UserID
}

func sameDay(loc *time.Location, a, b int64) bool {
	if a == b {
		return true
	}
	ay, am, ad := time.Unix(a, 0).In(loc).Date()
	by, bm, bd := time.Unix(b, 0).In(loc).Date()
	return ay == by && am == bm && ad == bd
}
