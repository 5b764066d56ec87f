package tracker

import (
	"context"
	"io"
	"runtime/debug"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/dimension"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// step is one request on its way through the visit's part of Matomo's sequence (§1.1 steps 5 to 11).
type step struct {
	p    *parsed
	last *store.Visit // the visitor's last visit, nil for an unknown visitor
	old  *visitState  // the state that last belongs to

	isNew bool
	// loaded holds the properties of the visit that seemed to go on when the request was read. They stay when a campaign or website
	// forces a new visit (§C.1): goals and carts are judged by them. nil for a visit that is new from the start.
	loaded *store.Visit

	action    *action.Action // nil: none is recorded
	ids       []store.ActionID
	facts     visit.ActionFacts
	goals     []conversionGoal
	converted bool
	cartOpen  bool // an open cart in the loaded properties

	state     *visitState
	row       *store.Visit // the visit after this request, a copy until the request has succeeded
	link      *store.LinkAction
	timeSpent int64
	before    store.LinkID // last_idlink_va before this request
}

// apply plays one request. On an error nothing of the request is left in the batch; the error is the request's own unless it comes from
// the database.
func (a *applier) apply(ctx context.Context, p *parsed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, string(debug.Stack())}
		}
	}()
	s := &step{p: p}
	if err := a.recognise(ctx, s); err != nil {
		return err
	}
	if err := a.decideAction(s); err != nil {
		return err
	}
	if s.p.facts.Ping && s.isNew {
		return a.keepEntries(s)
	}
	if s.isNew {
		err = a.beginVisit(s)
	} else {
		err = a.continueVisit(s)
	}
	if err != nil {
		return err
	}
	if err := a.recordAction(s); err != nil {
		return err
	}
	return a.record(ctx, s)
}

// recognise finds the visitor's last visit and decides whether it goes on.
func (a *applier) recognise(ctx context.Context, s *step) error {
	f := &s.p.facts
	found, err := a.find(ctx, s.p.queries)
	if err != nil {
		return databaseError{err}
	}
	if found != nil && !visit.TooManyActions(f, found.row) {
		s.old, s.last = found, found.row
	}
	s.isNew = visit.StartsNew(f, s.last)
	if s.isNew {
		return nil
	}
	s.loaded = s.last
	s.isNew, err = a.forced(s)
	return err
}

// forced reports whether a campaign or a website forces a new visit (§7.6).
func (a *applier) forced(s *step) (bool, error) {
	settings := s.p.facts.Site.Tracker
	if !a.t.features.Referrers || !settings.NewVisitWhenCampaignChanges && !settings.NewVisitWhenWebsiteChanges {
		return false, nil
	}
	found, err := a.detectReferrer(s, &s.last.Referer)
	if err != nil {
		return false, err
	}
	return referrer.ForcesNewVisit(s.p.facts.Site, found, &s.last.Referer, s.last.Referer.Type), nil
}

func (a *applier) detectReferrer(s *step, current *store.Referer) (referrer.Result, error) {
	r := s.p.req
	return a.t.referrers.Detect(referrer.Input{
		Site: r.Site(), General: r.General(), Raw: r.Raw(), Referrer: r.Text("urlref"), URL: r.Text("url"), Current: current,
	})
}

// decideAction settles which action and goals the request records (§1.1 step 7).
func (a *applier) decideAction(s *step) error {
	s.action = s.p.action
	if s.action != nil {
		s.ids = a.resolve(s.action.Lookups)
	}
	if err := a.decideGoals(s); err != nil {
		return err
	}
	if s.p.facts.Ping {
		s.action, s.goals, s.converted = nil, nil, false
	}
	if s.action != nil {
		s.facts = actionFacts(s.action, s.ids)
	}
	return nil
}

// resolve gives every lookup of one action its entry in the dictionary.
func (a *applier) resolve(lookups []action.Lookup) []store.ActionID {
	ids := make([]store.ActionID, len(lookups))
	for i, l := range lookups {
		ids[i] = store.NoAction
		if !php.EmptyString(l.Name) {
			ids[i] = store.ActionOf(a.entry(l.Type, l.Name, l.Prefix))
		}
	}
	return action.ResolveLoosely(lookups, ids)
}

// beginVisit makes the row of a new visit (§5.2).
func (a *applier) beginVisit(s *step) error {
	f := &s.p.facts
	in := visit.Beginning{
		Action:    s.facts,
		Location:  a.t.locator.Locate(s.p.lang, a.locatedIP(s.p), s.p.req),
		Buyer:     a.buyer(s, 0),
		Converted: s.converted,
		RandomID:  a.randomID,
	}
	if a.t.features.Referrers {
		found, err := a.detectReferrer(s, nil)
		if err != nil {
			return err
		}
		in.Referer = a.anonymizeReferrer(found.Columns(), store.NullInt{})
	}
	s.row = visit.Begin(f, s.last, in)
	a.setVisitDimensions(s)
	a.setVisitVars(s)
	return a.t.store.ConformVisit(s.row)
}

// locatedIP is the address that decides the location.
func (a *applier) locatedIP(p *parsed) string {
	if p.req.General().Privacy.UseAnonymizedIPForVisit {
		return p.facts.LocationIP
	}
	return p.binaryIP
}

func (a *applier) randomID() store.BinaryID {
	var id store.BinaryID
	if _, err := io.ReadFull(a.t.random, id[:]); err != nil {
		panic(err) // the system's random source does not fail
	}
	return id
}

// continueVisit changes a copy of the visit's row (§5.3).
func (a *applier) continueVisit(s *step) error {
	f := &s.p.facts
	row := *s.last
	s.row, s.before = &row, row.LastLinkAction
	row.CustomDimensions = append([]store.NullText(nil), row.CustomDimensions...)
	row.CustomVars = append([]store.CustomVar(nil), row.CustomVars...)
	in := visit.Continuation{
		Action:    s.facts,
		Overrides: location.Overrides(s.p.req),
		Buyer:     a.buyer(s, row.GoalBuyer.V),
		Converted: s.converted,
	}
	if a.t.features.Referrers && row.Referer.Type.V == referrer.Direct {
		found, err := a.detectReferrer(s, &row.Referer)
		if err != nil {
			return err
		}
		if found.Type.V != referrer.Direct {
			changed := found.Replace(row.Referer)
			changed = a.anonymizeReferrer(changed, found.Type)
			in.Referer = &changed
		}
	}
	s.timeSpent = visit.Continue(f, s.row, in)
	a.setVisitDimensions(s)
	return nil
}

func (a *applier) anonymizeReferrer(ref store.Referer, _ store.NullInt) store.Referer {
	if !a.t.features.PrivacyManager {
		return ref
	}
	return referrer.Anonymize(ref, a.general.Privacy.AnonymizeReferrer)
}

func (a *applier) setVisitDimensions(s *step) {
	if !a.t.features.CustomDimensions {
		return
	}
	for _, value := range dimension.Visit(s.p.req, s.action) {
		a.t.store.Schema().SetVisitDimension(s.row, value.Index, value.Text)
	}
}

// recordAction makes the row of the action (§5.9).
func (a *applier) recordAction(s *step) error {
	if s.action == nil {
		return a.conform(s)
	}
	f := &s.p.facts
	link := s.action.Row(func(i int) store.ActionID { return s.ids[i] })
	link.SiteID, link.Visitor, link.ServerTime = f.Site.ID, s.row.Visitor, f.Time
	link.URLRef, link.NameRef = store.NoAction, store.NoAction
	if !s.isNew {
		link.URLRef, link.NameRef = s.loaded.ExitURL, s.loaded.ExitName
		link.TimeSpentRef = store.Int(s.timeSpent)
	} else {
		link.TimeSpentRef = store.Int(0)
	}
	link.PageviewPosition = visit.Position(s.facts, s.last, s.isNew)
	a.setActionDimensions(s, &link)
	s.link = &link
	if err := a.t.store.ConformLinkAction(s.link); err != nil {
		return err
	}
	if a.hasActionDimensions(s) {
		s.row.LastLinkAction = store.LinkOf(s.link)
	}
	return a.conform(s)
}

// conform brings the visit's row to what the database will hold.
func (a *applier) conform(s *step) error {
	if s.isNew {
		return nil // beginVisit did
	}
	a.setVisitVars(s)
	return a.t.store.ConformVisit(s.row)
}

// hasActionDimensions reports whether the site has an active dimension of scope action: only then are last_idlink_va and time_spent kept.
func (a *applier) hasActionDimensions(s *step) bool {
	if !a.t.features.CustomDimensions {
		return false
	}
	for _, d := range s.p.facts.Site.Dimensions {
		if d.Scope == "action" {
			return true
		}
	}
	return false
}

// pastDay reports whether the request belongs to a day that is over in the site's time zone (§14.1).
func (a *applier) pastDay(p *parsed, now int64) bool {
	return p.date < php.LocalDate(now, p.facts.Site.Location)
}

// createdBefore is the moment to which site.ts_created has to move for a request at unix second t (§14.2).
func createdBefore(t int64) time.Time {
	y, m, d := time.Unix(t, 0).UTC().AddDate(0, 0, -1).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
