package matomo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// VendorData says where the data files lie that Matomo ships with its libraries.
type VendorData struct {
	dir string
}

// Vendor returns the data files of the installation.
func (c *Config) Vendor() VendorData { return VendorData{c.dir} }

// VendorIn returns the data files below the Matomo directory dir.
func VendorIn(dir string) VendorData { return VendorData{dir} }

func (v VendorData) path(name string) string {
	return filepath.Join(v.dir, "vendor", "matomo", filepath.FromSlash(name))
}

// DeviceDetector is device-detector's folder: data files in "regexes", and PHP files.
func (v VendorData) DeviceDetector() fs.FS { return os.DirFS(v.path("device-detector")) }

// SearchEngines is the path of SearchEngines.yml.
func (v VendorData) SearchEngines() string {
	return v.path("searchengine-and-social-list/SearchEngines.yml")
}

// Socials is the path of Socials.yml.
func (v VendorData) Socials() string { return v.path("searchengine-and-social-list/Socials.yml") }

// Assistants is the path of AIAssistants.yml, which Matomo has since 5.5.
func (v VendorData) Assistants() string {
	return v.path("searchengine-and-social-list/AIAssistants.yml")
}

// SpamReferrers is the path of the list of spammers' hosts, one a line.
func (v VendorData) SpamReferrers() string { return v.path("referrer-spam-list/spammers.txt") }

// geoDatabases are the names that Matomo looks for in folder misc, in its order (spec §9.2).
var geoDatabases = strings.Fields(`GeoIP2-City.mmdb DBIP-City.mmdb DBIP-City-Lite.mmdb DBIP-Country-Lite.mmdb DBIP-Country.mmdb
	GeoIP2-City-Africa.mmdb GeoIP2-City-Asia-Pacific.mmdb GeoIP2-City-Europe.mmdb GeoIP2-City-North-America.mmdb
	GeoIP2-City-South-America.mmdb GeoIP2-Enterprise.mmdb GeoIP2-Country.mmdb GeoLite2-City.mmdb GeoLite2-Country.mmdb
	DBIP-Enterprise.mmdb`)

// ispDatabases are the same for databases of internet providers.
var ispDatabases = strings.Fields(`GeoIP2-ISP.mmdb GeoLite2-ASN.mmdb DBIP-ISP.mmdb GeoIP2-Enterprise.mmdb DBIP-Enterprise.mmdb
	DBIP-ASN.mmdb`)

// GeoDatabase is the path of the GeoIP2 database that Matomo would use; found is false when folder misc holds none.
func (v VendorData) GeoDatabase() (path string, found bool) { return v.firstOf(geoDatabases) }

// ISPDatabase is the path of the database of internet providers that Matomo would use; found is false when folder misc
// holds none.
func (v VendorData) ISPDatabase() (path string, found bool) { return v.firstOf(ispDatabases) }

func (v VendorData) firstOf(names []string) (path string, found bool) {
	for _, name := range names {
		path = filepath.Join(v.dir, "misc", name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

// VendorDataError tells which data files are not there.
type VendorDataError struct {
	Missing []MissingData
}

// MissingData is a data file that is not there.
type MissingData struct {
	Purpose string // what it is needed for
	Path    string
	Devices bool // it is needed for device detection
}

// Error names the missing files and says what to do.
func (e *VendorDataError) Error() string {
	parts := make([]string, len(e.Missing))
	for i, m := range e.Missing {
		parts[i] = fmt.Sprintf("%s for %s", m.Path, m.Purpose)
	}
	return "Matomo's data files are missing: " + strings.Join(parts, ", ") +
		" (they belong to every Matomo release: is --matomo its directory?)"
}

// Check returns a *VendorDataError when data files are missing, nil when all are there.
func (v VendorData) Check() error {
	const devices = "device detection"
	needed := []MissingData{
		{devices, v.path("device-detector/regexes/bots.yml"), true},
		{devices, v.path("device-detector/regexes/oss.yml"), true},
		{devices, v.path("device-detector/regexes/client/browsers.yml"), true},
		{devices, v.path("device-detector/regexes/device/mobiles.yml"), true},
		{"search engines", v.SearchEngines(), false},
		{"social networks", v.Socials(), false},
		{"spam referrers", v.SpamReferrers(), false},
	}
	var missing []MissingData
	for _, n := range needed {
		if info, err := os.Stat(n.Path); err != nil || !info.Mode().IsRegular() {
			missing = append(missing, n)
		}
	}
	if missing == nil {
		return nil
	}
	return &VendorDataError{missing}
}
