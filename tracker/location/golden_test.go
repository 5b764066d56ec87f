package location

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// shared is the folder with recordings and data that lies beside the repository where the program is developed.
const shared = "../../../shared"

// recordedVisit is what a recording says of a visit's location.
type recordedVisit struct {
	IP        string  `json:"location_ip"` // hexadecimal
	Country   *string `json:"location_country"`
	Region    *string `json:"location_region"`
	City      *string `json:"location_city"`
	Latitude  *string `json:"location_latitude"`
	Longitude *string `json:"location_longitude"`
}

type recording struct {
	Config  map[string]map[string]json.RawMessage
	Options map[string]string
	Geo     string
	SQL     []string
	Queue   []struct {
		Entry json.RawMessage
	}
	Expect struct {
		Visits []recordedVisit `json:"log_visit"`
	}
}

// TestLocationsOfRecordedVisits replays the recordings in which every request begins a visit.
func TestLocationsOfRecordedVisits(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared, "golden", "location", "*.json"))
	if len(files) == 0 {
		t.Skip("no recordings in " + shared)
	}
	compared := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r recording
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			compared += replay(t, &r)
		})
	}
	if compared < 100 {
		t.Errorf("only %d visits compared", compared)
	}
}

func replay(t *testing.T, r *recording) (compared int) {
	requests := requestsOf(t, r)
	if len(requests) != len(r.Expect.Visits) {
		t.Skip("not every request begins a visit")
	}
	settings := &matomo.TrackerSettings{
		EnableDefaultLocationProvider: r.Config["Tracker"]["enable_default_location_provider"] == nil,
		LanguageToCountryGuess:        r.Config["Tracker"]["enable_language_to_country_guess"] == nil,
		ProxyClientHeaders:            []string{"HTTP_X_FORWARDED_FOR"},
		ProxyIPReadLastInList:         true,
	}
	l := recordedLocator(t, r, settings)
	for i, req := range requests {
		req.Bind(&request.Context{General: &matomo.General{}, Settings: settings})
		_, ip, err := req.IP()
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if got, want := l.Locate(req.Language(), ip, req), r.Expect.Visits[i]; !equal(got, want) {
			text, _ := json.Marshal(want)
			t.Errorf("%d: %q: %+v, want %s", i, req.Language(), got, text)
		}
		compared++
	}
	return compared
}

func recordedLocator(t *testing.T, r *recording, settings *matomo.TrackerSettings) *Locator {
	opts := Options{Provider: r.Options["usercountry.location_provider"], Settings: settings, Dir: t.TempDir(), GeoIP2: true}
	if r.Geo != "" {
		opts.Provider = r.Geo
		installDatabase(t, opts.Dir)
	}
	if r.SQL != nil {
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

func requestsOf(t *testing.T, r *recording) (all []*request.Request) {
	for _, e := range r.Queue {
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

func equal(got store.Location, want recordedVisit) bool {
	return sameText(got.Country, want.Country) && sameText(got.Region, want.Region) && sameText(got.City, want.City) &&
		sameNumber(got.Latitude, want.Latitude) && sameNumber(got.Longitude, want.Longitude)
}

func sameText(got store.NullText, want *string) bool {
	if want == nil {
		return !got.Valid
	}
	return got == store.Text(*want)
}

// sameNumber compares with a DECIMAL of six places.
func sameNumber(got store.NullText, want *string) bool {
	if want == nil || !got.Valid {
		return sameText(got, want)
	}
	return php.Round(php.StringToFloat(got.V), 6) == php.StringToFloat(*want)
}
