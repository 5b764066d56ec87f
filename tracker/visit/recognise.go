package visit

import (
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Queries returns the look-ups that find the visitor's last visit, in the order in which they are asked: the first that finds a row
// wins (§3.1, §3.2). There are one or two.
func Queries(f *Facts) []store.VisitQuery {
	settings := f.Site.Tracker
	ahead := f.Time + settings.VisitStandardLength
	byConfig := store.VisitQuery{
		SiteID:   f.Site.ID,
		ConfigID: f.ConfigID,
		From:     f.Time - max(settings.VisitStandardLength, settings.WindowLookBack),
		To:       ahead,
	}
	if !f.HasVisitor {
		return []store.VisitQuery{f.narrow(byConfig)}
	}
	byVisitor := store.VisitQuery{SiteID: f.Site.ID, ByVisitor: true, Visitor: f.Visitor, To: ahead}
	if f.oneFieldOnly() {
		return []store.VisitQuery{byVisitor}
	}
	return []store.VisitQuery{byVisitor, f.narrow(byConfig)}
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

// narrow keeps the fingerprint of somebody else's user id out when both fields are looked up.
func (f *Facts) narrow(q store.VisitQuery) store.VisitQuery {
	if !f.oneFieldOnly() && !php.EmptyString(f.UserID) {
		q.UserID = store.Text(f.UserID)
	}
	return q
}

// TooManyActions reports whether the visit that was found is so long that its visitor counts as unknown (§3.3).
func TooManyActions(f *Facts, last Last) bool {
	limit := f.Site.Tracker.NewVisitAfterActions
	return last != nil && limit > 0 && last.TotalActions.V > 0 && last.TotalActions.V >= limit
}

// StartsNew reports whether the request begins a new visit, campaigns and websites that force one apart (§3.4).
func StartsNew(f *Facts, last Last) bool {
	settings := f.Site.Tracker
	switch {
	case last == nil, f.ForceNew, settings.AlwaysNewVisitor:
		return true
	case last.LastActionTime <= f.Time-settings.VisitStandardLength:
		return true
	case settings.NewVisitAfterMidnight && !sameDay(f.Site.Location, last.LastActionTime, f.Time):
		return true
	case settings.UserIDOverwritesVisitorID:
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
