package tracker_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/golden"
	"github.com/queuedtracking/queuedtracking/internal/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/journey"
	"github.com/queuedtracking/queuedtracking/internal/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

var (
	journeys = flag.Int("journeys", 8, "how many random journeys to play on each database")
	seed     = flag.Uint64("journeys.seed", 1, "seed of the first journey")
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

const root = ".."

// stage is a database on which journeys are played.
type stage struct {
	*bench.Bench
	home string
}

func newStage(t *testing.T, database string) *stage {
	t.Helper()
	data := bench.Own(root)
	return &stage{bench.New(t, database, data.Install, data.Devices(t)), data.Home(t, false)}
}

// outcome is what playing a journey leaves behind.
type outcome struct {
	summary replay.Summary
	rows    golden.Tables
}

func (s *stage) play(t *testing.T, entries []journey.Entry, queues int, o bench.Options) outcome {
	t.Helper()
	c := &golden.Case{Now: journey.Now}
	if queues > 1 {
		c.SQL = []string{fmt.Sprintf("UPDATE {prefix}plugin_setting SET setting_value = '%d' WHERE setting_name = 'numQueueWorkers'", queues)}
	}
	for _, e := range entries {
		c.Queue = append(c.Queue, golden.Entry{Key: queue.Key(e.Queue), UncompressedHex: hex.EncodeToString([]byte(e.Payload))})
	}
	o.Home = s.home
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
		t.Run(database, func(t *testing.T) {
			s := newStage(t, database)
			for i := range *journeys {
				options := journey.Options{Seed: *seed + uint64(i), Entries: 30 + 15*(i%4), People: 2 + i%5}
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
