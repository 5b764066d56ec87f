package matomo

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// pluginSetting names a setting of a plugin, and a class of Matomo's that a policy can make demands of.
type pluginSetting struct{ plugin, name string }

// storedSettings are values of tables plugin_setting and site_setting.
type storedSettings map[pluginSetting]php.Value

// The settings that the CNIL policy makes stricter and tracking reads (spec §V3.1.3).
var (
	ipAddressMaskLength   = pluginSetting{"PrivacyManager", "IpAddressMaskLength"}
	ipAnonymisation       = pluginSetting{"PrivacyManager", "IPAnonymisation"}
	referrerAnonymisation = pluginSetting{"PrivacyManager", "ReferrerAnonymisation"}
	campaignsMasked       = pluginSetting{"PrivacyManager", "CampaignParameterValuesMasked"}
	campaignsDiscarded    = pluginSetting{"PrivacyManager", "CampaignTrackingParametersDisabled"}
	rawDataRetention      = pluginSetting{"PrivacyManager", "ReportRetention"}
	orderIDAnonymization  = pluginSetting{"Ecommerce", "OrderIdAnonymization"}
	userIDDisabled        = pluginSetting{"UserId", "UserIdDisabled"}
	filterPIIParameters   = pluginSetting{"SitesManager", "FilterPIIParameters"}
	onlyMajorVersions     = pluginSetting{"DevicesDetection", "OnlyMajorVersions"}
	deviceModelDisabled   = pluginSetting{"DevicesDetection", "DeviceModelDetectionDisabled"}
	resolutionDisabled    = pluginSetting{"Resolution", "ScreenResolutionDetectionDisabled"}
	thirdPartyCookies     = pluginSetting{"Core", "ThirdPartyCookies"}
)

// Settings as they are stored: the policy's own, and sites' wishes that need no policy.
var (
	policyEnabled         = pluginSetting{"CnilPolicy", "cnil_v1_policy_enabled"}
	ownUserIDDisabled     = pluginSetting{"UserId", "user_id_disabled"}
	ownCampaignsMasked    = pluginSetting{"PrivacyManager", "campaign_parameter_values_masked"}
	ownCampaignsDiscarded = pluginSetting{"PrivacyManager", "campaign_tracking_parameters_disabled"}
)

// settingPlugins are the plugins whose stored settings count.
var settingPlugins = []string{
	"CnilPolicy", "PrivacyManager", "Ecommerce", "UserId", "SitesManager", "DevicesDetection", "Resolution",
}

// policies tell what the CNIL policy demands, of one site or of all.
type policies struct {
	known, perSetting bool // by the version
	config            *Config
	instance, site    storedSettings // site is nil for what counts for all
	active            func(plugin string) bool
}

func (i *Installation) policies(instance, site storedSettings) policies {
	b := i.Behaviours()
	return policies{b.Policies, b.PoliciesPerSetting, i.config, instance, site, i.plugins.Active}
}

// enforced reports whether the policy's demand for a setting counts: that of the configuration for all settings, else
// the state that is stored for this one, else whether the policy is active. Third-party cookies have no state of their
// own.
func (p policies) enforced(s pluginSetting) bool {
	switch {
	case !p.known:
		return false
	case !p.perSetting:
		return p.isActive()
	}
	if pinned := p.config.Value(policyEnabled.plugin, policyEnabled.name); !pinned.IsNull() {
		return php.ToBool(pinned)
	}
	if s == thirdPartyCookies {
		return p.isActive()
	}
	state := pluginSetting{s.plugin, s.name + "_policy_enforced"}
	instance, site := p.ofInstance(state), p.site[state]
	if instance.IsNull() && site.IsNull() {
		return p.isActive()
	}
	return php.ToBool(instance) || php.ToBool(site)
}

// isActive reports whether the policy is switched on for all sites, or for the site.
func (p policies) isActive() bool {
	return php.ToBool(p.ofInstance(policyEnabled)) || php.ToBool(p.site[policyEnabled])
}

// ofInstance is a setting for all sites: that of the configuration, else the stored one.
func (p policies) ofInstance(s pluginSetting) php.Value {
	if v := p.config.Value(s.plugin, s.name); !v.IsNull() {
		return v
	}
	return p.instance[s]
}

// cached reports whether a site asks for something by a setting of its own, or the policy demands it, as far as the
// plugins are active that let Matomo keep the answer with the site.
func (p policies) cached(own, demanded pluginSetting) bool {
	return p.active("PrivacyManager") && p.active(demanded.plugin) && (php.ToBool(p.site[own]) || p.enforced(demanded))
}

// apply gives a site what its stored settings and the policy say.
func (p policies) apply(site *Site, b Behaviours) {
	var none pluginSetting
	site.UserIDDisabled = b.UserIDDisabled && p.cached(ownUserIDDisabled, userIDDisabled)
	site.MaskCampaigns = b.MaskedCampaigns && p.cached(ownCampaignsMasked, campaignsMasked)
	site.OnlyMajorVersions = p.cached(none, onlyMajorVersions)
	site.DeviceModelHidden = p.cached(none, deviceModelDisabled)
	site.ResolutionDisabled = p.cached(none, resolutionDisabled)
	if b.DiscardedCampaigns && p.cached(ownCampaignsDiscarded, campaignsDiscarded) {
		t := site.Tracker
		t.DiscardedCampaignParameters = slices.Concat(t.CampaignNameParameters, t.CampaignKeywordParameters)
		t.CampaignNameParameters, t.CampaignKeywordParameters = nil, nil
	}
	if p.enforced(thirdPartyCookies) {
		site.Tracker.UseThirdPartyIDCookie = false
	}
	if p.active("PrivacyManager") {
		site.Privacy = site.Privacy.stricter(p)
	}
}

// readsStoredSettings reports whether stored settings of plugins count in this version.
func (i *Installation) readsStoredSettings() bool {
	b := i.Behaviours()
	return b.Policies || b.UserIDDisabled || b.MaskedCampaigns || b.DiscardedCampaigns
}

// instanceSettings reads what is stored for all sites.
func (i *Installation) instanceSettings(ctx context.Context) (storedSettings, error) {
	if !i.readsStoredSettings() {
		return nil, nil
	}
	var rows []struct {
		settingRow
		Plugin string `db:"plugin_name"`
	}
	query := "SELECT plugin_name, setting_name, setting_value, json_encoded FROM " + i.Table("plugin_setting") +
		" WHERE plugin_name IN (?) AND user_login = '' ORDER BY idplugin_setting"
	if err := selectIn(ctx, i.db, &rows, query, settingPlugins); err != nil {
		return nil, fmt.Errorf("settings of plugins: %w", err)
	}
	settings := make(storedSettings, len(rows))
	for _, row := range rows {
		addSetting(settings, pluginSetting{row.Plugin, row.Name}, row.settingRow)
	}
	return settings, nil
}

// siteSettings reads what is stored for sites.
func (i *Installation) siteSettings(ctx context.Context, ids []int64) (map[int64]storedSettings, error) {
	if !i.readsStoredSettings() {
		return nil, nil
	}
	var rows []struct {
		settingRow
		Site   int64  `db:"idsite"`
		Plugin string `db:"plugin_name"`
	}
	query := "SELECT idsite, plugin_name, setting_name, setting_value, json_encoded FROM " + i.Table("site_setting") +
		" WHERE idsite IN (?) AND plugin_name IN (?) ORDER BY idsite_setting"
	if err := selectIn(ctx, i.db, &rows, query, ids, settingPlugins); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	settings := make(map[int64]storedSettings)
	for _, row := range rows {
		if settings[row.Site] == nil {
			settings[row.Site] = make(storedSettings)
		}
		addSetting(settings[row.Site], pluginSetting{row.Plugin, row.Name}, row.settingRow)
	}
	return settings, nil
}
