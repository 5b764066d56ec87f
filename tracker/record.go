package tracker

import (
	"context"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// makeConversions makes the rows of the goals that the request converts, and refuses an order whose id is taken
// (spec §8.3, §8.5).
func (a *applier) makeConversions(ctx context.Context, s *step) error {
	if len(s.goals) == 0 && s.order == nil || s.order != nil && s.order.Unreadable {
		return nil // of items that cannot be read Matomo records nothing; the visit counts as converted all the same
	}
	var src conversion.Source
	if err := a.fillSource(&src, s); err != nil {
		return err
	}
	for _, goal := range s.goals {
		if a.repeated(s, goal.Goal) {
			if err := conversion.CheckAmounts(s.p.req, goal.Goal); err != nil {
				return err
			}
			continue
		}
		c, err := conversion.NewGoalConversion(&src, goal)
		if err != nil {
			return err
		}
		s.conversions = append(s.conversions, &c)
	}
	if s.order != nil {
		var err error
		if s.itemIDs, err = a.resolve(s.order.Lookups); err != nil {
			return err
		}
		c := conversion.NewEcommerceConversion(&src, s.order)
		s.conversions = append(s.conversions, &c)
	}
	for _, c := range s.conversions {
		if s.order != nil && s.cartOpen() {
			s.cartRefused = a.t.store.ConformCart(c) != nil
			continue
		}
		a.t.store.ConformConversion(c)
	}
	return a.refuseTaken(ctx, s)
}

// repeated reports whether keepConversions will leave the goal's conversion out: then its row need not be made. With
// an order id the request may be refused for it (refuseTaken).
func (a *applier) repeated(s *step, goal *matomo.Goal) bool {
	return !s.isNew && !goal.AllowMultiple && !s.p.facts.HasOrder &&
		a.converted[conversionKey{visit: s.old.Row, goal: goal.ID}]
}

func (a *applier) fillSource(src *conversion.Source, s *step) (err error) {
	*src = conversion.Source{
		Request: s.p.req, Time: s.p.facts.Time,
		Visit: s.row, Loaded: s.loaded, IsNew: s.isNew,
		Action: s.action, Link: s.link,
		FallbackCountry:      location.CountryFromLanguage(s.p.lang, a.t.global.LanguageToCountryGuess),
		VisitDimensions:      a.t.store.Schema().VisitDimensions,
		ConversionDimensions: a.t.store.Schema().ConversionDimensions,
		CustomVars:           a.t.store.Schema().CustomVars,
		Random:               a.t.random,
	}
	if a.t.features.Referrers {
		if src.Referer, err = a.t.referrers.Attribution(s.p.req, s.knownReferrer()); err != nil {
			return err
		}
	}
	src.Campaign, err = s.p.tags.OfConversion(s.row.Campaign)
	return err
}

// knownReferrer is the visit's referrer when its conversions are made. One that this request has brought to a running
// visit is anonymised in the visit's row only (spec §9.5).
func (s *step) knownReferrer() store.Referer {
	if s.late != nil {
		return *s.late
	}
	if s.isNew && s.p.facts.Site.MaskCampaigns {
		return s.p.tags.Masked(s.row.Referer)
	}
	return s.row.Referer
}

// cartOpen reports whether the request changes the row of a cart instead of adding a conversion. The properties that
// were loaded when the request came decide, also when a campaign has forced a new visit since (spec §C.1).
func (s *step) cartOpen() bool { return s.loaded != nil && conversion.HasOpenCart(s.loaded.GoalBuyer) }

// refuseTaken refuses a request with an order id whose conversion exists already: Matomo cannot insert it.
func (a *applier) refuseTaken(ctx context.Context, s *step) error {
	refusal := conversion.NotInserted(s.p.req)
	if refusal == nil || s.order != nil && s.cartOpen() {
		return nil
	}
	if err := a.work.flush(ctx); err != nil {
		return databaseError{err}
	}
	tx, err := a.work.database(ctx)
	if err != nil {
		return databaseError{err}
	}
	var visitID int64
	if !s.isNew {
		visitID = s.old.Row.ID
	}
	for _, c := range s.conversions {
		taken, err := tx.ConversionExists(ctx, visitID, c)
		if err != nil {
			return databaseError{err}
		}
		if taken {
			return refusal
		}
	}
	return nil
}

// record makes the request's rows part of the batch. Nothing can refuse the request any more.
func (a *applier) record(ctx context.Context, s *step) error {
	a.keepIDs(s.ids)
	a.keepIDs(s.itemIDs)
	state := s.old
	if s.isNew {
		state = a.visits.Begin(s.row)
	} else {
		a.visits.Keep(state, s.row)
	}
	if s.link != nil {
		s.link.Visit = state.Row
		a.work.pending.links = append(a.work.pending.links, s.link)
		a.keepPageview(s.link)
	}
	if err := a.recordPageViewTime(ctx, s, state); err != nil {
		return databaseError{err}
	}
	if err := a.spreadVisitorID(ctx, s, state); err != nil {
		return databaseError{err}
	}
	for _, c := range s.conversions {
		c.Visit = state.Row
	}
	if s.order == nil || s.order.Unreadable {
		a.keepConversions(s.conversions)
	} else if err := a.recordOrder(ctx, s); err != nil {
		return databaseError{err}
	}
	a.recordTimings(s)
	a.recordTimeSpent(s)
	if err := a.mark(ctx, s.p); err != nil {
		return databaseError{err}
	}
	a.moveSiteCreated(s.p)
	return nil
}

// keepConversions leaves out what the batch has converted already: a visit converts most goals once, and Matomo lets
// the database ignore the others.
func (a *applier) keepConversions(conversions []*store.Conversion) {
	for _, c := range conversions {
		key := conversionKey{c.Visit, c.GoalID, c.Buster}
		if !a.converted[key] {
			a.converted[key] = true
			a.work.pending.conversions = append(a.work.pending.conversions, c)
		}
	}
}

// recordOrder writes a cart or an order with its items. It goes to the database at once, because what is written
// depends on what is there (spec §8.5).
func (a *applier) recordOrder(ctx context.Context, s *step) error {
	if a.work.dry {
		a.result.Conversions++
		return nil
	}
	if err := a.work.flush(ctx); err != nil {
		return err
	}
	tx, err := a.work.database(ctx)
	if err != nil {
		return err
	}
	c := s.conversions[0]
	var recorded bool
	switch {
	case s.cartRefused: // Matomo goes on as if there were nothing to record, but a row that is not there refuses nothing
		var open bool
		open, err = tx.ConversionExists(ctx, c.Visit.ID, &store.Conversion{GoalID: conversion.CartGoal})
		recorded = err == nil && !open
	case s.cartOpen():
		recorded, err = tx.UpdateCart(ctx, c)
	default:
		err = tx.InsertConversions(ctx, s.conversions, func(n int) { recorded = n == 1 })
		if err == nil {
			err = tx.Flush(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("log_conversion: %w", err)
	}
	if recorded {
		a.result.Conversions++
		err = a.syncItems(ctx, tx, s, c)
	}
	return err
}

func (a *applier) syncItems(ctx context.Context, tx *store.Tx, s *step, c *store.Conversion) error {
	rows := s.order.Rows(c, func(i int) store.ActionID { return s.itemIDs[i] })
	stored, err := tx.FindItems(ctx, c.Visit, c.OrderID)
	if err != nil {
		return fmt.Errorf("log_conversion_item: %w", err)
	}
	updates, inserts := conversion.SyncItems(c, stored, rows, a.t.behaviours.AmountLimit)
	if err := tx.ApplyItems(ctx, updates, inserts); err != nil {
		return fmt.Errorf("log_conversion_item: %w", err)
	}
	return nil
}

// timed is the earlier page view whose performance a request reports (spec §5.8): an action that is in the database or
// one of this batch.
type timed struct {
	id   int64
	link *store.LinkAction
}

// findTimed looks for that page view, and refuses timings that its row cannot hold. Page views of this batch are
// known: the database may not find them, since its answers are those of the moment at which the transaction began and
// the names that they refer to are newer.
func (a *applier) findTimed(ctx context.Context, s *step) error {
	if s.p.timings == nil || s.isNew {
		return nil // a visit that begins has no page views
	}
	link, sure := a.pageview(s.old.Row, s.p.pageviewID)
	s.timed.link = link
	if !s.old.Begun() || !sure {
		if err := a.findStoredTimed(ctx, s, sure); err != nil {
			return databaseError{err}
		}
	}
	if s.timed == (timed{}) {
		return nil
	}
	s.timings = *s.p.timings
	return a.t.store.ConformPerformance(&s.timings)
}

// findStoredTimed asks the database, which knows the page views of earlier batches, and how to compare ids that are no
// plain ASCII.
func (a *applier) findStoredTimed(ctx context.Context, s *step, sure bool) error {
	if !sure {
		if err := a.work.flush(ctx); err != nil {
			return err
		}
	}
	row, link := s.old.Row, s.timed.link
	if row.ID == 0 {
		return nil
	}
	tx, err := a.work.database(ctx)
	if err != nil {
		return err
	}
	found, err := tx.FindPageviews(ctx, []store.PageviewQuery{{VisitID: row.ID, PageviewID: s.p.pageviewID}})
	if err != nil {
		return fmt.Errorf("log_link_visit_action: %w", err)
	}
	if id := found[0]; id != 0 && (link == nil || link.ID == 0 || id < link.ID) {
		s.timed = timed{id: id}
	}
	return nil
}

func (a *applier) recordTimings(s *step) {
	id, link := s.timed.id, s.timed.link
	if link != nil && link.ID != 0 {
		id = link.ID
	}
	switch {
	case id != 0:
		change := a.work.pending.change(store.LinkID{Valid: true, ID: id})
		if change.Performance == nil {
			change.Performance = new(store.Performance)
		}
		*change.Performance = overlay(*change.Performance, s.timings)
	case link != nil:
		link.Performance = overlay(link.Performance, s.timings)
	}
}

// keepPageview remembers an action whose performance may be reported later.
func (a *applier) keepPageview(link *store.LinkAction) {
	if link.PageviewID.V != "" && (hasPageURL(link) || hasPageTitle(link)) {
		a.pageviews[link.Visit] = append(a.pageviews[link.Visit], link)
	}
}

func hasPageURL(link *store.LinkAction) bool {
	return link.URL.Entry != nil && link.URL.Entry.Type == action.TypePageURL
}

func hasPageTitle(link *store.LinkAction) bool {
	return link.Name.Entry != nil && link.Name.Entry.Type == action.TypePageTitle
}

// pageview finds a page view of the visit among the actions of this batch: one with a URL first, else one with a
// title. It is not sure when only the database can tell whether the ids are equal.
func (a *applier) pageview(row *store.Visit, pageviewID string) (found *store.LinkAction, sure bool) {
	var titled *store.LinkAction
	for _, link := range a.pageviews[row] {
		same, known := lookahead.SameText(link.PageviewID.V, pageviewID)
		switch {
		case !known:
			return nil, false
		case !same:
		case hasPageURL(link):
			return link, true
		case titled == nil:
			titled = link
		}
	}
	return titled, true
}

func overlay(p, over store.Performance) store.Performance {
	for _, column := range []struct{ to, from *store.NullInt }{
		{&p.Network, &over.Network},
		{&p.Server, &over.Server},
		{&p.Transfer, &over.Transfer},
		{&p.DOMProcessing, &over.DOMProcessing},
		{&p.DOMCompletion, &over.DOMCompletion},
		{&p.OnLoad, &over.OnLoad},
	} {
		if column.from.Valid {
			*column.to = *column.from
		}
	}
	return p
}

// recordTimeSpent tells the visit's previous action how long it took (spec §5.6).
func (a *applier) recordTimeSpent(s *step) {
	if s.isNew || s.timeSpent == 0 || !s.before.Valid || !a.hasActionDimensions(s) {
		return
	}
	if row := s.before.Row; row != nil && row.ID == 0 {
		row.TimeSpent = store.Int(s.timeSpent)
		return
	}
	if s.before.Number() != 0 {
		a.work.pending.change(s.before).TimeSpent = store.Int(s.timeSpent)
	}
}

// moveSiteCreated lets a site begin before its first data (spec §14.2).
func (a *applier) moveSiteCreated(p *parsed) {
	site := p.facts.Site
	y, m, d := time.Unix(p.facts.Time, 0).UTC().AddDate(0, 0, -1).Date()
	begin := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if site.CreatedAt.IsZero() || !begin.Before(site.CreatedAt) {
		return
	}
	if a.work.pending.created == nil {
		a.work.pending.created = make(map[int64]int64)
	}
	if earlier, ok := a.work.pending.created[site.ID]; !ok || begin.Unix() < earlier {
		a.work.pending.created[site.ID] = begin.Unix()
		a.work.movedSites = append(a.work.movedSites, site.ID)
	}
}
