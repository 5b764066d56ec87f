package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/receive"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

const now = 1_800_000_000

func queues(t *testing.T) (*miniredis.Miniredis, *queue.Redis, *Queues) {
	t.Helper()
	server := miniredis.RunT(t)
	host, port, err := net.SplitHostPort(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := queue.NewRedis(queue.RedisOptions{Host: host, Port: number})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close() })
	return server, backend, NewQueues(backend, func() int { return 2 }, func() time.Time { return time.Unix(now, 0) },
		testserver.Patience)
}

func TestQueuesTellLengthAgeDeadLettersAndLocks(t *testing.T) {
	_, backend, collector := queues(t)
	ctx := context.Background()
	element, err := queue.Encode(queue.RequestSet{Requests: []*php.Array{{}}, Time: now - 90})
	if err != nil {
		t.Fatal(err)
	}
	for list, elements := range map[string][][]byte{queue.Key(1): {element, element}, queue.FailedKey(queue.Key(1)): {[]byte("x")}, queue.Key(0): {[]byte("no entry")}} {
		if err := backend.Append(ctx, list, elements...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := backend.SetIfNotExists(ctx, lock.Key(1), "me", time.Hour); err != nil {
		t.Fatal(err)
	}
	lines := told(t, collector)
	if left := value(t, lines, `queuedtracking_queue_lock_seconds{queue="1"}`); left <= 0 || left > 3600 {
		t.Errorf("the lock of an hour has %g seconds left", left)
	}
	wantLines(t, lines,
		`queuedtracking_queue_up 1`,
		`queuedtracking_queue_length{queue="0"} 1`, `queuedtracking_queue_length{queue="1"} 2`,
		`queuedtracking_queue_oldest_age_seconds{queue="0"} 0`, `queuedtracking_queue_oldest_age_seconds{queue="1"} 90`,
		`queuedtracking_queue_dead_letters{queue="0"} 0`, `queuedtracking_queue_dead_letters{queue="1"} 1`,
		`queuedtracking_queue_lock_seconds{queue="0"} 0`,
	)
}

// told is what Prometheus reads, without comments.
func told(t *testing.T, collector prometheus.Collector) (lines []string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	return gathered(registry)
}

func gathered(registry *prometheus.Registry) (lines []string) {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// value is what a line says of a metric.
func value(t *testing.T, lines []string, metric string) float64 {
	t.Helper()
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, metric+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no metric %s in\n%s", metric, strings.Join(lines, "\n"))
	return 0
}

func wantLines(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("no line %s in\n%s", line, strings.Join(lines, "\n"))
		}
	}
}

func TestQueuesThatAreAwayAreDown(t *testing.T) {
	server, _, collector := queues(t)
	server.Close()
	if lines := told(t, collector); !slices.Equal(lines, []string{"queuedtracking_queue_up 0"}) {
		t.Errorf("%q", lines)
	}
}

func TestWorkerCountsResults(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := NewWorker(registry)
	w.Batch(replay.Report{Duration: time.Second, Result: tracker.Result{
		Tracked: 5, Failed: 1, Excluded: map[string]int{"bot": 2, "ip": 1},
		Rejected: map[request.Reason]int{request.UnknownSite: 4}, Visits: 3,
	}})
	w.RunFailed()
	if lines := gathered(registry); slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, lastRunName) }) {
		t.Error("a run is told of that has not been")
	}
	wantLines(t, gathered(registry),
		`queuedtracking_tracked_requests_total{result="tracked"} 5`,
		`queuedtracking_tracked_requests_total{result="failed"} 1`,
		`queuedtracking_tracked_requests_total{result="excluded"} 3`,
		`queuedtracking_tracked_requests_total{result="rejected"} 4`,
		`queuedtracking_written_rows_total{table="visits"} 3`, `queuedtracking_run_errors_total 1`,
		`queuedtracking_batch_duration_seconds_count 1`,
	)
}

// What is kept of all runs has the names, kinds and labels of what a process tells of itself.
func TestKeptCountersAreThoseOfAWorker(t *testing.T) {
	batches := []replay.Report{
		{Duration: 3 * time.Millisecond, Result: tracker.Result{Tracked: 5, Failed: 1, Visits: 3, Actions: 5}},
		{Duration: time.Hour, Result: tracker.Result{
			Conversions: 2, BotRequests: 4,
			Excluded: map[string]int{"bot": 2, "ip": 1},
		}},
		{Duration: 2 * time.Millisecond, Result: tracker.Result{Rejected: map[request.Reason]int{request.UnknownSite: 4}}},
	}
	_, backend, _ := queues(t)
	clock := func() time.Time { return time.Unix(now, 0) }
	recorder := history.NewRecorder(backend, clock, "web1", slog.New(slog.DiscardHandler))
	ofProcess, ofAll := prometheus.NewRegistry(), prometheus.NewRegistry()
	w := NewWorker(ofProcess)
	for _, b := range batches {
		w.Batch(b)
		recorder.Batch(b)
	}
	w.RunFailed()
	recorder.Failed(errors.New("x"))
	w.Looked(clock())
	recorder.Looked()
	recorder.Write()
	total, err := history.ReadTotal(t.Context(), backend)
	if err != nil {
		t.Fatal(err)
	}
	ofAll.MustRegister(NewKept(total))
	want, got := gathered(ofProcess), gathered(ofAll)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-of the process +of all runs):\n%s", diff)
	}
}

// TestDashboardAndAlertsAskForMetricsThatExist keeps docs and code together; docs/metrics.md has them all.
func TestDashboardAndAlertsAskForMetricsThatExist(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, _, collector := queues(t)
	registry.MustRegister(collector, NewBuild("v1"))
	w := NewWorker(registry)
	w.Batch(replay.Report{})
	w.Looked(time.Now())
	receive.NewMetrics(registry)
	spool, err := receive.OpenSpool(t.TempDir(), 1, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	receive.WatchSpool(registry, spool)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	// A counter with labels is not told before it counts.
	known := []string{"queuedtracking_http_requests_total", "queuedtracking_queue_oldest_age_seconds"}
	list, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.Contains(string(list), "| `"+f.GetName()+"` |") {
			t.Errorf("metrics.md does not list %s", f.GetName())
		}
		known = append(known, f.GetName(), f.GetName()+"_bucket", f.GetName()+"_sum", f.GetName()+"_count")
	}
	for _, name := range []string{"alerts.yml", "grafana/queuedtracking.json", "metrics.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range regexp.MustCompile(`queuedtracking_\w+`).FindAllString(string(text), -1) {
			if !slices.Contains(known, metric) {
				t.Errorf("%s asks for %s, which does not exist", name, metric)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", name)
		}
	}
}
