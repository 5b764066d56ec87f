package pageurl

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// shared is the folder with recordings that lies beside the repository where the program is developed.
const shared = "../../../shared"

type storedURL struct {
	name   string
	prefix store.NullInt
}

// TestRecordedPageURLs compares the page URLs in the dictionary of each recording with those that its requests give.
func TestRecordedPageURLs(t *testing.T) {
	cases, err := golden.LoadAll(filepath.Join(shared, "golden"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Skip("no recordings in " + shared)
	}
	const pageURL, eventURL = "1", "10"
	compared := 0
	for _, c := range cases {
		if c.SQL != nil || c.Config["database"] != nil {
			continue // other sites; a charset in which the request's text is changed
		}
		given := givenURLs(t, c)
		for _, row := range c.Expect["log_action"] {
			kind := row["type"].(json.Number).String()
			want := storedURL{name: row["name"].(string)}
			if prefix, ok := row["url_prefix"].(json.Number); ok {
				n, _ := prefix.Int64()
				want.prefix = store.Int(n)
			}
			if kind != pageURL && (kind != eventURL || !want.prefix.Valid) {
				continue
			}
			compared++
			if !given[want] {
				t.Errorf("%s/%s: no request gives %q, %v", c.Area, c.Name, want.name, want.prefix)
			}
		}
	}
	if compared < 1000 {
		t.Errorf("only %d URLs compared", compared)
	}
}

// givenURLs are what all requests of a recording could store.
func givenURLs(t *testing.T, c *golden.Case) map[storedURL]bool {
	sites := recordedSites(c)
	given := make(map[storedURL]bool)
	for _, e := range c.Queue {
		payload, err := e.Payload()
		if err != nil {
			t.Fatal(err)
		}
		entry, err := php.DecodeJSON(string(payload))
		if err != nil {
			continue // recordings of entries that are no JSON
		}
		server := entry.Array().Value("env").Array().Value("server").Array()
		for _, params := range entry.Array().Value("requests").Array().All() {
			site := sites[php.ReadInt(params.Array(), "idsite", 0)]
			if site == nil {
				continue
			}
			u := php.ReadString(params.Array(), "url", "")
			if u == "" {
				u = php.ReadString(server, "HTTP_REFERER", "")
			}
			if name, prefix, ok := actionURL(u, site); ok {
				given[storedURL{name, prefix}] = true
			}
		}
	}
	return given
}

// recordedSites are the sites of the recordings with the settings of a case.
func recordedSites(c *golden.Case) map[int64]*matomo.Site {
	settings := defaultSettings()
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
		case "page_maximum_length":
			if n, ok := value.(json.Number); ok {
				text = n.String()
			}
			settings.PageMaximumLength = int(php.StringToInt(text))
		}
	}
	sites := make(map[int64]*matomo.Site)
	for id := int64(1); id <= 6; id++ {
		site := &matomo.Site{
			ID: id, Tracker: settings,
			KeepURLFragment: !php.EmptyString(c.Options["SitesManager_KeepURLFragmentsGlobal"]),
		}
		switch id {
		case 3:
			site.ExcludedParameters = []string{"sid", "secret", "/^tok_.*/"}
		case 4:
			site.KeepURLFragment = true
		}
		if list := c.Options["SitesManager_ExcludedQueryParameters"]; list != "" {
			site.ExcludedParameters = append(site.ExcludedParameters, strings.Split(list, ",")...)
		}
		sites[id] = site
	}
	return sites
}
