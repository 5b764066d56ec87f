package location

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// database is provider geoip2php: files in MaxMind's format.
type database struct {
	reader  *maxminddb.Reader // nil: there are only internet providers
	kind    databaseKind
	regions *regionNames

	// isps tells the internet providers. nil: there is no such file.
	isps *maxminddb.Reader
	told func(*ispRecord) (isp, organisation string)
}

type databaseKind uint8

const (
	unknownKind databaseKind = iota // Matomo reads nothing from it
	countryKind
	cityKind
)

// kinds are the database types that Matomo knows.
var kinds = map[string]databaseKind{
	"GeoLite2-Country": countryKind, "GeoIP2-Country": countryKind, "DBIP-Country-Lite": countryKind,
	"DBIP-Country":                   countryKind,
	"DBIP-Location (compat=Country)": countryKind,

	"GeoLite2-City": cityKind, "DBIP-City-Lite": cityKind, "DBIP-City": cityKind, "GeoIP2-City": cityKind,
	"GeoIP2-City-Africa":       cityKind,
	"GeoIP2-City-Asia-Pacific": cityKind, "GeoIP2-City-Europe": cityKind, "GeoIP2-City-North-America": cityKind,
	"GeoIP2-City-South-America": cityKind, "DBIP-Location (compat=City)": cityKind,

	"GeoIP2-Enterprise": cityKind, "DBIP-Location-ISP (compat=Enterprise)": cityKind, "DBIP-Enterprise": cityKind,
}

// ispRecord is what is read of an address's internet provider.
type ispRecord struct {
	ISP          string `maxminddb:"isp"`
	Organization string `maxminddb:"organization"`
	System       string `maxminddb:"autonomous_system_organization"`
	Traits       struct {
		ISP          string `maxminddb:"isp"`
		Organization string `maxminddb:"organization"`
	} `maxminddb:"traits"`
}

func ofISP(r *ispRecord) (isp, organisation string)    { return r.ISP, r.Organization }
func ofSystem(r *ispRecord) (isp, organisation string) { return r.System, r.System }
func ofEnterprise(r *ispRecord) (isp, organisation string) {
	return r.Traits.ISP, r.Traits.Organization
}

// ispKinds are the types of databases of internet providers that Matomo knows, with where they tell them.
var ispKinds = map[string]func(*ispRecord) (isp, organisation string){
	"GeoIP2-ISP": ofISP, "GeoLite2-ASN": ofSystem, "DBIP-ASN-Lite (compat=GeoLite2-ASN)": ofSystem,
	"GeoIP2-Enterprise": ofEnterprise,
	"DBIP-ISP":          ofEnterprise, "DBIP-ISP (compat=Enterprise)": ofEnterprise,
	"DBIP-Location-ISP (compat=Enterprise)": ofEnterprise,
	"DBIP-Enterprise":                       ofEnterprise,
}

// openDatabases opens what there is in Matomo's directory, nil when there is nothing.
func openDatabases(dir string, fold func(name string) string) (*database, error) {
	var d *database
	vendor := matomo.VendorIn(dir)
	if path, found := vendor.GeoDatabase(); found {
		var err error
		if d, err = openDatabase(path, filepath.Join(dir, "plugins", "GeoIp2", "data", "isoRegionNames.php"), fold); err != nil {
			return nil, err
		}
	}
	if path, found := vendor.ISPDatabase(); found {
		if d == nil {
			d = &database{}
		}
		if err := d.openISPs(path); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

// openDatabase opens a database. regionFile is Matomo's list of regions, for databases that give regions by name only;
// those of DB-IP do, the others do without the file. Names of regions are equal that fold makes equal.
func openDatabase(path, regionFile string, fold func(name string) string) (*database, error) {
	reader, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("GeoIP2 database %s: %w", path, err)
	}
	d := &database{reader: reader, kind: kinds[reader.Metadata.DatabaseType]}
	if d.kind == cityKind {
		err = d.readRegions(regionFile, fold)
	}
	if err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	return d, nil
}

// openISPs opens the database of internet providers; Matomo reads nothing from one of a type that it does not know.
func (d *database) openISPs(path string) error {
	reader, err := maxminddb.Open(path)
	if err != nil {
		return fmt.Errorf("database of internet providers %s: %w", path, err)
	}
	told := ispKinds[reader.Metadata.DatabaseType]
	if told == nil {
		return reader.Close()
	}
	d.isps, d.told = reader, told
	return nil
}

func (d *database) close() error {
	var errs []error
	for _, reader := range []*maxminddb.Reader{d.reader, d.isps} {
		if reader != nil {
			errs = append(errs, reader.Close())
		}
	}
	return errors.Join(errs...)
}

func (d *database) readRegions(file string, fold func(string) string) error {
	source, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(d.reader.Metadata.DatabaseType, "DBIP") {
		return nil
	}
	if err == nil {
		d.regions, err = parseRegionNames(string(source), fold)
	}
	if err != nil {
		return fmt.Errorf("names of regions in %s: %w", file, err)
	}
	return nil
}

// record is what is read of an address.
type record struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []subdivision `maxminddb:"subdivisions"`
	City         struct {
		Names struct {
			English *string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
}

type subdivision struct {
	Code  string `maxminddb:"iso_code"`
	Names struct {
		English string `maxminddb:"en"`
	} `maxminddb:"names"`
}

// locate knows nothing of the place of an address of which only the internet provider is known, but it has found
// something: then the languages do not count.
func (d *database) locate(ip string, _ *request.Request) (place, bool) {
	addr, ok := netip.AddrFromSlice([]byte(ip))
	if !ok {
		return place{}, false
	}
	p, found := d.place(addr)
	if d.isps == nil {
		return p, found
	}
	result := d.isps.Lookup(addr)
	if !result.Found() {
		return p, found
	}
	var r ispRecord
	if result.Decode(&r) == nil {
		p.isp, p.organisation = d.told(&r)
	}
	return p, true
}

func (d *database) place(addr netip.Addr) (place, bool) {
	if d.kind == unknownKind {
		return place{}, false
	}
	result := d.reader.Lookup(addr)
	var r record
	if !result.Found() || result.Decode(&r) != nil {
		return place{}, false
	}
	country := upper(r.Country.Code)
	p := place{country: country}
	if d.kind == countryKind {
		return p, true
	}
	if r.City.Names.English != nil {
		p.City = store.Text(*r.City.Names.English)
	}
	p.Latitude, p.Longitude = degrees(r.Location.Latitude), degrees(r.Location.Longitude)
	if len(r.Subdivisions) > 0 {
		p.Region = store.Text(d.region(r.Subdivisions, country))
	}
	return p, true
}

func degrees(f *float64) store.NullText {
	if f == nil {
		return store.NullText{}
	}
	return store.Text(rounded(*f))
}

// region is the code of the outermost subdivision, in Great Britain of the innermost. Codes may repeat the country:
// AE-DU.
func (d *database) region(all []subdivision, country string) string {
	s := all[0]
	if country == "GB" {
		s = all[len(all)-1]
	}
	code := strings.TrimPrefix(upper(s.Code), country+"-")
	if php.EmptyString(code) && d.regions != nil {
		return d.regions.code(country, s.Names.English)
	}
	return code
}

// upper is PHP's strtoupper: ASCII letters only.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}
