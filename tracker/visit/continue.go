package visit

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Continuation is what a request on an existing visit brings beside its facts.
type Continuation struct {
	Action    Action
	Referer   *store.Referer // replaces the referrer of a direct visit; nil leaves it
	Overrides store.Location // valid where the request overrides the location
	Buyer     int64          // visit_goal_buyer after the request
	Converted bool
}

// Continue changes v, a copy of the visit's row, as a request of the visit does (spec §5.3, §5.4). It returns the
// seconds since the visit's last action, time_spent_ref_action. Custom dimensions and variables are the caller's.
func Continue(f *Facts, v *store.Visit, in Continuation) (timeSpent int64) {
	timeSpent = min(max(f.Time-v.LastActionTime, 0), f.Site.Tracker.VisitStandardLength)
	v.Visitor = ContinuedVisitorID(f, v)
	if f.HasUserID {
		v.UserID = store.Text(php.CutRunes(f.UserID, userIDChars))
	}
	if !f.Ping && f.Time > v.LastActionTime {
		v.LastActionTime = f.Time
	}
	if v.Profilable.V == 0 {
		v.Profilable = flag(f.HasVisitor)
	}
	if in.Buyer != 0 {
		v.GoalBuyer = store.Int(in.Buyer)
	}
	if f.HasOrder {
		v.SecondsSinceOrder = store.Int(0)
	}
	if f.ResolutionFollows && v.Resolution.Valid && v.Resolution.V == unknownRes && f.Resolution != "" {
		v.Resolution = store.Text(php.CutBytes(f.Resolution, resolutionBytes))
	}
	if in.Referer != nil {
		v.Referer = *in.Referer
	}
	setAction(v, in.Action)
	override(&v.Location, in.Overrides)
	v.TotalTime = max(0, 1+f.Time-v.FirstActionTime)
	if in.Converted {
		v.GoalConverted = store.Int(1)
		v.TotalTime = bump(v.TotalTime, f.GoalParam)
	}
	return timeSpent
}

// ContinuedVisitorID is the visitor id that the visit has after the request: the request's own wins over the row's,
// the one made of the user id over both.
func ContinuedVisitorID(f *Facts, v *store.Visit) store.BinaryID {
	switch {
	case f.Site.Tracker.UserIDOverwritesVisitorID && !php.EmptyString(f.UserID):
		return f.UserHashID
	case f.HasVisitor:
		return f.Visitor
	default:
		return v.Visitor
	}
}

func setAction(v *store.Visit, a Action) {
	if !a.present() {
		return
	}
	if !v.EntryURL.Valid && !a.URL.False && !a.URL.ID.IsZero() {
		v.EntryURL = a.URL.ID
	}
	if !a.Name.False {
		v.ExitName = a.Name.ID
	}
	if !a.URL.False {
		v.ExitURL = a.URL.ID // NULL after a site search
	}
	if a.counts() {
		v.TotalActions = plus(v.TotalActions, 1)
	}
	if a.interaction() {
		v.TotalInteractions = plus(v.TotalInteractions, 1)
	}
	if a.isA(action.TypeSiteSearch) {
		v.TotalSearches = plus(v.TotalSearches, 1)
	}
	if a.isA(action.TypeEvent) {
		v.TotalEvents = plus(v.TotalEvents, 1)
	}
}

func override(l *store.Location, o store.Location) {
	for _, column := range []struct{ to, from *store.NullText }{
		{&l.Country, &o.Country},
		{&l.Region, &o.Region},
		{&l.City, &o.City},
		{&l.Latitude, &o.Latitude},
		{&l.Longitude, &o.Longitude},
	} {
		if column.from.Valid {
			*column.to = *column.from
		}
	}
}

// Position is pageview_position of an action (spec §5.9). last is the visitor's last visit, isNew whether the action
// begins a new one.
func Position(a Action, last Last, isNew bool) store.NullInt {
	var before int64
	if last != nil && !isNew {
		before = last.TotalInteractions.V
	}
	switch {
	case a.interaction():
		return store.Int(before + 1)
	case before >= 1:
		return store.Int(before)
	default:
		return store.NullInt{}
	}
}
