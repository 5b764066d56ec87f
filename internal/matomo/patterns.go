package matomo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// rareSyntax are the beginnings of what regular expressions of everyday do without: special groups, verbs, and a few
// escapes; and "%", as goals may be URL-encoded.
var rareSyntax = []string{"(?", "(*", `\X`, `\C`, `\g`, "%"}

func hasRareSyntax(text string) bool {
	return slices.ContainsFunc(rareSyntax, func(s string) bool { return strings.Contains(text, s) })
}

// SitesWithRarePatterns reads the sites in whose goals, custom dimensions and exclusions there are regular expressions
// with rare syntax, by id; one site if there are some for all sites. It is for looking at these sites only, of which
// there are few or none, before anything is tracked: unlike LoadSites it creates nothing, so that they have no salts.
func (i *Installation) SitesWithRarePatterns(ctx context.Context) (found []*Site, err error) {
	ids, err := i.rarePatterns(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	options, err := i.options(ctx, i.db, generalOptions, "")
	if err != nil {
		return nil, err
	}
	stored, err := i.instanceSettings(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := i.readSites(ctx, ids, &generalEntry{options: options, settings: stored})
	if err != nil {
		return nil, fmt.Errorf("sites %v: %w", ids, err)
	}
	for _, id := range slices.Sorted(maps.Keys(sites)) { // some that were deleted have left goals behind
		found = append(found, sites[id])
	}
	return found, nil
}

// rarePatterns lists the sites' ids.
func (i *Installation) rarePatterns(ctx context.Context) (ids []int64, err error) {
	var args []any
	rare := func(column string) string {
		conditions := make([]string, len(rareSyntax))
		for n, s := range rareSyntax {
			conditions[n] = "INSTR(" + column + ", ?) > 0"
			args = append(args, s)
		}
		return "(" + strings.Join(conditions, " OR ") + ")"
	}
	site := i.Table("site")
	query := "SELECT idsite FROM " + site + " WHERE " + rare("excluded_parameters") + " OR " + rare("excluded_user_agents")
	args = append(args, slices.ContainsFunc(i.config.Tracker(0).ExcludedURLParameters, hasRareSyntax))
	query += " UNION SELECT idsite FROM " + site + " WHERE idsite = (SELECT MIN(idsite) FROM " + site + ") AND (? OR EXISTS (SELECT 1 FROM " +
		i.Table("option") + " WHERE option_name IN ('SitesManager_ExcludedQueryParameters', 'SitesManager_ExcludedUserAgentsGlobal') AND " +
		rare("option_value") + "))"
	if i.plugins.Active("Goals") {
		query += " UNION SELECT idsite FROM " + i.Table("goal") + " WHERE deleted = 0 AND pattern_type = 'regex' AND " + rare("pattern")
	}
	if i.plugins.Active("CustomDimensions") {
		query += " UNION SELECT idsite FROM " + i.Table("custom_dimensions") + " WHERE active <> 0 AND " + rare("extractions")
	}
	if err := sqlx.SelectContext(ctx, i.db, &ids, query, args...); err != nil {
		return nil, fmt.Errorf("regular expressions of goals, custom dimensions and exclusions: %w", err)
	}
	return ids, nil
}
