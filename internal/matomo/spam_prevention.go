package matomo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/phpsource"
)

const spamPlugin = "TrackingSpamPrevention"

// BlockedRangesOption is the option in which plugin TrackingSpamPrevention keeps the addresses of clouds, which one of
// Matomo's tasks fetches, and those that it has banned.
const BlockedRangesOption = "TrackingSpamBlockedIpRanges"

// SpamPrevention holds the settings of plugin TrackingSpamPrevention as its version reads them (spec §V3.9.1).
type SpamPrevention struct {
	AllowedIPs, BlockedIPs []php.IPRange // never excluded, and always
	BlockHeadless          bool
	// excluded where a visitor's organisation contains one, whatever the case of ASCII letters
	Organisations     []string
	ExcludedCountries []string // codes in lower case
	// where there are any, all other countries are excluded, and ExcludedCountries does not count
	IncludedCountries []string
	BlockLibraries    bool
	MaxActions        int64  // of a visit, 0: any number
	NotificationEmail string // told by Matomo of addresses that are banned
	BlockedRanges     string // BlockedRangesOption, "" where it is not set
}

// UnsentMail says that nobody is told of banned addresses, which Matomo would do; "" where it would not.
func (s *SpamPrevention) UnsentMail() string {
	if s == nil || s.MaxActions == 0 || php.EmptyString(s.NotificationEmail) {
		return ""
	}
	return fmt.Sprintf("plugin %s bans addresses with more than %d actions in a visit: unlike Matomo, this program "+
		"sends no e-mail about it to %s "+
		"(setting notification_email)", spamPlugin, s.MaxActions, s.NotificationEmail)
}

// SpamPrevention reads the settings of plugin TrackingSpamPrevention, nil while it is not active, or in a
// version that is not known.
func (i *Installation) SpamPrevention(ctx context.Context) (*SpamPrevention, error) {
	if !i.plugins.Native(spamPlugin) {
		return nil, nil
	}
	stored, err := i.PluginSettings(ctx, spamPlugin)
	if err != nil {
		return nil, err
	}
	s, err := i.config.spamPrevention(stored)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", spamPlugin, err)
	}
	s.BlockedRanges, _, err = i.Option(ctx, BlockedRangesOption)
	return s, err
}

func (c *Config) spamPrevention(stored map[string]php.Value) (*SpamPrevention, error) {
	p := pluginSettings{c.sections.Value(spamPlugin).Array(), stored}
	s := &SpamPrevention{
		BlockHeadless:     p.flag("block_headless", c.behaviours.SpamHeadlessByDefault),
		BlockLibraries:    p.flag("blockServerSideLibraries", false),
		ExcludedCountries: countryCodes(p.list("excluded_countries")),
		IncludedCountries: countryCodes(p.list("included_countries")),
	}
	if n, ok := p.find("max_actions_allowed"); ok {
		s.MaxActions = max(0, php.ToInt(n))
	}
	if address, ok := p.find("notification_email"); ok {
		s.NotificationEmail = php.ToString(address)
	}
	if c.behaviours.SpamAddressLists {
		s.AllowedIPs, s.BlockedIPs = addressRanges(p.list("ip_allow_list")), addressRanges(p.list("ip_block_list"))
	} else {
		s.AllowedIPs = addressRanges(oldAllowList(c.fileValue(spamPlugin, "iprange_allowlist")))
	}
	var err error
	s.Organisations, err = c.blockedOrganisations(p)
	return s, err
}

// pluginSettings are the settings of a plugin: those of its section in the configuration, which come first, and those
// that are stored.
type pluginSettings struct {
	config *php.Array
	stored map[string]php.Value
}

func (p pluginSettings) find(name string) (php.Value, bool) {
	if v := p.config.Value(name); !v.IsNull() {
		return v, true
	}
	v, ok := p.stored[name]
	return v, ok
}

func (p pluginSettings) flag(name string, otherwise bool) bool {
	if v, ok := p.find(name); ok {
		return php.ToBool(v)
	}
	return otherwise
}

// list is a setting of type array: what is none becomes its only item.
func (p pluginSettings) list(name string) []php.Value {
	v, ok := p.find(name)
	switch {
	case !ok:
		return nil
	case !v.IsArray():
		return []php.Value{v}
	}
	return items(v)
}

func items(v php.Value) []php.Value {
	var list []php.Value
	for _, item := range v.Array().All() {
		list = append(list, item)
	}
	return list
}

// countryCodes are those of a list of arrays with the key country.
func countryCodes(list []php.Value) []string {
	var codes []string
	for _, item := range list {
		if code := item.Array().Value("country"); !php.Empty(code) {
			codes = append(codes, php.ToString(code))
		}
	}
	return codes
}

// addressRanges leaves out what is no address or range, which no address is in.
func addressRanges(list []php.Value) []php.IPRange {
	var ranges []php.IPRange
	for _, item := range list {
		if r, ok := php.ParseIPRange(php.Trim(php.ToString(item))); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// oldAllowList is the list of versions that had it in the configuration only: there an address is made a range,
// wildcards are no use.
func oldAllowList(v php.Value) []php.Value {
	list := items(v)
	for i, item := range list {
		text := php.ToString(item)
		switch {
		case strings.Contains(text, "/"):
		case strings.Contains(text, "."):
			text += "/32"
		case strings.Contains(text, ":"):
			text += "/128"
		}
		list[i] = php.String(text)
	}
	return list
}

// The values of setting cloud_blocking_mode; any other counts as cloudsByDefault.
const (
	cloudsOff       = "off"
	cloudsByDefault = "default"
	cloudsByList    = "custom"
)

func (c *Config) blockedOrganisations(p pluginSettings) ([]string, error) {
	const list = "organisation_block_list"
	// until the update of 6.0 has stored one, an installation blocks what it did
	mode, known := p.find("cloud_blocking_mode")
	switch {
	case c.behaviours.SpamCloudMode && known:
		_, overridden := p.config.Get(list)
		switch text := php.ToString(mode); {
		case text == cloudsOff:
			return nil, nil
		case text != cloudsByList && !overridden:
			return c.knownClouds()
		}
	case !p.flag("block_clouds", false):
		return nil, nil
	case !c.behaviours.SpamOrganisationList:
		var names []string
		for _, item := range items(c.fileValue(spamPlugin, "block_geoip_organisations")) {
			if !php.Empty(item) {
				names = append(names, php.ToString(item))
			}
		}
		return names, nil
	}
	if _, ok := p.find(list); !ok {
		return c.knownClouds()
	}
	var names []string
	for _, item := range p.list(list) {
		if name := php.MBToLower(php.Trim(php.ToString(item))); !php.EmptyString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

//go:embed organisations.txt
var organisations string

// knownClouds are the organisations that the installed plugin lists, where it is not there those that its newest
// version does.
func (c *Config) knownClouds() ([]string, error) {
	const constant = "DEFAULT_GEOIP_MATCH_PROVIDERS"
	file, err := phpsource.Read(os.DirFS(c.dir), "plugins/"+spamPlugin+"/Configuration.php")
	if errors.Is(err, fs.ErrNotExist) {
		return strings.Split(strings.TrimSpace(organisations), "\n"), nil
	}
	if err != nil {
		return nil, err
	}
	names, err := file.Constant(constant)
	if err != nil {
		return nil, fmt.Errorf("%w; list the organisations in %s[] of section [%s]", err, "organisation_block_list",
			spamPlugin)
	}
	return list(names), nil
}
