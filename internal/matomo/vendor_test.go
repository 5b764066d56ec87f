package matomo

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

func TestVendorDataIsFound(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"vendor/matomo/device-detector/regexes/bots.yml":                   "bots",
		"vendor/matomo/device-detector/regexes/oss.yml":                    "",
		"vendor/matomo/device-detector/regexes/client/browsers.yml":        "",
		"vendor/matomo/device-detector/regexes/device/mobiles.yml":         "",
		"vendor/matomo/searchengine-and-social-list/SearchEngines.yml":     "",
		"vendor/matomo/searchengine-and-social-list/Socials.yml":           "",
		"vendor/matomo/referrer-spam-list/spammers.txt":                    "",
		"misc/GeoLite2-City.mmdb":                                          "",
		"misc/DBIP-Country.mmdb":                                           "",
		"misc/DBIP-ASN.mmdb":                                               "",
		"misc/GeoIP2-City.mmdb/a folder of that name is not the database.": "",
	})
	v := VendorIn(dir)
	if err := v.Check(); err != nil {
		t.Error(err)
	}
	if text, err := fs.ReadFile(v.DeviceDetector(), "regexes/bots.yml"); err != nil || string(text) != "bots" {
		t.Errorf("regexes: %q, %v", text, err)
	}
	if path, found := v.GeoDatabase(); !found || path != filepath.Join(dir, "misc", "DBIP-Country.mmdb") {
		t.Errorf("geo database %q, %v", path, found)
	}
	if path, found := v.ISPDatabase(); !found || path != filepath.Join(dir, "misc", "DBIP-ASN.mmdb") {
		t.Errorf("database of providers %q, %v", path, found)
	}
}

func TestMissingVendorDataIsNamed(t *testing.T) {
	c := parseConfig(t, "")
	if _, found := c.Vendor().GeoDatabase(); found {
		t.Error("a geo database where none is")
	}
	dir := writeFiles(t, map[string]string{"vendor/matomo/searchengine-and-social-list/Socials.yml": ""})
	err := VendorIn(dir).Check()
	var missing *VendorDataError
	if !errors.As(err, &missing) || len(missing.Missing) != 6 {
		t.Fatalf("got %v", err)
	}
	if !missing.Missing[0].Devices || missing.Missing[4].Devices {
		t.Errorf("which are for devices: %+v", missing.Missing)
	}
	for _, want := range []string{"bots.yml for device detection", "SearchEngines.yml for search engines", "spammers.txt for spam referrers"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
