// Package location tells where a visitor is: country, region, city and coordinates, from a GeoIP2 database, from
// variables that the web server set, or guessed from the browser's languages (spec §9.1, §9.2). It also masks
// addresses (spec §9.3).
package location

import (
	"errors"
	"fmt"
	"strings"

	"github.com/maypok86/otter/v2"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// unknown is the country code for "not known".
const unknown = "xx"

// ErrUnknownProvider is returned by New when the option names a provider that is none of Matomo's own. When no active
// plugin brings it, Matomo uses the default provider: leave Options.Provider empty for that.
var ErrUnknownProvider = errors.New("location provider is not one of Matomo's own")

// Options says how visitors are located.
type Options struct {
	Provider  string // option usercountry.location_provider, "" when unset
	Settings  *matomo.TrackerSettings
	Dir       string          // Matomo's directory: databases are in misc, names of regions in plugins/GeoIp2/data
	GeoIP2    bool            // plugin GeoIp2 is active: without it there is only the language
	Variables ServerVariables // of provider geoip2server, the zero value for the usual ones

	Transliterated bool // names of regions are compared as PHP's intl writes them in ASCII, not its iconv
}

// Locator locates visitors. It can be used by several goroutines.
type Locator struct {
	provider provider
	guess    bool // by the language alone, when it has no region
	fallback bool // to the default provider, the language, when the provider knows nothing or there is none
	known    *otter.Cache[visitor, place]
	database *database
}

// visitor is what a location depends on. With provider geoip2server it also depends on the request, but Matomo keeps
// the first answer for the same languages and address, whatever later requests say.
type visitor struct{ languages, ip string }

// place is what a provider knows; columns that are not Valid are not set.
type place struct {
	store.Location // without country
	country        string

	// Whom the address belongs to: the internet provider and its customer.
	isp, organisation string
}

// provider looks a visitor up; found is false when it knows nothing at all.
type provider interface {
	locate(ip string, r *request.Request) (p place, found bool)
}

const cachedPlaces = 50_000

// New opens what the provider needs. A GeoIP2 provider without a database gives way to the default provider, as in
// Matomo. Errors are ErrUnknownProvider and those of files that cannot be read.
func New(opts Options) (*Locator, error) {
	l := &Locator{guess: opts.Settings.LanguageToCountryGuess, fallback: opts.Settings.EnableDefaultLocationProvider}
	switch opts.Provider {
	case "", "default":
		return l, nil
	case "disabled":
		l.fallback = false
		return l, nil
	case "geoip2php", "geoip2server":
	default:
		return nil, fmt.Errorf("%w: %q", ErrUnknownProvider, opts.Provider)
	}
	if !opts.GeoIP2 {
		return l, nil
	}
	if err := l.open(opts); err != nil {
		return nil, err
	}
	if l.provider == nil {
		return l, nil
	}
	known, err := otter.New(&otter.Options[visitor, place]{MaximumSize: cachedPlaces})
	if err != nil {
		return nil, fmt.Errorf("cache of locations: %w", err)
	}
	l.known = known
	return l, nil
}

// open sets the provider unless its database is missing.
func (l *Locator) open(opts Options) error {
	fold := byIconv
	if opts.Transliterated {
		fold = byICU
	}
	database, err := openDatabases(opts.Dir, fold)
	if err != nil {
		return err
	}
	if database != nil {
		l.database, l.provider = database, database
	}
	if opts.Provider == "geoip2server" {
		l.provider = newServer(opts.Variables, database)
	}
	return nil
}

// Close closes the databases, if there are any.
func (l *Locator) Close() error {
	if l.database == nil {
		return nil
	}
	return l.database.close()
}

// Locate returns the location_* columns of a new visit (spec §9.1). languages is Request.Language; ip is the binary
// address to look up: the client's, or the masked one when the privacy options want that. Overrides of the request are
// taken as allowed: see Request.CheckLocationOverrides.
func (l *Locator) Locate(languages, ip string, r *request.Request) store.Location {
	p := l.find(visitor{languages, ip}, r)
	return withOverrides(p.columns(), r)
}

// Country is the code of the visitor's country in lower case, xx when it is not known, whatever the request itself
// says.
func (l *Locator) Country(languages, ip string, r *request.Request) string {
	p := l.find(visitor{languages, ip}, r)
	return p.code()
}

// Organisation is whom the visitor's address belongs to, "" when that is not known.
func (l *Locator) Organisation(languages, ip string, r *request.Request) string {
	if l.provider == nil { // languages tell nothing of it
		return ""
	}
	return l.find(visitor{languages, ip}, r).organisation
}

// find asks the provider, or remembers what it said.
func (l *Locator) find(v visitor, r *request.Request) place {
	if l.provider == nil {
		return l.byLanguage(v.languages, r)
	}
	if p, ok := l.known.GetIfPresent(v); ok {
		return p
	}
	p, ok := l.provider.locate(v.ip, r)
	if !ok {
		p = l.byLanguage(v.languages, r)
	}
	v.languages = strings.Clone(v.languages) // it can be part of a queue entry, which is to be forgotten
	l.known.Set(v, p)
	return p
}

// code is the country as it is stored.
func (p *place) code() string {
	country := php.ToLower(p.country)
	if php.EmptyString(country) {
		return unknown
	}
	return country
}

// columns is the place with its country.
func (p *place) columns() store.Location {
	l := p.Location
	l.Country = store.Text(p.code())
	return l
}

// byLanguage is the default provider. When the parameter lang is no language list, the browser's header counts.
func (l *Locator) byLanguage(languages string, r *request.Request) place {
	if !l.fallback {
		return place{}
	}
	if php.EmptyString(languages) {
		languages = headerLanguages(r)
	}
	return place{country: CountryFromLanguage(languages, l.guess)}
}

// headerLanguages is what a request without parameters from the same browser would have as languages.
func headerLanguages(r *request.Request) string {
	bare := request.New(php.NewArray(0), &request.Origin{Env: r.Env()})
	bare.Bind(r.Context())
	return bare.Language()
}
