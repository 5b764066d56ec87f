package tracker

import (
	"context"
	"crypto/sha1" //nolint:gosec // Matomo's format
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// Batch is a number of request sets that were prepared: parsed as far as no visit is concerned. It can be written, and written again
// when the database rolled the first attempt back.
type Batch struct {
	sets     int
	requests []*parsed
	now      int64
	general  *matomo.General
}

// parsed is one request, read. Nothing in it changes when the batch is applied.
type parsed struct {
	set, index int
	req        *request.Request

	err      error  // refused while it was read
	excluded string // the rule that excludes it
	nonce    string // of Matomo's installation check, "" when it is none (§2.2)
	empty    bool
	failure  *store.Failure // row for tracking_failure

	facts      visit.Facts
	date       string // local date of the request in the site's time zone
	binaryIP   string
	lang       string
	device     *device.Device
	print      visit.Fingerprint
	queries    []store.VisitQuery
	action     *action.Action
	manual     *conversion.Converted // goal of the parameter idgoal
	ecommerce  *conversion.Ecommerce
	pageviewID string // §5.8: the page view whose performance this request reports
	timings    *store.Performance
}

// active reports whether the request goes on to the visit.
func (p *parsed) active() bool { return p.err == nil && p.excluded == "" && !p.empty }

// Prepare reads the requests of a batch. An error means that settings or salts could not be read from the database; nothing is written
// by it but salts that did not exist.
func (t *Tracker) Prepare(ctx context.Context, sets []queue.RequestSet) (*Batch, error) {
	b := &Batch{sets: len(sets), now: t.clock().Unix()}
	var ids []int64
	for s, set := range sets {
		origin := &request.Origin{
			Env:       request.Env{Server: set.Env.Server, Cookie: set.Env.Cookie},
			TokenAuth: set.TokenAuth,
			QueuedAt:  set.Time,
		}
		for i, params := range set.Requests {
			p := &parsed{set: s, index: i, req: request.New(params, origin)}
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
	t.readAll(b)
	return b, t.fingerprint(ctx, b)
}

// bind gives every request its site, and the intranet rule its turn.
func (t *Tracker) bind(ctx context.Context, b *Batch) error {
	global := t.global
	for _, p := range b.requests {
		if p.empty = p.req.IsEmpty(); p.empty {
			continue
		}
		c := &request.Context{General: b.general, Settings: global, Features: t.features, Auth: t.auth, Now: b.now}
		site, err := t.installation.Site(ctx, p.req.SiteID())
		switch {
		case err == nil:
			c.Site, c.Settings = site, site.Tracker
			p.facts.TrustCookies = t.trust.next(global.TrustVisitorsCookies, t.features.IntranetMeasurable && site.Type == "intranet")
		case !errors.Is(err, matomo.ErrUnknownSite):
			return err
		}
		p.req.Bind(c)
	}
	return nil
}

// readAll reads the requests on as many cores as there are to be used.
func (t *Tracker) readAll(b *Batch) {
	if t.cores == 1 || len(b.requests) < 2*t.cores {
		for _, p := range b.requests {
			t.readSafely(p)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range t.cores {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(b.requests) {
					return
				}
				t.readSafely(b.requests[i])
			}
		})
	}
	wg.Wait()
}

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

// read does all that Matomo does with a request before it looks for the visit, and what of the later steps does not depend on it (§1.1
// steps 2 to 5).
func (t *Tracker) read(p *parsed) error {
	r := p.req
	site := r.Site()
	if site == nil {
		return t.unknownSite(p)
	}
	if err := r.CheckLocationOverrides(); err != nil {
		return err
	}
	now, err := r.Time()
	if err != nil {
		return err
	}
	text, ip, err := r.IP()
	if err != nil {
		return err
	}
	if t.features.JsTrackerInstallCheck {
		p.nonce, _ = exclude.InstallCheckNonce(r)
	}
	if p.excluded, err = t.exclusions.Check(r); err != nil || p.excluded != "" {
		return err
	}
	p.binaryIP = ip
	p.date = php.LocalDate(now, site.Location)
	if err := t.readFacts(p, now, text); err != nil {
		return err
	}
	return t.readContent(p)
}

// unknownSite refuses the request; Matomo notes the failure unless the request would be excluded anyway (§12.1).
func (t *Tracker) unknownSite(p *parsed) error {
	const maxNotedSite = 9_999_999
	id := p.req.SiteID()
	rejection := request.Reject(request.UnknownSite, fmt.Sprintf("idsite %d", id))
	if id < 0 || id > maxNotedSite {
		return rejection
	}
	excluded, err := t.exclusions.Check(p.req)
	var refused *request.Rejection
	if excluded != "" || errors.As(err, &refused) && refused.Reason == request.WrongType {
		return rejection
	}
	p.failure = &store.Failure{SiteID: id, FailureID: failureUnknownSite, Occurred: p.req.Context().Now, RequestURL: p.req.FailureURL()}
	return rejection
}

const failureUnknownSite = 1

// readFacts fills what the visit needs to know.
func (t *Tracker) readFacts(p *parsed, now int64, ip string) error {
	r := p.req
	f := &p.facts
	f.Site, f.Features, f.Time = r.Site(), t.features, now
	var err error
	if f.Visitor, f.HasVisitor, err = r.VisitorID(); err != nil {
		return err
	}
	f.UserID, f.HasUserID = r.UserID()
	if f.UserID != "" {
		sum := sha1.Sum([]byte(f.UserID))
		f.UserHashID = store.BinaryID(sum[:8])
	}
	f.ForcedID = r.Text("cid") != ""
	f.ForceNew = r.Int("new_visit") != 0
	f.Ping = t.features.Heartbeat && r.Int("ping") == 1
	f.HasOrder = !php.EmptyString(r.Text("ec_id"))
	f.GoalParam = r.Int("idgoal")
	f.Resolution = r.Text("res")
	if f.LocalTime, err = r.LocalTime(); err != nil {
		return err
	}
	p.lang = r.Language()
	f.BrowserLang = r.BrowserLanguage(p.lang)
	f.Plugins = browserPlugins(r)
	f.LocationIP = t.storedIP(p)
	if err := t.readDevice(p); err != nil {
		return err
	}
	if r.General().Privacy.UseAnonymizedIPForVisit {
		ip = p.binaryIP // not yet anonymized at this point: Matomo's fingerprint gets the full address, in binary
	}
	p.print = visit.Fingerprint{Device: p.device, Plugins: f.Plugins, IP: ip, Lang: p.lang, SiteID: f.Site.ID}
	return nil
}

func (t *Tracker) storedIP(p *parsed) string {
	privacy := p.req.General().Privacy
	if !t.features.PrivacyManager || !privacy.AnonymizeIP {
		return p.binaryIP
	}
	return location.AnonymizeIP(p.binaryIP, privacy.IPMaskLength)
}

// browserPlugins reads the parameters in the order in which Matomo does (§4).
func browserPlugins(r *request.Request) store.BrowserPlugins {
	read := func(name string) store.NullInt { return store.Int(php.ReadInt(r.Params(), name, 0)) }
	return store.BrowserPlugins{
		Flash: read("fla"), Java: read("java"), Quicktime: read("qt"), Realplayer: read("realp"),
		PDF: read("pdf"), WindowsMedia: read("wma"), Silverlight: read("ag"), Cookie: read("cookie"),
	}
}

func (t *Tracker) readDevice(p *parsed) error {
	p.device = device.Undetected()
	if t.devices != nil {
		hints, err := t.clientHints(p.req)
		if err != nil {
			return err
		}
		p.device = t.devices.Detect(p.req.UserAgent(), hints)
		if p.device.Refused != nil {
			return request.Reject(request.WrongType, p.device.Refused.Error())
		}
	}
	d := p.device
	p.facts.Device = store.Device{
		BrowserEngine: store.Text(d.Engine), BrowserName: store.Text(d.BrowserName), BrowserVersion: store.Text(d.BrowserVersion),
		ClientType: d.ClientType, Brand: store.Text(d.Brand), Model: store.Text(d.Model), Type: d.Type,
		OS: store.Text(d.OS), OSVersion: store.Text(d.OSVersion),
	}
	return nil
}

// clientHints takes the hints of the parameter uadata, else those of the headers (§10.1).
func (t *Tracker) clientHints(r *request.Request) (*device.Hints, error) {
	var hints *device.Hints
	var err error
	if v, present := r.JSON("uadata"); present {
		hints, err = device.HintsFromParam(v)
	} else {
		hints, err = device.HintsFromServer(r.Env().Server)
	}
	var wrong *device.HintsError
	if errors.As(err, &wrong) {
		return nil, request.Reject(request.WrongType, "client hint "+wrong.Hint)
	}
	return hints, err
}

// readContent chooses the action, or the goal or order that takes its place (§1.1 step 5).
func (t *Tracker) readContent(p *parsed) error {
	r := p.req
	chosen, err := action.New(r)
	if err != nil {
		return err
	}
	p.action = chosen
	if t.features.Goals && p.facts.GoalParam > 0 {
		goal, err := conversion.Manual(r)
		if err != nil {
			return err
		}
		p.manual = &goal
	}
	if t.features.Goals && t.features.Ecommerce && p.facts.GoalParam == 0 {
		if p.ecommerce, err = conversion.ReadEcommerce(r); err != nil {
			return err
		}
	}
	if t.features.PagePerformance && (p.action == nil || !p.action.IsPageview() || p.facts.Ping) {
		if id, timings, ok := action.PerformanceUpdate(r); ok {
			p.pageviewID, p.timings = id, &timings
		}
	}
	return nil
}

// fingerprint computes the config ids, for which the days' salts are needed, and the look-ups that follow from them.
func (t *Tracker) fingerprint(ctx context.Context, b *Batch) error {
	salts := make(map[matomo.SaltKey]string)
	var missing []matomo.SaltKey
	for _, p := range b.requests {
		if !p.active() || !salted(p) {
			continue
		}
		key := matomo.SaltKey{SiteID: p.facts.Site.ID, Date: p.date}
		if _, seen := salts[key]; seen {
			continue
		}
		salt, known := p.facts.Site.Salts[key.Date]
		if !known {
			salt, known = t.salts[key]
		}
		salts[key] = salt
		if !known {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		read, err := t.installation.FingerprintSalts(ctx, t.db, missing)
		if err != nil {
			return fmt.Errorf("fingerprint salts: %w", err)
		}
		if len(t.salts) > maxRememberedSalts {
			clear(t.salts)
		}
		for key, salt := range read {
			salts[key], t.salts[key] = salt, salt
		}
	}
	for _, p := range b.requests {
		if !p.active() {
			continue
		}
		salt := ""
		if salted(p) {
			salt = salts[matomo.SaltKey{SiteID: p.facts.Site.ID, Date: p.date}] + p.date
		}
		p.facts.ConfigID = p.print.ConfigID(p.facts.Site.Tracker, salt)
		p.queries = visit.Queries(&p.facts)
	}
	return nil
}

const maxRememberedSalts = 10_000

// salted reports whether the day counts in the fingerprint (§4).
func salted(p *parsed) bool {
	settings := p.facts.Site.Tracker
	return !settings.FingerprintAcrossWebsites && settings.DailyFingerprint
}
