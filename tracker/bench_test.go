package tracker_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
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
	t := database.Assemble(b, &golden.Case{Now: journey.Now}, data.Home(b, false)).NewTracker()
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
		if _, err := t.Prepare(b.Context(), sets); err != nil {
			b.Fatal(err)
		}
		sets = sets[:0]
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkPlay plays recorded entries in batches that are read ahead, each on the one in front, and writes them. It
// measures the processor time of Prefetch, Play and Write, without the server's.
func BenchmarkPlay(b *testing.B) {
	const size = 25
	ctx := b.Context()
	data := bench.Find(root)
	database := bench.New(b, bench.MariaDB, data, data.Devices(b))
	assembled := database.Assemble(b, &golden.Case{Now: journey.Now}, data.Home(b, false))
	t := assembled.NewTracker()
	elements := traffic(b)
	prepare := func(first int) *tracker.Prepared {
		sets := make([]queue.RequestSet, size)
		for i := range sets {
			var err error
			if sets[i], err = queue.Decode(elements[(first+i)%len(elements)]); err != nil {
				b.Fatal(err)
			}
		}
		batch, err := t.Prepare(ctx, sets)
		if err != nil {
			b.Fatal(err)
		}
		return batch
	}
	var reading, playing, writing time.Duration
	measured := func(sum *time.Duration, work func() error) {
		before := processorTime(b)
		if err := work(); err != nil {
			b.Fatal(err)
		}
		*sum += processorTime(b) - before
	}
	var tx *store.Tx
	begin := func(ctx context.Context) (_ *store.Tx, err error) {
		tx, err = assembled.Store().Begin(ctx)
		return tx, err
	}
	front := prepare(0)
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	for first := 0; first < b.N; first += size {
		behind := prepare(first + size)
		measured(&reading, func() error { return t.Prefetch(ctx, []*tracker.Prepared{behind}, front) })
		var play *tracker.Play
		tx = nil
		measured(&playing, func() (err error) {
			play, err = t.Play(ctx, front, begin)
			return err
		})
		if tx == nil {
			if _, err := begin(ctx); err != nil {
				b.Fatal(err)
			}
		}
		measured(&writing, func() error { return play.Write(ctx, tx) })
		if err := tx.Commit(ctx); err != nil {
			b.Fatal(err)
		}
		front = behind
	}
	perOp := func(d time.Duration) float64 { return float64(d) / float64(b.N) }
	b.ReportMetric(perOp(reading), "prefetch-ns/op")
	b.ReportMetric(perOp(playing), "play-ns/op")
	b.ReportMetric(perOp(writing), "write-ns/op")
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
