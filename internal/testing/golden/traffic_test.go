package golden_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
)

// TestRecordedTraffic drains 6,000 recorded page views of two sites and compares every column of every row.
func TestRecordedTraffic(t *testing.T) {
	dir := filepath.Join(root, "..", "shared", "perf")
	data := bench.Find(root)
	if _, err := os.Stat(dir); err != nil || !data.Shared {
		t.Skip("../shared/perf is not there")
	}
	c := loadTraffic(t, dir)
	home, devices := data.Home(t, false), data.Devices(t)
	sizes := []int{500}
	if *everything {
		sizes = []int{25, 500}
	}
	for _, database := range []string{bench.MariaDB, bench.SQLite} {
		t.Run(database, func(t *testing.T) {
			b := bench.New(t, database, data, devices)
			for _, batch := range sizes {
				started := time.Now()
				summary, found, err := b.Play(t, c, bench.Options{Batch: batch, Home: home, Log: logger()})
				if err != nil {
					t.Fatal(err)
				}
				differences := golden.Compare(c.Expect, found, nil, nil)
				t.Logf("batches of %d: %d requests tracked in %s, with setting up and comparing", batch, summary.Tracked,
					time.Since(started).Round(time.Millisecond))
				if summary.Requests != len(c.Queue) || summary.Tracked != len(c.Queue) {
					t.Errorf("batches of %d: %d requests, %d tracked, want %d", batch, summary.Requests, summary.Tracked, len(c.Queue))
				}
				if len(differences) > 0 {
					t.Errorf("batches of %d: %s", batch, show(differences))
				}
			}
		})
	}
}

func loadTraffic(t *testing.T, dir string) *golden.Case {
	t.Helper()
	// The recording says nothing of the worker's clock; any time of the recorded day is in the past of the rows.
	c := &golden.Case{Area: "perf", Name: "traffic", Now: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC).Unix()}
	lines := bufio.NewScanner(unzip(t, filepath.Join(dir, "queue-perf.jsonl.gz")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e golden.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		c.Queue = append(c.Queue, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(unzip(t, filepath.Join(dir, "expect.json.gz")))
	decoder.UseNumber()
	if err := decoder.Decode(&c.Expect); err != nil {
		t.Fatal(err)
	}
	delete(c.Expect, "option")
	return c
}

func unzip(t *testing.T, file string) *gzip.Reader {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
