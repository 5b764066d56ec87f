package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const finishUpdate = "finish Matomo's update: ./console core:update"

// warnOfMissingColumns names the columns without which rows are written.
func (p *program) warnOfMissingColumns(schema *store.Schema) {
	if len(schema.Missing) > 0 {
		p.logs.Warn("columns are missing, rows are written without them; "+finishUpdate,
			"columns", columnNames(schema.Missing))
	}
}

// checkColumns looks for columns that Matomo's own plugins fill and that tables lack.
func (c *testCommand) checkColumns(ctx context.Context) {
	const name = "columns"
	tables, err := store.Open(ctx, c.conn.db, store.Options{
		Prefix:   c.conn.config.Database().Prefix,
		Features: matomo.FeaturesOf(c.conn.installation.Plugins().Native),
	})
	if err != nil {
		c.report.Fail(name, err, "")
		return
	}
	defer tables.Close()
	if missing := tables.Schema().Missing; len(missing) > 0 {
		c.report.Fail(name, fmt.Errorf("missing: %s", columnNames(missing)),
			finishUpdate+"; until then PHP's tracker fails, and process writes rows without them")
		return
	}
	c.report.OK(name, "those of all active plugins of Matomo are there")
}

func columnNames(missing []store.MissingColumn) string {
	names := make([]string, len(missing))
	for i, m := range missing {
		names[i] = m.String()
	}
	return strings.Join(names, ", ")
}
