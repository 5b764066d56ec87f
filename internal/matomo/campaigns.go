package matomo

import (
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

const campaignsPlugin = "MarketingCampaignsReporting"

// CampaignField is one of the columns that plugin MarketingCampaignsReporting adds to log_visit and log_conversion
// (spec §P1.1).
type CampaignField int

// The columns, in the order in which the plugin looks for their parameters.
const (
	CampaignName CampaignField = iota
	CampaignKeyword
	CampaignSource
	CampaignMedium
	CampaignContent
	CampaignID
	CampaignGroup
	CampaignPlacement
	CampaignFields // their number
)

var campaignColumns = [CampaignFields]string{
	"campaign_name", "campaign_keyword", "campaign_source", "campaign_medium", "campaign_content", "campaign_id",
	"campaign_group", "campaign_placement",
}

// Column is the name of the column, and of the setting that names its parameters.
func (f CampaignField) Column() string { return campaignColumns[f] }

// CampaignParameters are the URL parameters in which plugin MarketingCampaignsReporting looks for campaigns.
type CampaignParameters struct {
	ByField [CampaignFields][]string // the first one that has a value counts
	All     []string
}

// defaultCampaignParameters are those of the plugin's versions that are known (spec §P1.2).
var defaultCampaignParameters = [CampaignFields]string{
	CampaignName:      "mtm_campaign,matomo_campaign,mtm_cpn,pk_campaign,piwik_campaign,pk_cpn,utm_campaign",
	CampaignKeyword:   "mtm_keyword,matomo_kwd,mtm_kwd,pk_keyword,piwik_kwd,pk_kwd,utm_term",
	CampaignSource:    "mtm_source,pk_source,utm_source",
	CampaignMedium:    "mtm_medium,pk_medium,utm_medium",
	CampaignContent:   "mtm_content,pk_content,utm_content",
	CampaignID:        "mtm_cid,pk_cid,utm_id,mtm_clid",
	CampaignGroup:     "mtm_group,pk_group",
	CampaignPlacement: "mtm_placement,pk_placement",
}

// campaignParameters are those of the plugin's section in the files. The environment does not count: Matomo's container
// gives the plugin what the files say.
func (c *Config) campaignParameters() *CampaignParameters {
	p := &CampaignParameters{}
	for field := range CampaignFields {
		list := defaultCampaignParameters[field]
		if v := c.fileValue(campaignsPlugin, field.Column()); !v.IsNull() {
			list = php.ToString(v)
		}
		p.ByField[field] = splitTrim(list)
	}
	p.All = slices.Concat(p.ByField[:]...)
	return p
}
