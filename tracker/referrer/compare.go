package referrer

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// ForcesNewVisit reports whether the referrer found begins a new visit although there is a running one (spec §7.6):
// another campaign than the current one, unless the visit began as a direct entry (immutableType is the referer_type
// that it had when the request came), or, if the site wants that, another website. found must have been detected with
// current as Input.Current.
func ForcesNewVisit(site *matomo.Site, found Result, current *store.Referer, immutableType store.NullInt) bool {
	switch found.Type.V {
	case Campaign:
		return site.Tracker.NewVisitWhenCampaignChanges && immutableType.V != Direct && differs(&found.Referer, current)
	case Website:
		return site.Tracker.NewVisitWhenWebsiteChanges && differs(&found.Referer, current)
	}
	return false
}

// differs compares without regard to letter case; NULL is "". Numbers are compared as numbers: campaign 1e1 is campaign
// 10.
func differs(found, current *store.Referer) bool {
	return !sameText(found.Keyword, current.Keyword) || !sameText(found.Name, current.Name) ||
		!sameText(typeText(found.Type), typeText(current.Type))
}

func sameText(a, b store.NullText) bool {
	return php.LooseEqualStrings(php.MBToLower(a.V), php.MBToLower(b.V))
}

func typeText(kind store.NullInt) store.NullText {
	if !kind.Valid {
		return store.NullText{}
	}
	return store.Text(strconv.FormatInt(kind.V, 10))
}
