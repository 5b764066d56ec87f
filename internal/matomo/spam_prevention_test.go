package matomo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// storedJSON are the rows of plugin_setting, as PHP has them.
func storedJSON(t *testing.T, text string) map[string]php.Value {
	t.Helper()
	v, err := php.DecodeJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[string]php.Value)
	for name, value := range v.Array().All() {
		stored[name] = value
	}
	return stored
}

// spamSettings are those of a plugin version with these settings of the configuration and stored ones.
func spamSettings(t *testing.T, dir, version, ini, stored string) *SpamPrevention {
	t.Helper()
	c, err := ParseConfig(dir, "[TrackingSpamPrevention]\n"+ini)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := ParseVersion(version)
	if c, err = c.For(Found{Version: v, SpamPrevention: v}); err != nil {
		t.Fatal(err)
	}
	s, err := c.spamPrevention(storedJSON(t, stored))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ranges(list ...string) (all []php.IPRange) {
	for _, text := range list {
		r, _ := php.ParseIPRange(text)
		all = append(all, r)
	}
	return all
}

func TestSpamPreventionSettings(t *testing.T) {
	clouds := strings.Split(strings.TrimSpace(organisations), "\n")
	if len(clouds) != 77 || clouds[0] != "alicloud" || clouds[76] != "dmit cloud services" {
		t.Fatalf("%d organisations: %q", len(clouds), clouds)
	}
	const oldINI = "iprange_allowlist[] = 192.0.2.1\niprange_allowlist[] = \"2001:db8::1\"\niprange_allowlist[] = " +
		"10.0.0.0/8\n" +
		"block_geoip_organisations[] = \"Old Cloud\"\nblock_geoip_organisations[] = \"\"\n"
	const lists = `{"ip_allow_list": [" 192.0.2.7 ", "", "nonsense"], "ip_block_list": ["198.51.100.*"], "block_clouds": "1",
		"organisation_block_list": [" ACME Hosting ", "", "0"]}`
	for _, tt := range []struct {
		version, ini, stored string
		want                 SpamPrevention
	}{
		// Nothing stored.
		{"5.0.4", "", `{}`, SpamPrevention{}},
		{"5.0.10", "", `{}`, SpamPrevention{}},
		{"5.0.11", "", `{}`, SpamPrevention{BlockHeadless: true}},
		{"5.2.0", "", `{}`, SpamPrevention{BlockHeadless: true}},
		{"6.0.0", "", `{}`, SpamPrevention{BlockHeadless: true}},
		{"6.0.0", "", `{"block_clouds":"1"}`, SpamPrevention{BlockHeadless: true, Organisations: clouds}},
		{"6.0.0-b1", "", `{"cloud_blocking_mode":"off"}`, SpamPrevention{BlockHeadless: true}},

		// Headless browsers, stored or in the configuration.
		{"5.0.4", "", `{"block_headless":"1"}`, SpamPrevention{BlockHeadless: true}},
		{"5.2.0", "", `{"block_headless":"0"}`, SpamPrevention{}},
		{"5.2.0", "", `{"block_headless":""}`, SpamPrevention{}},
		{"5.2.0", "block_headless = 0", `{"block_headless":"1"}`, SpamPrevention{}},

		// Addresses: until 5.0 in the configuration only.
		{
			"5.0.11", oldINI, `{"ip_block_list":["1.2.3.4"],"block_headless":"0"}`,
			SpamPrevention{AllowedIPs: ranges("192.0.2.1", "2001:db8::1", "10.0.0.0/8")},
		},
		{"5.1.0", oldINI, `{"block_headless":"0"}`, SpamPrevention{}},
		{
			"5.1.0", "", `{"block_headless":"0","ip_allow_list":[" 192.0.2.7 ","","x"],"ip_block_list":["198.51.100.*"]}`,
			SpamPrevention{AllowedIPs: ranges("192.0.2.7"), BlockedIPs: ranges("198.51.100.*")},
		},
		{
			"5.1.0", "ip_block_list[] = \" 192.0.2.9 \"\nblock_headless = 0", lists,
			SpamPrevention{AllowedIPs: ranges("192.0.2.7"), BlockedIPs: ranges("192.0.2.9")},
		},
		{"5.1.0", "", `{"block_headless":"0","ip_block_list":"192.0.2.9"}`, SpamPrevention{BlockedIPs: ranges("192.0.2.9")}},

		// Organisations: until 5.1 in the configuration only, until 5.2 with block_clouds.
		{
			"5.1.0", oldINI + "block_headless = 0", `{"block_clouds":"1","organisation_block_list":["x"]}`,
			SpamPrevention{Organisations: []string{"Old Cloud"}},
		},
		{"5.1.0", oldINI + "block_headless = 0", `{"block_clouds":"0"}`, SpamPrevention{}},
		{"5.2.0", oldINI + "block_headless = 0", `{"block_clouds":"1"}`, SpamPrevention{Organisations: clouds}},
		{
			"5.2.0", "block_headless = 0", `{"block_clouds":"1","organisation_block_list":[" ÄCME Hosting ","","b"]}`,
			SpamPrevention{Organisations: []string{"äcme hosting", "b"}},
		},
		{"5.2.0", "block_headless = 0", `{"block_clouds":"1","organisation_block_list":[]}`, SpamPrevention{}},
		{
			"5.2.0", "block_headless = 0", `{"block_clouds":"0","organisation_block_list":["b"],"cloud_blocking_mode":"custom"}`,
			SpamPrevention{},
		},
		{
			"6.0.0", "block_headless = 0", `{"block_clouds":"0","organisation_block_list":["b"],"cloud_blocking_mode":"custom"}`,
			SpamPrevention{Organisations: []string{"b"}},
		},
		{
			"6.0.0", "block_headless = 0", `{"organisation_block_list":["b"],"cloud_blocking_mode":"default"}`,
			SpamPrevention{Organisations: clouds},
		},
		{
			"6.0.0", "block_headless = 0", `{"organisation_block_list":["b"],"cloud_blocking_mode":"Custom"}`,
			SpamPrevention{Organisations: clouds},
		},
		{
			"6.0.0", "block_headless = 0", `{"organisation_block_list":["b"],"cloud_blocking_mode":"off","block_clouds":"1"}`,
			SpamPrevention{},
		},
		{"6.0.0", "block_headless = 0", `{"cloud_blocking_mode":"custom"}`, SpamPrevention{Organisations: clouds}},
		{
			"6.0.0", "block_headless = 0\norganisation_block_list[] = X", `{"cloud_blocking_mode":"default"}`,
			SpamPrevention{Organisations: []string{"x"}},
		},
		{"6.0.0", "block_headless = 0\ncloud_blocking_mode = \"off\"", `{"cloud_blocking_mode":"custom"}`, SpamPrevention{}},
		// Without quotes off is false, which is no mode.
		{"6.0.0", "block_headless = 0\ncloud_blocking_mode = off", `{}`, SpamPrevention{Organisations: clouds}},

		// The rest is the same in all versions.
		{
			"5.0.0", "", `{"max_actions_allowed":"2abc","notification_email":"a@example.org","blockServerSideLibraries":"1"}`,
			SpamPrevention{MaxActions: 2, NotificationEmail: "a@example.org", BlockLibraries: true},
		},
		{"5.0.0", "max_actions_allowed = 7", `{"max_actions_allowed":"-1"}`, SpamPrevention{MaxActions: 7}},
		{"5.0.0", "", `{"max_actions_allowed":"-1"}`, SpamPrevention{}},
		{
			"5.0.0", "", `{"excluded_countries":[{"country":"gb"},{"country":""},{"x":"jp"},"fr"],"included_countries":[]}`,
			SpamPrevention{ExcludedCountries: []string{"gb"}},
		},
	} {
		if diff := cmp.Diff(&tt.want, spamSettings(t, t.TempDir(), tt.version, tt.ini, tt.stored)); diff != "" {
			t.Errorf("%s, configuration %q, stored %s (-want +got):\n%s", tt.version, tt.ini, tt.stored, diff)
		}
	}
}

func TestInstalledOrganisationsCount(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "plugins", "TrackingSpamPrevention", "Configuration.php"),
		"<?php\nclass Configuration {\n public const DEFAULT_GEOIP_MATCH_PROVIDERS = ['tomorrow cloud', \"x\"];\n}")
	got := spamSettings(t, dir, "6.0.0", "", `{"cloud_blocking_mode":"default"}`).Organisations
	if diff := cmp.Diff([]string{"tomorrow cloud", "x"}, got); diff != "" {
		t.Error(diff)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUnsentMailIsNamed(t *testing.T) {
	for _, tt := range []struct {
		settings *SpamPrevention
		want     string
	}{
		{nil, ""},
		{&SpamPrevention{NotificationEmail: "a@example.org"}, ""},
		{&SpamPrevention{MaxActions: 5}, ""},
		{&SpamPrevention{MaxActions: 5, NotificationEmail: "a@example.org"}, "no e-mail about it to a@example.org"},
	} {
		if got := tt.settings.UnsentMail(); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.settings, got, tt.want)
		}
	}
}

func TestVersionOfSpamPrevention(t *testing.T) {
	for _, tt := range []struct{ matomo, plugin, want string }{
		{"5.14.0", "5.2.0", "5.2.0"},
		{"5.14.0", "", "0.0.0"},
		{"6.0.0", "", "6.0.0"},
		{"6.0.0-b2", "5.2.0", "6.0.0"}, // a file that the plugin has left behind
	} {
		dir := t.TempDir()
		if tt.plugin != "" {
			write(t, filepath.Join(dir, "plugins", "TrackingSpamPrevention", "plugin.json"), `{"version": "`+tt.plugin+`"}`)
		}
		c, err := ParseConfig(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.found(tt.matomo).SpamPrevention.String(); got != tt.want {
			t.Errorf("Matomo %s with plugin %q: %s, want %s", tt.matomo, tt.plugin, got, tt.want)
		}
	}
}
