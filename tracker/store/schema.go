package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Schema is what the tables offer to the tracker.
type Schema struct {
	// the N of columns custom_dimension_N of log_visit, ascending; empty while the plugin is off
	VisitDimensions      []int
	ActionDimensions     []int // of log_link_visit_action
	ConversionDimensions []int // of log_conversion
	CustomVars           int   // custom variables that all three tables can hold (spec §5.7)
	// Campaign tells which columns of plugin MarketingCampaignsReporting log_visit has; none while it is off.
	Campaign        [matomo.CampaignFields]bool
	HasVisitorIndex bool // log_visit has index_idsite_idvisitor_time (spec §3.2)

	// VisitorIndexDescending tells that this index holds times in descending order, as declared: older servers ignore
	// the word. It decides between visits of equal times (Tx.FindVisits).
	VisitorIndexDescending bool

	// Unknown lists, by table without prefix, columns that nobody here writes: those of plugins of others. They keep
	// their defaults.
	Unknown map[string][]string

	// Missing are the columns of active plugins that tables lack: rows are written without these values.
	Missing []MissingColumn

	columns map[string]map[string]bool
}

// Has reports whether a table (without prefix) has a column, whatever the plugin.
func (s *Schema) Has(table, column string) bool { return s.columns[table][column] }

func (s *Store) readSchema(ctx context.Context, features matomo.Features) error {
	found := make(map[string][]foundColumn)
	s.schema = Schema{Unknown: map[string][]string{}, columns: map[string]map[string]bool{}}
	for _, base := range []string{
		"log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item", "tracking_failure",
	} {
		columns, err := s.dialect.readColumns(ctx, s.db, s.prefix+base)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.prefix+base, err)
		}
		if len(columns) == 0 {
			return fmt.Errorf("no table %s: check dbname and tables_prefix in section [database] of config/config.ini.php",
				s.prefix+base)
		}
		found[base] = columns
		s.schema.columns[base] = make(map[string]bool, len(columns))
		for _, c := range columns {
			s.schema.columns[base][strings.ToLower(c.name)] = true
		}
	}
	times, err := s.dialect.readColumns(ctx, s.db, s.prefix+"log_page_view_time") // since Matomo 6
	if err != nil {
		return fmt.Errorf("table %s: %w", s.prefix+"log_page_view_time", err)
	}
	s.pageViews = discover("log_page_view_time", s.table("log_page_view_time"), pageViewColumns(), times, &features)
	s.readPluginColumns(found, features)
	if features.BotTracking {
		columns, err := s.dialect.readColumns(ctx, s.db, s.prefix+botRequests)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.prefix+botRequests, err)
		}
		s.bots = discover(botRequests, s.table(botRequests), botColumns(), columns, &features)
	}

	visit := visitColumns(s.schema.VisitDimensions, s.schema.CustomVars)
	link := linkColumns(s.schema.ActionDimensions, s.schema.CustomVars)
	conversion := conversionColumns(s.schema.ConversionDimensions, s.schema.CustomVars)
	s.visits = discover("log_visit", s.table("log_visit"), visit, found["log_visit"], &features)
	s.links = discover("log_link_visit_action", s.table("log_link_visit_action"), link, found["log_link_visit_action"],
		&features)
	s.conversions = discover("log_conversion", s.table("log_conversion"), conversion, found["log_conversion"], &features)
	s.items = discover("log_conversion_item", s.table("log_conversion_item"), itemColumns(), found["log_conversion_item"],
		&features)
	s.entries = discover("log_action", s.table("log_action"), entryColumns(), found["log_action"], &features)
	s.failures = discover("tracking_failure", s.table("tracking_failure"), failureColumns(), found["tracking_failure"],
		&features)

	s.schema.Missing = slices.Concat(
		missing("log_visit", visit, found["log_visit"], &features),
		missing("log_link_visit_action", link, found["log_link_visit_action"], &features),
		missing("log_conversion", conversion, found["log_conversion"], &features),
		missing("log_conversion_item", itemColumns(), found["log_conversion_item"], &features),
		missing("log_action", entryColumns(), found["log_action"], &features),
		missing("tracking_failure", failureColumns(), found["tracking_failure"], &features),
	)

	// location_provider belongs to a plugin that older Matomos do not load in the queue's worker (spec §15.1).
	s.noteUnknown("log_visit", unknown(visit, found["log_visit"], "idvisit", "location_provider"))
	s.noteUnknown("log_link_visit_action", unknown(link, found["log_link_visit_action"], "idlink_va"))
	s.noteUnknown("log_conversion", unknown(conversion, found["log_conversion"], "location_provider"))
	s.noteUnknown("log_conversion_item", unknown(itemColumns(), found["log_conversion_item"]))

	if err := s.findIndexes(ctx); err != nil {
		return err
	}
	userText, err := s.dialect.readUserText(ctx, s.db, s.prefix+"log_visit")
	if err != nil {
		return err
	}
	s.prepareFinders(userText("q.u"))
	return nil
}

// findIndexes finds out which indexes servers can be made to use: they would read and lock the whole of a small table
// instead.
func (s *Store) findIndexes(ctx context.Context) error {
	s.hints = map[string]string{primary: s.dialect.forceIndex(primary)}
	for base, wanted := range map[string][]string{
		"log_visit": {visitorIndex, configIndex}, "log_link_visit_action": {linkVisit},
		"log_page_view_time": {pageViewKey, pageViewTime},
	} {
		found, err := s.dialect.readIndexes(ctx, s.db, s.prefix+base)
		if err != nil {
			return fmt.Errorf("indexes of table %s: %w", s.prefix+base, err)
		}
		for _, part := range found {
			i := slices.IndexFunc(wanted, func(index string) bool { return strings.EqualFold(index, part.Name) })
			if i < 0 {
				continue
			}
			s.hints[wanted[i]] = s.dialect.forceIndex(name(wanted[i]))
			if wanted[i] == visitorIndex { // the last part decides
				s.schema.HasVisitorIndex, s.schema.VisitorIndexDescending = true, part.Direction.String == "D"
			}
		}
	}
	return nil
}

var (
	dimensionColumn = regexp.MustCompile(`^custom_dimension_([1-9][0-9]*)$`)
	variableColumn  = regexp.MustCompile(`^custom_var_[kv]([1-9][0-9]*)$`)
)

// readPluginColumns finds out how many columns the plugins CustomDimensions and CustomVariables have added, and which
// ones plugin MarketingCampaignsReporting has.
func (s *Store) readPluginColumns(found map[string][]foundColumn, features matomo.Features) {
	for field := range matomo.CampaignFields {
		s.schema.Campaign[field] = features.MarketingCampaigns && s.schema.Has("log_visit", field.Column())
	}
	if features.CustomDimensions {
		s.schema.VisitDimensions = numbered(found["log_visit"], dimensionColumn)
		s.schema.ActionDimensions = numbered(found["log_link_visit_action"], dimensionColumn)
		s.schema.ConversionDimensions = numbered(found["log_conversion"], dimensionColumn)
	}
	if !features.CustomVariables {
		return
	}
	for i, base := range []string{"log_visit", "log_link_visit_action", "log_conversion"} {
		highest := 0
		if numbers := numbered(found[base], variableColumn); len(numbers) > 0 {
			highest = numbers[len(numbers)-1]
		}
		if i == 0 || highest < s.schema.CustomVars {
			s.schema.CustomVars = highest
		}
	}
}

// numbered returns the numbers of the columns whose name matches, ascending.
func numbered(columns []foundColumn, pattern *regexp.Regexp) []int {
	var numbers []int
	for _, c := range columns {
		if m := pattern.FindStringSubmatch(c.name); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

func (s *Store) noteUnknown(base string, columns []string) {
	foreign := columns[:0]
	for _, c := range columns {
		if !dimensionColumn.MatchString(c) && !variableColumn.MatchString(c) {
			foreign = append(foreign, c)
		}
	}
	if len(foreign) > 0 {
		s.schema.Unknown[base] = foreign
	}
}
