package store

import (
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// The plugins that own columns (spec §15.1).
var (
	actions          = &owner{"Actions", func(f *matomo.Features) bool { return f.Actions }}
	referrers        = &owner{"Referrers", func(f *matomo.Features) bool { return f.Referrers }}
	userLanguage     = &owner{"UserLanguage", func(f *matomo.Features) bool { return f.UserLanguage }}
	devicesDetection = &owner{"DevicesDetection", func(f *matomo.Features) bool { return f.DevicesDetection }}
	devicePlugins    = &owner{"DevicePlugins", func(f *matomo.Features) bool { return f.DevicePlugins }}
	resolution       = &owner{"Resolution", func(f *matomo.Features) bool { return f.Resolution }}
	visitTime        = &owner{"VisitTime", func(f *matomo.Features) bool { return f.VisitTime }}
	visitorInterest  = &owner{"VisitorInterest", func(f *matomo.Features) bool { return f.VisitorInterest }}
	aiAgents         = &owner{"AIAgents", func(f *matomo.Features) bool { return f.AIAgents }}
	provider         = &owner{"Provider", func(f *matomo.Features) bool { return f.Provider }}
	userCountry      = &owner{"UserCountry", func(f *matomo.Features) bool { return f.UserCountry }}
	events           = &owner{"Events", func(f *matomo.Features) bool { return f.Events }}
	contents         = &owner{"Contents", func(f *matomo.Features) bool { return f.Contents }}
	goals            = &owner{"Goals", func(f *matomo.Features) bool { return f.Goals }}
	ecommerce        = &owner{"Ecommerce", func(f *matomo.Features) bool { return f.Ecommerce }}
	pagePerformance  = &owner{"PagePerformance", func(f *matomo.Features) bool { return f.PagePerformance }}
	customDimensions = &owner{"CustomDimensions", func(f *matomo.Features) bool { return f.CustomDimensions }}
	customVariables  = &owner{"CustomVariables", func(f *matomo.Features) bool { return f.CustomVariables }}
	campaigns        = &owner{"MarketingCampaignsReporting", func(f *matomo.Features) bool { return f.MarketingCampaigns }}
	bandwidth        = &owner{"Bandwidth", func(f *matomo.Features) bool { return f.Bandwidth }}
)

// visitColumns lists the columns of log_visit (spec §5.4). Those marked as read are Matomo's persisted fields
// (spec §3.2), and config_id: the pipeline needs it to answer later look-ups of the batch itself.
func visitColumns(dimensions []int, variables int) []column[Visit] {
	type c = column[Visit]
	columns := []c{
		{name: "idsite", value: func(v *Visit) any { return &v.SiteID }, read: true, fixed: true},
		{name: "idvisitor", value: func(v *Visit) any { return &v.Visitor }, read: true},
		{name: "visit_last_action_time", value: func(v *Visit) any { return &v.LastActionTime }, read: true},
		{name: "config_id", value: func(v *Visit) any { return &v.ConfigID }, read: true},
		{name: "location_ip", value: func(v *Visit) any { return &v.LocationIP }, read: true},
		{name: "visit_first_action_time", value: func(v *Visit) any { return &v.FirstActionTime }, read: true},
		{name: "visit_total_time", value: func(v *Visit) any { return &v.TotalTime }, read: true},
		{name: "profilable", value: func(v *Visit) any { return &v.Profilable }, read: true},
		{name: "user_id", value: func(v *Visit) any { return &v.UserID }, read: true},
		{name: "visit_goal_buyer", value: func(v *Visit) any { return &v.GoalBuyer }, read: true},
		{name: "visit_goal_converted", value: func(v *Visit) any { return &v.GoalConverted }},
		{name: "visitor_returning", value: func(v *Visit) any { return &v.Returning }, read: true},
		{name: "visitor_count_visits", value: func(v *Visit) any { return &v.CountVisits }, read: true},
		{name: "visitor_seconds_since_first", value: func(v *Visit) any { return &v.SecondsSinceFirst }, read: true},
		{name: "visitor_seconds_since_order", value: func(v *Visit) any { return &v.SecondsSinceOrder }, read: true},
		{
			name: "visitor_seconds_since_last", owner: visitorInterest,
			value: func(v *Visit) any { return &v.SecondsSinceLast },
		},
		{name: "visitor_localtime", owner: visitTime, value: func(v *Visit) any { return &v.LocalTime }},

		{name: "visit_entry_idaction_name", owner: actions, value: func(v *Visit) any { return &v.EntryName }},
		{name: "visit_entry_idaction_url", owner: actions, value: func(v *Visit) any { return &v.EntryURL }, read: true},
		{name: "visit_exit_idaction_name", owner: actions, value: func(v *Visit) any { return &v.ExitName }, read: true},
		{name: "visit_exit_idaction_url", owner: actions, value: func(v *Visit) any { return &v.ExitURL }, read: true},
		{
			name: "visit_total_actions", owner: actions, value: func(v *Visit) any { return &v.TotalActions }, read: true,
			counter: true,
		},
		{
			name: "visit_total_interactions", owner: actions, value: func(v *Visit) any { return &v.TotalInteractions },
			read: true, counter: true,
		},
		{
			name: "visit_total_searches", owner: actions, value: func(v *Visit) any { return &v.TotalSearches }, read: true,
			counter: true,
		},
		{
			name: "visit_total_events", owner: events, value: func(v *Visit) any { return &v.TotalEvents }, read: true,
			counter: true,
		},

		{name: "referer_type", owner: referrers, value: func(v *Visit) any { return &v.Referer.Type }, read: true},
		{name: "referer_name", owner: referrers, value: func(v *Visit) any { return &v.Referer.Name }, read: true},
		{name: "referer_keyword", owner: referrers, value: func(v *Visit) any { return &v.Referer.Keyword }, read: true},
		{name: "referer_url", owner: referrers, value: func(v *Visit) any { return &v.Referer.URL }, read: true},

		{name: "ai_agent_name", owner: aiAgents, value: func(v *Visit) any { return &v.Agent }, read: true},
		{name: "location_browser_lang", owner: userLanguage, value: func(v *Visit) any { return &v.BrowserLang }, read: true},
		{name: "config_resolution", owner: resolution, value: func(v *Visit) any { return &v.Resolution }, read: true},
		{name: "location_provider", owner: provider, value: func(v *Visit) any { return &v.Provider }},
		{name: "last_idlink_va", owner: customDimensions, value: func(v *Visit) any { return &v.LastLinkAction }, read: true},
	}
	columns = append(columns, reading(campaignColumns(func(v *Visit) []NullText { return v.Campaign })...)...)
	columns = append(columns, visitDeviceColumns()...)
	columns = append(columns, reading(locationColumns(func(v *Visit) *Location { return &v.Location })...)...)
	columns = append(columns,
		reading(dimensionColumns(dimensions, func(v *Visit) []NullText { return v.CustomDimensions })...)...)
	return append(columns, reading(variableColumns(variables, func(v *Visit) []CustomVar { return v.CustomVars })...)...)
}

// visitDeviceColumns lists what plugins DevicesDetection and DevicePlugins add to log_visit.
func visitDeviceColumns() []column[Visit] {
	type c = column[Visit]
	columns := reading(deviceColumns(func(v *Visit) *Device { return &v.Device })...)
	return append(columns,
		c{
			name: "config_browser_engine", owner: devicesDetection,
			value: func(v *Visit) any { return &v.Device.BrowserEngine },
		},
		c{
			name: "config_browser_version", owner: devicesDetection,
			value: func(v *Visit) any { return &v.Device.BrowserVersion },
		},
		c{name: "config_os", owner: devicesDetection, value: func(v *Visit) any { return &v.Device.OS }},
		c{name: "config_os_version", owner: devicesDetection, value: func(v *Visit) any { return &v.Device.OSVersion }},
		c{name: "config_cookie", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Cookie }},
		c{name: "config_flash", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Flash }},
		c{name: "config_java", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Java }},
		c{name: "config_pdf", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.PDF }},
		c{name: "config_quicktime", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Quicktime }},
		c{name: "config_realplayer", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Realplayer }},
		c{name: "config_silverlight", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.Silverlight }},
		c{name: "config_windowsmedia", owner: devicePlugins, value: func(v *Visit) any { return &v.Plugins.WindowsMedia }},
	)
}

// deviceColumns lists the device columns that visits and conversions share.
func deviceColumns[R any](of func(*R) *Device) []column[R] {
	type c = column[R]
	return []c{
		{name: "config_browser_name", owner: devicesDetection, value: func(r *R) any { return &of(r).BrowserName }},
		{name: "config_client_type", owner: devicesDetection, value: func(r *R) any { return &of(r).ClientType }},
		{name: "config_device_brand", owner: devicesDetection, value: func(r *R) any { return &of(r).Brand }},
		{name: "config_device_model", owner: devicesDetection, value: func(r *R) any { return &of(r).Model }},
		{name: "config_device_type", owner: devicesDetection, value: func(r *R) any { return &of(r).Type }},
	}
}

// locationColumns lists the columns of plugin UserCountry that visits and conversions share.
func locationColumns[R any](of func(*R) *Location) []column[R] {
	type c = column[R]
	return []c{
		{name: "location_country", owner: userCountry, value: func(r *R) any { return &of(r).Country }},
		{name: "location_region", owner: userCountry, value: func(r *R) any { return &of(r).Region }},
		{name: "location_city", owner: userCountry, value: func(r *R) any { return &of(r).City }},
		{name: "location_latitude", owner: userCountry, value: func(r *R) any { return &of(r).Latitude }},
		{name: "location_longitude", owner: userCountry, value: func(r *R) any { return &of(r).Longitude }},
	}
}

// campaignColumns lists the columns of plugin MarketingCampaignsReporting, which visits and conversions share
// (spec §P1.1).
func campaignColumns[R any](of func(*R) []NullText) []column[R] {
	var columns []column[R]
	for field := range matomo.CampaignFields {
		columns = append(columns, column[R]{
			name: field.Column(), owner: campaigns,
			value: func(r *R) any {
				if list := of(r); len(list) > 0 {
					return &list[field]
				}
				return nil
			},
		})
	}
	return columns
}

// dimensionColumns lists the columns custom_dimension_N, in the order of numbers (spec §5.6).
func dimensionColumns[R any](numbers []int, of func(*R) []NullText) []column[R] {
	var columns []column[R]
	for i, n := range numbers {
		columns = append(columns, column[R]{
			name: "custom_dimension_" + strconv.Itoa(n), owner: customDimensions,
			value: func(r *R) any {
				if list := of(r); i < len(list) {
					return &list[i]
				}
				return nil
			},
		})
	}
	return columns
}

// variableColumns lists the columns custom_var_kN and custom_var_vN (spec §5.7).
func variableColumns[R any](count int, of func(*R) []CustomVar) []column[R] {
	var columns []column[R]
	for i := range count {
		add := func(prefix string, part func(*CustomVar) any) {
			columns = append(columns, column[R]{
				name: prefix + strconv.Itoa(i+1), owner: customVariables,
				value: func(r *R) any {
					if list := of(r); i < len(list) {
						return part(&list[i])
					}
					return nil
				},
			})
		}
		add("custom_var_k", func(v *CustomVar) any { return &v.Name })
		add("custom_var_v", func(v *CustomVar) any { return &v.Value })
	}
	return columns
}
