package matomo

import (
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// List holds the values of "key[] = …" lines. A value that is no list (key = …) is left out of account, as Matomo does
// with proxy_client_headers, proxy_ips, cors_domains and the like: the list is then empty, and Misfits names it.
func (c *Config) List(section, key string) []string { return list(c.Value(section, key)) }

func list(v php.Value) []string {
	if !v.IsArray() {
		return nil
	}
	values := make([]string, 0, v.Array().Len())
	for _, item := range v.Array().All() {
		values = append(values, php.ToString(item))
	}
	return values
}

// listOrOne is List for settings of which Matomo takes a single value for a list of one.
func (c *Config) listOrOne(section, key string) []string {
	if v := c.Value(section, key); !v.IsArray() && !php.Empty(v) {
		return []string{php.ToString(v)}
	}
	return c.List(section, key)
}

// A Misfit is a setting that is a list and should be text, or the other way round.
type Misfit struct {
	Setting string // with its section: [General] proxy_ips
	Problem string // what Matomo makes of it
	Advice  string // what to write
}

// kindOf lists the settings of Matomo's tracker, and of receiving, that are lists, and those that look like lists and
// are one text with commas.
var kindOf = []struct {
	section, key string
	isList       bool
	otherwise    string // what Matomo makes of the other kind
}{
	{"General", "proxy_client_headers", true, ignored},
	{"General", "proxy_ips", true, ignored},
	{"General", "proxy_host_headers", true, ignored},
	{"General", "proxy_scheme_headers", true, ignored},
	{"General", "cors_domains", true, ignored},
	{"General", "trusted_hosts", true, ignored},
	{"SitesManager", "CommonPIIParams", true, fails + ", this program ignores it"},
	{spamPlugin, "iprange_allowlist", true, fails + ", this program ignores it"},
	{spamPlugin, "block_geoip_organisations", true, fails + ", this program ignores it"},
	{"Tracker", "url_query_parameter_to_exclude_from_url", false, fails},
	{"Tracker", "campaign_var_name", false, fails},
	{"Tracker", "campaign_keyword_var_name", false, fails},
	{campaignsPlugin, "campaign_name", false, fails},
	{campaignsPlugin, "campaign_keyword", false, fails},
	{campaignsPlugin, "campaign_source", false, fails},
	{campaignsPlugin, "campaign_medium", false, fails},
	{campaignsPlugin, "campaign_content", false, fails},
	{campaignsPlugin, "campaign_id", false, fails},
	{campaignsPlugin, "campaign_group", false, fails},
	{campaignsPlugin, "campaign_placement", false, fails},
}

const (
	ignored = "Matomo ignores it"
	fails   = "Matomo fails on it"
)

// Misfits are the settings of the wrong kind.
func (c *Config) Misfits() []Misfit {
	var found []Misfit
	for _, s := range kindOf {
		v := c.Value(s.section, s.key)
		variable := c.variables[settingName{s.section, s.key}]
		if s.section == spamPlugin || s.section == campaignsPlugin { // Matomo reads these from the files
			v, variable = c.fileValue(s.section, s.key), ""
		}
		if php.Empty(v) || v.IsArray() == s.isList {
			continue
		}
		m := Misfit{
			Setting: fmt.Sprintf("[%s] %s", s.section, s.key),
			Problem: "is a list and should be text: " + s.otherwise,
			Advice:  fmt.Sprintf("write %s = \"one,two\"", s.key),
		}
		if s.isList {
			m.Problem = "is no list: " + s.otherwise
			m.Advice = fmt.Sprintf("write a line %s[] = … for each value", s.key)
		}
		if variable != "" {
			m.Problem += " (it comes from the variable " + variable + ", which can only be text)"
			m.Advice = "unset " + variable
		}
		found = append(found, m)
	}
	return found
}

// checkPluginLists refuses the lists of plugins that Matomo does not start with: without plugins, rows would come out
// wrong.
func (c *Config) checkPluginLists() error {
	for _, name := range []string{"Plugins", "PluginsInstalled"} {
		if v := c.fileValue(name, name); !v.IsArray() && !php.Empty(v) {
			return fmt.Errorf("%s: %s in section [%s] is no list, Matomo does not start with it: write a line %s[] = … for "+
				"each plugin",
				c.LocalFile(), name, name, name)
		}
	}
	return nil
}
