// Package visit decides which visit a request belongs to and what it makes of the row in log_visit: the fingerprint
// (config_id), the look-up of the visitor's last visit, whether a new visit begins, the columns of a new visit and
// what changes on an existing one (spec §3, §4, §5.2–§5.4).
//
// Everything here is a pure function of the request's Facts and the visitor's last visit. A visit is changed on a copy
// of its row, so that a request which turns out to be refused leaves no trace.
package visit

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Facts is what the visit needs to know of a request. Nothing in it depends on the visit.
type Facts struct {
	Site     *matomo.Site
	Features matomo.Features
	Time     int64 // T, unix seconds

	Visitor    store.BinaryID // the request's own visitor id (spec §1.8) …
	HasVisitor bool           // … if it has one
	ForcedID   bool           // the parameter cid is a non-empty string
	UserID     string
	HasUserID  bool
	UserHashID store.BinaryID // first half of sha1(uid): the visitor id that a truthy uid stands for (spec §5.3)
	ConfigID   store.BinaryID

	// config_id and idvisitor are random: every request is a visit of its own (spec §V3.1.2, §V4.6)
	RandomConfigID       bool
	UserIDChangeNewVisit bool // the version lets another user id begin a new visit also where user ids replace visitor ids

	ForceNew     bool // the parameter new_visit
	TrustCookies bool // [Tracker] trust_visitors_cookies or the intranet rule (spec §3.6)

	Ping      bool   // the parameter ping is exactly 1
	HasOrder  bool   // ec_id is not empty
	GoalParam int64  // the parameter idgoal, -1 when absent
	LocalTime string // HH:MM:SS

	LocationIP  string // anonymized, 4 or 16 bytes
	BrowserLang string
	Resolution  string // the parameter res
	// ResolutionFollows tells that an unknown resolution of a visit is replaced by the request's.
	ResolutionFollows bool
	Agent             store.NullText // the AI agent that the request comes from, NULL for a person
	Plugins           store.BrowserPlugins
	Device            store.Device
}

// Last is the visitor's last visit as the look-up found it; nil stands for an unknown visitor.
type Last = *store.Visit

// Action is what the visit's counters and entry and exit columns need to know of the request's action. The zero value
// stands for a request without one.
type Action struct {
	*action.Action
	URL  action.IDResult // "url id for entry/exit" (spec §6.3)
	Name action.IDResult // "name id for entry/exit"
}

// ActionOf returns what the visit needs of an action whose lookups have these ids; nil stands for no action.
func ActionOf(a *action.Action, ids []store.ActionID) Action {
	if a == nil {
		return Action{}
	}
	id := func(i int) store.ActionID { return ids[i] }
	return Action{a, a.EntryURL(id), a.EntryName(id)}
}

func (a Action) present() bool { return a.Action != nil }

func (a Action) isA(kind int64) bool { return a.present() && a.Type == kind }

// counts reports whether the action moves visit_total_actions.
func (a Action) counts() bool { return a.present() && a.CountsAsAction() }

// interaction reports whether the action moves visit_total_interactions.
func (a Action) interaction() bool { return a.present() && a.CountsAsInteraction() }
