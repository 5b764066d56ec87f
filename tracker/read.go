package tracker

import (
	"crypto/sha1" // Matomo's format
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// read does all that Matomo does with a request before it looks for the visit, and what of the later steps does not
// depend on it (spec §1.1 steps 2 to 5).
func (t *Tracker) read(p *parsed) error {
	r := p.req
	now, err := r.Time() // Matomo's worker asks for it before anything else, to log it
	if err != nil {
		return err
	}
	asBot, err := t.route(p)
	if err != nil || p.excluded != "" {
		return err
	}
	p.admitted = true
	site := r.Site()
	if site == nil {
		return t.unknownSite(p)
	}
	if err := r.CheckLocationOverrides(); err != nil {
		return err
	}
	if asBot {
		t.readBot(p, now)
		return nil
	}
	text, ip, err := r.IP()
	if err != nil {
		return err
	}
	p.nonce, _ = exclude.InstallCheckNonce(r)
	verdict, err := t.exclusions.Decide(r)
	p.excluded, p.askRanges = verdict.Rule, verdict.Ranges
	p.asked = exclude.ComesToDoNotTrack(p.excluded)
	if err != nil || p.excluded != "" {
		return err
	}
	p.binaryIP = ip
	p.date = php.LocalDate(now, site.Location)
	if err := t.readFacts(p, now, text); err != nil {
		return err
	}
	return t.readContent(p)
}

// unknownSite refuses the request; Matomo notes the failure unless the request would be excluded anyway (spec §12.1),
// newer versions only for an idsite that is plainly written as a number (spec §V1.3.4).
func (t *Tracker) unknownSite(p *parsed) error {
	const maxNotedSite = 9_999_999
	id := p.req.SiteID()
	rejection := request.Reject(request.UnknownSite, fmt.Sprintf("idsite %d", id))
	if id < 0 || id > maxNotedSite {
		return rejection
	}
	if _, clear := php.RawInt(p.req.Raw(), "idsite"); t.behaviours.OnlyClearFailures && !clear {
		return rejection
	}
	verdict, err := t.exclusions.Decide(p.req)
	p.askRanges = verdict.Ranges
	if verdict.Rule == "" && err == nil {
		// Matomo detects the device to see whether it is a bot, which client hints of a wrong type prevent
		err = t.readDevice(p)
	}
	var refused *request.Rejection
	if verdict.Rule != "" || errors.As(err, &refused) && refused.Reason == request.WrongType {
		return rejection
	}
	p.failure = &store.Failure{
		SiteID: id, FailureID: failureUnknownSite, Occurred: p.req.Context().Now,
		RequestURL: p.req.FailureURL(),
	}
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
	f.Resolution, f.ResolutionFollows = resolution(r), t.behaviours.ResolutionFollows
	f.UserIDChangeNewVisit = t.behaviours.UserIDChangeNewVisit
	f.RandomConfigID = r.Privacy().RandomizeConfigID
	if f.LocalTime, err = r.LocalTime(); err != nil {
		return err
	}
	p.lang = r.Language()
	f.BrowserLang = r.BrowserLanguage(p.lang)
	f.Plugins = browserPlugins(r)
	p.tags = referrer.TagsOf(r)
	if t.features.AIAgents && t.behaviours.AIAgents {
		if agent := r.AIAgent(); agent != "" {
			f.Agent = store.Text(agent)
		}
	}
	f.LocationIP = t.storedIP(r, p.binaryIP)
	if err := t.readDevice(p); err != nil {
		return err
	}
	p.printIP = ip
	if r.Privacy().UseAnonymizedIPForVisit {
		p.printIP = p.binaryIP // not yet anonymized at this point: Matomo's fingerprint gets the full address, in binary
	}
	return nil
}

// resolution is the screen's, unknown where sites are not to know it (spec §V3.1.3).
func resolution(r *request.Request) string {
	if r.Site().ResolutionDisabled {
		return "unknown"
	}
	return r.Text("res")
}

// storedIP is a binary address as visits have it: anonymized when the privacy options say so (spec §9.3).
func (t *Tracker) storedIP(r *request.Request, ip string) string {
	privacy := r.Privacy()
	if !t.features.PrivacyManager || !privacy.AnonymizeIP {
		return ip
	}
	return location.AnonymizeIP(ip, privacy.IPMaskLength)
}

// browserPlugins reads the parameters in the order in which Matomo does (spec §4).
func browserPlugins(r *request.Request) store.BrowserPlugins {
	read := func(name string) store.NullInt { return store.Int(r.Int(name)) }
	return store.BrowserPlugins{
		Flash: read("fla"), Java: read("java"), Quicktime: read("qt"), Realplayer: read("realp"),
		PDF: read("pdf"), WindowsMedia: read("wma"), Silverlight: read("ag"), Cookie: read("cookie"),
	}
}

// readDevice detects the device, once.
func (t *Tracker) readDevice(p *parsed) error {
	if p.device != nil {
		return nil
	}
	if t.devices == nil {
		p.device = device.Undetected()
	} else {
		hints, err := t.clientHints(p.req)
		if err != nil {
			return err
		}
		p.device = t.devices.Detect(p.req.UserAgent(), hints)
		if p.device.Refused != nil {
			return request.Reject(request.WrongType, p.device.Refused.Error())
		}
	}
	d := p.device.Under(devicePolicy(p.req.Site()))
	p.facts.Device = store.Device{
		BrowserEngine: store.Text(d.Engine), BrowserName: store.Text(d.BrowserName),
		BrowserVersion: store.Text(d.BrowserVersion),
		ClientType:     d.ClientType, Brand: store.Text(d.Brand), Model: store.Text(d.Model), Type: d.Type,
		OS: store.Text(d.OS), OSVersion: store.Text(d.OSVersion),
	}
	return nil
}

// devicePolicy is what a site may not know of devices, nothing while the site is unknown. Fingerprints are made of all.
func devicePolicy(site *matomo.Site) device.Policy {
	if site == nil {
		return device.Policy{}
	}
	return device.Policy{OnlyMajorVersions: site.OnlyMajorVersions, NoModel: site.DeviceModelHidden}
}

// clientHints takes the hints of the parameter uadata, else those of the headers (spec §10.1).
func (t *Tracker) clientHints(r *request.Request) (*device.Hints, error) {
	var hints *device.Hints
	var err error
	if text := r.Params().Value("uadata").Str(); text != "" {
		hints, err = t.devices.Hints(text)
	} else if v, present := r.JSON("uadata"); present {
		hints, err = t.devices.HintsFromParam(v)
	} else {
		hints, err = t.devices.HintsFromServer(r.Env().Server)
	}
	if err != nil {
		return nil, refusedHints(err)
	}
	return hints, nil
}

func refusedHints(err error) error {
	var wrong *device.HintsError
	if errors.As(err, &wrong) {
		return request.Reject(request.WrongType, "client hint "+wrong.Hint)
	}
	return err
}

// readContent chooses the action, or the goal or order that takes its place (spec §1.1 step 5).
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
	if p.viewTimes = t.behaviours.PageViewTimes && t.features.Actions &&
		p.facts.Site.Tracker.RecordPageViewTimes; p.viewTimes {
		p.viewID = pageViewID(r.Text("pv_id"))
	}
	return nil
}
