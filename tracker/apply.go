package tracker

import (
	"context"
	"io"
	"runtime/debug"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/dimension"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// step is one request on its way through the visit's part of Matomo's sequence (spec §1.1 steps 5 to 11).
type step struct {
	p    *parsed
	last *store.Visit     // the visitor's last visit, nil for an unknown visitor
	old  *lookahead.Visit // the state that last belongs to

	isNew bool
	// loaded holds the properties of the visit that seemed to go on when the request was read. They stay when a
	// campaign, website or AI agent forces a new visit (spec §C.1): goals and carts are judged by them. nil for a visit
	// that is new from the start.
	loaded *store.Visit

	referrer referrer.Result // as seen from the visit that seemed to go on
	late     *store.Referer  // what that visit, direct so far, gets as its referrer, nothing anonymised; nil for none

	action    *action.Action // nil: none is recorded
	ids       []store.ActionID
	facts     visit.Action
	goals     []conversion.Converted
	order     *conversion.Ecommerce // cart update or order
	converted bool

	row  *store.Visit // the visit after this request, a copy until the request has succeeded
	link *store.LinkAction

	conversions []*store.Conversion
	itemIDs     []store.ActionID // ids of order.Lookups
	cartRefused bool             // the database would refuse what the open cart is to become
	timed       timed
	timings     store.Performance
	timeSpent   int64
	before      store.LinkID // last_idlink_va before this request
}

// apply plays one request. On an error nothing of the request is left in the batch; the error is the request's own
// unless it comes from the database.
func (a *applier) apply(ctx context.Context, p *parsed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, string(debug.Stack())}
		}
	}()
	s := &step{p: p}
	a.ids = a.ids[:0]
	if err := a.recognise(ctx, s); err != nil {
		return err
	}
	if err := a.decideAction(s); err != nil {
		return err
	}
	if p.facts.Ping && s.isNew {
		a.keepNames(s) // Matomo has looked them up by now, and that creates them
		return nil
	}
	if err := a.limitActions(ctx, s); err != nil {
		return err
	}
	if err := a.changeVisit(ctx, s); err != nil {
		return err
	}
	if err := a.makeLink(s); err != nil {
		return err
	}
	if err := a.makeConversions(ctx, s); err != nil {
		return err
	}
	if err := a.findTimed(ctx, s); err != nil {
		return err
	}
	return a.record(ctx, s)
}

// recognise finds the visitor's last visit and decides whether it goes on.
func (a *applier) recognise(ctx context.Context, s *step) error {
	f := &s.p.facts
	if !s.p.looksUp() {
		s.isNew = true
		return nil
	}
	found, err := a.visits.Find(ctx, &s.p.query, a.work)
	if err != nil {
		return databaseError{err}
	}
	if found != nil && !visit.TooManyActions(f, found.Row) {
		a.last = *found.Row // found.Row will change
		s.old, s.last = found, &a.last
	}
	s.isNew = visit.StartsNew(f, s.last)
	if s.isNew {
		return nil
	}
	s.loaded = s.last
	s.isNew, err = a.forced(s)
	return err
}

// forced reports whether a campaign or a website forces a new visit (spec §7.6), or another AI agent, or the first or
// last hit of one (spec §V1.13), or what plugin MarketingCampaignsReporting sees of a campaign (spec §P1.5).
func (a *applier) forced(s *step) (bool, error) {
	forced := s.p.facts.Agent != s.last.Agent
	if a.t.features.Referrers {
		var err error
		if s.referrer, err = a.detectReferrer(s, &s.last.Referer); err != nil {
			return false, err
		}
		forced = forced || referrer.ForcesNewVisit(s.p.facts.Site, s.referrer, &s.last.Referer, s.last.Referer.Type)
	}
	if forced || !s.p.facts.Site.Tracker.NewVisitWhenCampaignChanges {
		return forced, nil
	}
	return s.p.tags.Differ(s.last.Campaign, &a.t.store.Schema().Campaign)
}

func (a *applier) detectReferrer(s *step, current *store.Referer) (referrer.Result, error) {
	r := s.p.req
	return a.t.referrers.Detect(referrer.Input{
		Site: r.Site(), General: r.General(), Raw: r.Raw(), Referrer: r.Text("urlref"), URL: r.Text("url"), Page: r.Page(),
		Current: current,
		Memory:  &a.t.pages, Exclusions: r.Exclusions(),
	})
}

// decideAction settles which action and goals the request records (spec §1.1 step 7).
func (a *applier) decideAction(s *step) error {
	if s.action = s.p.action; s.action != nil {
		ids, err := a.resolve(s.action.Lookups)
		if err != nil {
			return err
		}
		s.ids = ids
	}
	a.decideGoals(s)
	if s.p.facts.Ping {
		s.action, s.goals, s.order, s.converted = nil, nil, nil, false
	}
	s.facts = visit.ActionOf(s.action, s.ids)
	return nil
}

func (a *applier) decideGoals(s *step) {
	p := s.p
	switch {
	case p.manual != nil:
		s.goals, s.converted = []conversion.Converted{*p.manual}, true
	case p.ecommerce != nil:
		s.order, s.converted = p.ecommerce, p.ecommerce.IsOrder
	case s.action != nil && a.t.features.Goals:
		var firstActionTime int64
		if s.loaded != nil {
			firstActionTime = s.loaded.FirstActionTime
		}
		s.goals = a.t.goals.Match(p.req, s.action, firstActionTime, p.facts.Time)
		s.converted = len(s.goals) > 0
	}
}

// changeVisit makes the row of a new visit or changes a copy of the row of the visit that goes on.
func (a *applier) changeVisit(ctx context.Context, s *step) error {
	if s.isNew {
		return a.beginVisit(ctx, s)
	}
	return a.continueVisit(s)
}

// beginVisit is spec §5.2.
func (a *applier) beginVisit(ctx context.Context, s *step) error {
	in := visit.Beginning{Action: s.facts, LocationIP: a.visitIP(s), Converted: s.converted, RandomID: a.randomID}
	located := locatedIP(s.p, in.LocationIP)
	if a.t.features.UserCountry {
		in.Location = a.t.locator.Locate(s.p.lang, located, s.p.req)
	}
	if a.t.features.Provider {
		in.Provider = a.t.provider(ctx, s.p, located)
	}
	if s.p.ecommerce != nil {
		in.Buyer = s.p.ecommerce.Buyer(0)
	}
	if err := a.setReferrer(s, &in); err != nil {
		return err
	}
	s.row = visit.Begin(&s.p.facts, s.last, in)
	a.setVisitDimensions(s)
	a.setVisitVars(s)
	return nil
}

// setReferrer finds out where a new visit comes from. Plugin MarketingCampaignsReporting has its turn after the
// referrer is made anonymous (spec §P1.4).
func (a *applier) setReferrer(s *step, in *visit.Beginning) error {
	var found referrer.Result
	var err error
	if a.t.features.Referrers {
		if found, err = a.detectReferrer(s, nil); err != nil {
			return err
		}
	}
	if in.Campaign, err = s.p.tags.OfVisit(&found.Referer); err != nil {
		return err
	}
	in.Referer = found.Referer
	if a.t.features.PrivacyManager {
		in.Referer = referrer.Anonymize(found.Referer, s.p.req.Privacy().AnonymizeReferrer)
	}
	in.Referer = referrer.WithCampaign(in.Referer, in.Campaign)
	return nil
}

// visitIP is location_ip of a new visit: the request's address, anonymized. A visit that a campaign or website forces
// has the address of the visit that seemed to go on (spec §C.1): plugin UserCountry has that read with the other
// properties, in place of the request's, and it is anonymized once more.
func (a *applier) visitIP(s *step) string {
	if s.loaded != nil && a.t.features.UserCountry {
		return a.t.storedIP(s.p.req, s.loaded.LocationIP)
	}
	return s.p.facts.LocationIP
}

func (a *applier) randomID() store.BinaryID {
	var id store.BinaryID
	if _, err := io.ReadFull(a.t.random, id[:]); err != nil {
		panic(err) // the system's random source does not fail
	}
	return id
}

// continueVisit is spec §5.3.
func (a *applier) continueVisit(s *step) error {
	a.row = *s.last
	row := &a.row
	row.CustomDimensions = slices.Clone(row.CustomDimensions)
	row.CustomVars = slices.Clone(row.CustomVars)
	row.Campaign = slices.Clone(row.Campaign)
	s.row, s.before = row, row.LastLinkAction
	in := visit.Continuation{Action: s.facts, Converted: s.converted}
	if a.t.features.UserCountry {
		in.Overrides = location.Overrides(s.p.req)
	}
	if s.p.ecommerce != nil {
		in.Buyer = s.p.ecommerce.Buyer(row.GoalBuyer.V) // also for a ping, which records no order
	}
	if s.late = a.lateReferrer(s); s.late != nil {
		in.Referer = a.anonymized(s)
	}
	s.timeSpent = visit.Continue(&s.p.facts, row, in)
	a.setVisitDimensions(s)
	a.setVisitVars(s)
	return nil
}

// lateReferrer is the referrer that a request brings to a visit which was direct so far, nil when there is none.
func (a *applier) lateReferrer(s *step) *store.Referer {
	current := &s.last.Referer
	if !a.t.features.Referrers || current.Type.V != referrer.Direct || s.referrer.Type.V == referrer.Direct {
		return nil
	}
	return newReferrer(s.referrer, current)
}

// anonymized is the late referrer as it is stored.
func (a *applier) anonymized(s *step) *store.Referer {
	if !a.t.features.PrivacyManager {
		return s.late
	}
	return newReferrer(referrer.AnonymizeUpdate(s.referrer, s.p.req.Privacy().AnonymizeReferrer), &s.last.Referer)
}

// newReferrer is the current referrer with the columns that found sets.
func newReferrer(found referrer.Result, current *store.Referer) *store.Referer {
	if found.KeywordUnset {
		found.Keyword = current.Keyword
	}
	if found.URLUnset {
		found.URL = current.URL
	}
	return &found.Referer
}

func (a *applier) setVisitDimensions(s *step) {
	if a.t.features.CustomDimensions {
		setDimensions(&s.row.CustomDimensions, a.t.store.Schema().VisitDimensions, dimension.Visit(s.p.req, s.action))
	}
}

func (a *applier) setVisitVars(s *step) {
	if a.t.features.CustomVariables {
		usable := a.t.store.Schema().CustomVars
		setVars(&s.row.CustomVars, usable, dimension.VisitVars(s.p.req, usable))
	}
}

// setDimensions puts values into the columns with their indexes; indexes without a column are dropped.
func setDimensions(columns *[]store.NullText, indexes []int, values []dimension.Value) {
	for _, v := range values {
		i := slices.Index(indexes, v.Index)
		if i < 0 {
			continue
		}
		if len(*columns) < len(indexes) {
			*columns = append(*columns, make([]store.NullText, len(indexes)-len(*columns))...)
		}
		(*columns)[i] = store.Text(v.Text)
	}
}

// setVars overwrites the variables that the request sets.
func setVars(columns *[]store.CustomVar, usable int, values []store.CustomVar) {
	if len(values) == 0 {
		return
	}
	if len(*columns) < usable {
		*columns = append(*columns, make([]store.CustomVar, usable-len(*columns))...)
	}
	for i, v := range values {
		if v.Name.Valid || v.Value.Valid {
			(*columns)[i] = v
		}
	}
}

// makeLink makes the row of the action (spec §5.9), if the request records one.
func (a *applier) makeLink(s *step) error {
	if s.action != nil {
		f := &s.p.facts
		link := s.action.Row(func(i int) store.ActionID { return s.ids[i] })
		link.SiteID, link.Visitor, link.ServerTime = f.Site.ID, s.row.Visitor, f.Time
		link.URLRef, link.NameRef = store.NoAction, store.NoAction
		if !s.isNew {
			link.URLRef, link.NameRef = s.last.ExitURL, s.last.ExitName
		}
		link.TimeSpentRef = store.Int(s.timeSpent)
		if a.t.features.Bandwidth {
			link.Bandwidth = action.Bandwidth(s.p.req)
		}
		link.PageviewPosition = visit.Position(s.facts, s.last, s.isNew)
		if a.t.features.CustomDimensions {
			setDimensions(&link.CustomDimensions, a.t.store.Schema().ActionDimensions, dimension.Action(s.p.req, s.action))
		}
		if a.t.features.CustomVariables {
			usable := a.t.store.Schema().CustomVars
			setVars(&link.CustomVars, usable, dimension.ActionVars(s.p.req, usable))
		}
		if err := a.t.store.ConformLinkAction(&link); err != nil {
			return err
		}
		s.link = &link
		if a.hasActionDimensions(s) {
			s.row.LastLinkAction = store.LinkOf(s.link)
		}
	}
	return a.t.store.ConformVisit(s.row)
}

// hasActionDimensions reports whether the site has an active dimension of scope action: only then are last_idlink_va
// and time_spent kept.
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
