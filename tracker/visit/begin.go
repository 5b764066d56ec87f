package visit

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const (
	userIDChars     = 200
	resolutionBytes = 9
	unknownRes      = "unknown"
)

// Beginning is what a new visit gets beside the request's facts.
type Beginning struct {
	Action     Action
	Referer    store.Referer
	Campaign   []store.NullText // of plugin MarketingCampaignsReporting
	LocationIP string           // anonymized, 4 or 16 bytes
	Location   store.Location
	Provider   store.NullText // location_provider
	Buyer      int64          // visit_goal_buyer
	Converted  bool
	RandomID   func() store.BinaryID // visitor id of somebody who has none, and random config ids
}

// Begin returns the row of a new visit (spec §5.2, §5.4). last is the visitor's last visit, nil for an unknown visitor;
// it may be of any age. Custom dimensions and variables are the caller's.
func Begin(f *Facts, last Last, in Beginning) *store.Visit {
	v := &store.Visit{
		SiteID:          f.Site.ID,
		Visitor:         newVisitorID(f, last, in.RandomID),
		ConfigID:        f.ConfigID,
		LocationIP:      in.LocationIP,
		FirstActionTime: f.Time,
		LastActionTime:  f.Time,
		LocalTime:       store.Text(f.LocalTime),
		Profilable:      flag(f.HasVisitor),
		GoalBuyer:       store.Int(in.Buyer),
		GoalConverted:   flag(in.Converted),
		BrowserLang:     store.Text(f.BrowserLang),
		Plugins:         f.Plugins,
		Device:          f.Device,
		Location:        in.Location,
		Provider:        in.Provider,
		Referer:         in.Referer,
		Campaign:        in.Campaign,
		Agent:           f.Agent,
	}
	if f.RandomConfigID {
		v.ConfigID = in.RandomID()
	}
	if f.HasUserID {
		v.UserID = store.Text(php.CutRunes(f.UserID, userIDChars))
	}
	if f.Resolution != "" {
		v.Resolution = store.Text(php.CutBytes(f.Resolution, resolutionBytes))
	}
	setHistory(v, f, last)
	setFirstAction(v, in.Action)
	v.TotalTime = max(0, f.Site.Tracker.DefaultTimeOnePageVisit)
	if in.Converted && last != nil {
		v.TotalTime = bump(v.TotalTime, f.GoalParam)
	}
	return v
}

func newVisitorID(f *Facts, last Last, random func() store.BinaryID) store.BinaryID {
	switch {
	case last != nil:
		return last.Visitor
	case f.HasVisitor && !f.RandomConfigID:
		return f.Visitor
	default:
		return random()
	}
}

// setHistory fills the columns that count visits and the time since earlier ones.
func setHistory(v *store.Visit, f *Facts, last Last) {
	v.CountVisits = 1
	v.SecondsSinceFirst = store.Int(0)
	v.SecondsSinceLast = store.Int(0)
	if last != nil {
		elapsed := f.Time - last.FirstActionTime
		v.CountVisits = last.CountVisits + 1
		v.SecondsSinceFirst = notNegative(plus(last.SecondsSinceFirst, elapsed))
		v.SecondsSinceOrder = plus(last.SecondsSinceOrder, elapsed)
		if last.FirstActionTime != 0 {
			v.SecondsSinceLast = notNegative(store.Int(elapsed))
		}
	}
	if f.HasOrder {
		v.SecondsSinceOrder = store.Int(0)
	}
	v.Returning = store.Int(returning(f, last))
}

// returning is visitor_returning: 0 new, 1 returning, 2 returning customer. The visit right after the one with the
// order is a 1, as Matomo tests the seconds since the order for truth and they are still 0 there.
func returning(f *Facts, last Last) int64 {
	switch {
	case f.HasOrder, last != nil && last.SecondsSinceOrder.V != 0:
		return 2
	case last != nil:
		return 1
	default:
		return 0
	}
}

func setFirstAction(v *store.Visit, a Action) {
	v.EntryName = number(a.Name.ID)
	v.ExitName = number(a.Name.ID)
	v.ExitURL = number(a.URL.ID)
	if a.present() && !a.URL.False {
		v.EntryURL = number(a.URL.ID)
	}
	v.TotalActions = flag(a.counts())
	v.TotalInteractions = flag(a.interaction())
	v.TotalSearches = flag(a.isA(action.TypeSiteSearch))
	v.TotalEvents = flag(a.isA(action.TypeEvent))
}

// number is PHP's (int) of an action id: false and null become 0.
func number(id store.ActionID) store.ActionID {
	if !id.Valid {
		return store.NoAction
	}
	return id
}

func flag(b bool) store.NullInt {
	if b {
		return store.Int(1)
	}
	return store.Int(0)
}

func plus(n store.NullInt, d int64) store.NullInt {
	if !n.Valid {
		return n
	}
	return store.Int(n.V + d)
}

func notNegative(n store.NullInt) store.NullInt {
	if n.V < 0 {
		return store.NullInt{}
	}
	return n
}

// bump lets a conversion change visit_total_time, so that Matomo's UPDATE never leaves a row as it was: idgoal, -1
// when absent, plus 2.
func bump(seconds, goalParam int64) int64 { return max(0, seconds+goalParam+2) }
