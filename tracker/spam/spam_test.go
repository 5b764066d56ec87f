package spam

import (
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// places knows where addresses are, and where they are not known what languages tell.
type places map[string]struct{ country, organisation string }

func (p places) Country(languages, ip string, _ *request.Request) string {
	if at, ok := p[php.FormatIP([]byte(ip))]; ok {
		return at.country
	}
	if languages == "de" {
		return "de"
	}
	return "xx"
}

func (p places) Organisation(_, ip string, _ *request.Request) string {
	return p[php.FormatIP([]byte(ip))].organisation
}

type curl struct{}

func (curl) IsLibrary(ua string) bool { return strings.HasPrefix(ua, "curl/") }

var everywhere = places{
	"192.0.2.1":    {"gb", ""},
	"192.0.2.2":    {"fr", "DIGITALOCEAN-ASN"},
	"2001:db8::77": {"jp", "0"},
}

const anyAddress = "198.51.100.7"

type test struct {
	ip, params string // params in JSON
	server     map[string]string
	settings   matomo.SpamPrevention
	behaviours matomo.Behaviours
	without    bool // plugin UserCountry
	dataSaver  bool
	want       Verdict
}

func (x test) request(t *testing.T) (*request.Request, string) {
	t.Helper()
	if x.params == "" {
		x.params = "{}"
	}
	if x.ip == "" {
		x.ip = anyAddress
	}
	v, err := php.DecodeJSON(x.params)
	if err != nil {
		t.Fatal(err)
	}
	origin := &request.Origin{Env: request.Env{Server: &php.Array{}, Cookie: &php.Array{}}}
	origin.Env.Server.Set("REMOTE_ADDR", php.String(x.ip))
	for name, value := range x.server {
		origin.Env.Server.Set(name, php.String(value))
	}
	r := request.New(v.Array(), origin)
	r.Bind(&request.Context{
		General: &matomo.General{Spam: &x.settings}, Settings: &matomo.TrackerSettings{CharsetUTF8MB4: true}, Behaviours: x.behaviours,
		Features: matomo.Features{UserCountry: !x.without, TrackingSpamPrevention: true},
	})
	_, ip, err := r.IP()
	if err != nil {
		t.Fatal(err)
	}
	return r, ip
}

func run(t *testing.T, tests []test) {
	t.Helper()
	c := New(curl{}, everywhere)
	for _, x := range tests {
		r, ip := x.request(t)
		if got := c.Check(r, ip, x.dataSaver); got != x.want {
			t.Errorf("%s %s %v with %+v: %+v, want %+v", x.ip, x.params, x.server, x.settings, got, x.want)
		}
	}
}

func ranges(list ...string) (all []php.IPRange) {
	for _, text := range list {
		r, ok := php.ParseIPRange(text)
		if !ok {
			panic(text)
		}
		all = append(all, r)
	}
	return all
}

// later is the verdict of rules that come after the blocked ranges.
func later(rule string) Verdict { return Verdict{Rule: rule, Ranges: true} }

func TestAddressLists(t *testing.T) {
	both := matomo.SpamPrevention{AllowedIPs: ranges("192.0.2.0/28", "2001:db8::/64"), BlockedIPs: ranges("192.0.2.0/24", "203.0.113.7")}
	run(t, []test{
		{want: later("")},
		{ip: "192.0.2.200", settings: both, want: Verdict{Rule: BlockedAddress}},
		{ip: "192.0.2.15", settings: both, want: Verdict{}},
		{ip: "2001:db8::1", settings: both, want: Verdict{}},
		{ip: "203.0.113.7", settings: both, want: Verdict{Rule: BlockedAddress}},
		{ip: "::ffff:203.0.113.7", settings: both, want: later("")}, // another family
		{ip: "203.0.113.7", settings: both, dataSaver: true, want: Verdict{}},
		// The allow list comes before all other rules.
		{ip: "192.0.2.2", settings: matomo.SpamPrevention{
			AllowedIPs: ranges("192.0.2.2"), BlockHeadless: true, Organisations: []string{"digitalocean"}, ExcludedCountries: []string{"fr"},
		}, params: `{"ua":"Electron"}`, want: Verdict{}},
	})
}

func TestHeadlessBrowsers(t *testing.T) {
	on := matomo.SpamPrevention{BlockHeadless: true}
	hints := matomo.Behaviours{SpamHints: true}
	ua := func(text string) map[string]string { return map[string]string{"HTTP_USER_AGENT": text} }
	header := map[string]string{"HTTP_SEC_CH_UA": `"HeadlessChrome";v="120"`}
	run(t, []test{
		{server: ua("Mozilla/5.0 HEADLESSCHROME/1"), settings: on, want: Verdict{Rule: Headless}},
		{server: ua("Mozilla/5.0 HeadlessChrome/1"), want: later("")},
		{server: ua("Mozilla/5.0 Firefox"), params: `{"ua":"siege/1"}`, settings: on, want: Verdict{Rule: Headless}},
		{server: ua("Siege 1"), settings: on, want: later("")},
		{server: ua("k6/0.1 (https://k6.io/)"), settings: on, want: Verdict{Rule: Headless}},

		// Versions that look at client hints, and those before.
		{params: `{"uadata":"{\"brands\":[{\"brand\":\"HeadlessChrome\",\"version\":\"1\"}]}"}`, settings: on, behaviours: hints, want: Verdict{Rule: Headless}},
		{params: `{"uadata":"{\"brands\":[{\"brand\":\"HeadlessChrome\",\"version\":\"1\"}]}"}`, settings: on, want: later("")},
		{params: `{"uadata":{"Electron":1}}`, settings: on, behaviours: hints, want: Verdict{Rule: Headless}}, // a name counts like a value
		{params: `{"uadata":"{\"model\":\"\\u0048eadlessChrome\"}"}`, settings: on, behaviours: hints, want: Verdict{Rule: Headless}},
		{params: `{"uadata":"{\"model\":\"Siege/\"}"}`, settings: on, behaviours: hints, want: later("")}, // JSON writes \/
		{params: `{"uadata":"HeadlessChrome"}`, settings: on, behaviours: hints, want: later("")},
		{server: header, settings: on, behaviours: hints, want: Verdict{Rule: Headless}},
		{server: header, settings: on, want: later("")},
		{server: header, params: `{"uadata":"{\"model\":\"x\"}"}`, settings: on, behaviours: hints, want: later("")},
	})
}

func TestOrganisations(t *testing.T) {
	clouds := matomo.SpamPrevention{Organisations: []string{"contabo", "digitalocean"}}
	run(t, []test{
		{ip: "192.0.2.2", settings: clouds, want: Verdict{Rule: Organisation}},
		{ip: "192.0.2.2", settings: clouds, without: true, want: later("")},
		{ip: "192.0.2.1", settings: clouds, want: later("")},
		{ip: "2001:db8::77", settings: matomo.SpamPrevention{Organisations: []string{"0"}}, want: later("")}, // 0 is no name
	})
}

func TestCountries(t *testing.T) {
	excluded := matomo.SpamPrevention{ExcludedCountries: []string{"gb", "FR", "xx", "de"}}
	included := matomo.SpamPrevention{ExcludedCountries: []string{"gb"}, IncludedCountries: []string{"gb", "xx"}}
	run(t, []test{
		{ip: "192.0.2.1", settings: excluded, want: later(Country)},
		{ip: "192.0.2.2", settings: excluded, want: later("")}, // codes are in lower case
		{settings: excluded, want: later(Country)},
		{settings: excluded, params: `{"lang":"de"}`, want: later(Country)},
		{ip: "2001:db8::77", settings: excluded, params: `{"country":"gb"}`, want: later("")},
		{ip: "192.0.2.1", settings: included, want: later("")},
		{ip: "192.0.2.2", settings: included, want: later(Country)},
		{settings: included, want: later("")},
		{settings: included, without: true, ip: "192.0.2.2", want: later(Country)},
	})
}

func TestLibraries(t *testing.T) {
	on := matomo.SpamPrevention{BlockLibraries: true}
	run(t, []test{
		{params: `{"ua":"curl/8"}`, settings: on, want: later(Library)},
		{params: `{"ua":"curl/8"}`, want: later("")},
		{params: `{"ua":"Mozilla/5.0"}`, settings: on, want: later("")},
		{settings: on, want: later("")},
		{params: `{"ua":"curl/8"}`, settings: matomo.SpamPrevention{BlockLibraries: true, ExcludedCountries: []string{"xx"}}, want: later(Country)},
	})
}

func TestAllowedAddressesAreBannedByOldVersions(t *testing.T) {
	s := &matomo.SpamPrevention{AllowedIPs: ranges("192.0.2.0/24")}
	for _, tt := range []struct {
		spared bool // by the version
		ip     string
		want   bool
	}{{false, "192.0.2.1", false}, {true, "192.0.2.1", true}, {true, "192.0.3.1", false}} {
		ip, _ := php.ParseIP(tt.ip)
		if got := Spares(s, &matomo.Behaviours{SpamAllowedNotBanned: tt.spared}, string(ip)); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
