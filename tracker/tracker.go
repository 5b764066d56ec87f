// Package tracker turns request sets into the rows that Matomo's tracker would write for them.
//
// A batch goes through the stages of the design's data flow:
//
//	prepare   parse the requests into typed values, independent of any visit: no database transaction, several cores
//	prefetch  read what the batch may need: visits, ids of actions; perhaps while the batch in front is still being written
//	apply     play the requests in queue order, in memory, against the visits that the batch itself has created or changed
//	flush     write the result with multi-row statements
//
// The rows are those that one request at a time would give. Where a visit is found is the business of package
// lookahead: it answers from memory, what batches in front have written and the database does not show yet included,
// and asks the database when memory is not sure; then the rows are flushed before. What a request means is decided by
// the packages below: request, exclude, visit, action, referrer, device, location, conversion, dimension; this package
// knows their order (applier, spec §1.1).
package tracker

import (
	"io"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/bot"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Options are the parts of a Tracker.
type Options struct {
	Installation *matomo.Installation
	DB           *sqlx.DB // for what is read outside a batch's transaction
	Store        *store.Store
	Devices      *device.Detector // nil: every device is written as unknown
	Bots         *bot.Detector    // those that plugin BotTracking records; nil without it
	Referrers    *referrer.Detector
	Locator      *location.Locator
	Hosts        *location.Hosts // of plugin Provider, nil: no names of addresses are looked up
	Spammers     []string        // referrer spam list of the vendor files
	Clock        func() time.Time
	Random       io.Reader
	Cores        int // goroutines that parse a batch, at least 1

	Inspect func(params *php.Array) // sees each request before it is read; nil for nobody. A test lets it panic
}

// Tracker tracks batches. One Tracker stands for one of Matomo's worker processes: it has its process-wide state (the
// intranet rule of spec §3.6, caches that never expire). Batches are prepared one after the other, and played and
// written in the same order; one may be prepared, and then prefetched, while the one before it is played and written.
// Several Trackers may share all of Options.
type Tracker struct {
	installation *matomo.Installation
	db           *sqlx.DB
	global       *matomo.TrackerSettings
	store        *store.Store
	devices      *device.Detector
	bots         *bot.Detector
	referrers    *referrer.Detector
	urls         pageurl.Memory  // of the goroutine that prepares
	pages        referrer.Memory // this and the next of the one that plays
	goals        conversion.Matcher
	locator      *location.Locator
	hosts        *location.Hosts
	exclusions   *exclude.Checker
	features     matomo.Features
	behaviours   matomo.Behaviours
	clock        func() time.Time
	random       io.Reader
	cores        int
	inspect      func(params *php.Array)
	auth         *authenticator
	salts        map[matomo.SaltKey]string // of days that no Site holds
	trust        trust                     // as the last batch that was prepared left it
	// likewise the last site that was asked whether Do Not Track counts, nil for all
	asked       *matomo.Site
	prepared    int64 // batches
	inFlight    lookahead.InFlight[note]
	marked      *marks
	addresses   map[string]bool // whether plugin TrackingSpamPrevention blocks them, by binary address
	viewsInStep bool            // log_page_view_time has no rows of visits that are yet to come
	pid         int
}

// New returns a Tracker.
func New(o Options) *Tracker {
	t := &Tracker{
		installation: o.Installation,
		db:           o.DB,
		global:       o.Installation.Config().Tracker(0),
		store:        o.Store,
		devices:      o.Devices,
		bots:         o.Bots,
		referrers:    o.Referrers,
		locator:      o.Locator,
		hosts:        o.Hosts,
		features:     matomo.FeaturesOf(o.Installation.Plugins().Native),
		behaviours:   o.Installation.Behaviours(),
		clock:        o.Clock,
		random:       o.Random,
		cores:        max(1, o.Cores),
		inspect:      o.Inspect,
		auth:         newAuthenticator(o.Installation, o.DB),
		salts:        make(map[matomo.SaltKey]string),
		inFlight:     lookahead.InFlight[note]{VisitorIndexDescending: o.Store.Schema().VisitorIndexDescending},
		marked:       &marks{},
		addresses:    make(map[string]bool),
		pid:          rand.IntN(1 << 20),
	}
	detector := botDetector{o.Devices}
	t.exclusions = exclude.New(detector, o.Spammers).WithSpamPrevention(spam.New(detector, o.Locator))
	return t
}

// botDetector lets exclusions work without device detection.
type botDetector struct{ devices *device.Detector }

func (b botDetector) IsBot(ua string) bool { return b.devices != nil && b.devices.IsBot(ua) }

// IsLibrary implements spam.Libraries; Matomo does not let the client hints count.
func (b botDetector) IsLibrary(ua string) bool {
	return b.devices != nil && b.devices.Detect(ua, nil).ClientType.V == device.Library
}

// trust is Matomo's process-wide trust in visitor ids: a request for an intranet site switches it on unless it is on,
// any other request for a site after that switches it off (spec §3.6, §C.4).
//
// Older versions let requests for an intranet site switch it off, too (stays): there it is on for every second one.
type trust struct{ on, byIntranet bool }

func (t *trust) next(configured, intranet, stays bool) bool {
	if !t.byIntranet && !t.on {
		t.on = configured
	}
	switch {
	case intranet && !t.on:
		t.on, t.byIntranet = true, true
	case t.byIntranet && !(intranet && stays):
		t.on, t.byIntranet = false, false
	}
	return t.on
}
