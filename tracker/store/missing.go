package store

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// MissingColumn is a column that an active plugin of Matomo's own fills and that is not there: an update was not
// finished, or somebody has dropped it. PHP's tracker fails then.
type MissingColumn struct {
	Table, Column string // the table without prefix
	Plugin        string // "" for the core
}

// String is "log_visit.config_os (plugin DevicesDetection)".
func (m MissingColumn) String() string {
	if m.Plugin == "" {
		return m.Table + "." + m.Column + " (core)"
	}
	return m.Table + "." + m.Column + " (plugin " + m.Plugin + ")"
}

// missing lists the columns in use that are not found. Those of plugin Provider, which is not Matomo's own, do not
// count.
func missing[R any](
	base string, wanted []column[R], found []foundColumn, features *matomo.Features,
) (list []MissingColumn) {
	for _, c := range wanted {
		isThere := slices.ContainsFunc(found, func(f foundColumn) bool { return strings.EqualFold(f.name, c.name) })
		if isThere || c.owner == provider || !c.inUse(features) {
			continue
		}
		m := MissingColumn{Table: base, Column: c.name}
		if c.owner != nil {
			m.Plugin = c.owner.plugin
		}
		list = append(list, m)
	}
	return list
}
