package golden_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/golden"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// TestRecordedTraffic drains 6,000 recorded page views of two sites and compares every column of every row.
func TestRecordedTraffic(t *testing.T) {
	dir := filepath.Join(sharedDir, "perf")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("../shared/perf is not there")
	}
	c := loadTraffic(t, dir)
	home := matomoDir(t, filepath.Join(sharedDir, "matomo-data"), false)
	devices, err := device.Load(matomo.VendorIn(home).DeviceRegexes())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{mariadbName, sqliteName} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, filepath.Join(sharedDir, "golden", "install"), devices)
			for _, batch := range []int{25, 500} {
				started := time.Now()
				summary, differences, err := b.run(t, c, batch, home)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("batches of %d: %d requests tracked in %s, with setting up and comparing", batch, summary.Tracked, time.Since(started).Round(time.Millisecond))
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
