package tracker_test

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

var (
	journeys = flag.Int("journeys", 6, "how many random journeys to play on each database")
	seed     = flag.Uint64("journeys.seed", 1, "seed of the first journey")
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

const root = ".."

// stage is a database on which journeys are played.
type stage struct {
	*bench.Bench
	home    string
	version string // option version_core, "" for that of the installation
}

func newStage(t *testing.T, database string) *stage { return newStageOf(t, database, "5.1") }

// series are the versions of Matomo that journeys are played on. 5.7 has the tables of 6.0 but for the one that came
// with it.
var series = []string{"5.1", "5.7", "6.0"}

// newStageOf makes an installation of a version. Those from 5.2 on are 6.0's with another version in table option.
func newStageOf(t *testing.T, database, version string) *stage {
	t.Helper()
	data, core := bench.Own(root), ""
	if version != "5.1" {
		data = bench.OwnSix(root)
	}
	if data.Six && version != "6.0" {
		data.Without, core = "log_page_view_time", version+".0"
	}
	return &stage{bench.New(t, database, data, data.Devices(t)), data.Home(t, false), core}
}

// outcome is what playing a journey leaves behind.
type outcome struct {
	summary replay.Summary
	rows    golden.Tables
}

func (s *stage) play(t *testing.T, entries []journey.Entry, queues int, o bench.Options) outcome {
	t.Helper()
	c := caseOf(entries)
	if queues > 1 {
		c.SQL = []string{fmt.Sprintf("UPDATE {prefix}plugin_setting SET setting_value = '%d' WHERE setting_name = 'numQueueWorkers'", queues)}
	}
	return s.playCase(t, c, o)
}

func caseOf(entries []journey.Entry) *golden.Case {
	c := &golden.Case{Now: journey.Now}
	for _, e := range entries {
		c.Queue = append(c.Queue, golden.Entry{Key: queue.Key(e.Queue), UncompressedHex: hex.EncodeToString([]byte(e.Payload))})
	}
	return c
}

func (s *stage) playCase(t *testing.T, c *golden.Case, o bench.Options) outcome {
	t.Helper()
	o.Home = s.home
	if s.version != "" {
		c.Options = maps.Clone(c.Options)
		if c.Options == nil {
			c.Options = make(map[string]string)
		}
		c.Options["version_core"] = s.version
	}
	summary, rows, err := s.Play(t, c, o)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{summary, rows}
}

// counts are the numbers of a summary that do not depend on how requests are batched.
func (o outcome) counts() string {
	r := o.summary.Result
	return fmt.Sprintf("%d requests, %d tracked, %d excluded by %v, rejected for %v, %d failed, %d undecodable, %d visits, %d actions, %d conversions",
		r.Requests, r.Tracked, len(r.Excluded), r.Excluded, r.Rejected, r.Failed, o.summary.Undecodable, r.Visits, r.Actions, r.Conversions)
}

// differences compares by the rule of the recordings. Visitor ids that nobody sent are random.
func differences(want, got outcome, sent string) []string {
	var lines []string
	for _, d := range golden.Compare(want.rows, got.rows, randomCells(want.rows, sent), nil) {
		lines = append(lines, d.String())
	}
	if w, g := want.counts(), got.counts(); w != g {
		lines = append(lines, "summary: "+g+"\n\tinstead of "+w)
	}
	return lines
}

func randomCells(rows golden.Tables, sent string) []string {
	var cells []string
	for _, table := range []string{"log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item"} {
		for i, row := range rows[table] {
			if id := fmt.Sprint(row["idvisitor"]); !strings.Contains(sent, id) {
				cells = append(cells, fmt.Sprintf("%s[%d].idvisitor", table, i))
			}
		}
	}
	return cells
}

// sentIDs is a text that holds every visitor id that the entries determine.
func sentIDs(entries []journey.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.Payload)
		set, err := queue.Decode([]byte(e.Payload))
		if err != nil {
			continue
		}
		for _, params := range set.Requests {
			b.WriteString(hex.EncodeToString(queue.VisitorID(params)))
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// TestRowsDoNotDependOnTheBatchSize plays random journeys in batches of 1, 2, 7, 25 and 500 entries.
func TestRowsDoNotDependOnTheBatchSize(t *testing.T) {
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		everySeries(t, database, func(t *testing.T, s *stage, six bool) {
			for i := range max(1, *journeys/2) {
				options := journey.Options{Seed: *seed + uint64(i), Entries: 30 + 15*(i%4), People: 2 + i%5, Six: six}
				entries := journey.Make(options)
				want := s.playInBatches(t, entries, 1)
				for _, batch := range []int{2, 7, 25, 500} {
					got := s.playInBatches(t, entries, batch)
					if lines := differences(want, got, sentIDs(entries)); len(lines) > 0 {
						s.explain(t, options, entries, batch, lines)
						return
					}
				}
			}
		})
	}
}

// everySeries runs a test on installations of all versions; six tells whether journeys may have what came after 5.1.
func everySeries(t *testing.T, database string, test func(t *testing.T, s *stage, six bool)) {
	for _, version := range series {
		t.Run(database+" "+version, func(t *testing.T) { test(t, newStageOf(t, database, version), version != "5.1") })
	}
}

// playInBatches plays with random values that are the same each time.
func (s *stage) playInBatches(t *testing.T, entries []journey.Entry, batch int) outcome {
	t.Helper()
	return s.play(t, entries, 1, bench.Options{Batch: batch, Random: rand.NewChaCha8([32]byte{1})})
}

// explain reports the shortest part of the journey that shows the difference.
func (s *stage) explain(t *testing.T, options journey.Options, entries []journey.Entry, batch int, lines []string) {
	t.Helper()
	sent := sentIDs(entries)
	differ := func(part []journey.Entry) []string {
		return differences(s.playInBatches(t, part, 1), s.playInBatches(t, part, batch), sent)
	}
	for step := len(entries) / 2; step > 0; step /= 2 {
		for at := 0; at+step <= len(entries); {
			part := append(append([]journey.Entry{}, entries[:at]...), entries[at+step:]...)
			if found := differ(part); len(found) > 0 {
				entries, lines = part, found
				continue
			}
			at += step
		}
	}
	t.Errorf("seed %d, batches of %d: %s", options.Seed, batch, strings.Join(lines[:min(len(lines), 10)], "\n"))
	for _, e := range entries {
		t.Log(e.Payload)
	}
}

// TestRowsDoNotDependOnTheNumberOfWorkers drains four queues with one worker and with four.
func TestRowsDoNotDependOnTheNumberOfWorkers(t *testing.T) {
	const queues = 4
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		everySeries(t, database, func(t *testing.T, s *stage, six bool) {
			for i := range max(1, *journeys/4) {
				seed := *seed + uint64(i)
				entries := journey.Make(journey.Options{
					Seed: seed, Entries: 120, People: 12, Queues: queues, Apart: true,
					Six: six,
				})
				want := s.play(t, entries, queues, bench.Options{Batch: 1, Workers: 1, Random: constant{}})
				for _, batch := range []int{1, 7} {
					got := s.play(t, entries, queues, bench.Options{Batch: batch, Workers: 4, Cores: 2, Random: constant{}})
					inOrder := outcome{want.summary, personByPerson(want.rows)}
					if lines := differences(inOrder, outcome{got.summary, personByPerson(got.rows)}, ""); len(lines) > 0 {
						t.Fatalf("seed %d, batches of %d: %s", seed, batch, strings.Join(lines[:min(len(lines), 10)], "\n"))
					}
				}
			}
		})
	}
}

// constant is a source of random values for several goroutines that is the same for all of them.
type constant struct{}

func (constant) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x5a
	}
	return len(p), nil
}

// personByPerson renumbers visits, their actions and the requests of bots so that their order is that of visitors and
// their requests, not that in which workers have written them. As with Matomo's workers, several may mark the same day
// for new reports, each with an option of its own, and two that meet a new name at the same moment may both add it to
// the dictionary: one of them counts.
func personByPerson(rows golden.Tables) golden.Tables {
	rows = maps.Clone(rows)
	visits := slices.Clone(rows["log_visit"])
	slices.SortStableFunc(visits, func(a, b golden.Row) int {
		return cmp.Or(compareCells(a, b, "idsite", "idvisitor", "config_id"), compareNumbers(a, b, "idvisit"))
	})
	visitNumbers := renumber(visits, "idvisit")
	links := slices.Clone(rows["log_link_visit_action"])
	slices.SortFunc(links, func(a, b golden.Row) int {
		return cmp.Or(cmp.Compare(visitNumbers[fmt.Sprint(a["idvisit"])], visitNumbers[fmt.Sprint(b["idvisit"])]), compareNumbers(a, b, "idlink_va"))
	})
	linkNumbers := renumber(links, "idlink_va")
	views := slices.Clone(rows["log_page_view_time"])
	slices.SortFunc(views, func(a, b golden.Row) int {
		return cmp.Compare(linkNumbers[fmt.Sprint(a["idlink_va"])], linkNumbers[fmt.Sprint(b["idlink_va"])])
	})
	viewNumbers := renumber(views, "idpageviewtime")
	texts := make(map[string]string)
	for _, row := range rows["log_action"] {
		texts[fmt.Sprint(row["idaction"])] = fmt.Sprint(row["name"])
	}
	bots := slices.Clone(rows["log_bot_request"])
	slices.SortFunc(bots, func(a, b golden.Row) int {
		return cmp.Or(
			compareCells(a, b, "idsite", "server_time", "bot_name", "http_status_code", "response_size_bytes",
				"response_time_ms", "source"),
			cmp.Compare(texts[fmt.Sprint(a["idaction_url"])], texts[fmt.Sprint(b["idaction_url"])]))
	})
	botNumbers := renumber(bots, "idrequest")
	names := firstOfName(rows["log_action"])
	for table := range rows {
		renumbered := make([]golden.Row, len(rows[table]))
		for i, row := range rows[table] {
			renumbered[i] = maps.Clone(row)
			for column, value := range row {
				numbers := map[string]map[string]int{
					"idvisit": visitNumbers, "idlink_va": linkNumbers, "last_idlink_va": linkNumbers, "idpageviewtime": viewNumbers,
					"idrequest": botNumbers,
				}[column]
				if strings.Contains(column, "idaction") {
					numbers = names
				}
				if n, ok := numbers[fmt.Sprint(value)]; ok {
					renumbered[i][column] = json.Number(strconv.Itoa(n))
				}
			}
		}
		rows[table] = renumbered
	}
	rows["option"] = distinct(rows["option"], func(row golden.Row) string { return invalidation.FindString(fmt.Sprint(row["option_name"])) })
	rows["log_action"] = distinct(rows["log_action"], func(row golden.Row) string { return fmt.Sprint(row["type"], " ", row["name"]) })
	return rows
}

// firstOfName maps each idaction to the first one with the same type and name.
func firstOfName(actions []golden.Row) map[string]int {
	first, numbers := make(map[string]int), make(map[string]int)
	for _, row := range actions {
		id, _ := strconv.Atoi(fmt.Sprint(row["idaction"]))
		name := fmt.Sprint(row["type"], " ", row["name"])
		if _, ok := first[name]; !ok {
			first[name] = id
		}
		numbers[strconv.Itoa(id)] = first[name]
	}
	return numbers
}

// distinct leaves out rows whose key another one has had; an empty key is no key.
func distinct(rows []golden.Row, key func(golden.Row) string) []golden.Row {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(rows), func(row golden.Row) bool {
		k := key(row)
		again := k != "" && seen[k]
		seen[k] = true
		return again
	})
}

var invalidation = regexp.MustCompile(`_report_to_invalidate_[0-9]+_[0-9-]{10}`)

func renumber(rows []golden.Row, column string) map[string]int {
	numbers := make(map[string]int, len(rows))
	for i, row := range rows {
		numbers[fmt.Sprint(row[column])] = i + 1
	}
	return numbers
}

func compareCells(a, b golden.Row, columns ...string) int {
	for _, column := range columns {
		if c := cmp.Compare(fmt.Sprint(a[column]), fmt.Sprint(b[column])); c != 0 {
			return c
		}
	}
	return 0
}

func compareNumbers(a, b golden.Row, column string) int {
	x, _ := strconv.Atoi(fmt.Sprint(a[column]))
	y, _ := strconv.Atoi(fmt.Sprint(b[column]))
	return cmp.Compare(x, y)
}
