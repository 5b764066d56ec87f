package queue

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// traffic returns the elements of the full recording, or the few that belong to the repository.
func traffic(tb testing.TB) (elements [][]byte) {
	tb.Helper()
	var text io.Reader
	f, err := os.Open(filepath.Join("..", "..", "shared", "perf", "queue-perf.jsonl.gz"))
	if err == nil {
		text, err = gzip.NewReader(f)
	} else {
		f, err = os.Open(filepath.Join("testdata", "traffic.jsonl"))
		text = f
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			tb.Fatal(err)
		}
		elements = append(elements, deflated(tb, string(r.Entry)))
	}
	return elements
}

func BenchmarkDecodeTraffic(b *testing.B) {
	elements := traffic(b)
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime(b)
	for i := range b.N {
		if _, err := Decode(elements[i%len(elements)]); err != nil {
			b.Fatal(err)
		}
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
