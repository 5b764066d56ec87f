package matomo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// onDatabases runs a test on both kinds of databases, each with the tables and rows of testdata/schema.sql.
func onDatabases(t *testing.T, test func(t *testing.T, db *sqlx.DB)) {
	t.Run("SQLite", func(t *testing.T) {
		db := sqlx.MustConnect("sqlite", ":memory:")
		db.SetMaxOpenConns(1) // each connection would have a database of its own
		t.Cleanup(func() { _ = db.Close() })
		fill(t, db)
		test(t, db)
	})
	t.Run("MariaDB", func(t *testing.T) {
		server := testserver.MariaDB(t)
		db, err := Database{
			Socket: server.Socket, Username: "root", Name: server.CreateDatabase(t),
			Charset: "utf8mb4",
		}.Open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		fill(t, db)
		test(t, db)
	})
}

func fill(t *testing.T, db *sqlx.DB) {
	t.Helper()
	schema, err := os.ReadFile("testdata/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(schema), ";\n") {
		if strings.TrimSpace(statement) != "" {
			mustExec(t, db, statement)
		}
	}
}

func mustExec(t *testing.T, db *sqlx.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// stoppedClock shows the time it is set to.
type stoppedClock struct{ now time.Time }

func (c *stoppedClock) Now() time.Time { return c.now }

func newClock() *stoppedClock { return &stoppedClock{time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)} }

const testConfig = "[database]\ntables_prefix = m_\ndbname = stats\n[General]\nsalt = pepper\n"

// counter is a source of predictable bytes.
func counter() *bytes.Reader {
	b := make([]byte, 4096)
	for i := range b {
		b[i] = byte(i)
	}
	return bytes.NewReader(b)
}

func open(t *testing.T, db *sqlx.DB, clock *stoppedClock, config string) *Installation {
	t.Helper()
	i, err := Open(context.Background(), parseConfig(t, testConfig+config), db, clock.Now,
		Options{Random: counter(), Lang: "de"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestSitesAreLoadedWithAllThatBelongsToThem(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "INSERT INTO m_option VALUES ('SitesManager_ExcludedIpsGlobal', '10.0.0.0/8', 1), "+
			"('SitesManager_ExcludedQueryParameters', 'global,sid', 1), ('SitesManager_ExcludedUserAgentsGlobal', "+
			"'G,BadAgent', 1), "+
			"('SitesManager_ExcludedReferrersGlobal', 'all.example.org', 1), ('SitesManager_KeepURLFragmentsGlobal', '1', 1), "+
			"('SitesManager_SearchCategoryParameters', 'cat', 1)")
		for id, login := range []string{"writer", "admin", "viewer"} {
			mustExec(t, db, "INSERT INTO m_user_token_auth (idusertokenauth, login, password, secure_only) VALUES (?, ?, ?, 1)",
				id, login, TokenHash(login[:1], "pepper"))
		}
		mustExec(t, db, "INSERT INTO m_user_token_auth (idusertokenauth, login, password, date_expired) VALUES "+
			"(9, 'writer', 'expired', '2026-11-22 13:00:00')")
		i := open(t, db, newClock(), "[Tracker_2]\ncookie_name = own\n")
		ctx := context.Background()
		if err := i.LoadSites(ctx, 1, 2, 3, 3, 99, -1); err != nil {
			t.Fatal(err)
		}
		tracker := i.Config().Tracker(1)
		tracker.EmulatedLang = "de"
		own := *tracker
		own.CookieName = "own"
		ranges := func(list ...string) (ranges []php.IPRange) {
			for _, s := range list {
				r, _ := php.ParseIPRange(s)
				ranges = append(ranges, r)
			}
			return ranges
		}
		privacy := Privacy{AnonymizeIP: true, IPMaskLength: 2}
		want := map[int64]*Site{
			1: {
				ID: 1, MainURL: "http://one.example.org", URLs: []string{"http://one.example.org", "http://two.example.org/one"},
				Timezone: "UTC", Type: "website", ExcludedIPs: ranges("10.0.0.0/8"), ExcludedParameters: []string{"global", "sid"},
				ExcludedUserAgents: []string{"G", "BadAgent"}, ExcludedReferrers: []string{"all.example.org"},
				KeepURLFragment: true, SiteSearch: true,
				SearchKeywordParameters:  strings.Split("q,query,s,search,searchword,k,keyword,keywords", ","),
				SearchCategoryParameters: []string{"cat"}, CreatedAt: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC),
				Goals: []Goal{
					{
						ID: 1, Name: "a & b", Description: "d <", MatchAttribute: "event_name", Pattern: `"q"`, PatternType: "regex",
						AllowMultiple: true, Revenue: "2.5", EventValueAsRevenue: true,
					},
					{
						ID: 2, Name: "b", MatchAttribute: "url", Pattern: "/x", PatternType: "contains", CaseSensitive: true,
						Revenue: "10",
					},
				},
				TrackingTokens: map[string]bool{TrackingHash(1, TokenHash("w", "pepper"), "pepper"): true},
				Tracker:        tracker, Privacy: privacy,
			},
			2: {
				ID: 2, MainURL: "https://two.example.org",
				URLs:     []string{"https://two.example.org", "http://alias.example.org", "https://www.two.example.org/shop"},
				Timezone: "Pacific/Auckland", Type: "intranet", ExcludeUnknownURLs: true,
				ExcludedIPs:        ranges("203.0.113.7", "198.51.100.*", "10.0.0.0/8"),
				ExcludedParameters: []string{"sid", "a b", "global"}, ExcludedUserAgents: []string{"G", "BadAgent", "/x/"},
				ExcludedReferrers:       []string{"all.example.org", "ref.example.org", "www.pay.example.com/checkout"},
				KeepURLFragment:         true,
				SearchKeywordParameters: []string{"kw", "suche"}, SearchCategoryParameters: []string{"kat"},
				Goals: []Goal{{ID: 1, Name: "manual", MatchAttribute: "manually", Revenue: "7.77"}},
				Dimensions: []Dimension{
					{ID: 1, Index: 2, Scope: "visit", CaseSensitive: true},
					{ID: 2, Index: 1, Scope: "action", Extractions: []Extraction{{"url", "/a/(.*)"}, {"urlparam", "q"}}},
				},
				TrackingTokens: map[string]bool{TrackingHash(2, TokenHash("a", "pepper"), "pepper"): true},
				Tracker:        &own, Privacy: privacy,
			},
			3: {
				ID: 3, MainURL: "http://three.example.org", URLs: []string{"http://three.example.org"}, Type: "mobileapp",
				ExcludedIPs: ranges("10.0.0.0/8"), ExcludedParameters: []string{"global", "sid"},
				ExcludedUserAgents: []string{"G", "BadAgent"}, ExcludedReferrers: []string{"all.example.org"},
				SearchKeywordParameters:  strings.Split("q,query,s,search,searchword,k,keyword,keywords", ","),
				SearchCategoryParameters: []string{"cat"}, TrackingTokens: map[string]bool{}, Tracker: tracker, Privacy: privacy,
			},
		}
		for id, want := range want {
			site, err := i.Site(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if len(site.Salts) != 4 || site.Location.String() != php.LoadLocation(want.Timezone).String() {
				t.Errorf("site %d: salts %v, zone %s", id, site.Salts, site.Location)
			}
			got := *site
			got.Salts, got.Location, got.OwnURLs, got.ReferrerIndex = nil, nil, nil, nil
			if diff := cmp.Diff(want, &got); diff != "" {
				t.Errorf("site %d: %s", id, diff)
			}
		}
		two, _ := i.Site(ctx, 2)
		if !two.MayTrack(TokenHash("a", "pepper")) || two.MayTrack(TokenHash("w", "pepper")) ||
			two.MayTrack(TokenHash("v", "pepper")) {
			t.Error("tokens of site 2")
		}
		if _, found := two.OwnURLs.Match(parseURL(t, "http://alias.example.org/x")); !found {
			t.Error("own URLs do not hold the alias")
		}
		if _, found := two.ReferrerIndex.Match(parseURL(t, "https://all.example.org/")); !found {
			t.Error("the index of excluded referrers does not hold the global one")
		}
		for _, id := range []int64{99, 0, -1} {
			if _, err := i.Site(ctx, id); !errors.Is(err, ErrUnknownSite) {
				t.Errorf("site %d: %v", id, err)
			}
		}
	})
}

func TestPluginsDecideWhatIsLoaded(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "DROP TABLE m_custom_dimensions")
		mustExec(t, db, "DELETE FROM m_option WHERE option_name = 'useridsalt'")
		i := open(t, db, newClock(), "[Plugins]\nPlugins[] = CoreHome\n")
		site, err := i.Site(context.Background(), 1)
		if err != nil || site.Goals != nil {
			t.Errorf("goals %v, %v", site.Goals, err)
		}
		general, err := i.General(context.Background())
		if err != nil || !cmp.Equal(general.Privacy, Privacy{}) || general.UserIDSalt != "" {
			t.Errorf("privacy without its plugin: %+v, %v", general, err)
		}
	})
}

func TestGeneralSettings(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		i := open(t, db, newClock(), "")
		ctx := context.Background()
		general, err := i.General(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Privacy{AnonymizeIP: true, IPMaskLength: 2}, general.Privacy); diff != "" {
			t.Error(diff)
		}
		if general.UserIDSalt != "salt of users" || general.SpamReferrers != nil || general.DeleteLogsOlder != 0 ||
			general.LocationProvider != "" {
			t.Errorf("defaults: %+v", general)
		}
		if sites, found := general.SiteURLs.Match(parseURL(t, "http://two.example.org/one")); !found ||
			!cmp.Equal(sites, []int64{1}) {
			t.Errorf("URLs of all sites: %v", sites)
		}
		for name, value := range map[string]string{
			"PrivacyManager.useAnonymizedIpForVisitEnrichment": "1", "PrivacyManager.ipAddressMaskLength": "3",
			"PrivacyManager.doNotTrackEnabled": "1", "PrivacyManager.ipAnonymizerEnabled": "0",
			"PrivacyManager.forceCookielessTracking": "1", "PrivacyManager.anonymizeUserId": "1",
			"PrivacyManager.anonymizeOrderId":  "1",
			"PrivacyManager.anonymizeReferrer": "exclude_path", "usercountry.location_provider": "geoip2php",
			"referrer_spam_blacklist": `a:2:{i:0;s:5:"a.org";i:1;s:5:"b.org";}`, "SearchEngineDefinitions": "engines",
			"SocialDefinitions": "socials", "AIAssistantDefinitions": "assistants",
			"SitesManager_ExcludedIpsGlobal": "10.0.0.0/8,x",
			"delete_logs_enable":             "1", "delete_logs_older_than": "30", "delete_logs_schedule_lowest_interval": "1",
		} {
			mustExec(t, db, "INSERT INTO m_option VALUES (?, ?, 1)", name, value)
		}
		i.ForgetGeneral()
		if general, err = i.General(ctx); err != nil {
			t.Fatal(err)
		}
		general.SiteURLs = nil
		anonymous, _ := php.ParseIPRange("10.0.0.0/8")
		want := &General{
			Privacy: Privacy{
				IPMaskLength: 3, UseAnonymizedIPForVisit: true, DoNotTrack: true, ForceCookielessTracking: true,
				AnonymizeUserID:  true,
				AnonymizeOrderID: true, AnonymizeReferrer: "exclude_path",
			},
			LocationProvider: "geoip2php", UserIDSalt: "salt of users", DeleteLogsOlder: 31 * 24 * time.Hour,
			GlobalExcludedIPs: []php.IPRange{anonymous}, SpamReferrers: []string{"a.org", "b.org"}, SearchEngines: "engines",
			Socials:    "socials",
			Assistants: "assistants",
		}
		if diff := cmp.Diff(want, general); diff != "" {
			t.Error(diff)
		}
	})
}

func TestConfigDecidesAboutDefinitionsAndDeletion(t *testing.T) {
	options := map[string]string{"delete_logs_enable": "1", "delete_logs_older_than": "30"}
	tests := []struct {
		config string
		want   time.Duration
	}{
		{"", 37},
		{"[General]\nenable_delete_old_data_settings_admin = 0\n", 0},
		{"[General]\nenable_delete_old_data_settings_admin = 0\n[Deletelogs]\ndelete_logs_enable = 1\n", 187},
		{"[Deletelogs]\ndelete_logs_schedule_lowest_interval = 30\n", 60},
	}
	for _, tt := range tests {
		i := &Installation{config: parseConfig(t, tt.config)}
		if got := i.deleteLogsOlder(options, policies{}); got != tt.want*24*time.Hour {
			t.Errorf("%q: %v", tt.config, got)
		}
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db,
			"INSERT INTO m_option VALUES ('SearchEngineDefinitions', 'x', 0), ('AIAssistantDefinitions', 'x', 0), "+
				"('referrer_spam_blacklist', 'broken', 0)")
		for _, config := range []string{"enable_internet_features = 0\n", "enable_referrer_definition_syncs = 0\n"} {
			general, err := open(t, db, newClock(), config).General(context.Background())
			if err != nil || general.SearchEngines != "" || general.Assistants != "" {
				t.Errorf("%s: %q, %q, %v", config, general.SearchEngines, general.Assistants, err)
			}
			if general.SpamReferrers == nil || len(general.SpamReferrers) != 0 {
				t.Errorf("a broken list of spammers is an empty one, got %v", general.SpamReferrers)
			}
		}
	})
}

func TestCacheLastsFiveMinutes(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx, clock := context.Background(), newClock()
		i := open(t, db, clock, "")
		mainURL := func() string {
			site, err := i.Site(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			return site.MainURL
		}
		before := mainURL()
		mustExec(t, db, "UPDATE m_site SET main_url = 'http://new.example.org' WHERE idsite = 1")
		mustExec(t, db, "INSERT INTO m_option VALUES ('PrivacyManager.doNotTrackEnabled', '1', 1)")
		clock.now = clock.now.Add(299 * time.Second)
		if general, _ := i.General(ctx); mainURL() != before || general.Privacy.DoNotTrack {
			t.Error("read again too early")
		}
		clock.now = clock.now.Add(time.Second)
		if general, _ := i.General(ctx); mainURL() != "http://new.example.org" || !general.Privacy.DoNotTrack {
			t.Error("not read again")
		}
		mustExec(t, db, "UPDATE m_site SET main_url = 'http://newer.example.org' WHERE idsite = 1")
		i.Forget(1)
		if got := mainURL(); got != "http://newer.example.org" {
			t.Errorf("forgotten, but got %s", got)
		}
	})
}

func TestUnknownSiteIsAskedForAgain(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx, clock := context.Background(), newClock()
		i := open(t, db, clock, "")
		if _, err := i.Site(ctx, 9); err == nil || err.Error() != "site 9: unknown site" {
			t.Fatalf("got %v", err)
		}
		mustExec(t, db,
			"INSERT INTO m_site (idsite, main_url, sitesearch_keyword_parameters, sitesearch_category_parameters, timezone, "+
				"excluded_ips, excluded_parameters, excluded_user_agents, excluded_referrers, type) VALUES (9, '', '', '', 'UTC', "+
				"'', '', '', '', '')")
		if _, err := i.Site(ctx, 9); err == nil {
			t.Error("asked for again at once")
		}
		if err := i.LoadSites(ctx, 9); err != nil {
			t.Fatal(err)
		}
		if _, err := i.Site(ctx, 9); err != nil {
			t.Errorf("LoadSites asks always: %v", err)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		i := open(t, db, newClock(), "")
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				if _, err := i.Site(context.Background(), int64(1+n%3)); err != nil {
					t.Error(err)
				}
				if _, err := i.General(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestOpenExplainsMissingTables(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx := context.Background()
		c := parseConfig(t, strings.ReplaceAll(testConfig, "m_", "other_"))
		_, err := Open(ctx, c, db, newClock().Now, Options{})
		want := "no table other_option in database stats: check dbname and tables_prefix in section [database] of " +
			"config/config.ini.php"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := Open(ctx, parseConfig(t, "[General]\ninstallation_in_progress = 1\n"), db, newClock().Now, Options{}); err == nil {
			t.Error("opened an installation that is not finished")
		}
		i := open(t, db, newClock(), "")
		if i.Version() != "5.1.2" || i.Table("site") != "`m_site`" || !i.Plugins().Active("Goals") {
			t.Errorf("version %s, table %s", i.Version(), i.Table("site"))
		}
		mustExec(t, db, "DELETE FROM m_option WHERE option_name = 'version_core'")
		if i := open(t, db, newClock(), "tracker_cache_file_ttl = 0\n"); i.Version() != "" {
			t.Errorf("version %s", i.Version())
		}
	})
}

func TestDatabaseErrorsSayWhatWasRead(t *testing.T) {
	tests := []struct {
		table, config, want string
		read                func(*Installation) error
	}{
		{"site", "", "sites [1]: ", readSite},
		{"site_url", "", "settings of all sites: URLs of all sites: ", readSite},
		{"goal", "", "sites [1]: goals: ", readSite},
		{"custom_dimensions", "", "sites [1]: custom dimensions: ", readSite},
		{"access", "", "sites [1]: tokens: ", readSite},
		{"option", "", "settings of all sites: options: ", readSite},
		{"option", "", "settings of all sites: options: ", func(i *Installation) error {
			_, err := i.General(context.Background())
			return err
		}},
		{"plugin_setting", "", "settings of plugin QueuedTracking: ", func(i *Installation) error {
			_, err := i.QueueSettings(context.Background())
			return err
		}},
		{"user", "", "token: ", func(i *Installation) error {
			_, err := i.SuperuserToken(context.Background(), i.db, "x", false)
			return err
		}},
		{"option", "", "option x: ", func(i *Installation) error {
			_, _, err := i.Option(context.Background(), "x")
			return err
		}},
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		for _, tt := range tests {
			i := open(t, db, newClock(), tt.config)
			if tt.table == "site" {
				// Both SELECTs need it; only the general one has been made.
				if _, err := i.General(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			mustExec(t, db, fmt.Sprintf("ALTER TABLE m_%s RENAME TO gone", tt.table))
			if err := tt.read(i); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("without table %s: got %v, want %s…", tt.table, err, tt.want)
			}
			mustExec(t, db, fmt.Sprintf("ALTER TABLE gone RENAME TO m_%s", tt.table))
		}
	})
}

func readSite(i *Installation) error {
	_, err := i.Site(context.Background(), 1)
	return err
}

func TestQueueSettingsAreReadFromPluginSettings(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "INSERT INTO m_plugin_setting VALUES "+
			"(1, 'QueuedTracking', 'redisPassword', 'p', 0, ''), (2, 'QueuedTracking', 'numQueueWorkers', '4', 1, ''), "+
			"(3, 'QueuedTracking', 'redisHost', 'null', 1, ''), (4, 'QueuedTracking', 'backend', 'mysql', 0, 'somebody'), "+
			"(5, 'Other', 'backend', 'mysql', 0, ''), (6, 'QueuedTracking', 'redisUsername', 'u', 0, ''), "+
			"(7, 'QueuedTracking', 'usePasswordForSentinelInstances', '1', 0, '')")
		i := open(t, db, newClock(), "[QueuedTracking]\nnumRequestsToProcess = 5\n")
		got, err := i.QueueSettings(context.Background())
		want := DefaultQueueSettings()
		want.RedisPassword, want.NumQueueWorkers, want.NumRequestsToProcess = "p", 4, 5
		want.RedisUsername, want.SentinelLogin = "u", true
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v, %s", err, diff)
		}
		mustExec(t, db, "UPDATE m_plugin_setting SET setting_value = '{' WHERE setting_name = 'numQueueWorkers'")
		if _, err := i.QueueSettings(context.Background()); err == nil ||
			err.Error() != "settings of plugin QueuedTracking: numQueueWorkers is no JSON" {
			t.Errorf("got %v", err)
		}
	})
}

func TestSeveralRowsOfASettingAreAList(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "INSERT INTO m_plugin_setting VALUES "+
			"(1, 'P', 'one', 'a', 0, ''), (2, 'P', 'many', 'a', 0, ''), (3, 'P', 'many', 'b', 0, ''), (4, 'P', 'many', 'c', "+
			"0, ''), "+
			"(5, 'P', 'encoded', '[\"a\"]', 1, ''), (6, 'P', 'encoded', 'b', 0, ''), "+
			"(7, 'P', 'replaced', 'a', 0, ''), (8, 'P', 'replaced', '[\"b\"]', 1, '')")
		got, err := open(t, db, newClock(), "").PluginSettings(context.Background(), "P")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"one": `"a"`, "many": `["a","b","c"]`, "encoded": `["a","b"]`, "replaced": `["b"]`,
		} {
			if text, err := php.EncodeJSON(got[name]); text != want || err != nil {
				t.Errorf("%s: got %s, want %s, %v", name, text, want, err)
			}
		}
	})
}
