package matomo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// ErrUnknownSite tells that table site has no row of an id.
var ErrUnknownSite = errors.New("unknown site")

// Installation is a Matomo installation: its configuration and what its database says of it, cached as Matomo caches
// it (spec §13.4). It is safe for concurrent use.
//
// Look-ups that find nothing in the cache query the database handed to Open, not a caller's transaction. Where there
// is only one connection (SQLite) load what a transaction needs before it begins: LoadSites, General.
type Installation struct {
	config  *Config
	found   Found
	db      *sqlx.DB
	prefix  string
	plugins Plugins
	version string
	clock   func() time.Time
	random  io.Reader
	lang    string
	ttl     time.Duration

	loading sync.Mutex // held while the cache is filled
	mu      sync.RWMutex
	sites   map[int64]siteEntry
	general *generalEntry

	urls urlsEntry // belongs to whoever holds loading
}

// siteEntry is a site of the cache; a nil site is one that the database did not know.
type siteEntry struct {
	site    *Site
	expires time.Time
}

type generalEntry struct {
	general  *General
	options  map[string]string
	settings storedSettings
	expires  time.Time
}

// unknownTTL is how long Site believes that there is no such site, so that a flood of bad ids does not become a flood
// of queries. LoadSites always asks.
const unknownTTL = time.Second

// Options are what an Installation can be given beside its configuration and database.
type Options struct {
	Random io.Reader // source of new salts; nil: crypto/rand
	Lang   string    // becomes TrackerSettings.EmulatedLang
}

// Open looks at the installation with the given configuration. The database must be reachable and hold Matomo's
// tables, and Matomo's own installation must have come to its end.
func Open(
	ctx context.Context, config *Config, db *sqlx.DB, clock func() time.Time, options Options,
) (*Installation, error) {
	if config.Bool("General", "installation_in_progress") {
		return nil, fmt.Errorf("%s: the installation of Matomo is not finished (installation_in_progress is set)",
			config.Dir())
	}
	i := &Installation{
		config: config, db: db, prefix: config.Database().Prefix,
		clock: clock, random: options.Random, lang: options.Lang,
		ttl:   time.Duration(config.Int("Tracker", "tracker_cache_file_ttl")) * time.Second,
		sites: make(map[int64]siteEntry),
	}
	if i.random == nil {
		i.random = rand.Reader
	}
	if i.ttl <= 0 {
		i.ttl = 300 * time.Second
	}
	var err error
	if i.version, _, err = i.Option(ctx, "version_core"); err != nil {
		if isMissingTable(err) {
			return nil, fmt.Errorf("no table %s in database %s: check dbname and tables_prefix in section [database] of "+
				"config/config.ini.php",
				i.prefix+"option", config.Database().Name)
		}
		return nil, err
	}
	if i.found, err = i.find(ctx, i.version); err != nil {
		return nil, fmt.Errorf("tables of Matomo: %w", err)
	}
	if i.config, err = config.For(i.found); err != nil {
		return nil, err
	}
	i.plugins = i.config.Plugins()
	return i, nil
}

// Found is what was seen of the installation's version.
func (i *Installation) Found() Found { return i.found }

// Behaviours are what its version does otherwise than others.
func (i *Installation) Behaviours() Behaviours { return i.config.behaviours }

// Config is the configuration that the installation was opened with, read as one of its version (Config.For).
func (i *Installation) Config() *Config { return i.config }

// Plugins are the active plugins.
func (i *Installation) Plugins() Plugins { return i.plugins }

// Version is Matomo's version as its database has it (option version_core), "" when it does not say.
func (i *Installation) Version() string { return i.version }

// Table is the full name of a table, in backticks.
func (i *Installation) Table(name string) string { return "`" + i.prefix + name + "`" }

// Site returns the site of that id, from the cache if it was loaded at most TTL ago (300 s by default). The error is
// ErrUnknownSite when there is no such site, otherwise the database's.
func (i *Installation) Site(ctx context.Context, id int64) (*Site, error) {
	if entry, ok := i.cachedSite(id); ok {
		return entry.result(id)
	}
	if err := i.LoadSites(ctx, id); err != nil {
		return nil, err
	}
	i.mu.RLock()
	entry := i.sites[id]
	i.mu.RUnlock()
	return entry.result(id)
}

func (e siteEntry) result(id int64) (*Site, error) {
	if e.site == nil {
		return nil, fmt.Errorf("site %d: %w", id, ErrUnknownSite)
	}
	return e.site, nil
}

func (i *Installation) cachedSite(id int64) (siteEntry, bool) {
	if id <= 0 {
		return siteEntry{}, true
	}
	i.mu.RLock()
	defer i.mu.RUnlock()
	entry, ok := i.sites[id]
	return entry, ok && i.clock().Before(entry.expires)
}

// LoadSites brings sites into the cache, all that are missing with one query per table, and creates their fingerprint
// salts of the days around now (spec §4). Ids without a site are no error here; Site tells.
func (i *Installation) LoadSites(ctx context.Context, ids ...int64) error {
	missing := i.missingSites(ids)
	if len(missing) == 0 {
		return nil
	}
	i.loading.Lock()
	defer i.loading.Unlock()
	if missing = i.missingSites(missing); len(missing) == 0 {
		return nil
	}
	general, err := i.loadedGeneral(ctx)
	if err != nil {
		return err
	}
	sites, err := i.readSites(ctx, missing, general)
	if err == nil {
		err = i.readSalts(ctx, sites)
	}
	if err != nil {
		return fmt.Errorf("sites %v: %w", missing, err)
	}
	now := i.clock()
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range missing {
		entry := siteEntry{site: sites[id], expires: now.Add(i.ttl)}
		if entry.site == nil {
			entry.expires = now.Add(unknownTTL)
		}
		i.sites[id] = entry
	}
	return nil
}

// missingSites lists the ids that are not in the cache, each once. Sites known to be unknown count as missing.
func (i *Installation) missingSites(ids []int64) []int64 {
	var missing []int64
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		if id <= 0 || seen[id] {
			continue
		}
		seen[id] = true
		if entry, ok := i.cachedSite(id); !ok || entry.site == nil {
			missing = append(missing, id)
		}
	}
	return missing
}

// Forget drops a site from the cache, as Matomo does after it changed ts_created.
func (i *Installation) Forget(siteID int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.sites, siteID)
}

// General returns what is the same for all sites, from the cache if it was loaded at most TTL ago.
func (i *Installation) General(ctx context.Context) (*General, error) {
	if entry := i.cachedGeneral(); entry != nil {
		return entry.general, nil
	}
	i.loading.Lock()
	defer i.loading.Unlock()
	entry, err := i.loadedGeneral(ctx)
	if err != nil {
		return nil, err
	}
	return entry.general, nil
}

func (i *Installation) cachedGeneral() *generalEntry {
	i.mu.RLock()
	defer i.mu.RUnlock()
	if i.general == nil || !i.clock().Before(i.general.expires) {
		return nil
	}
	return i.general
}

// loadedGeneral is General for callers that hold i.loading.
func (i *Installation) loadedGeneral(ctx context.Context) (*generalEntry, error) {
	if entry := i.cachedGeneral(); entry != nil {
		return entry, nil
	}
	entry, err := i.readGeneral(ctx)
	if err != nil {
		return nil, fmt.Errorf("settings of all sites: %w", err)
	}
	entry.expires = i.clock().Add(i.ttl)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.general = entry
	return entry, nil
}

// ForgetGeneral drops what General returned from the cache.
func (i *Installation) ForgetGeneral() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.general = nil
}
