package matomo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeFiles makes files below a new directory; names use slashes.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func parseConfig(t *testing.T, text string) *Config {
	t.Helper()
	c, err := ParseConfig("/matomo", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChainMergesDefaultsAndLetsLocalKeysReplace(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"config/global.ini.php": "[General]\nsalt = g\nproxy_ips[] = 1.1.1.1\nproxy_ips[] = 2.2.2.2\nm[a] = 1\nm[b] = 2\n" +
			"[Tracker]\npage_maximum_length = 7\n[Plugins]\nPlugins[] = CoreHome\n",
		"config/common.config.ini.php": "[General]\nproxy_ips[] = 3.3.3.3\nm[b] = 3\nsalt = c\n[New]\nx = 1\n",
		"config/config.ini.php":        "stray = 1\n[General]\nm[c] = 4\n[Plugins]\nPlugins[] = Goals\n[Own]\ny = 2\n",
	})
	c, err := LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.List("General", "proxy_ips"); !cmp.Equal(got, []string{"3.3.3.3", "2.2.2.2"}) {
		t.Errorf("common.config.ini.php merges lists by position, got %v", got)
	}
	if got := plain(c.Value("General", "m")); !cmp.Equal(got, map[string]any{"c": 4}) {
		t.Errorf("config.ini.php replaces maps, got %v", got)
	}
	if got := c.String("General", "salt"); got != "c" {
		t.Errorf("salt %q", got)
	}
	if got := c.List("Plugins", "Plugins"); !cmp.Equal(got, []string{"Goals"}) {
		t.Errorf("plugins %v", got)
	}
	if c.Int("New", "x") != 1 || c.Int("Own", "y") != 2 || c.Int("Tracker", "page_maximum_length") != 7 {
		t.Error("sections of single files are missing")
	}
	if !c.Value("Tracker", "visit_standard_length").IsNull() {
		t.Error("built-in defaults are used beside global.ini.php")
	}
	if !filepath.IsAbs(c.Dir()) {
		t.Errorf("directory %q", c.Dir())
	}
}

// globalOfSix is in the style of the file that Matomo 6 brings along. Its values are not those of the built-in
// defaults.
const globalOfSix = `; <?php exit; ?> DO NOT REMOVE THIS LINE
; Options that are not in config.ini.php have these values.
; This file is replaced by updates.

;--------
; Database
;--------

[database]
host =
tables_prefix =
port = 3306
charset = utf8mb4
collation =

[Debug]
tracker_always_new_visitor = 0

[General]
; comment "with quotes"
action_title_category_delimiter = ""
proxy_ip_read_last_in_list = 1

[Deletelogs]
delete_logs_enable = 0

[SitesManager]
CommonPIIParams[] = email
CommonPIIParams[] = off
CommonPIIParams[] = "prénom"

[Tracker]
record_statistics = 1
cookie_name = _six
page_maximum_length = 2048
visit_standard_length = 900
url_query_parameter_to_exclude_from_url = "gclid, li_fat_id,token_auth,token"
campaign_var_name = "mtm_campaign,utm_campaign"
create_new_visit_after_midnight = 1
tracking_requests_require_authentication_when_custom_timestamp_newer_than = 86400
record_accurate_page_view_time = 1

[Plugins]
; the order counts
Plugins[] = CoreHome
Plugins[] = AIAgents
Plugins[] = BotTracking
Plugins[] = TrackingSpamPrevention

[PluginsInstalled]
PluginsInstalled[] = CoreHome
`

func TestDefaultsOfMatomo6ComeFromItsGlobalINI(t *testing.T) {
	c, err := LoadConfig(writeFiles(t, map[string]string{
		"config/global.ini.php": globalOfSix, "config/config.ini.php": "; <?php exit; ?>\n[General]\nsalt = " +
			"\"s\"\n[Tracker]\npage_maximum_length = 500\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := &TrackerSettings{
		RecordStatistics: true, CookieName: "_six", PageMaximumLength: 500, VisitStandardLength: 900,
		ExcludedURLParameters:  []string{"gclid", "li_fat_id", "token_auth", "token"},
		CampaignNameParameters: []string{"mtm_campaign", "utm_campaign"}, CampaignKeywordParameters: []string{""},
		NewVisitAfterMidnight: true, DailyFingerprint: true, RequireAuthenticationOlderThan: 86400,
		Salt: "s", ProxyIPReadLastInList: true, CharsetUTF8MB4: true, RecordPageViewTimes: true,
	}
	for _, version := range []string{"5.1.2", "6.0.0"} {
		v, _ := ParseVersion(version)
		c, err := c.For(Found{Version: v}) // nothing built in is added to a file
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Tracker(0)); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
		if got := c.List("SitesManager", "CommonPIIParams"); !cmp.Equal(got, []string{"email", "", "prénom"}) {
			t.Errorf("%s: parameters with personal data %q", version, got)
		}
		for plugin, active := range map[string]bool{
			"TrackingSpamPrevention": true, "AIAgents": true, "SEO": false,
			"Goals": false,
		} {
			if got := c.Plugins().Active(plugin); got != active {
				t.Errorf("%s: plugin %s active: %v", version, plugin, got)
			}
		}
	}
}

func TestDirectoryWithOnlyConfigINIHasDefaults(t *testing.T) {
	dir := writeFiles(t, map[string]string{"config/config.ini.php": "; <?php exit; ?>\n[General]\nsalt = \"s\"\n"})
	c, err := LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &TrackerSettings{
		RecordStatistics: true, UserIDOverwritesVisitorID: true, CookieName: "_pk_uid", VisitStandardLength: 1800,
		ExcludedURLParameters: strings.Split("gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,phpsessid,"+
			"jsessionid,sessionid,aspsessionid,doing_wp_cron,sid,pk_vid", ","),
		EnableDefaultLocationProvider: true, LanguageToCountryGuess: true, IgnoreVisitsCookieName: "matomo_ignore",
		CampaignNameParameters: strings.Split(
			"pk_cpn,pk_campaign,piwik_campaign,mtm_campaign,matomo_campaign,utm_campaign,utm_source,utm_medium", ","),
		CampaignKeywordParameters: strings.Split("pk_kwd,pk_keyword,piwik_kwd,mtm_kwd,mtm_keyword,matomo_kwd,utm_term",
			","),
		NewVisitWhenCampaignChanges: true, NewVisitAfterMidnight: true, DailyFingerprint: true, NewVisitAfterActions: 10000,
		PageMaximumLength: 1024, RequireAuthentication: true, RequireAuthenticationOlderThan: 86400, EnableSpamFilter: true,
		RecordPageViewTimes: true, Salt: "s", ProxyIPReadLastInList: true, ReferrerDefinitionSyncs: true,
		InternetFeatures: true,
		PlainLogins:      true,
	}
	if diff := cmp.Diff(want, c.Tracker(0)); diff != "" {
		t.Error(diff)
	}
	if !c.Plugins().Active("CustomDimensions") {
		t.Error("default plugins are not active")
	}
}

func TestSiteSectionsOverrideOnlyWhatTheyMay(t *testing.T) {
	c := parseConfig(t, `
[General]
proxy_client_headers[] = "HTTP_X_FORWARDED_FOR"
proxy_ips[] = 10.0.0.0/8
proxy_ip_read_last_in_list = 0
action_title_category_delimiter = "/"
action_category_delimiter = ">"
only_allow_secure_auth_tokens = 1
[database]
charset = "utf8mb4"
[Tracker]
campaign_var_name = " a , b"
innodb_lock_wait_timeout = 5
[Debug]
tracker_always_new_visitor = 1
[Tracker_2]
enable_userid_overwrites_visitorid = 0
use_third_party_id_cookie = 1
cookie_name = own
create_new_visit_when_campaign_changes = 0
create_new_visit_when_website_referrer_changes = 1
create_new_visit_after_midnight = 0
create_new_visit_after_x_actions = 3
tracking_requests_require_authentication = 0
tracking_requests_require_authentication_when_custom_timestamp_newer_than = 60
exclude_requests = "a==b"
record_accurate_page_view_time = 0
visit_standard_length = 9
page_maximum_length = 9
`)
	want := c.Tracker(0)
	if got := c.Tracker(1); !cmp.Equal(got, want) {
		t.Errorf("site without section: %s", cmp.Diff(want, got))
	}
	want.UserIDOverwritesVisitorID = false
	want.UseThirdPartyIDCookie = true
	want.CookieName = "own"
	want.NewVisitWhenCampaignChanges = false
	want.NewVisitWhenWebsiteChanges = true
	want.NewVisitAfterMidnight = false
	want.NewVisitAfterActions = 3
	want.RequireAuthentication = false
	want.RequireAuthenticationOlderThan = 60
	want.ExcludeRequests = "a==b"
	want.RecordPageViewTimes = false
	if diff := cmp.Diff(want, c.Tracker(2)); diff != "" {
		t.Error(diff)
	}
	if !want.DailyFingerprint || want.ProxyIPReadLastInList || want.TitleDelimiter != ">" || !want.OnlySecureAuthTokens ||
		!want.CharsetUTF8MB4 || !want.AlwaysNewVisitor || want.InnodbLockWaitTimeout != 5 {
		t.Errorf("global settings: %+v", want)
	}
	if !cmp.Equal(want.CampaignNameParameters, []string{"a", "b"}) || !cmp.Equal(want.ProxyIPs, []string{"10.0.0.0/8"}) ||
		!cmp.Equal(want.ProxyClientHeaders, []string{"HTTP_X_FORWARDED_FOR"}) {
		t.Errorf("lists: %+v", want)
	}
}

func TestReadersOfNewerVersionsAreStrict(t *testing.T) {
	const age = "tracking_requests_require_authentication_when_custom_timestamp_newer_than"
	at := func(version, key, value string) *TrackerSettings {
		v, _ := ParseVersion(version)
		c, err := parseConfig(t,
			"[Tracker_2]\n"+key+" = \""+value+"\"\n[Tracker]\nenable_default_location_provider = \""+value+"\"\n").
			For(Found{Version: v})
		if err != nil {
			t.Fatal(err)
		}
		return c.Tracker(2)
	}
	for _, tt := range []struct {
		value    string
		old, new bool
	}{
		{"1", true, true},
		{"0", false, false},
		{"true", true, true},
		{"TRUE", true, true},
		{"false", true, false},
		{"2", true, false},
		{"yes", true, false},
		{"", false, false},
		{" 1", true, false},
	} {
		for version, want := range map[string]bool{"5.9.0": tt.old, "5.10.0": tt.new} {
			got := at(version, "create_new_visit_after_midnight", tt.value)
			if got.NewVisitAfterMidnight != want || got.EnableDefaultLocationProvider != want {
				t.Errorf("%s, %q: %v, %v, want %v", version, tt.value, got.NewVisitAfterMidnight,
					got.EnableDefaultLocationProvider, want)
			}
		}
	}
	for _, tt := range []struct {
		value    string
		old, new int64
	}{
		{"3600", 3600, 3600},
		{"-5", -5, -5},
		{"0", 0, 0},
		{"3600s", 3600, 0},
		{" 3600", 3600, 0},
		{"3600.0", 3600, 0},
		{"+5", 5, 0},
		{"007", 7, 0},
		{"", 0, 0},
	} {
		for version, want := range map[string]int64{"5.9.0": tt.old, "5.10.0": tt.new} {
			if got := at(version, age, tt.value).RequireAuthenticationOlderThan; got != want {
				t.Errorf("%s, %q: %d, want %d", version, tt.value, got, want)
			}
		}
	}
}

func TestLoadConfigErrorsSayWhatToDo(t *testing.T) {
	t.Run("no Matomo", func(t *testing.T) {
		dir := t.TempDir()
		_, err := LoadConfig(dir)
		want := dir + ": no config/config.ini.php there: is this the Matomo directory? set --matomo or MATOMO_DIR"
		if !errors.Is(err, ErrNotMatomo) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	for _, name := range []string{"config.ini.php", "global.ini.php", "common.config.ini.php"} {
		t.Run("syntax error in "+name, func(t *testing.T) {
			files := map[string]string{"config/config.ini.php": ""}
			files["config/"+name] = "\n[broken"
			_, err := LoadConfig(writeFiles(t, files))
			if err == nil || !strings.Contains(err.Error(), name+": line 2: section without closing bracket") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("not readable", func(t *testing.T) {
		dir := writeFiles(t, map[string]string{"config/config.ini.php": ""})
		if err := os.Chmod(filepath.Join(dir, "config", "config.ini.php"), 0); err != nil {
			t.Fatal(err)
		}
		_, err := LoadConfig(dir)
		if os.Getuid() == 0 {
			t.Skip("the superuser may read everything")
		}
		if err == nil || !strings.Contains(err.Error(), "permission denied: run as the user that Matomo runs as") {
			t.Errorf("got %v", err)
		}
	})
	if _, err := ParseConfig("", "[broken"); err == nil ||
		err.Error() != "config.ini.php: line 1: section without closing bracket" {
		t.Errorf("got %v", err)
	}
}

// The setting is read as a number, as Matomo does: "true" is 0.
func TestRecordPageViewTimes(t *testing.T) {
	tests := []struct {
		all, site string // lines of [Tracker] and [Tracker_2]
		want      bool
	}{
		{"", "", true},
		{"record_accurate_page_view_time = 1", "", true},
		{"record_accurate_page_view_time = 0", "", false},
		{"record_accurate_page_view_time = \"\"", "", false},
		{"record_accurate_page_view_time = \"on\"", "", false},
		{"record_accurate_page_view_time = 2", "", true},
		{"record_accurate_page_view_time = 0", "record_accurate_page_view_time = 1", true},
		{"record_accurate_page_view_time = 1", "record_accurate_page_view_time = 0", false},
	}
	for _, test := range tests {
		c := parseConfig(t, "[Tracker]\n"+test.all+"\n[Tracker_2]\n"+test.site+"\n")
		if got := c.Tracker(2).RecordPageViewTimes; got != test.want {
			t.Errorf("%q, for the site %q: %v, want %v", test.all, test.site, got, test.want)
		}
	}
}
