package tracker

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/parallel"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// Prepared is a batch as the tracker knows it: its request sets, parsed as far as no visit is concerned. It can be
// written, and written again when the database rolled the first attempt back.
type Prepared struct {
	number    int64 // of the tracker's batches
	sets      int
	requests  []*parsed
	now       int64
	general   *matomo.General
	trust     trust              // of the tracker before the batch
	askedSite *matomo.Site       // likewise
	asked     *lookahead.Reading // what was read ahead for it, and perhaps for those in front, nil for nothing
	ahead     *ahead             // the same, until it is played

	viewThere bool // log_page_view_time has rows for actions that an attempt has inserted (store.ErrPageViewThere)
}

// parsed is one request, read. Nothing in it changes when the batch is applied.
type parsed struct {
	set, index int
	req        *request.Request

	err      error  // refused while it was read
	excluded string // the rule that excludes it
	// askRanges tells that the blocked ranges of plugin TrackingSpamPrevention come before excluded and err.
	askRanges bool
	nonce     string // of Matomo's installation check, "" when it is none (spec §2.2)
	empty     bool
	admitted  bool           // Matomo goes on to the rules of the request's site
	asked     bool           // its site was asked whether Do Not Track counts
	failure   *store.Failure // row for tracking_failure

	bot *botRequest // to be recorded in place of a visit

	facts      visit.Facts
	date       string // local date of the request in the site's time zone
	binaryIP   string
	lang       string
	device     *device.Device
	printIP    string // address that counts in config_id
	query      store.VisitQuery
	tags       *referrer.Tags // nil without plugin MarketingCampaignsReporting
	action     *action.Action
	manual     *conversion.Converted // goal of the parameter idgoal
	ecommerce  *conversion.Ecommerce
	pageviewID string // spec §5.8: the page view whose performance this request reports
	timings    *store.Performance
	viewTimes  bool   // page view times of the site are kept
	viewID     string // the page view that the request names, as log_page_view_time has it
}

// active reports whether the request goes on to the visit.
func (p *parsed) active() bool { return p.err == nil && p.excluded == "" && !p.empty && p.bot == nil }

// looksUp reports whether the request looks for the visitor's last visit.
func (p *parsed) looksUp() bool { return p.active() && !p.facts.RandomConfigID }

// Prepare reads the requests of a batch. An error means that settings, tokens or salts could not be read from the
// database; nothing is written by it but salts that did not exist.
func (t *Tracker) Prepare(ctx context.Context, sets []queue.RequestSet) (*Prepared, error) {
	t.prepared++
	b := &Prepared{number: t.prepared, sets: len(sets), now: t.clock().Unix(), trust: t.trust, askedSite: t.asked}
	count := 0
	for _, set := range sets {
		count += len(set.Requests)
	}
	b.requests = make([]*parsed, 0, count)
	all := make([]parsed, count)
	read := make([]request.Request, count)
	ids := make([]int64, 0, count)
	for s, set := range sets {
		origin := &request.Origin{
			Env:       request.Env{Server: set.Env.Server, Cookie: set.Env.Cookie},
			TokenAuth: set.TokenAuth,
			QueuedAt:  set.Time,

			SecureToken: set.SecureToken,
		}
		for i, params := range set.Requests {
			n := len(b.requests)
			read[n].Read(params, origin)
			p := &all[n]
			p.set, p.index, p.req = s, i, &read[n]
			b.requests = append(b.requests, p)
			ids = append(ids, p.req.SiteID())
		}
	}
	var err error
	if b.general, err = t.installation.General(ctx); err != nil {
		return nil, err
	}
	if err := t.installation.LoadSites(ctx, ids...); err != nil {
		return nil, err
	}
	if err := t.bind(ctx, b); err != nil {
		return nil, err
	}
	parallel.Each(len(b.requests), t.cores, worthACore, func(i int) { t.readSafely(b.requests[i]) })
	for _, p := range b.requests {
		if err := databaseErrorOf(p.err); err != nil {
			return nil, err
		}
	}
	t.learnHosts(ctx, b)
	// count only if the batch is prepared: an attempt that fails is repeated
	trust, asked := t.trustCookies(b), t.doNotTrack(b)
	if err := t.fingerprint(ctx, b); err != nil {
		return nil, err
	}
	t.trust, t.asked = trust, asked
	return b, nil
}

// Discard takes back what the preparation of a batch has changed in the tracker: the batch, the last that was
// prepared, will not be written.
func (t *Tracker) Discard(b *Prepared) { t.trust, t.asked = b.trust, b.askedSite }

// bind gives every request its site.
func (t *Tracker) bind(ctx context.Context, b *Prepared) error {
	contexts := make(map[int64]*request.Context) // by the number that requests give for their site
	for _, p := range b.requests {
		if p.empty = p.req.IsEmpty(); p.empty {
			continue
		}
		id := p.req.SiteID()
		c := contexts[id]
		if c == nil {
			var err error
			if c, err = t.context(ctx, b, id); err != nil {
				return err
			}
			contexts[id] = c
		}
		p.req.Bind(c)
	}
	return nil
}

// trustCookies gives the intranet rule its turn (spec §3.6), which it gets with every request for a site that there is,
// unless Matomo refuses the request for its time before, or records it nowhere.
func (t *Tracker) trustCookies(b *Prepared) trust {
	trust := t.trust
	for _, p := range b.requests {
		if !p.admitted {
			continue
		}
		if site := p.req.Site(); site != nil {
			p.facts.TrustCookies = trust.next(t.global.TrustVisitorsCookies,
				t.features.IntranetMeasurable && site.Type == "intranet",
				t.behaviours.IntranetTrustStays)
		}
	}
	return trust
}

// doNotTrack takes the failure from requests of unknown sites that ask not to be tracked, if that counts on the last
// site that was asked.
func (t *Tracker) doNotTrack(b *Prepared) *matomo.Site {
	asked := t.asked
	for _, p := range b.requests {
		if p.asked {
			asked = p.req.Site()
		}
		if p.failure == nil || !exclude.LeavesDoNotTrack(p.req) {
			continue
		}
		privacy := &b.general.Privacy
		if asked != nil {
			privacy = &asked.Privacy
		}
		if privacy.DoNotTrack && exclude.AsksNotToTrack(p.req) {
			p.failure = nil
		}
	}
	return asked
}

// context is what the batch's requests for a site are read against.
func (t *Tracker) context(ctx context.Context, b *Prepared, id int64) (*request.Context, error) {
	c := &request.Context{
		General: b.general, Settings: t.global, Features: t.features, Behaviours: t.behaviours,
		Auth: t.auth.during(ctx), Now: b.now,
	}
	site, err := t.installation.Site(ctx, id)
	switch {
	case err == nil:
		c.Site, c.Settings, c.Exclusions = site, site.Tracker, t.urls.ExclusionsOf(site)
	case !errors.Is(err, matomo.ErrUnknownSite):
		return nil, err
	}
	return c, nil
}

// worthACore is how many requests a goroutine needs to read.
const worthACore = 50

// readSafely turns a panic into the failure of the one request that caused it.
func (t *Tracker) readSafely(p *parsed) {
	defer func() {
		if v := recover(); v != nil {
			p.err = &PanicError{v, string(debug.Stack())}
		}
	}()
	if t.inspect != nil {
		t.inspect(p.req.Raw())
	}
	if !p.empty {
		p.err = t.read(p)
	}
}
