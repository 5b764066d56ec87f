// Package assembly puts a tracker together from a Matomo installation: the tables, the detection data among Matomo's
// vendor files, the location database. What takes time to load is loaded when the first batch comes: a run that finds
// empty queues costs next to nothing.
package assembly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/bot"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/referrer"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Options say how trackers are made.
type Options struct {
	WithoutDevices bool             // every device is written as unknown
	Devices        *device.Detector // nil: loaded from the installation
	Clock          func() time.Time
	Random         io.Reader // must be safe for several goroutines when there are several workers
	Cores          int       // goroutines per worker that parse a batch, at least 1
	Log            *slog.Logger
	Inspect        func(params *php.Array) // see tracker.Options
}

// Assembly holds what the trackers of one process share.
type Assembly struct {
	installation *matomo.Installation
	db           *sqlx.DB
	store        *store.Store
	options      Options

	mu    sync.Mutex
	parts *tracker.Options // nil until the first batch
}

// Assemble looks at the tables of the installation in db. Trackers come from NewTracker; Close ends it all.
func Assemble(ctx context.Context, installation *matomo.Installation, db *sqlx.DB, o Options) (*Assembly, error) {
	s, err := store.Open(ctx, db, store.Options{
		Prefix:   installation.Config().Database().Prefix,
		Features: matomo.FeaturesOf(installation.Plugins().Native),
	})
	if err != nil {
		return nil, err
	}
	return &Assembly{installation: installation, db: db, store: s, options: o}, nil
}

// Store is the tables.
func (a *Assembly) Store() *store.Store { return a.store }

// NewTracker returns a tracker for one worker. Nothing is loaded yet.
func (a *Assembly) NewTracker() *Tracker { return &Tracker{assembly: a} }

// NewEngine returns the engine of one worker that tracks with a tracker of its own.
func (a *Assembly) NewEngine() replay.Engine { return replay.NewNative(a.NewTracker(), a.store) }

// Close gives back what was loaded. No tracker may be used any more.
func (a *Assembly) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store.Close()
	if a.parts == nil {
		return nil
	}
	return a.parts.Locator.Close()
}

// load reads the detection data, once.
func (a *Assembly) load(ctx context.Context) (tracker.Options, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.parts != nil {
		return *a.parts, nil
	}
	general, err := a.installation.General(ctx)
	if err != nil {
		return tracker.Options{}, err
	}
	parts := tracker.Options{
		Installation: a.installation, DB: a.db, Store: a.store, Devices: a.options.Devices,
		Clock: a.options.Clock, Random: a.options.Random, Cores: a.options.Cores, Inspect: a.options.Inspect,
	}
	vendor := a.installation.Config().Vendor()
	if parts.Devices == nil && !a.options.WithoutDevices {
		if parts.Devices, err = device.Load(vendor.DeviceDetector()); err != nil {
			return tracker.Options{}, fmt.Errorf("device detection: %w", err)
		}
		a.warnOfDevices(parts.Devices.Found())
	}
	if a.installation.Plugins().Active("BotTracking") {
		parts.Bots = a.bots()
	}
	if parts.Referrers, err = loadReferrers(vendor, general, a.installation.Behaviours()); err != nil {
		return tracker.Options{}, err
	}
	if parts.Spammers, err = readLines(vendor.SpamReferrers()); err != nil {
		return tracker.Options{}, fmt.Errorf("referrer spam list: %w", err)
	}
	if parts.Locator, err = a.locator(ctx, general); err != nil {
		return tracker.Options{}, fmt.Errorf("location: %w", err)
	}
	if a.installation.Plugins().Active("Provider") && a.installation.Config().ProviderLookUps() {
		if parts.Hosts, err = location.NewHosts(nil); err != nil {
			return tracker.Options{}, fmt.Errorf("names of addresses: %w", err)
		}
	}
	a.parts = &parts
	return parts, nil
}

// warnOfDevices tells what of the installation's device-detector is not known. Where only its data files were copied
// there is nothing to compare with; command test says so.
func (a *Assembly) warnOfDevices(found device.Found) {
	if found.Version == "" {
		return
	}
	for _, warning := range found.Warnings() {
		a.options.Log.Warn(warning)
	}
}

// bots reads the installation's list of AI bots.
func (a *Assembly) bots() *bot.Detector {
	list, err := bot.Load(os.DirFS(a.installation.Config().Dir()), a.installation.Behaviours().BotTypeChatbot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.options.Log.Warn("Matomo's list of AI bots cannot be read, a built-in one serves", "error", err)
	}
	return list
}

// loadReferrers reads the lists of the option rows, or of the files where there are no such rows.
func loadReferrers(
	vendor matomo.VendorData, general *matomo.General, behaviours matomo.Behaviours,
) (*referrer.Detector, error) {
	var lists referrer.Lists
	var err error
	if lists.SearchEngines, err = source(general.SearchEngines, vendor.SearchEngines()); err != nil {
		return nil, fmt.Errorf("list of search engines: %w", err)
	}
	if lists.Socials, err = source(general.Socials, vendor.Socials()); err != nil {
		return nil, fmt.Errorf("list of social networks: %w", err)
	}
	if behaviours.AIReferrers {
		lists.Assistants, err = source(general.Assistants, vendor.Assistants())
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // without the file Matomo knows none
			return nil, fmt.Errorf("list of AI assistants: %w", err)
		}
	}
	return referrer.Load(lists, behaviours)
}

func source(option, file string) (referrer.Source, error) {
	if option != "" {
		return referrer.Source{Option: option}, nil
	}
	text, err := os.ReadFile(file)
	return referrer.Source{YAML: text}, err
}

func readLines(file string) (lines []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// locator opens the location provider that is set, or the default one when no active plugin brings that one.
func (a *Assembly) locator(ctx context.Context, general *matomo.General) (*location.Locator, error) {
	settings, err := a.installation.PluginSettings(ctx, "GeoIp2")
	if err != nil {
		return nil, err
	}
	o := location.Options{
		Provider: general.LocationProvider,
		Settings: a.installation.Config().Tracker(0),
		Dir:      a.installation.Config().Dir(),
		GeoIP2:   a.installation.Plugins().Active("GeoIp2"),

		Transliterated: a.installation.Behaviours().TransliteratedRegions,
		Variables: location.ServerVariablesOf(func(name string) (string, bool) {
			value, found := settings[name]
			return php.ToString(value), found
		}),
	}
	locator, err := location.New(o)
	if errors.Is(err, location.ErrUnknownProvider) {
		a.options.Log.Warn("location provider is not known, visitors are located by their language", "provider", o.Provider)
		o.Provider = ""
		return location.New(o)
	}
	return locator, err
}

// Tracker is a tracker.Tracker that is put together when the first batch comes.
type Tracker struct {
	assembly *Assembly
	tracker  *tracker.Tracker
}

// Prepare is tracker.Tracker's. Errors are also those of loading the detection data.
func (t *Tracker) Prepare(ctx context.Context, sets []queue.RequestSet) (*tracker.Prepared, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	return t.tracker.Prepare(ctx, sets)
}

// Visitors is tracker.Tracker's. Errors are those of loading the detection data.
func (t *Tracker) Visitors(ctx context.Context) (queue.VisitorFunc, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	return t.tracker.Visitors(ctx), nil
}

func (t *Tracker) ready(ctx context.Context) error {
	if t.tracker != nil {
		return nil
	}
	parts, err := t.assembly.load(ctx)
	if err == nil {
		t.tracker = tracker.New(parts)
	}
	return err
}

// Prefetch is tracker.Tracker's, for batches that this tracker has prepared.
func (t *Tracker) Prefetch(ctx context.Context, batches []*tracker.Prepared, front *tracker.Prepared) error {
	return t.tracker.Prefetch(ctx, batches, front)
}

// Discard is tracker.Tracker's, for a batch that this tracker has prepared.
func (t *Tracker) Discard(batch *tracker.Prepared) { t.tracker.Discard(batch) }

// Play is tracker.Tracker's, for a batch that this tracker has prepared.
func (t *Tracker) Play(
	ctx context.Context, batch *tracker.Prepared, begin func(ctx context.Context) (*store.Tx, error),
) (*tracker.Play, error) {
	return t.tracker.Play(ctx, batch, begin)
}

// Write is tracker.Tracker's, for a batch that this tracker has prepared.
func (t *Tracker) Write(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error) {
	return t.tracker.Write(ctx, tx, batch)
}

// Preview is tracker.Tracker's, for a batch that this tracker has prepared.
func (t *Tracker) Preview(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error) {
	return t.tracker.Preview(ctx, tx, batch)
}
