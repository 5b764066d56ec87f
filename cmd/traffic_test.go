package cmd

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const shared = "../../shared"

// Recorded traffic of a real installation, drained by the command: all of it is reported, and nothing is left. That the rows are right
// is shown by package golden.
func TestRecordedTrafficIsDrained(t *testing.T) {
	recording, err := os.Open(filepath.Join(shared, "perf", "queue-perf.jsonl.gz"))
	if err != nil {
		t.Skip("no recordings beside the repository:", err)
	}
	defer recording.Close()
	i := newInstallation(t)
	i.db.MustExec("DELETE FROM matomo_site_url")
	for _, table := range []string{"site", "goal", "plugin_setting", "option"} {
		i.db.MustExec("DELETE FROM matomo_" + table)
	}
	script, err := os.ReadFile(filepath.Join(shared, "golden", "install", "fixtures.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range bytes.Split(script, []byte(";\n")) {
		if bytes.Contains(statement, []byte("INSERT INTO")) {
			i.db.MustExec(string(statement))
		}
	}
	n := i.push(t, recording)
	if n != 6000 {
		t.Fatalf("%d entries", n)
	}
	r := i.ok(t, "process", "--num-requests-to-process", "100", "--workers", "2")
	t.Log(r.stdout)
	contains(t, r.stdout, "6,000 requests in ", "Tracked: 6,000 of 6,000 requests")
	if n := i.waiting(t); n != 0 {
		t.Errorf("%d sets are left", n)
	}
}

// push queues recorded entries as the plugin does.
func (i *installation) push(t *testing.T, recording *os.File) (entries int) {
	t.Helper()
	text, err := gzip.NewReader(recording)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Key   string
			Entry json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		var element bytes.Buffer
		w := zlib.NewWriter(&element)
		_, _ = w.Write(line.Entry)
		_ = w.Close()
		if err := i.backend.Append(context.Background(), line.Key, element.Bytes()); err != nil {
			t.Fatal(err)
		}
		entries++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return entries
}
