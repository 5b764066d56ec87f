package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Schema is what the tables offer to the tracker.
type Schema struct {
	VisitDimensions      []int // the N of columns custom_dimension_N of log_visit, ascending; empty while the plugin is off
	ActionDimensions     []int // of log_link_visit_action
	ConversionDimensions []int // of log_conversion
	CustomVars           int   // custom variables that all three tables can hold (spec §5.7)
	HasVisitorIndex      bool  // log_visit has index_idsite_idvisitor_time (spec §3.2)

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

// foundColumn is a column as the database describes it.
type foundColumn struct {
	name string
	typ  columnType
}

func (s *Store) readSchema(ctx context.Context, features matomo.Features) error {
	found := make(map[string][]foundColumn)
	s.schema = Schema{Unknown: map[string][]string{}, columns: map[string]map[string]bool{}}
	for _, base := range []string{
		"log_visit", "log_link_visit_action", "log_action", "log_conversion", "log_conversion_item", "tracking_failure",
	} {
		columns, err := s.readColumns(ctx, base)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.prefix+base, err)
		}
		if len(columns) == 0 {
			return fmt.Errorf("no table %s: check dbname and tables_prefix in section [database] of config/config.ini.php", s.prefix+base)
		}
		found[base] = columns
		s.schema.columns[base] = make(map[string]bool, len(columns))
		for _, c := range columns {
			s.schema.columns[base][strings.ToLower(c.name)] = true
		}
	}
	times, err := s.readColumns(ctx, "log_page_view_time") // since Matomo 6
	if err != nil {
		return fmt.Errorf("table %s: %w", s.prefix+"log_page_view_time", err)
	}
	s.pageViews = discover("log_page_view_time", s.table("log_page_view_time"), pageViewColumns(), times, &features)
	s.readPluginColumns(found, features)
	if features.BotTracking {
		columns, err := s.readColumns(ctx, botRequests)
		if err != nil {
			return fmt.Errorf("table %s: %w", s.prefix+botRequests, err)
		}
		s.bots = discover(botRequests, s.table(botRequests), botColumns(), columns, &features)
	}

	visit := visitColumns(s.schema.VisitDimensions, s.schema.CustomVars)
	link := linkColumns(s.schema.ActionDimensions, s.schema.CustomVars)
	conversion := conversionColumns(s.schema.ConversionDimensions, s.schema.CustomVars)
	s.visits = discover("log_visit", s.table("log_visit"), visit, found["log_visit"], &features)
	s.links = discover("log_link_visit_action", s.table("log_link_visit_action"), link, found["log_link_visit_action"], &features)
	s.conversions = discover("log_conversion", s.table("log_conversion"), conversion, found["log_conversion"], &features)
	s.items = discover("log_conversion_item", s.table("log_conversion_item"), itemColumns(), found["log_conversion_item"], &features)
	s.entries = discover("log_action", s.table("log_action"), entryColumns(), found["log_action"], &features)
	s.failures = discover("tracking_failure", s.table("tracking_failure"), failureColumns(), found["tracking_failure"], &features)

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

	if err := s.readHints(ctx); err != nil {
		return err
	}
	return s.readLookUps(ctx)
}

// readHints finds out which indexes servers can be made to use: they would read and lock the whole of a small table
// instead.
func (s *Store) readHints(ctx context.Context) error {
	s.hints = make(map[string]string)
	if s.sqlite {
		return nil
	}
	s.hints[primary] = " FORCE INDEX (PRIMARY)"
	for _, i := range [...]struct{ base, index string }{
		{"log_link_visit_action", linkVisit}, {"log_page_view_time", pageViewKey}, {"log_page_view_time", pageViewTime},
	} {
		var found int
		const query = "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND INDEX_NAME = ?"
		if err := s.db.GetContext(ctx, &found, query, s.prefix+i.base, i.index); err != nil {
			return err
		}
		if found > 0 {
			s.hints[i.index] = " FORCE INDEX (" + name(i.index) + ")"
		}
	}
	return nil
}

var (
	dimensionColumn = regexp.MustCompile(`^custom_dimension_([1-9][0-9]*)$`)
	variableColumn  = regexp.MustCompile(`^custom_var_[kv]([1-9][0-9]*)$`)
)

// readPluginColumns finds out how many columns the plugins CustomDimensions and CustomVariables have added.
func (s *Store) readPluginColumns(found map[string][]foundColumn, features matomo.Features) {
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

// readColumns returns the columns of a table in their order, none when there is no such table.
func (s *Store) readColumns(ctx context.Context, base string) ([]foundColumn, error) {
	if s.sqlite {
		return s.readColumnsSQLite(ctx, base)
	}
	var rows []struct {
		Name     string         `db:"name"`
		Type     string         `db:"type"`
		Charset  sql.NullString `db:"charset"`
		Nullable string         `db:"nullable"`
		Default  sql.NullString `db:"preset"`
	}
	const query = "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, CHARACTER_SET_NAME AS charset, IS_NULLABLE AS nullable, " +
		"COLUMN_DEFAULT AS preset FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION"
	if err := s.db.SelectContext(ctx, &rows, query, s.prefix+base); err != nil {
		return nil, err
	}
	columns := make([]foundColumn, len(rows))
	for i, row := range rows {
		typ := parseType(row.Type, row.Charset.String)
		typ.nullable = row.Nullable == "YES"
		typ.setPreset(row.Default)
		columns[i] = foundColumn{row.Name, typ}
	}
	return columns, nil
}

func (s *Store) readColumnsSQLite(ctx context.Context, base string) ([]foundColumn, error) {
	var rows []struct {
		Name    string         `db:"name"`
		Type    string         `db:"type"`
		NotNull bool           `db:"notnull"`
		Default sql.NullString `db:"dflt_value"`
	}
	const query = "SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?) ORDER BY cid"
	if err := s.db.SelectContext(ctx, &rows, query, s.prefix+base); err != nil {
		return nil, err
	}
	columns := make([]foundColumn, len(rows))
	for i, row := range rows {
		declared, charset := strings.TrimPrefix(strings.ToLower(row.Type), "text "), ""
		if narrow, ok := strings.CutPrefix(declared, "utf8mb3 "); ok {
			declared, charset = narrow, "utf8mb3"
		}
		typ := parseType(declared, charset)
		typ.nullable = !row.NotNull
		typ.setPreset(row.Default)
		columns[i] = foundColumn{row.Name, typ}
	}
	return columns, nil
}

// readServer asks for the settings that change what is stored and how much fits into a statement.
func (s *Store) readServer(ctx context.Context) (serverInfo, error) {
	if s.sqlite {
		return serverInfo{strict: true, mariadb: true, increment: 1, maxStatement: 900_000, maxParameters: 30_000}, nil
	}
	var row struct {
		Mode      string `db:"mode"`
		Version   string `db:"version"`
		Charset   string `db:"charset"`
		Increment int64  `db:"increment"`
		MaxPacket int    `db:"packet"`
	}
	const query = "SELECT @@sql_mode AS mode, VERSION() AS version, @@character_set_connection AS charset, " +
		"@@auto_increment_increment AS increment, @@max_allowed_packet AS packet"
	if err := s.db.GetContext(ctx, &row, query); err != nil {
		return serverInfo{}, err
	}
	return serverInfo{
		strict:     strings.Contains(row.Mode, "STRICT_TRANS_TABLES") || strings.Contains(row.Mode, "STRICT_ALL_TABLES"),
		mariadb:    strings.Contains(row.Version, "MariaDB"),
		basicPlane: row.Charset == "utf8mb3" || row.Charset == "utf8",
		increment:  max(row.Increment, 1),
		// Statements of some MB are no faster than one MB, but hold more memory.
		maxPacket:     row.MaxPacket - 1024,
		maxStatement:  min(row.MaxPacket-1024, 1<<20),
		maxParameters: 60_000,
		scripts:       s.takesScripts(ctx),
	}, nil
}

// takesScripts reports whether the connections, and what may stand between them and the server, take several
// statements at once.
func (s *Store) takesScripts(ctx context.Context) bool {
	_, err := s.db.ExecContext(ctx, "DO 0; DO 0")
	return err == nil
}

// readLookUps finds out which indexes there are for FindVisits, and prepares its subqueries. On SQLite FindVisits
// orders equal times itself, as with a descending index.
func (s *Store) readLookUps(ctx context.Context) error {
	var orders []struct {
		Index     string         `db:"name"`
		Collation sql.NullString `db:"direction"` // A: ascending, D: descending
	}
	query := "SELECT INDEX_NAME AS name, COLLATION AS direction FROM information_schema.STATISTICS " +
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY SEQ_IN_INDEX"
	if s.sqlite {
		query = "SELECT substr(name, length(?1) + 2) AS name, 'D' AS direction FROM pragma_index_list(?1)"
	}
	if err := s.db.SelectContext(ctx, &orders, query, s.prefix+"log_visit"); err != nil {
		return err
	}
	hasConfigIndex := false
	for _, o := range orders {
		switch o.Index {
		case visitorIndex: // the last part decides
			s.schema.HasVisitorIndex, s.schema.VisitorIndexDescending = true, o.Collation.String == "D"
		case configIndex:
			hasConfigIndex = true
		}
	}
	userText, err := s.userText(ctx)
	if err != nil {
		return err
	}
	s.prepareFinders(hasConfigIndex, userText("q.u"))
	return nil
}

// userText is how log_visit.user_id compares: a function that makes an expression comparable with it, whatever the
// connection's collation.
func (s *Store) userText(ctx context.Context) (comparable func(expression string) string, err error) {
	asIs := func(expression string) string { return expression }
	if s.sqlite {
		return asIs, nil
	}
	var column struct {
		Charset   string `db:"charset"`
		Collation string `db:"collation"`
	}
	const query = "SELECT COALESCE(MAX(CHARACTER_SET_NAME), '') AS charset, COALESCE(MAX(COLLATION_NAME), '') AS collation " +
		"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = 'user_id'"
	if err := s.db.GetContext(ctx, &column, query, s.prefix+"log_visit"); err != nil {
		return nil, err
	}
	if !validPrefix.MatchString(column.Charset + column.Collation) {
		return nil, fmt.Errorf("character set %q, collation %q of column user_id", column.Charset, column.Collation)
	}
	if column.Collation == "" { // a binary column
		return asIs, nil
	}
	return func(expression string) string {
		return "CONVERT(" + expression + " USING " + column.Charset + ") COLLATE " + column.Collation
	}, nil
}
