package matomo

import (
	"context"
	"fmt"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// generalOptions are the options that tracking reads and that are the same for all sites (spec §13.3).
var generalOptions = []string{
	"useridsalt",
	"delete_logs_enable", "delete_logs_older_than", "delete_logs_schedule_lowest_interval",
	"SitesManager_ExcludedIpsGlobal", "SitesManager_ExcludedQueryParameters", "SitesManager_ExcludeTypeQueryParamsGlobal",
	"SitesManager_ExcludedUserAgentsGlobal",
	"SitesManager_ExcludedReferrersGlobal", "SitesManager_KeepURLFragmentsGlobal", "SitesManager_SearchKeywordParameters",
	"SitesManager_SearchCategoryParameters",
	"usercountry.location_provider", "referrer_spam_blacklist", "SearchEngineDefinitions", "SocialDefinitions",
	"AIAssistantDefinitions",
}

func (i *Installation) readGeneral(ctx context.Context) (*generalEntry, error) {
	options, err := i.options(ctx, i.db, append(privacyOptions(0), generalOptions...), "")
	if err != nil {
		return nil, err
	}
	stored, err := i.instanceSettings(ctx)
	if err != nil {
		return nil, err
	}
	g := &General{
		Privacy:           i.privacy(0, nil, options),
		LocationProvider:  options["usercountry.location_provider"],
		DeleteLogsOlder:   i.deleteLogsOlder(options, i.policies(stored, nil)),
		GlobalExcludedIPs: ipRanges(options["SitesManager_ExcludedIpsGlobal"]),
		SpamReferrers:     spamReferrers(options["referrer_spam_blacklist"]),
	}
	if settings := i.config.Tracker(0); settings.ReferrerDefinitionSyncs && settings.InternetFeatures {
		g.SearchEngines = options["SearchEngineDefinitions"]
		g.Socials = options["SocialDefinitions"]
		g.Assistants = options["AIAssistantDefinitions"]
	}
	if g.Spam, err = i.SpamPrevention(ctx); err != nil {
		return nil, err
	}
	if g.UserIDSalt, err = i.userIDSalt(ctx, options["useridsalt"]); err != nil {
		return nil, err
	}
	if g.SiteURLs, err = i.siteURLs(ctx); err != nil {
		return nil, err
	}
	return &generalEntry{general: g, options: options, settings: stored}, nil
}

// deleteLogsOlder is the age beyond which a request is refused because its rows would soon be deleted (spec §1.6 step
// 7). A policy for all sites caps it.
func (i *Installation) deleteLogsOlder(options map[string]string, policy policies) time.Duration {
	const mostDays = 759 // that the policy lets log rows be kept
	mayOverride := i.config.Bool("General", "enable_delete_old_data_settings_admin")
	setting := func(name string) int64 {
		if value, ok := options[name]; ok && mayOverride {
			return php.StringToInt(value)
		}
		return i.config.Int("Deletelogs", name)
	}
	days := setting("delete_logs_older_than")
	if setting("delete_logs_enable") == 0 || days == 0 {
		return 0
	}
	if mayOverride && policy.enforced(rawDataRetention) {
		days = min(days, mostDays)
	}
	return time.Duration(days+setting("delete_logs_schedule_lowest_interval")) * 24 * time.Hour
}

// spamReferrers decodes the option's list; a value that cannot be decoded is an empty list, as in Matomo.
func spamReferrers(option string) []string {
	if php.EmptyString(option) {
		return nil
	}
	hosts := []string{}
	if decoded, err := php.Unserialize(option); err == nil {
		for _, host := range decoded.Array().All() {
			hosts = append(hosts, php.ToString(host))
		}
	}
	return hosts
}

// userIDSalt creates the salt of user ids when it is missing, as Matomo does on the same occasion.
func (i *Installation) userIDSalt(ctx context.Context, salt string) (string, error) {
	const name, alphabet = "useridsalt", "abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789_-$"
	if !php.EmptyString(salt) || !i.plugins.Active("PrivacyManager") {
		return salt, nil
	}
	salt, err := randomString(i.random, alphabet, 40)
	if err != nil {
		return "", err
	}
	if err := i.createOptions(ctx, i.db, map[string]string{name: salt}, 1); err != nil {
		return "", err
	}
	stored, found, err := i.Option(ctx, name)
	if err != nil || !found {
		return salt, err
	}
	return stored, nil
}

// allSiteURLs builds the index of all sites' URLs: main URLs first, then aliases.
func (i *Installation) allSiteURLs(ctx context.Context) (*URLIndex, urlsDigest, error) {
	var rows []struct {
		Site  int64  `db:"idsite"`
		URL   string `db:"url"`
		Alias bool   `db:"is_alias"`
	}
	query := "SELECT idsite, main_url AS url, 0 AS is_alias FROM " + i.Table("site") +
		" UNION ALL SELECT idsite, url, 1 FROM " + i.Table("site_url") + " ORDER BY is_alias, idsite, url"
	var digest urlsDigest
	if err := i.db.SelectContext(ctx, &rows, query); err != nil {
		return nil, digest, fmt.Errorf("URLs of all sites: %w", err)
	}
	urls := make([]SiteURL, len(rows))
	for n, row := range rows {
		urls[n] = SiteURL{row.Site, row.URL}
		digest.add(row.Site, row.URL, row.Alias)
	}
	return NewURLIndex(urls), digest, nil
}
