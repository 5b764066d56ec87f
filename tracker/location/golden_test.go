package location

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// shared is the folder with recordings and data that lies beside the repository where the program is developed.
const shared = "../../../shared"

// TestLocationsOfRecordedVisits replays the recordings in which every request begins a visit.
func TestLocationsOfRecordedVisits(t *testing.T) {
	cases, err := golden.LoadAll(filepath.Join(shared, "golden"), "location")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Skip("no recordings in " + shared)
	}
	compared := 0
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { compared += replay(t, c) })
	}
	if compared < 100 {
		t.Errorf("only %d visits compared", compared)
	}
}

func replay(t *testing.T, c *golden.Case) (compared int) {
	requests := requestsOf(t, c)
	if len(requests) != len(c.Expect["log_visit"]) {
		t.Skip("not every request begins a visit")
	}
	settings := &matomo.TrackerSettings{
		EnableDefaultLocationProvider: c.Config["Tracker"]["enable_default_location_provider"] == nil,
		LanguageToCountryGuess:        c.Config["Tracker"]["enable_language_to_country_guess"] == nil,
		ProxyClientHeaders:            []string{"HTTP_X_FORWARDED_FOR"},
		ProxyIPReadLastInList:         true,
	}
	l := recordedLocator(t, c, settings)
	for i, req := range requests {
		req.Bind(&request.Context{Behaviours: matomo.BehavioursIn("5.1.2"), General: &matomo.General{}, Settings: settings})
		_, ip, err := req.IP()
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if got, want := l.Locate(req.Language(), ip, req), recorded(c.Expect["log_visit"][i]); decimals(got) != want {
			t.Errorf("%d: %q: %+v, want %+v", i, req.Language(), got, want)
		}
		compared++
	}
	return compared
}

func recordedLocator(t *testing.T, c *golden.Case, settings *matomo.TrackerSettings) *Locator {
	opts := Options{Provider: c.Options["usercountry.location_provider"], Settings: settings, Dir: t.TempDir(), GeoIP2: true}
	if c.Geo != "" {
		opts.Provider = c.Geo
		installDatabase(t, opts.Dir)
	}
	if c.SQL != nil {
		opts.Variables = ServerVariables{
			Country: "HTTP_X_GEO_COUNTRY", Region: "HTTP_X_GEO_REGION", City: "HTTP_X_GEO_CITY", Latitude: "HTTP_X_GEO_LAT", Longitude: "HTTP_X_GEO_LON",
		}
	}
	if opts.Provider == "ip2location" {
		opts.Provider = "" // see ErrUnknownProvider
	}
	l, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// installDatabase puts MaxMind's test database where the recordings had it.
func installDatabase(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared, "matomo-data", "misc", "GeoIP2-City-Test.mmdb"))
	if err != nil {
		t.Skip("MaxMind's test database is not there: ", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "misc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "misc", "DBIP-City.mmdb"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func requestsOf(t *testing.T, c *golden.Case) (all []*request.Request) {
	for _, e := range c.Queue {
		entry, err := php.DecodeJSON(string(e.Entry))
		if err != nil {
			t.Fatal(err)
		}
		env := entry.Array().Value("env").Array()
		origin := &request.Origin{Env: request.Env{Server: env.Value("server").Array(), Cookie: env.Value("cookie").Array()}}
		for _, params := range entry.Array().Value("requests").Array().All() {
			all = append(all, request.New(params.Array(), origin))
		}
	}
	return all
}

// recorded are the columns of a row of log_visit.
func recorded(row golden.Row) store.Location {
	column := func(name string) store.NullText {
		if text, ok := row["location_"+name].(string); ok {
			return store.Text(text)
		}
		return store.NullText{}
	}
	return store.Location{
		Country: column("country"), Region: column("region"), City: column("city"), Latitude: column("latitude"), Longitude: column("longitude"),
	}
}

// decimals writes the coordinates as the database prints a DECIMAL(9,6).
func decimals(l store.Location) store.Location {
	for _, c := range []*store.NullText{&l.Latitude, &l.Longitude} {
		if c.Valid {
			c.V = strconv.FormatFloat(php.Round(php.StringToFloat(c.V), 6)+0, 'f', 6, 64)
		}
	}
	return l
}
