package matomo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// siteRow is a row of table site.
type siteRow struct {
	ID                 int64          `db:"idsite"`
	MainURL            string         `db:"main_url"`
	Created            sql.NullString `db:"created"`
	SiteSearch         sql.NullInt64  `db:"sitesearch"`
	SearchKeywords     sql.NullString `db:"sitesearch_keyword_parameters"`
	SearchCategories   sql.NullString `db:"sitesearch_category_parameters"`
	Timezone           sql.NullString `db:"timezone"`
	ExcludeUnknownURLs sql.NullInt64  `db:"exclude_unknown_urls"`
	ExcludedIPs        sql.NullString `db:"excluded_ips"`
	ExcludedParameters sql.NullString `db:"excluded_parameters"`
	ExcludedUserAgents sql.NullString `db:"excluded_user_agents"`
	ExcludedReferrers  sql.NullString `db:"excluded_referrers"`
	Type               sql.NullString `db:"type"`
	KeepURLFragment    sql.NullInt64  `db:"keep_url_fragment"`
}

// readSites reads sites with all that belongs to them but their salts, one query per table. Unknown ids are absent
// from the result.
func (i *Installation) readSites(ctx context.Context, ids []int64, general *generalEntry) (map[int64]*Site, error) {
	var rows []siteRow
	query := "SELECT idsite, main_url, CAST(ts_created AS CHAR) AS created, sitesearch, sitesearch_keyword_parameters, " +
		"sitesearch_category_parameters, timezone, exclude_unknown_urls, excluded_ips, excluded_parameters, " +
		"excluded_user_agents, " +
		"excluded_referrers, type, keep_url_fragment FROM " + i.Table("site") + " WHERE idsite IN (?)"
	if err := selectIn(ctx, i.db, &rows, query, ids); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	known := make([]int64, len(rows))
	for n, row := range rows {
		known[n] = row.ID
	}
	own, err := i.sitePrivacyOptions(ctx, known)
	if err != nil {
		return nil, err
	}
	stored, err := i.siteSettings(ctx, known)
	if err != nil {
		return nil, err
	}
	sites := make(map[int64]*Site, len(rows))
	for _, row := range rows {
		policy := i.policies(general.settings, stored[row.ID])
		site := newSite(row, general.options, i.globalExcludedParameters(general.options, policy))
		site.Tracker = i.config.Tracker(row.ID)
		site.Tracker.EmulatedLang = i.lang
		site.Privacy = i.privacy(row.ID, own, general.options)
		policy.apply(site, i.Behaviours())
		sites[row.ID] = site
	}
	for _, read := range []func(context.Context, []int64, map[int64]*Site) error{
		i.readURLs, i.readGoals, i.readDimensions, i.readTokens,
	} {
		if err := read(ctx, known, sites); err != nil {
			return nil, err
		}
	}
	return sites, nil
}

// globalExcludedParameters is the list of URL parameters that are excluded on all sites (spec §V3.5):
// by the type that is set or that a policy demands the recommended ones, none but those of config.ini.php, or a list
// of one's own.
func (i *Installation) globalExcludedParameters(options map[string]string, policy policies) string {
	const recommended, session = "matomo_recommended_pii", "common_session_parameters"
	kind := options["SitesManager_ExcludeTypeQueryParamsGlobal"]
	if policy.enforced(filterPIIParameters) {
		kind = recommended
	}
	switch {
	case i.Behaviours().URLExclusionTypes && kind == recommended:
		return strings.Join(i.config.List("SitesManager", "CommonPIIParams"), ",")
	case i.Behaviours().URLExclusionTypes && kind == session:
		return ""
	default:
		return options["SitesManager_ExcludedQueryParameters"]
	}
}

// newSite makes a site of its row, the options of all sites and the URL parameters that are excluded on all.
func newSite(row siteRow, options map[string]string, excludedParameters string) *Site {
	s := &Site{
		ID: row.ID, MainURL: row.MainURL, URLs: []string{row.MainURL}, Type: row.Type.String,
		ExcludeUnknownURLs: row.ExcludeUnknownURLs.Int64 != 0,
		ExcludedIPs:        ipRanges(row.ExcludedIPs.String + "," + options["SitesManager_ExcludedIpsGlobal"]),
		ExcludedParameters: unique(row.ExcludedParameters.String + "," + excludedParameters),
		ExcludedUserAgents: unique(options["SitesManager_ExcludedUserAgentsGlobal"] + "," + row.ExcludedUserAgents.String),
		ExcludedReferrers:  unique(options["SitesManager_ExcludedReferrersGlobal"] + "," + row.ExcludedReferrers.String),
		SiteSearch:         row.SiteSearch.Int64 != 0,
		TrackingTokens:     map[string]bool{},
	}
	if !php.EmptyString(row.Timezone.String) {
		s.Timezone = row.Timezone.String
	}
	s.Location = php.LoadLocation(s.Timezone)
	switch row.KeepURLFragment.Int64 {
	case 1:
		s.KeepURLFragment = true
	case 2: // never
	default:
		s.KeepURLFragment = !php.EmptyString(options["SitesManager_KeepURLFragmentsGlobal"])
	}
	s.SearchKeywordParameters = strings.Split(searchKeywords(row.SearchKeywords.String, options), ",")
	categories := row.SearchCategories.String
	if php.EmptyString(categories) {
		categories = options["SitesManager_SearchCategoryParameters"]
	}
	s.SearchCategoryParameters = strings.Split(categories, ",")
	if row.Created.Valid {
		// Text without a zone, taken for UTC whatever the server's zone is: so does Matomo (spec §14.2).
		s.CreatedAt, _ = time.ParseInLocation(time.DateTime, row.Created.String, time.UTC)
	}
	s.ReferrerIndex = newReferrerIndex(s.ID, s.ExcludedReferrers)
	return s
}

// searchKeywords are the site's, else those of all sites, else the default (spec §6.4).
func searchKeywords(site string, options map[string]string) string {
	if !php.EmptyString(site) {
		return site
	}
	global, found := options["SitesManager_SearchKeywordParameters"]
	switch {
	case !found:
		return "q,query,s,search,searchword,k,keyword,keywords"
	case php.EmptyString(global):
		return ""
	default:
		return global
	}
}

// unique splits a list at its commas and drops empty and repeated parts. Blanks stay.
func unique(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

func ipRanges(list string) []php.IPRange {
	var ranges []php.IPRange
	for part := range strings.SplitSeq(list, ",") {
		if r, ok := php.ParseIPRange(part); ok {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// readURLs adds the aliases.
func (i *Installation) readURLs(ctx context.Context, ids []int64, sites map[int64]*Site) error {
	var rows []struct {
		Site int64  `db:"idsite"`
		URL  string `db:"url"`
	}
	query := "SELECT idsite, url FROM " + i.Table("site_url") + " WHERE idsite IN (?) ORDER BY idsite, url"
	if err := selectIn(ctx, i.db, &rows, query, ids); err != nil {
		return fmt.Errorf("URLs: %w", err)
	}
	for _, row := range rows {
		sites[row.Site].URLs = append(sites[row.Site].URLs, row.URL)
	}
	for id, site := range sites {
		urls := make([]SiteURL, len(site.URLs))
		for n, url := range site.URLs {
			urls[n] = SiteURL{id, url}
		}
		site.OwnURLs = NewURLIndex(urls)
	}
	return nil
}

// readGoals adds the goals that are not deleted; without plugin Goals there are none (spec §8).
func (i *Installation) readGoals(ctx context.Context, ids []int64, sites map[int64]*Site) error {
	if !i.plugins.Active("Goals") {
		return nil
	}
	var rows []struct {
		Site                int64  `db:"idsite"`
		ID                  int64  `db:"idgoal"`
		Name                string `db:"name"`
		Description         string `db:"description"`
		MatchAttribute      string `db:"match_attribute"`
		Pattern             string `db:"pattern"`
		PatternType         string `db:"pattern_type"`
		CaseSensitive       bool   `db:"case_sensitive"`
		AllowMultiple       bool   `db:"allow_multiple"`
		Revenue             string `db:"revenue"`
		EventValueAsRevenue bool   `db:"event_value_as_revenue"`
	}
	query := "SELECT idsite, idgoal, name, description, match_attribute, pattern, pattern_type, case_sensitive, " +
		"allow_multiple, revenue, " +
		"event_value_as_revenue FROM " + i.Table("goal") + " WHERE idsite IN (?) AND deleted = 0 ORDER BY idsite, idgoal"
	if err := selectIn(ctx, i.db, &rows, query, ids); err != nil {
		return fmt.Errorf("goals: %w", err)
	}
	for _, row := range rows {
		goal := Goal{
			ID: row.ID, Name: php.Unsanitize(row.Name), Description: php.Unsanitize(row.Description),
			MatchAttribute: row.MatchAttribute, Pattern: php.Unsanitize(row.Pattern),
			PatternType: php.Unsanitize(row.PatternType), CaseSensitive: row.CaseSensitive,
			AllowMultiple: row.AllowMultiple, Revenue: row.Revenue, EventValueAsRevenue: row.EventValueAsRevenue,
		}
		sites[row.Site].Goals = append(sites[row.Site].Goals, goal)
	}
	return nil
}

// readDimensions adds the active custom dimensions; without plugin CustomDimensions there are none (spec §5.6).
func (i *Installation) readDimensions(ctx context.Context, ids []int64, sites map[int64]*Site) error {
	if !i.plugins.Active("CustomDimensions") {
		return nil
	}
	var rows []struct {
		Site          int64  `db:"idsite"`
		ID            int64  `db:"idcustomdimension"`
		Index         int    `db:"index"`
		Scope         string `db:"scope"`
		Extractions   string `db:"extractions"`
		CaseSensitive bool   `db:"case_sensitive"`
	}
	query := "SELECT idsite, idcustomdimension, `index`, scope, extractions, case_sensitive FROM " +
		i.Table("custom_dimensions") +
		" WHERE idsite IN (?) AND active <> 0 ORDER BY idsite, idcustomdimension"
	if err := selectIn(ctx, i.db, &rows, query, ids); err != nil {
		return fmt.Errorf("custom dimensions: %w", err)
	}
	for _, row := range rows {
		dimension := Dimension{
			ID: row.ID, Index: row.Index, Scope: row.Scope, Extractions: extractions(row.Extractions),
			CaseSensitive: row.CaseSensitive,
		}
		sites[row.Site].Dimensions = append(sites[row.Site].Dimensions, dimension)
	}
	return nil
}

// extractions decodes the JSON list and leaves out what the tracker skips: entries without source or with an empty
// pattern.
func extractions(text string) []Extraction {
	decoded, err := php.DecodeJSON(text)
	if err != nil {
		return nil
	}
	var all []Extraction
	for _, entry := range decoded.Array().All() {
		source, hasSource := entry.Array().Get("dimension")
		pattern := php.ToString(entry.Array().Value("pattern"))
		if hasSource && !php.EmptyString(pattern) {
			all = append(all, Extraction{Source: php.ToString(source), Pattern: pattern})
		}
	}
	return all
}

// readTokens adds the hashes of the tokens of everybody who may write or administer a site (spec §1.5 step 6).
func (i *Installation) readTokens(ctx context.Context, ids []int64, sites map[int64]*Site) error {
	var rows []struct {
		Site int64  `db:"idsite"`
		Hash string `db:"password"`
	}
	query := "SELECT a.idsite, t.password FROM " + i.Table("access") + " a JOIN " + i.Table("user_token_auth") +
		" t ON t.login = a.login " +
		"WHERE a.idsite IN (?) AND a.access IN ('admin', 'write') AND (t.date_expired IS NULL OR t.date_expired > ?)"
	if err := selectIn(ctx, i.db, &rows, query, ids, i.now()); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	salt := i.config.String("General", "salt")
	for _, row := range rows {
		sites[row.Site].TrackingTokens[TrackingHash(row.Site, row.Hash, salt)] = true
	}
	return nil
}
