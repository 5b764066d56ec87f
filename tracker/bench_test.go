package tracker_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/golden"
	"github.com/queuedtracking/queuedtracking/internal/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/journey"
	"github.com/queuedtracking/queuedtracking/queue"
)

// traffic returns the elements of the full recording, or the few that belong to the repository.
func traffic(tb testing.TB) (elements [][]byte) {
	tb.Helper()
	var text io.Reader
	f, err := os.Open(filepath.Join(root, "..", "shared", "perf", "queue-perf.jsonl.gz"))
	if err == nil {
		text, err = gzip.NewReader(f)
	} else {
		f, err = os.Open(filepath.Join(root, "queue", "testdata", "traffic.jsonl"))
		text = f
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e golden.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			tb.Fatal(err)
		}
		elements = append(elements, golden.Compress(e.Entry))
	}
	return elements
}

// BenchmarkPrepare decodes and reads batches of recorded entries: what a request costs before anything is asked of the
// database.
func BenchmarkPrepare(b *testing.B) {
	const batch = 25
	data := bench.Find(root)
	database := bench.New(b, bench.SQLite, data, data.Devices(b))
	tracker := database.Assemble(b, &golden.Case{Now: journey.Now}, data.Home(b, false)).NewTracker()
	elements := traffic(b)
	sets := make([]queue.RequestSet, 0, batch)
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	for i := range b.N {
		set, err := queue.Decode(elements[i%len(elements)])
		if err != nil {
			b.Fatal(err)
		}
		if sets = append(sets, set); len(sets) < batch && i < b.N-1 {
			continue
		}
		if _, err := tracker.Prepare(b.Context(), sets); err != nil {
			b.Fatal(err)
		}
		sets = sets[:0]
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what the process has used so far. Unlike the time on the clock it counts the collector, and nothing
// of other processes.
func processorTime(tb testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
