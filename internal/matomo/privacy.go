package matomo

import (
	"context"
	"fmt"
	"slices"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Privacy holds the options of plugin PrivacyManager (spec §9), of a site or of all.
type Privacy struct {
	AnonymizeIP  bool // ipAnonymizerEnabled
	IPMaskLength int  // bytes, 0…4
	// useAnonymizedIpForVisitEnrichment: a site's counts for config_id, that of all sites for the location
	UseAnonymizedIPForVisit bool
	DoNotTrack              bool // doNotTrackEnabled
	ForceCookielessTracking bool
	AnonymizeUserID         bool
	AnonymizeOrderID        bool
	AnonymizeReferrer       string // "", exclude_query, exclude_path, exclude_all
	RandomizeConfigID       bool   // every request is a visit of its own (spec §V3.1.2)
}

// privacyNames are the options' names behind "PrivacyManager." and the site.
var privacyNames = []string{
	"useAnonymizedIpForVisitEnrichment", "ipAddressMaskLength", "doNotTrackEnabled", "ipAnonymizerEnabled",
	"forceCookielessTracking",
	"anonymizeUserId", "anonymizeOrderId", "anonymizeReferrer", "randomizeConfigId",
}

// privacyOption is the full name of an option, for site 0 that of all sites.
func privacyOption(site int64, name string) string {
	if site == 0 {
		return "PrivacyManager." + name
	}
	return fmt.Sprintf("PrivacyManager.idSite(%d).%s", site, name)
}

func privacyOptions(site int64) []string {
	names := make([]string, len(privacyNames))
	for n, name := range privacyNames {
		names[n] = privacyOption(site, name)
	}
	return names
}

// privacy types the options of a site: each is the site's own, else that of all sites, else the default
// (spec §V3.1.1). An empty option is one. Without the plugin nothing is anonymized (spec §9, §15.1).
func (i *Installation) privacy(site int64, own, options map[string]string) Privacy {
	if !i.plugins.Active("PrivacyManager") {
		return Privacy{}
	}
	find := func(name string) (value string, found bool) {
		if value, found = own[privacyOption(site, name)]; !found {
			value, found = options[privacyOption(0, name)]
		}
		return value, found
	}
	flag := func(name string) bool {
		value, _ := find(name)
		return !php.EmptyString(value)
	}
	p := Privacy{
		AnonymizeIP:             true,
		IPMaskLength:            2,
		UseAnonymizedIPForVisit: flag("useAnonymizedIpForVisitEnrichment"),
		DoNotTrack:              flag("doNotTrackEnabled"),
		ForceCookielessTracking: flag("forceCookielessTracking"),
		AnonymizeUserID:         flag("anonymizeUserId"),
		AnonymizeOrderID:        flag("anonymizeOrderId"),
		RandomizeConfigID:       i.Behaviours().RandomConfigID && flag("randomizeConfigId"),
	}
	p.AnonymizeReferrer, _ = find("anonymizeReferrer")
	if _, ok := find("ipAnonymizerEnabled"); ok {
		p.AnonymizeIP = flag("ipAnonymizerEnabled")
	}
	if length, ok := find("ipAddressMaskLength"); ok {
		p.IPMaskLength = int(php.StringToInt(length))
	}
	return p
}

// sitePrivacyOptions reads the privacy options of sites.
func (i *Installation) sitePrivacyOptions(ctx context.Context, ids []int64) (map[string]string, error) {
	if !i.Behaviours().PrivacyPerSite || !i.plugins.Active("PrivacyManager") {
		return nil, nil
	}
	names := make([]string, 0, len(ids)*len(privacyNames))
	for _, id := range ids {
		names = append(names, privacyOptions(id)...)
	}
	return i.options(ctx, i.db, names, "")
}

// stricter is the privacy that a policy leaves (spec §V3.1.3).
func (p Privacy) stricter(policy policies) Privacy {
	const leastMask = 2
	if policy.enforced(ipAddressMaskLength) {
		p.IPMaskLength = max(p.IPMaskLength, leastMask)
	}
	p.AnonymizeIP = p.AnonymizeIP || policy.enforced(ipAnonymisation)
	p.AnonymizeOrderID = p.AnonymizeOrderID || policy.enforced(orderIDAnonymization)
	if policy.enforced(referrerAnonymisation) {
		p.AnonymizeReferrer = stricterReferrer(p.AnonymizeReferrer)
	}
	return p
}

// stricterReferrer is the stricter of an option and what the policy asks for.
func stricterReferrer(option string) string {
	const demanded = "exclude_path"
	byStrictness := []string{"", "exclude_query", demanded, "exclude_all"}
	if slices.Index(byStrictness, option) > slices.Index(byStrictness, demanded) {
		return option
	}
	return demanded
}
