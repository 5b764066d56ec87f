package tracker_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

const (
	campaigns = "MarketingCampaignsReporting"
	bandwidth = "Bandwidth"
)

// pluginStage is an installation with plugins beside Matomo's own, active in one version.
type pluginStage struct {
	*stage
	config map[string]map[string]any
}

func newPluginStage(t *testing.T, database, version string, plugins ...string) *pluginStage {
	t.Helper()
	s := newStage(t, database)
	for _, plugin := range plugins {
		for _, statement := range columnsOf[plugin] {
			if _, err := s.DB().Exec("ALTER TABLE " + golden.Prefix + statement); err != nil {
				t.Fatal(err)
			}
		}
		folder := filepath.Join(s.home, "plugins", plugin)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		about := fmt.Sprintf(`{"name": %q, "version": %q}`, plugin, version)
		if err := os.WriteFile(filepath.Join(folder, "plugin.json"), []byte(about), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := &pluginStage{stage: s, config: map[string]map[string]any{}}
	for _, section := range []string{"Plugins", "PluginsInstalled"} {
		p.config[section] = map[string]any{section: activeWith(t, plugins...)}
	}
	return p
}

// columnsOf are the columns that plugins add when they are installed.
var columnsOf = map[string][]string{
	bandwidth: {"log_link_visit_action ADD COLUMN bandwidth BIGINT UNSIGNED DEFAULT NULL"},
	campaigns: campaignColumns(),
}

func campaignColumns() (statements []string) {
	for _, table := range []string{"log_visit", "log_conversion"} {
		for field := range matomo.CampaignFields {
			length := 255
			if field == matomo.CampaignID || field == matomo.CampaignPlacement {
				length = 100
			}
			statements = append(statements, fmt.Sprintf("%s ADD COLUMN %s VARCHAR(%d) NULL", table, field.Column(), length))
		}
	}
	return statements
}

// activeWith are the plugins of the reference installation and more.
func activeWith(t *testing.T, plugins ...string) []any {
	t.Helper()
	config, err := matomo.LoadConfig(filepath.Join(root, "testdata", "matomo"))
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, name := range append(config.Plugins().Names(), plugins...) {
		all = append(all, name)
	}
	return all
}

// pluginCase is a recorded case: requests of one visitor on a shop's site, ten seconds apart, and their rows.
type pluginCase struct {
	Name             string
	Config           map[string]map[string]any
	Options          map[string]string
	Requests         []map[string]any
	Rejected, Failed int
	Visits           []recordedVisit
	Conversions      []recordedConversion
	Pages            []string
	Bandwidth        []*string
}

type recordedVisit struct {
	Type               string
	Name, Keyword, URL *string
	Campaign           map[string]string
	Actions            string
}

type recordedConversion struct {
	Goal, Type    string
	Name, Keyword *string
	Campaign      map[string]string
}

func (c *pluginCase) entries() (entries []journey.Entry) {
	for i, params := range c.Requests {
		all := map[string]any{"rec": "1", "idsite": "2", "_id": "0123456789abcdef"}
		maps.Copy(all, params)
		entries = append(entries, entryOf("198.18.7.7", int64(10*i), all))
	}
	return entries
}

func recordedCases(t *testing.T, plugin string) []pluginCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "testdata", "plugins", plugin+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []pluginCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no recorded cases")
	}
	return cases
}

// play plays a recorded case and returns it with the rows that were written.
func (s *pluginStage) play(t *testing.T, c pluginCase, batch int) pluginCase {
	t.Helper()
	g := caseOf(c.entries())
	g.Options, g.Config = c.Options, maps.Clone(s.config)
	maps.Copy(g.Config, c.Config)
	g.SQL = []string{
		"DELETE FROM {prefix}goal WHERE idsite = 2",
		"INSERT INTO {prefix}goal (idsite, idgoal, name, description, match_attribute, pattern, pattern_type, " +
			"case_sensitive, allow_multiple, revenue, deleted, event_value_as_revenue) " +
			"VALUES (2, 1, 'g', '', 'manually', '', '', 0, 1, 0, 0, 0)",
	}
	return seen(c, s.playCase(t, g, bench.Options{Batch: batch}))
}

// TestCampaignsAreThoseThatWereRecorded plays each recorded case for itself, in batches of several sizes.
func TestCampaignsAreThoseThatWereRecorded(t *testing.T) {
	everyRecorded(t, campaigns, func(c *pluginCase) { c.Bandwidth = nil })
}

func TestBandwidthIsThatWhichWasRecorded(t *testing.T) {
	everyRecorded(t, bandwidth, func(c *pluginCase) { c.Visits, c.Conversions, c.Pages = nil, nil, nil })
}

// everyRecorded compares what forget leaves of the recorded rows.
func everyRecorded(t *testing.T, plugin string, forget func(c *pluginCase)) {
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newPluginStage(t, database, "5.0.2", plugin)
			for _, want := range recordedCases(t, plugin) {
				for _, batch := range []int{1, 7, 25} {
					if batch > 1 && len(want.Requests) == 1 {
						continue
					}
					got := s.play(t, want, batch)
					forget(&got)
					if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("%s, batches of %d (-want +got):\n%s", want.Name, batch, diff)
					}
				}
			}
		})
	}
}

// seen is a case with the rows that were written.
func seen(c pluginCase, o outcome) pluginCase {
	c.Rejected, c.Failed = o.summary.Result.Rejected[request.WrongType], o.summary.Result.Failed
	c.Visits, c.Conversions, c.Pages, c.Bandwidth = nil, nil, nil, nil
	for _, row := range o.rows["log_visit"] {
		c.Visits = append(c.Visits, recordedVisit{
			Type: fmt.Sprint(row["referer_type"]), Name: textOf(row["referer_name"]), Keyword: textOf(row["referer_keyword"]),
			URL: textOf(row["referer_url"]), Campaign: campaignOf(row), Actions: fmt.Sprint(row["visit_total_actions"]),
		})
	}
	for _, row := range o.rows["log_conversion"] {
		c.Conversions = append(c.Conversions, recordedConversion{
			Goal: fmt.Sprint(row["idgoal"]), Type: fmt.Sprint(row["referer_type"]), Name: textOf(row["referer_name"]),
			Keyword: textOf(row["referer_keyword"]), Campaign: campaignOf(row),
		})
	}
	for _, row := range o.rows["log_action"] {
		if fmt.Sprint(row["type"]) == "1" {
			c.Pages = append(c.Pages, fmt.Sprint(row["name"]))
		}
	}
	for _, row := range o.rows["log_link_visit_action"] {
		c.Bandwidth = append(c.Bandwidth, textOf(row["bandwidth"]))
	}
	return c
}

func textOf(cell any) *string {
	if cell == nil {
		return nil
	}
	text := fmt.Sprint(cell)
	return &text
}

func campaignOf(row golden.Row) map[string]string {
	campaign := make(map[string]string)
	for field := range matomo.CampaignFields {
		if text := textOf(row[field.Column()]); text != nil {
			campaign[field.Column()] = *text
		}
	}
	return campaign
}

// TestCampaignsDoNotDependOnTheBatchSize has several people come by random campaigns, with goals and carts in between.
func TestCampaignsDoNotDependOnTheBatchSize(t *testing.T) {
	tagged := []string{
		"", "", "?mtm_campaign=A", "?mtm_campaign=a&mtm_source=S", "?utm_content=c", "?mtm_campaign=10",
		"#mtm_campaign=1e1", "?mtm_source[]=x", "?utm_id=Id&mtm_placement=" + strings.Repeat("p", 101),
	}
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newPluginStage(t, database, "5.0.2", campaigns, bandwidth)
			for seed := range uint64(2) {
				r := rand.New(rand.NewPCG(seed, 2))
				var entries []journey.Entry
				for i := range 60 {
					person := r.IntN(4)
					page := fmt.Sprintf("http://site1.example.org/p%d", r.IntN(5))
					query := url.Values{"url": {page + tagged[r.IntN(len(tagged))]}}
					query.Set("_id", fmt.Sprintf("%016x", person+1))
					query.Set("bw_bytes", fmt.Sprint(r.IntN(9)-1))
					switch r.IntN(6) {
					case 0:
						query.Set("idgoal", "11")
					case 1:
						query.Set("mtm_campaign", "by parameter")
					case 2:
						query.Set("ping", "1")
					}
					entries = append(entries, entryFrom(fmt.Sprintf("198.18.71.%d", person), int64(i), query.Encode()))
				}
				play := func(batch int, o bench.Options) outcome {
					o.Batch, o.Random = batch, constant{}
					c := caseOf(entries)
					c.Config = s.config
					return s.playCase(t, c, o)
				}
				want := play(1, bench.Options{})
				result := want.summary.Result
				if len(want.rows["log_visit"]) < 8 || result.Failed == 0 || len(result.Rejected) == 0 {
					t.Errorf("%s: not all rules had a turn", want.counts())
				}
				for _, batch := range []int{2, 7, 25, 500} {
					for _, line := range differences(want, play(batch, bench.Options{}), sentIDs(entries)) {
						t.Errorf("seed %d, batches of %d: %s", seed, batch, line)
					}
				}
				for _, line := range differences(want, play(25, bench.Options{Wrap: withDeadlocks}), sentIDs(entries)) {
					t.Errorf("seed %d, every batch twice: %s", seed, line)
				}
			}
		})
	}
}

// A plugin in a version that is not known has nothing to do with the rows (--ignore-plugins).
func TestPluginsOfOtherVersionsAreLeftOut(t *testing.T) {
	s := newPluginStage(t, bench.SQLite, "5.1.0", campaigns, bandwidth)
	got := s.play(t, pluginCase{Requests: []map[string]any{{
		"url": "https://shop.example.com/p?utm_content=c", "bw_bytes": "5",
	}}}, 25)
	if v := got.Visits; len(v) != 1 || v[0].Type != "1" || len(v[0].Campaign) > 0 ||
		got.Pages[0] != "shop.example.com/p?utm_content=c" || got.Bandwidth[0] != nil {
		t.Errorf("%+v", got)
	}
}
