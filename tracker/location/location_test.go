package location

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func defaultSettings() *matomo.TrackerSettings {
	return &matomo.TrackerSettings{
		EnableDefaultLocationProvider: true, LanguageToCountryGuess: true, ProxyClientHeaders: []string{"HTTP_X_FORWARDED_FOR"},
	}
}

// newRequest makes a request of "name=value" parameters and server variables.
func newRequest(params, server map[string]string) *request.Request {
	array := func(m map[string]string) *php.Array {
		a := php.NewArray(len(m))
		for name, value := range m {
			a.Set(name, php.String(value))
		}
		return a
	}
	r := request.New(array(params), &request.Origin{Env: request.Env{Server: array(server)}})
	r.Bind(&request.Context{
		Behaviours: matomo.BehavioursIn("5.1.2"), General: &matomo.General{},
		Settings: defaultSettings(),
	})
	return r
}

func newLocator(t *testing.T, opts Options) *Locator {
	t.Helper()
	if opts.Settings == nil {
		opts.Settings = defaultSettings()
	}
	l, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func binaryIP(t *testing.T, text string) string {
	t.Helper()
	ip, ok := php.ParseIP(text)
	if !ok {
		t.Fatal(text)
	}
	return string(ip)
}

func country(code string) store.Location { return store.Location{Country: store.Text(code)} }

func TestCountryFromLanguage(t *testing.T) {
	for _, tt := range []struct{ languages, guessed, certain string }{
		// spec §D.4
		{"de-at,de,en", "at", "at"},
		{"en-us", "us", "us"},
		{"*", "xx", "xx"},
		{"fr,en-gb", "fr", "gb"},
		{"c", "xx", "xx"},
		{"", "xx", "xx"},
		{"sr-rs", "rs", "rs"},
		{"zh-hant-tw,zh", "tw", "tw"},
		{"de", "de", "xx"},
		{"sq-xk", "xx", "xx"},
		{"en", "xx", "xx"},
		{"deu", "xx", "xx"},
		{"fil-ph", "ph", "ph"},
		{"es-419,es", "xx", "xx"},
		{"sr-latn-rs", "la", "la"}, // spec §H.13
		{"de;x-at", "de", "at"},
		{"de x-at", "at", "at"},
		{"xx", "xx", "xx"},
		{"0", "xx", "xx"},
		{"en-", "xx", "xx"},
		{"en-a", "xx", "xx"},
		{"uk", "ua", "xx"},
		{"germ,en-us", "us", "us"},
	} {
		if got := CountryFromLanguage(tt.languages, true); got != tt.guessed {
			t.Errorf("%q: %q", tt.languages, got)
		}
		if got := CountryFromLanguage(tt.languages, false); got != tt.certain {
			t.Errorf("%q without guess: %q", tt.languages, got)
		}
	}
}

func TestFactsAreComplete(t *testing.T) {
	if len(countries) != 249 || len(countryOfLanguage) != 40 {
		t.Error(len(countries), len(countryOfLanguage))
	}
	for language, code := range countryOfLanguage {
		if !IsCountry(code) {
			t.Errorf("%s: %s", language, code)
		}
	}
}

func TestAnonymizeIP(t *testing.T) {
	for _, tt := range []struct {
		ip   string
		mask int
		want string
	}{
		{"203.0.113.77", 0, "203.0.113.77"},
		{"203.0.113.77", 1, "203.0.113.0"},
		{"203.0.113.77", 2, "203.0.0.0"},
		{"203.0.113.77", 3, "203.0.0.0"},
		{"203.0.113.77", 4, "0.0.0.0"},
		{"203.0.113.77", 9, "0.0.0.0"},
		{"203.0.113.77", -1, "203.0.113.77"},
		// spec §D.6
		{"2001:db8:1:2:3:4:5:6", 0, "2001:db8:1:2:3:4:5:6"},
		{"2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::"},
		{"2001:db8:1:2:3:4:5:6", 2, "2001:db8:1::"},
		{"2001:db8:1:2:3:4:5:6", 3, "2001:d00::"},
		{"2001:db8:1:2:3:4:5:6", 4, "::"},
		{"::ffff:1.2.3.4", 2, "::ffff:1.2.0.0"},
		{"::1", 1, "::"},
		{"::1.2.3.4", 1, "::1.2.3.0"},
		{"::1:1.2.3.4", 1, "::"},
	} {
		if got := AnonymizeIP(binaryIP(t, tt.ip), tt.mask); got != binaryIP(t, tt.want) {
			t.Errorf("%s by %d: %s, want %s", tt.ip, tt.mask, php.FormatIP([]byte(got)), tt.want)
		}
	}
	if got := AnonymizeIP("", 2); got != "" {
		t.Errorf("%q", got)
	}
}

func TestProvidersThatDoNotFindAnything(t *testing.T) {
	off := defaultSettings()
	off.EnableDefaultLocationProvider = false
	withDatabase := t.TempDir()
	writeDatabase(t, withDatabase, "GeoIP2-City.mmdb", "GeoIP2-City", londonRecord())
	for name, tt := range map[string]struct {
		opts Options
		want string
	}{
		"unset":                        {Options{}, "at"},
		"default":                      {Options{Provider: "default"}, "at"},
		"unset, default off":           {Options{Settings: off}, "xx"},
		"disabled":                     {Options{Provider: "disabled"}, "xx"},
		"no database":                  {Options{Provider: "geoip2php", GeoIP2: true, Dir: t.TempDir()}, "at"},
		"not found, default off":       {Options{Provider: "geoip2php", GeoIP2: true, Dir: withDatabase, Settings: off}, "xx"},
		"no database, default off":     {Options{Provider: "geoip2php", GeoIP2: true, Dir: t.TempDir(), Settings: off}, "xx"},
		"plugin inactive":              {Options{Provider: "geoip2php", Dir: withDatabase}, "at"},
		"plugin inactive, default off": {Options{Provider: "geoip2server", Dir: withDatabase, Settings: off}, "xx"},
	} {
		l := newLocator(t, tt.opts)
		if got := l.Locate("de-at,de", binaryIP(t, "8001::"), newRequest(nil, nil)); got != country(tt.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestUnknownProviderIsRefused(t *testing.T) {
	if _, err := New(Options{Provider: "ip2location", Settings: defaultSettings()}); !errors.Is(err, ErrUnknownProvider) {
		t.Error(err)
	}
}

func TestLanguageHeaderStandsInForABrokenParameter(t *testing.T) {
	r := newRequest(map[string]string{"lang": "chrome://x"}, map[string]string{"HTTP_ACCEPT_LANGUAGE": "it"})
	if got := newLocator(t, Options{}).Locate(r.Language(), "\x01\x02\x03\x04", r); got != country("it") {
		t.Errorf("%q: %+v", r.Language(), got)
	}
}

func londonRecord() map[string]any {
	names := func(name string) map[string]any {
		return map[string]any{"names": map[string]any{"en": name, "de": "?"}}
	}
	england, westminster := names("England"), names("Westminster")
	england["iso_code"], westminster["iso_code"] = "ENG", "wsm"
	return map[string]any{
		"country":      map[string]any{"iso_code": "gb"},
		"city":         names("London"),
		"location":     map[string]any{"latitude": 51.51425, "longitude": 0.0},
		"subdivisions": []any{england, westminster},
	}
}

func TestDatabase(t *testing.T) {
	berlin := map[string]any{
		"country":      map[string]any{"iso_code": "DE"},
		"city":         map[string]any{"names": map[string]any{"de": "Berlin"}},
		"subdivisions": []any{map[string]any{"names": map[string]any{"en": "LAND BERLÍN"}}, map[string]any{"iso_code": "X"}},
	}
	dubai := map[string]any{
		"country":      map[string]any{"iso_code": "AE"},
		"subdivisions": []any{map[string]any{"iso_code": "ae-du"}},
	}
	empty := map[string]any{}
	text := store.Text
	for name, tt := range map[string]struct {
		file, kind string
		record     map[string]any
		ip         string
		want       store.Location
	}{
		"city": {"GeoIP2-City.mmdb", "GeoIP2-City", londonRecord(), "81.2.69.160", store.Location{
			Country: text("gb"), Region: text("WSM"), City: text("London"), Latitude: text("51.514"), Longitude: text("0"),
		}},
		"IPv6":               {"GeoIP2-City.mmdb", "GeoLite2-City", dubai, "2001:db8::1", store.Location{Country: text("ae"), Region: text("DU")}},
		"region by name":     {"DBIP-City-Lite.mmdb", "DBIP-City-Lite", berlin, "1.2.3.4", store.Location{Country: text("de"), Region: text("BE")}},
		"country only":       {"DBIP-Country.mmdb", "DBIP-Country", londonRecord(), "1.2.3.4", country("gb")},
		"enterprise":         {"DBIP-Enterprise.mmdb", "DBIP-Location-ISP (compat=Enterprise)", empty, "1.2.3.4", country("xx")},
		"unknown kind":       {"GeoIP2-City.mmdb", "Other", londonRecord(), "1.2.3.4", country("it")},
		"address not found":  {"GeoIP2-City.mmdb", "GeoIP2-City", londonRecord(), "8001::", country("it")},
		"record not as told": {"GeoIP2-City.mmdb", "GeoIP2-City", map[string]any{"country": "x"}, "1.2.3.4", country("it")},
	} {
		dir := t.TempDir()
		writeDatabase(t, dir, tt.file, tt.kind, tt.record)
		writeRegions(t, dir, regionFile)
		l := newLocator(t, Options{Provider: "geoip2php", GeoIP2: true, Dir: dir})
		for range 2 { // the second answer is remembered
			if got := l.Locate("it", binaryIP(t, tt.ip), newRequest(nil, nil)); got != tt.want {
				t.Errorf("%s: %+v, want %+v", name, got, tt.want)
			}
		}
	}
}

// A database of internet providers alone keeps Matomo from asking the languages.
func TestInternetProviderCountsAsKnown(t *testing.T) {
	isp := map[string]any{"autonomous_system_organization": "x"}
	for name, tt := range map[string]struct {
		kind, isps, ip string
		want           store.Location
	}{
		"place is known":         {"GeoIP2-Country", "GeoLite2-ASN", "1.2.3.4", country("gb")},
		"place is not known":     {"Other", "GeoLite2-ASN", "1.2.3.4", country("xx")},
		"nothing is known":       {"GeoIP2-Country", "GeoLite2-ASN", "8001::", country("it")},
		"no database of places":  {"", "DBIP-ASN-Lite (compat=GeoLite2-ASN)", "1.2.3.4", country("xx")},
		"only that, not known":   {"", "GeoLite2-ASN", "8001::", country("it")},
		"database of other type": {"", "Other", "1.2.3.4", country("it")},
	} {
		dir := t.TempDir()
		writeDatabase(t, dir, "GeoLite2-ASN.mmdb", tt.isps, isp)
		if tt.kind != "" {
			writeDatabase(t, dir, "GeoIP2-Country.mmdb", tt.kind, londonRecord())
		}
		l := newLocator(t, Options{Provider: "geoip2php", GeoIP2: true, Dir: dir})
		if got := l.Locate("it", binaryIP(t, tt.ip), newRequest(nil, nil)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestOwnersOfAddressesAreReadFromEachKindOfDatabase(t *testing.T) {
	record := map[string]any{
		"isp": "Isp", "organization": "Org", "autonomous_system_organization": "System",
		"traits": map[string]any{"isp": "Traits Isp", "organization": "Traits Org"},
	}
	for kind, want := range map[string]struct{ provider, organisation string }{
		"GeoIP2-ISP":                            {"Isp - Org", "Org"},
		"GeoLite2-ASN":                          {"System", "System"},
		"DBIP-ASN-Lite (compat=GeoLite2-ASN)":   {"System", "System"},
		"DBIP-ISP (compat=Enterprise)":          {"Traits Isp - Traits Org", "Traits Org"},
		"DBIP-Location-ISP (compat=Enterprise)": {"Traits Isp - Traits Org", "Traits Org"},
		"Other":                                 {"", ""},
	} {
		dir := t.TempDir()
		writeDatabase(t, dir, "GeoIP2-ISP.mmdb", kind, record)
		writeDatabase(t, dir, "GeoIP2-Country.mmdb", "GeoIP2-Country", londonRecord())
		l := newLocator(t, Options{Provider: "geoip2php", GeoIP2: true, Dir: dir})
		ip, r := binaryIP(t, "1.2.3.4"), newRequest(nil, nil)
		if got := l.HasProvider("it", ip, r); got != (want.provider != "") {
			t.Errorf("%s: has a provider: %v", kind, got)
		}
		for range 2 { // the second answer is remembered
			provider, organisation, country := l.Provider("it", ip, r), l.Organisation("it", ip, r), l.Country("it", ip, r)
			if provider != want.provider || organisation != want.organisation || country != "gb" {
				t.Errorf("%s: %q, %q, %q, want %q, %q, gb", kind, provider, organisation, country, want.provider, want.organisation)
			}
		}
	}
	without := newLocator(t, Options{})
	if r := newRequest(nil, nil); without.Provider("it", "\x01\x02\x03\x04", r) != "" || without.Organisation("it", "\x01\x02\x03\x04", r) != "" {
		t.Error("languages tell an owner")
	}
}

func TestBrokenFilesAreErrors(t *testing.T) {
	open := func(dir string) error {
		_, err := New(Options{Provider: "geoip2php", GeoIP2: true, Dir: dir, Settings: defaultSettings()})
		return err
	}
	dir := t.TempDir()
	path := writeDatabase(t, dir, "DBIP-City-Lite.mmdb", "DBIP-City-Lite", map[string]any{})
	if err := open(dir); err == nil || !strings.Contains(err.Error(), "isoRegionNames.php") {
		t.Error("DB-IP without names of regions:", err)
	}
	writeRegions(t, dir, "<?php return 7;")
	if err := open(dir); err == nil || !strings.Contains(err.Error(), "names of regions") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("no database"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := open(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func TestServerVariables(t *testing.T) {
	const ip = "198.51.100.7"
	withDatabase := t.TempDir()
	writeDatabase(t, withDatabase, "GeoIP2-Country.mmdb", "GeoIP2-Country", londonRecord())
	text := store.Text
	all := map[string]string{
		"REMOTE_ADDR": ip, "MM_COUNTRY_CODE": "DE", "MM_REGION_CODE": "by", "MM_CITY_NAME": "München", "MM_LATITUDE": "48.13712",
		"MM_LONGITUDE": "east",
	}
	for name, tt := range map[string]struct {
		dir       string
		variables ServerVariables
		ip        string
		server    map[string]string
		want      store.Location
	}{
		"usual names":                {"", ServerVariables{}, ip, all, store.Location{Country: text("de"), Region: text("by"), City: text("München"), Latitude: text("48.137")}},
		"own names":                  {"", ServerVariables{Country: "GEO"}, ip, map[string]string{"REMOTE_ADDR": ip, "GEO": "AT", "MM_CITY_NAME": "x"}, country("at")},
		"masked":                     {"", ServerVariables{}, "198.51.0.0", all, store.Location{Country: text("de"), Region: text("by"), City: text("München"), Latitude: text("48.137")}},
		"empty":                      {"", ServerVariables{}, ip, map[string]string{"REMOTE_ADDR": ip, "MM_COUNTRY_CODE": "0"}, country("fr")},
		"no country":                 {"", ServerVariables{}, ip, map[string]string{"REMOTE_ADDR": ip, "MM_REGION_NAME": "Bayern"}, country("xx")},
		"continent alone":            {"", ServerVariables{}, ip, map[string]string{"REMOTE_ADDR": ip, "MM_CONTINENT_CODE": "EU"}, country("xx")},
		"no number":                  {"", ServerVariables{}, ip, map[string]string{"REMOTE_ADDR": ip, "MM_LATITUDE": "north"}, country("fr")},
		"mapped address":             {"", ServerVariables{}, "::ffff:198.51.100.7", all, country("fr")},
		"other address, no database": {"", ServerVariables{}, "198.51.100.8", all, country("fr")},
		"other address, database":    {withDatabase, ServerVariables{}, "198.51.100.8", all, country("gb")},
		"other family":               {"", ServerVariables{}, "2001:db8::1", all, country("fr")},
	} {
		if tt.dir == "" {
			tt.dir = t.TempDir()
		}
		l := newLocator(t, Options{Provider: "geoip2server", GeoIP2: true, Dir: tt.dir, Variables: tt.variables})
		if got := l.Locate("fr", binaryIP(t, tt.ip), newRequest(nil, tt.server)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestServerVariablesFromSettings(t *testing.T) {
	stored := map[string]string{"geoip2var_country_code": "GEO_COUNTRY", "geoip2var_lat": "", "geoip2var_continent_code": "GEO_CONTINENT"}
	got := ServerVariablesOf(func(name string) (string, bool) { value, found := stored[name]; return value, found })
	want := usualVariables
	want.Country, want.Latitude, want.Continent = "GEO_COUNTRY", "", "GEO_CONTINENT"
	if got != want {
		t.Errorf("%+v", got)
	}
}

func TestFirstAnswerForAnAddressStays(t *testing.T) {
	l := newLocator(t, Options{Provider: "geoip2server", GeoIP2: true, Dir: t.TempDir()})
	for _, code := range []string{"DE", "AT"} {
		r := newRequest(nil, map[string]string{"REMOTE_ADDR": "1.2.3.4", "MM_COUNTRY_CODE": code})
		if got := l.Locate("fr", binaryIP(t, "1.2.3.4"), r); got != country("de") {
			t.Errorf("%+v", got)
		}
	}
}

func TestOverrides(t *testing.T) {
	long := strings.Repeat("x", 300)
	r := newRequest(map[string]string{"country": "FRAN", "region": "0", "city": long, "lat": "<1>", "long": ""}, nil)
	text := store.Text
	if got, want := Overrides(r), (store.Location{Country: text("FRAN"), City: text(long), Latitude: text("&lt;1&gt;")}); got != want {
		t.Errorf("%+v", got)
	}
	got := newLocator(t, Options{}).Locate("de", "\x01\x02\x03\x04", r)
	if want := (store.Location{Country: text("FRA"), City: text(long[:255]), Latitude: text("&lt;1&gt;")}); got != want {
		t.Errorf("%+v", got)
	}
}

func writeRegions(t *testing.T, dir, source string) {
	t.Helper()
	folder := filepath.Join(dir, "plugins", "GeoIp2", "data")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "isoRegionNames.php"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkLocate(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(shared, "matomo-data", "misc", "GeoIP2-City-Test.mmdb"))
	if err != nil {
		b.Skip("MaxMind's test database is not there: ", err)
	}
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "misc"), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "misc", "GeoIP2-City.mmdb"), data, 0o644); err != nil {
		b.Fatal(err)
	}
	l, err := New(Options{Provider: "geoip2php", GeoIP2: true, Dir: dir, Settings: defaultSettings()})
	if err != nil {
		b.Fatal(err)
	}
	r := newRequest(nil, nil)
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Locate("de-at,de", "\x51\x02\x45\xa0", r)
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.provider.locate("\x51\x02\x45\xa0", r)
		}
	})
}

func TestProviderOfAnAddress(t *testing.T) {
	for _, tt := range []struct{ isp, organisation, want string }{
		{"Example Telecom", "", "Example Telecom"},
		{"Example Telecom", "Example Org", "Example Telecom - Example Org"},
		{"Same", "Same", "Same"},
		{"Same", "same", "Same - same"},
		{"", "Only Org", "Only Org"},
		{"0", "Zero Isp", "Zero Isp"},
		{"Isp", "0", "Isp"},
		{"0", "0", ""},
		{"", "", ""},
		{"1e1", "10", "1e1"}, // numbers that PHP finds equal
	} {
		if got := (place{isp: tt.isp, organisation: tt.organisation}).owner(); got != tt.want {
			t.Errorf("%q, %q: %q, want %q", tt.isp, tt.organisation, got, tt.want)
		}
	}
}

func TestProviderOfHost(t *testing.T) {
	for host, want := range map[string]string{
		"host.example.net": "example.net", "a.b.example.co.jp": "example.co.jp", "x.y.com.au": "y.com.au", "example.org": "example.org",
		"co.uk": ".co.uk", "192.0.2.7": "Ip", "2001:db8::1": "Ip", "localhost": "Ip", ".example": "Ip", "a.bc": "Ip", "ab.cd": "ab.cd", "": "Ip",
	} {
		if got := ProviderOfHost(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func TestNamesOfAddressesAreLookedUpOnce(t *testing.T) {
	var mu sync.Mutex
	asked := make(map[string]int)
	hosts, err := NewHosts(func(_ context.Context, address string) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[address]++
		switch address {
		case "192.0.2.1":
			return []string{"Dialin-1.EXAMPLE.net.", "other.example.org."}, nil
		case "192.0.2.2":
			return nil, nil
		}
		return nil, errors.New("no such host")
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	hosts.Learn(ctx, []string{"192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1"})
	hosts.Learn(ctx, []string{"192.0.2.1"})
	for address, want := range map[string]string{"192.0.2.1": "example.net", "192.0.2.2": "Ip", "2001:db8::1": "Ip", "192.0.2.3": "Ip"} {
		if got := hosts.Provider(ctx, address); got != want || asked[address] != 1 {
			t.Errorf("%s: %q, asked %d times, want %q", address, got, asked[address], want)
		}
	}
}

// An address that was not looked up to the end because the run was is looked up again.
func TestNameThatWasNotWaitedForIsNotRemembered(t *testing.T) {
	hosts, err := NewHosts(func(ctx context.Context, _ string) ([]string, error) {
		return []string{"dialin.example.net"}, ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, step := range []struct {
		ctx  context.Context
		want string
	}{{ended, "Ip"}, {t.Context(), "example.net"}} {
		if got := hosts.Provider(step.ctx, "192.0.2.1"); got != step.want {
			t.Errorf("context with error %v: %q, want %q", step.ctx.Err(), got, step.want)
		}
	}
}
