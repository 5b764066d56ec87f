package matomo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Matomo's IP::getIpFromHeader, getNonProxyIpFromHeader, Url::getCorsHostsFromConfig and the like: what is no array is
// as if it were not there.
func TestValueThatIsNoListIsIgnored(t *testing.T) {
	for _, key := range []string{
		"proxy_client_headers", "proxy_ips", "proxy_host_headers", "proxy_scheme_headers",
		"cors_domains", "trusted_hosts",
	} {
		for text, want := range map[string][]string{
			" = HTTP_X_FORWARDED_FOR":           nil,
			" = \"1.2.3.4,2.3.4.5\"":            nil,
			" = \"\"":                           nil,
			"[] = one\n" + key + "[] = two":     {"one", "two"},
			"[other] = one":                     {"one"},
			"[] = one\n" + key + " = two":       nil,
			" = one\n" + key + "[] = two":       {"two"},
			"[] = \"1.2.3.4,2.3.4.5\"\nx[] = y": {"1.2.3.4,2.3.4.5"},
		} {
			c := parseConfig(t, "[General]\n"+key+text+"\n")
			if got := c.List("General", key); !cmp.Equal(got, want) {
				t.Errorf("%s%s: got %q, want %q", key, text, got, want)
			}
		}
	}
}

func TestProxySettingsThatAreNoListsDoNotReachTheTracker(t *testing.T) {
	c := parseConfig(t, "[General]\nproxy_client_headers = HTTP_X_FORWARDED_FOR\nproxy_ips = 10.0.0.1\n")
	if s := c.Tracker(0); len(s.ProxyClientHeaders) > 0 || len(s.ProxyIPs) > 0 {
		t.Errorf("%q, %q", s.ProxyClientHeaders, s.ProxyIPs)
	}
}

// The plugin's Configuration::getNotifyEmails makes a list of one address.
func TestSingleAddressIsNotified(t *testing.T) {
	for text, want := range map[string][]string{
		"notify_queue_threshold_emails = a@example.org":   {"a@example.org"},
		"notify_queue_threshold_emails[] = a@example.org": {"a@example.org"},
		"notify_queue_threshold_emails = \"\"":            nil,
	} {
		c := parseConfig(t, "[QueuedTracking]\n"+text+"\n")
		if got := c.queueSettings(nil).NotifyEmails; !cmp.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestMisfitsNameSettingsOfTheWrongKind(t *testing.T) {
	c := parseConfig(t, `[General]
proxy_client_headers = HTTP_X_FORWARDED_FOR
proxy_ips[] = 10.0.0.1
trusted_hosts = ""
[SitesManager]
CommonPIIParams = email
[Tracker]
campaign_var_name[] = utm_campaign
[TrackingSpamPrevention]
iprange_allowlist = 10.0.0.0/8
`)
	var got []string
	for _, m := range c.Misfits() {
		got = append(got, m.Setting+" "+m.Problem+"; "+m.Advice)
	}
	want := []string{
		"[General] proxy_client_headers is no list: Matomo ignores it; write a line proxy_client_headers[] = … for each " +
			"value",
		"[SitesManager] CommonPIIParams is no list: Matomo fails on it, this program ignores it; write a line " +
			"CommonPIIParams[] = … for each value",
		"[TrackingSpamPrevention] iprange_allowlist is no list: Matomo fails on it, this program ignores it; write a line " +
			"iprange_allowlist[] = … for each value",
		`[Tracker] campaign_var_name is a list and should be text: Matomo fails on it; write campaign_var_name = "one,two"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListsOfPluginsHaveToBeLists(t *testing.T) {
	for _, name := range []string{"Plugins", "PluginsInstalled"} {
		_, err := ParseConfig("", "["+name+"]\n"+name+" = Goals\n")
		if err == nil || !strings.Contains(err.Error(), "config/config.ini.php: "+name+" in section ["+name+"] is no list") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
