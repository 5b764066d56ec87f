package referrer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// shared is the folder with recordings and data that lies beside the repository where the program is developed.
const shared = "../../../shared"

// sharedDetector knows the lists of Matomo 5.1.2.
func sharedDetector(t testing.TB) *Detector {
	t.Helper()
	folder := filepath.Dir(matomo.VendorIn(filepath.Join(shared, "matomo-data")).SearchEngines())
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the lists of Matomo are not there: ", err)
	}
	return loadDetector(t, folder)
}

// ownLists are those that are part of the repository.
const ownLists = testdata + "/lists/searchengine-and-social-list"

// ownDetector knows them.
func ownDetector(t testing.TB) *Detector {
	t.Helper()
	return loadDetector(t, ownLists)
}

func loadDetector(t testing.TB, folder string) *Detector {
	t.Helper()
	d, err := load(listIn(t, folder, "SearchEngines.yml"), listIn(t, folder, "Socials.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func listIn(t testing.TB, folder, name string) Source {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return Source{YAML: text}
}

// load makes a detector of Matomo 5.1.
func load(searchEngines, socialNetworks Source) (*Detector, error) {
	return Load(Lists{SearchEngines: searchEngines, Socials: socialNetworks}, matomo.Behaviours{})
}

// TestReferrersOfRecordedVisits replays the recordings in which every request begins a visit.
func TestReferrersOfRecordedVisits(t *testing.T) {
	d := sharedDetector(t)
	cases, err := golden.LoadAll(filepath.Join(shared, "golden"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Skip("no recordings in " + shared)
	}
	compared := 0
	for _, c := range cases {
		compared += replay(t, d, c)
	}
	if compared < 1200 {
		t.Errorf("only %d rows compared", compared)
	}
}

func replay(t *testing.T, d *Detector, c *golden.Case) (compared int) {
	sites := recordedSites(c)
	if c.SQL != nil || c.Config["database"] != nil || c.Config["Tracker"]["page_maximum_length"] != nil {
		return 0
	}
	if s := c.Options["SearchEngineDefinitions"]; s != "" {
		var err error
		if d, err = load(Source{Option: s}, Source{Option: c.Options["SocialDefinitions"]}); err != nil {
			t.Fatal(err)
		}
	}
	var found []store.Referer // of the requests that are not refused
	var requests []*request.Request
	for _, req := range requestsOf(t, c, sites) {
		if req.Site() == nil {
			return 0
		}
		got, err := d.Detect(Input{
			Site: req.Site(), General: req.General(), Raw: req.Raw(), Referrer: req.Text("urlref"), URL: req.Text("url"), Page: req.Page(),
		})
		if err == nil {
			found = append(found, Anonymize(got.Referer, c.Options["PrivacyManager.anonymizeReferrer"]))
			requests = append(requests, req)
		}
	}
	visits, conversions := c.Expect["log_visit"], c.Expect["log_conversion"]
	if len(found) != len(visits) {
		return 0
	}
	position := make(map[any]int)
	for i, got := range found {
		position[visits[i]["idvisit"]] = i
		if want := recorded(visits[i]); got != want {
			req := requests[i]
			t.Errorf("%s/%s[%d]: urlref %q url %q: got %+v, want %+v", c.Area, c.Name, i, req.Text("urlref"), req.Text("url"), got, want)
		}
	}
	for _, row := range conversions {
		i := position[row["idvisit"]]
		got, err := d.Attribution(requests[i], found[i])
		got.Name.V, got.Keyword.V = php.CutRunes(got.Name.V, maxText), php.CutRunes(got.Keyword.V, maxText) // the database cuts these
		if want := recorded(row); err != nil || got != want {
			t.Errorf("%s/%s[%d]: conversion: got %+v, %v, want %+v", c.Area, c.Name, i, got, err, want)
		}
	}
	return len(visits) + len(conversions)
}

// recorded are the columns of a row of log_visit or log_conversion.
func recorded(row golden.Row) store.Referer {
	kind, _ := row["referer_type"].(json.Number).Int64()
	return store.Referer{
		Type: store.Int(kind), Name: nullText(row["referer_name"]), Keyword: nullText(row["referer_keyword"]), URL: nullText(row["referer_url"]),
	}
}

func nullText(value any) store.NullText {
	if text, ok := value.(string); ok {
		return store.Text(text)
	}
	return store.NullText{}
}

// requestsOf returns all requests, bound to their sites.
func requestsOf(t *testing.T, c *golden.Case, sites map[int64]*matomo.Site) (all []*request.Request) {
	general := &matomo.General{SiteURLs: allURLs(sites)}
	for _, e := range c.Queue {
		entry, err := php.DecodeJSON(string(e.Entry))
		if err != nil {
			continue // recordings of entries that are no JSON
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

// recordedSites are the sites of the recordings with the settings of a case.
func recordedSites(c *golden.Case) map[int64]*matomo.Site {
	settings := testSettings()
	for key, value := range c.Config["Tracker"] {
		text, _ := value.(string)
		list := strings.Split(text, ",")
		for i := range list {
			list[i] = php.Trim(list[i])
		}
		switch key {
		case "campaign_var_name":
			settings.CampaignNameParameters = list
		case "campaign_keyword_var_name":
			settings.CampaignKeywordParameters = list
		case "url_query_parameter_to_exclude_from_url":
			settings.ExcludedURLParameters = list
		}
	}
	sites := map[int64]*matomo.Site{
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
		site.ExcludedReferrers = append(optionList(c, "SitesManager_ExcludedReferrersGlobal"), site.ExcludedReferrers...)
		site.ExcludedParameters = append(site.ExcludedParameters, optionList(c, "SitesManager_ExcludedQueryParameters")...)
		site.KeepURLFragment = site.KeepURLFragment || !php.EmptyString(c.Options["SitesManager_KeepURLFragmentsGlobal"])
		excludeReferrers(site)
	}
	return sites
}

func optionList(c *golden.Case, option string) []string {
	if c.Options[option] == "" {
		return nil
	}
	return strings.Split(c.Options[option], ",")
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
