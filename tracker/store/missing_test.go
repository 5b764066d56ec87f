package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// installations are the tables of Matomos, with the plugins of this program that they do not have.
var installations = []struct {
	version string
	six     bool
	without string
}{
	{"5.1", false, "AIAgents BotTracking"},
	{"6.0", true, ""},
}

// installed creates the tables of an installation.
func installed(t *testing.T, six bool) *sqlx.DB {
	t.Helper()
	db := mariaDB(t)
	if six {
		upgrade(t, db)
	}
	return db
}

func missingOf(t *testing.T, db *sqlx.DB, without string) []MissingColumn {
	t.Helper()
	features := matomo.FeaturesOf(func(plugin string) bool { return !strings.Contains(without, plugin) })
	s, err := Open(t.Context(), db, Options{Prefix: testPrefix, Features: features})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return s.Schema().Missing
}

func TestInstallationsLackNoColumn(t *testing.T) {
	for _, i := range installations {
		if missing := missingOf(t, installed(t, i.six), i.without); missing != nil {
			t.Errorf("%s: %v, want none", i.version, missing)
		}
	}
}

func TestMissingColumnsAreNamedWithTheirPlugin(t *testing.T) {
	for _, i := range installations {
		db := installed(t, i.six)
		for _, column := range []string{"config_os_version", "profilable", "custom_dimension_2"} {
			db.MustExec("ALTER TABLE m_log_visit DROP COLUMN " + column)
		}
		db.MustExec("ALTER TABLE m_log_link_visit_action DROP COLUMN time_on_load")
		want := []MissingColumn{
			{"log_visit", "profilable", ""},
			{"log_visit", "config_os_version", "DevicesDetection"},
			{"log_link_visit_action", "time_on_load", "PagePerformance"},
		}
		if diff := cmp.Diff(want, missingOf(t, db, i.without)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", i.version, diff)
		}
		const words = "[log_visit.profilable (core) log_visit.config_os_version (plugin DevicesDetection)]"
		if got := fmt.Sprint(want[:2]); got != words {
			t.Errorf("%s, want %s", got, words)
		}
		if missing := missingOf(t, db, i.without+" DevicesDetection PagePerformance"); len(missing) != 1 {
			t.Errorf("%s: of inactive plugins: %v, want only that of the core", i.version, missing)
		}
	}
}

// An update to 5.6 that was not finished has the plugin and not its column.
func TestColumnOfAnUpdateThatWasNotFinished(t *testing.T) {
	want := []MissingColumn{{"log_visit", "ai_agent_name", "AIAgents"}}
	if diff := cmp.Diff(want, missingOf(t, installed(t, false), "")); diff != "" {
		t.Error(diff)
	}
}
