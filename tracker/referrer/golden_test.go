package referrer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// shared is the folder with recordings and data that lies beside the repository where the program is developed.
const shared = "../../../shared"

// recordedVisit is what a recording says of the referrer of a visit or conversion.
type recordedVisit struct {
	Visit   int64   `json:"idvisit"`
	Type    int64   `json:"referer_type"`
	Name    *string `json:"referer_name"`
	Keyword *string `json:"referer_keyword"`
	URL     *string `json:"referer_url"`
}

type recording struct {
	Config  map[string]map[string]json.RawMessage
	Options map[string]string
	SQL     []string
	Queue   []struct {
		Entry json.RawMessage
	}
	Expect struct {
		Visits      []recordedVisit `json:"log_visit"`
		Conversions []recordedVisit `json:"log_conversion"`
	}
}

// sharedDetector knows the lists of Matomo 5.1.2.
func sharedDetector(t testing.TB) *Detector {
	t.Helper()
	return loadDetector(t, filepath.Join(shared, "matomo-data"))
}

func loadDetector(t testing.TB, dir string) *Detector {
	t.Helper()
	vendor := matomo.VendorIn(dir)
	engines, err := os.ReadFile(vendor.SearchEngines())
	if err != nil {
		t.Skip("the lists of Matomo are not there: ", err)
	}
	networks, err := os.ReadFile(vendor.Socials())
	if err != nil {
		t.Skip("the lists of Matomo are not there: ", err)
	}
	d, err := Load(Source{YAML: engines}, Source{YAML: networks})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestReferrersOfRecordedVisits replays the recordings in which every request begins a visit.
func TestReferrersOfRecordedVisits(t *testing.T) {
	d := sharedDetector(t)
	files, _ := filepath.Glob(filepath.Join(shared, "golden", "*", "*.json"))
	if len(files) == 0 {
		t.Skip("no recordings in " + shared)
	}
	compared := 0
	for _, file := range files {
		name := filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r recording
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(name, err)
		}
		compared += replay(t, d, name, &r)
	}
	t.Logf("%d rows compared", compared)
	if compared < 1000 {
		t.Errorf("only %d rows compared", compared)
	}
}

func replay(t *testing.T, d *Detector, name string, r *recording) (compared int) {
	sites, ok := recordedSites(r)
	if !ok || len(r.SQL) > 0 {
		return 0
	}
	if s := r.Options["SearchEngineDefinitions"]; s != "" {
		var err error
		if d, err = Load(Source{Option: s}, Source{Option: r.Options["SocialDefinitions"]}); err != nil {
			t.Fatal(err)
		}
	}
	var found []store.Referer // of the requests that are not refused
	var requests []*request.Request
	for _, req := range requestsOf(t, r, sites) {
		if req.Site() == nil {
			return 0
		}
		got, err := d.Detect(Input{
			Site: req.Site(), General: req.General(), Raw: req.Raw(), Referrer: req.Text("urlref"), URL: req.Text("url"),
		})
		if err == nil {
			found = append(found, Anonymize(got.Referer, r.Options["PrivacyManager.anonymizeReferrer"]))
			requests = append(requests, req)
		}
	}
	if len(found) != len(r.Expect.Visits) {
		return 0
	}
	visits := make(map[int64]int)
	for i, got := range found {
		visits[r.Expect.Visits[i].Visit] = i
		if want := r.Expect.Visits[i]; !equal(got, want) {
			t.Errorf("%s[%d]: urlref %q url %q: got %+v, want %s", name, i, requests[i].Text("urlref"), requests[i].Text("url"), got, show(want))
		}
	}
	for _, want := range r.Expect.Conversions {
		i := visits[want.Visit]
		got, err := d.Attribution(requests[i], found[i])
		got.Name.V, got.Keyword.V = php.CutRunes(got.Name.V, maxText), php.CutRunes(got.Keyword.V, maxText) // the database cuts these
		if err != nil || !equal(got, want) {
			t.Errorf("%s[%d]: conversion: got %+v, %v, want %s", name, i, got, err, show(want))
		}
	}
	return len(found) + len(r.Expect.Conversions)
}

func equal(got store.Referer, want recordedVisit) bool {
	return got.Type.V == want.Type && got.Name == nullText(want.Name) && got.Keyword == nullText(want.Keyword) &&
		got.URL == nullText(want.URL)
}

func nullText(s *string) store.NullText {
	if s == nil {
		return store.NullText{}
	}
	return store.Text(*s)
}

func show(v recordedVisit) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// requestsOf returns all requests, bound to their sites.
func requestsOf(t *testing.T, r *recording, sites map[int64]*matomo.Site) (all []*request.Request) {
	general := &matomo.General{SiteURLs: allURLs(sites)}
	for _, e := range r.Queue {
		if e.Entry == nil {
			continue
		}
		entry, err := php.DecodeJSON(string(e.Entry))
		if err != nil {
			t.Fatal(err)
		}
		env := entry.Array().Value("env").Array()
		origin := &request.Origin{Env: request.Env{Server: env.Value("server").Array(), Cookie: env.Value("cookie").Array()}}
		for _, params := range entry.Array().Value("requests").Array().All() {
			req := request.New(params.Array(), origin)
			req.Bind(&request.Context{Site: sites[req.SiteID()], General: general, Settings: sites[1].Tracker})
			all = append(all, req)
		}
	}
	return all
}

// recordedSites are the sites of the recordings with the configuration of a case; ok is false when it sets something else.
func recordedSites(r *recording) (sites map[int64]*matomo.Site, ok bool) {
	settings := testSettings()
	for section, keys := range r.Config {
		for key, value := range keys {
			var text string
			_ = json.Unmarshal(value, &text)
			list := strings.Split(text, ",")
			for i := range list {
				list[i] = php.Trim(list[i])
			}
			switch section + "." + key {
			case "Tracker.campaign_var_name":
				settings.CampaignNameParameters = list
			case "Tracker.campaign_keyword_var_name":
				settings.CampaignKeywordParameters = list
			case "Tracker.url_query_parameter_to_exclude_from_url":
				settings.ExcludedURLParameters = list
			case "Tracker.page_maximum_length":
				return nil, false
			}
		}
	}
	sites = map[int64]*matomo.Site{
		1: {URLs: []string{"http://site1.example.org"}},
		2: {URLs: []string{"https://shop.example.com", "https://www.shop.example.com"}},
		3: {
			URLs: []string{"http://site3.example.net"}, ExcludedParameters: []string{"sid", "secret", "/^tok_.*/"},
			ExcludedReferrers: []string{"ref-excluded.example.org", "www.pay.example.com/checkout"},
		},
		4: {
			URLs:            []string{"http://site4.example.org", "http://alias4.example.org", "https://site4.example.org/sub/dir"},
			KeepURLFragment: true,
		},
		5: {URLs: []string{"https://site5.example.org", "https://cdn.site5.example.org/app"}, ExcludeUnknownURLs: true},
		6: {URLs: []string{"http://intranet.local"}},
	}
	for id, site := range sites {
		site.ID, site.Tracker = id, settings
		site.ExcludedReferrers = append(optionList(r, "SitesManager_ExcludedReferrersGlobal"), site.ExcludedReferrers...)
		site.ExcludedParameters = append(site.ExcludedParameters, optionList(r, "SitesManager_ExcludedQueryParameters")...)
		site.KeepURLFragment = site.KeepURLFragment || !php.EmptyString(r.Options["SitesManager_KeepURLFragmentsGlobal"])
		excludeReferrers(site)
	}
	return sites, true
}

func optionList(r *recording, option string) []string {
	if r.Options[option] == "" {
		return nil
	}
	return strings.Split(r.Options[option], ",")
}

func excludeReferrers(site *matomo.Site) {
	var urls []matomo.SiteURL
	for _, referrer := range site.ExcludedReferrers {
		urls = append(urls, matomo.SiteURL{SiteID: site.ID, URL: "https://" + strings.TrimPrefix(strings.TrimPrefix(referrer, "http://"), "https://")})
	}
	site.ReferrerIndex = matomo.NewURLIndex(urls)
}

func allURLs(sites map[int64]*matomo.Site) *matomo.URLIndex {
	var urls []matomo.SiteURL
	for id := int64(1); id <= int64(len(sites)); id++ {
		for _, url := range sites[id].URLs {
			urls = append(urls, matomo.SiteURL{SiteID: id, URL: url})
		}
	}
	return matomo.NewURLIndex(urls)
}

// testSettings are those of Matomo's global.ini.php.
func testSettings() *matomo.TrackerSettings {
	return &matomo.TrackerSettings{
		PageMaximumLength: 1024, CharsetUTF8MB4: true,
		ExcludedURLParameters: strings.Split("gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,phpsessid,jsessionid,"+
			"sessionid,aspsessionid,doing_wp_cron,sid,pk_vid", ","),
		CampaignNameParameters: strings.Split("pk_cpn,pk_campaign,piwik_campaign,mtm_campaign,matomo_campaign,utm_campaign,utm_source,"+
			"utm_medium", ","),
		CampaignKeywordParameters:   strings.Split("pk_kwd,pk_keyword,piwik_kwd,mtm_kwd,mtm_keyword,matomo_kwd,utm_term", ","),
		NewVisitWhenCampaignChanges: true,
	}
}
