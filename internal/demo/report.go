package demo

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Table is a part of the report.
type Table struct {
	Title  string
	Header []string // of the columns; "#" in front of those that hold numbers
	Rows   [][]string
}

// labels of numbers that Matomo stores.
const (
	referrerType = `CASE v.referer_type WHEN 1 THEN 'direct entry' WHEN 2 THEN 'search engine' WHEN 3 THEN 'website'
		WHEN 6 THEN 'campaign' WHEN 7 THEN 'social network' WHEN 8 THEN 'AI assistant' END`
	deviceType = `CASE v.config_device_type WHEN 0 THEN 'desktop' WHEN 1 THEN 'smartphone' WHEN 2 THEN 'tablet' ELSE 'other' END`
	browser    = `CASE v.config_browser_name WHEN 'CH' THEN 'Chrome' WHEN 'CM' THEN 'Chrome Mobile' WHEN 'FF' THEN 'Firefox' WHEN 'FM' THEN 'Firefox Mobile'
		WHEN 'MF' THEN 'Mobile Safari' WHEN 'SF' THEN 'Safari' WHEN 'PS' THEN 'Microsoft Edge' WHEN 'SB' THEN 'Samsung Browser'
		WHEN 'OP' THEN 'Opera' ELSE v.config_browser_name END`
	system = `CASE v.config_os WHEN 'WIN' THEN 'Windows' WHEN 'MAC' THEN 'Mac' WHEN 'LIN' THEN 'GNU/Linux' WHEN 'AND' THEN 'Android' WHEN 'IOS' THEN 'iOS'
		WHEN 'IPA' THEN 'iPadOS' WHEN 'COS' THEN 'Chrome OS' ELSE v.config_os END`
)

// reports are the queries of the report. %[1]s is the prefix of the tables.
var reports = []struct {
	title  string
	header []string
	query  string
}{
	{
		"Visits per day and site (UTC)",
		[]string{"Day", "Site", "#Visits", "#Visitors", "#Actions", "#Minutes"},
		`SELECT date(v.visit_first_action_time), s.name, COUNT(*), COUNT(DISTINCT v.idvisitor), SUM(v.visit_total_actions), SUM(v.visit_total_time) / 60
		FROM %[1]slog_visit v JOIN %[1]ssite s ON s.idsite = v.idsite GROUP BY 1, 2 ORDER BY 1, 2`,
	},
	{
		"Most visited pages",
		[]string{"Site", "Page", "#Views", "#Visits"},
		`SELECT s.name, a.name, COUNT(*), COUNT(DISTINCT l.idvisit) FROM %[1]slog_link_visit_action l
		JOIN %[1]slog_action a ON a.idaction = l.idaction_url AND a.type = 1 JOIN %[1]ssite s ON s.idsite = l.idsite
		WHERE l.idaction_event_category IS NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10`,
	},
	{
		"Time spent on pages",
		[]string{"Site", "Page", "#Views", "#Seconds per view"},
		`SELECT s.name, a.name, COUNT(*), printf('%%.0f', AVG(t.time_spent)) FROM %[1]slog_page_view_time t
		JOIN %[1]slog_action a ON a.idaction = t.idaction_url JOIN %[1]ssite s ON s.idsite = t.idsite
		GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 6`,
	},
	{
		"Where visits come from",
		[]string{"Kind", "From", "Keyword", "#Visits"},
		`SELECT ` + referrerType + `, COALESCE(v.referer_name, ''), COALESCE(v.referer_keyword, ''), COUNT(*) FROM %[1]slog_visit v
		GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 15`,
	},
	{
		"People and AI agents",
		[]string{"Who", "#Visits", "#Actions", "#Actions per visit"},
		`SELECT COALESCE(v.ai_agent_name, 'people'), COUNT(*), SUM(v.visit_total_actions), printf('%%.1f', AVG(v.visit_total_actions))
		FROM %[1]slog_visit v GROUP BY 1 ORDER BY 2 DESC, 1`,
	},
	{
		"Bots of AI assistants, which are no visits",
		[]string{"Bot", "#Requests", "#Not found", "#KiB", "#Milliseconds"},
		`SELECT bot_name, COUNT(*), SUM(http_status_code = 404), SUM(response_size_bytes) / 1024, CAST(AVG(response_time_ms) AS integer)
		FROM %[1]slog_bot_request GROUP BY 1 ORDER BY 2 DESC, 1`,
	},
	{
		"Browsers and devices",
		[]string{"Browser", "System", "Device", "#Visits"},
		`SELECT ` + browser + `, ` + system + `, ` + deviceType +
			`, COUNT(*) FROM %[1]slog_visit v GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 10`,
	},
	{
		"Countries, guessed from languages",
		[]string{"Country", "#Visits"},
		`SELECT location_country, COUNT(*) FROM %[1]slog_visit GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 6`,
	},
	{
		"Goals, carts and orders",
		[]string{"Site", "What", "#Conversions", "#Revenue"},
		`SELECT s.name, COALESCE(g.name, CASE c.idgoal WHEN 0 THEN 'Orders' WHEN -1 THEN 'Abandoned carts' END), COUNT(*), printf('%%.2f', SUM(COALESCE(c.revenue, 0)))
		FROM %[1]slog_conversion c JOIN %[1]ssite s ON s.idsite = c.idsite LEFT JOIN %[1]sgoal g ON g.idsite = c.idsite AND g.idgoal = c.idgoal
		GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2`,
	},
	{
		"Site searches",
		[]string{"Site", "Keyword", "#Searches"},
		`SELECT s.name, a.name, COUNT(*) FROM %[1]slog_link_visit_action l JOIN %[1]slog_action a ON a.idaction = l.idaction_name AND a.type = 8
		JOIN %[1]ssite s ON s.idsite = l.idsite GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 6`,
	},
	{
		"Downloads, outlinks and events",
		[]string{"Kind", "What", "#Times"},
		`SELECT CASE a.type WHEN 2 THEN 'outlink' WHEN 3 THEN 'download' ELSE 'event' END, a.name, COUNT(*) FROM %[1]slog_link_visit_action l
		JOIN %[1]slog_action a ON a.idaction = CASE WHEN l.idaction_event_category > 0 THEN l.idaction_event_category ELSE l.idaction_url END
		WHERE a.type IN (2, 3, 10) GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10`,
	},
}

// Report reads the tables of the report from the database.
func Report(ctx context.Context, db *sqlx.DB, prefix string) ([]Table, error) {
	tables := make([]Table, 0, len(reports))
	for _, r := range reports {
		rows, err := readTexts(ctx, db, fmt.Sprintf(r.query, prefix))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.title, err)
		}
		tables = append(tables, Table{r.title, r.header, rows})
	}
	return tables, nil
}

// readTexts runs a query and returns all values as text, NULL as "".
func readTexts(ctx context.Context, db *sqlx.DB, query string) (texts [][]string, err error) {
	rows, err := db.QueryxContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
			case []byte:
				row[i] = string(v)
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		texts = append(texts, row)
	}
	return texts, rows.Err()
}
