package history_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// clock stands still unless it is moved.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

func evening() *clock { return &clock{time.Date(2026, 11, 29, 23, 50, 0, 0, time.UTC)} }

func at(c *clock) *history.Moment { return &history.Moment{Time: c.now, Host: "web1"} }

var places = []struct {
	name string
	open func(*testing.T) queue.Backend
}{
	{"redis", func(t *testing.T) queue.Backend {
		server, database := testserver.RedisDatabase(t)
		return opened(t)(queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port, Database: database}))
	}},
	{"cluster", func(t *testing.T) queue.Backend {
		return opened(t)(queue.NewRedisCluster(queue.RedisOptions{}, testserver.Cluster(t).Addrs()))
	}},
	{"mysql", func(t *testing.T) queue.Backend {
		backend, err := queue.NewMySQL(testserver.MariaDB(t).NewDatabase(t), "matomo_", "database")
		if err != nil {
			t.Fatal(err)
		}
		return backend
	}},
}

func opened(t *testing.T) func(*queue.Redis, error) *queue.Redis {
	return func(r *queue.Redis, err error) *queue.Redis {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
}

// batch is one of 7 requests, of which 3 are tracked.
func batch(id int) replay.Report {
	return replay.Report{
		Queue: id, Duration: 3 * time.Millisecond, Undecodable: 1, Recovered: 40, Retries: 2,
		Result: tracker.Result{
			Requests: 7, Tracked: 3, Failed: 1, Excluded: map[string]int{"bot": 2},
			Rejected: map[request.Reason]int{request.UnknownSite: 1},
			Visits:   2, Actions: 3, Conversions: 1,
		},
	}
}

// twice is what two such batches count.
func twice() history.Counts {
	return history.Counts{
		Batches: 2, Requests: 14, Tracked: 6, Visits: 4, Actions: 6, Conversions: 2, DeadLetters: 4, Recovered: 80,
		Retries:  4,
		Excluded: map[string]int64{"bot": 4}, Rejected: map[string]int64{"unknown site": 2},
	}
}

func once() history.Counts {
	return history.Counts{
		Batches: 1, Requests: 7, Tracked: 3, Visits: 2, Actions: 3, Conversions: 1, DeadLetters: 2, Recovered: 40, Retries: 2,
		Excluded: map[string]int64{"bot": 2}, Rejected: map[string]int64{"unknown site": 1},
	}
}

// Two runs, one before and one after midnight, on two hosts: both are seen afterwards, by day and together.
func TestWhatRunsDidIsSeenAfterwards(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			backend := place.open(t)
			c := evening()
			first := history.NewRecorder(backend, c.read, "web1", slog.New(slog.DiscardHandler))
			first.Batch(batch(0))
			first.Batch(batch(0))
			first.Batch(batch(11))
			first.Looked()
			yesterday := at(c)
			first.Failed(errors.Join(&replay.QueueError{
				Queue: 11,
				Err:   errors.New("too many\x1b[31m dead letters token_auth=geheim"),
			}, errors.New("ä")))
			first.Write()
			c.pass(time.Hour)
			second := history.NewRecorder(backend, c.read, "web1", slog.New(slog.DiscardHandler))
			second.Batch(batch(11))
			second.Looked()
			second.Write()
			today := at(c)

			const told = `queue 11: too many\x1b[31m dead letters token_auth=***\nä`
			failure := &history.Failure{Moment: *yesterday, Error: told}
			ofQueue := &history.Failure{Moment: *yesterday, Error: `too many\x1b[31m dead letters token_auth=***`}
			want := []history.Period{
				{Day: "2026-11-30", LastRun: today, Queues: []history.Queue{{ID: 11, Counts: once(), LastBatch: today}}},
				{Day: "2026-11-29", LastRun: yesterday, Errors: 1, LastError: failure, Queues: []history.Queue{
					{ID: 0, Counts: twice(), LastBatch: yesterday}, {ID: 11, Counts: once(), LastBatch: yesterday, LastError: ofQueue},
				}},
				{Day: "2026-11-28", Queues: []history.Queue{}},
			}
			got, err := history.ReadDays(t.Context(), backend, c.now, 3)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(history.Period{}, "Durations")); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			total, err := history.ReadTotal(t.Context(), backend)
			both := history.Period{LastRun: today, Errors: 1, LastError: failure, Queues: []history.Queue{
				{ID: 0, Counts: twice(), LastBatch: yesterday}, {ID: 11, Counts: twice(), LastBatch: today, LastError: ofQueue},
			}}
			if diff := cmp.Diff(both, total, cmpopts.IgnoreFields(history.Period{}, "Durations")); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if d := total.Durations; d.Count() != 4 || d.Classes[1] != 4 || d.Seconds != 0.012 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// countedCalls counts writes.
type countedCalls struct {
	queue.Backend
	calls int
}

func (c *countedCalls) AddTally(ctx context.Context, key, total string, ttl time.Duration, tally queue.Tally) error {
	c.calls++
	return c.Backend.AddTally(ctx, key, total, ttl, tally)
}

func TestManyBatchesAreWrittenInOneCall(t *testing.T) {
	store := &countedCalls{Backend: places[0].open(t)}
	c := evening()
	r := history.NewRecorder(store, c.read, "web1", slog.New(slog.DiscardHandler))
	for range 1000 {
		r.Batch(batch(0))
	}
	if store.calls != 0 {
		t.Errorf("%d calls within an instant", store.calls)
	}
	for range 20 {
		c.pass(time.Second)
		r.Batch(batch(0))
	}
	if store.calls != 4 {
		t.Errorf("%d calls in 20 s of work", store.calls)
	}
	for range 300 { // nothing to do
		c.pass(time.Second)
		r.Looked()
	}
	if store.calls != 4+5 {
		t.Errorf("%d calls in 5 idle minutes", store.calls-4)
	}
	if total, err := history.ReadTotal(t.Context(), store); err != nil || total.All().Batches != 1020 {
		t.Errorf("%d batches, %v", total.All().Batches, err)
	}
}

// busyOnce is a server at which another worker is in the way the first time.
type busyOnce struct {
	queue.Backend
	asked bool
}

func (b *busyOnce) AddTally(ctx context.Context, key, total string, ttl time.Duration, tally queue.Tally) error {
	if !b.asked {
		b.asked = true
		return fmt.Errorf("deadlock: %w", queue.ErrUnavailable)
	}
	return b.Backend.AddTally(ctx, key, total, ttl, tally)
}

func TestPassingTroubleIsNotToldOf(t *testing.T) {
	store := &busyOnce{Backend: places[0].open(t)}
	var log bytes.Buffer
	r := history.NewRecorder(store, evening().read, "web1", logTo(&log))
	r.Batch(batch(0))
	if !r.Write() || log.Len() > 0 {
		t.Errorf("logged:\n%s", log.String())
	}
	if total, err := history.ReadTotal(t.Context(), store); err != nil || total.All().Batches != 1 {
		t.Errorf("%+v, %v", total, err)
	}
}

func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// A Redis user without the rights for statistics, as older versions of the documentation made it.
func TestServerThatForbidsStatisticsIsToldOfOnce(t *testing.T) {
	server := testserver.Redis(t, testserver.WithUser("matomo", "secret", "~* +@all -hincrby"))
	store := &countedCalls{Backend: opened(t)(queue.NewRedis(
		queue.RedisOptions{Host: server.Host, Port: server.Port, User: "matomo", Password: "secret"}))}
	var log bytes.Buffer
	r := history.NewRecorder(store, evening().read, "web1", logTo(&log))
	for range 3 {
		r.Batch(batch(0))
		r.Write()
	}
	if n := strings.Count(log.String(), "statistics cannot be kept"); n != 1 || store.calls != 1 ||
		!strings.Contains(log.String(), "not allowed") {
		t.Errorf("%d warnings, %d calls:\n%s", n, store.calls, log.String())
	}
}

// Statistics are small: a server whose memory is full takes them all the same.
func TestFullServerTakesStatistics(t *testing.T) {
	server := testserver.Redis(t, testserver.WithConfig("maxmemory 1", "maxmemory-policy noeviction"))
	backend := opened(t)(queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port}))
	var log bytes.Buffer
	c := evening()
	r := history.NewRecorder(backend, c.read, "web1", logTo(&log))
	for range 2 {
		r.Batch(batch(0))
		if !r.Write() {
			t.Error("not written")
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged:\n%s", log.String())
	}
	days, err := history.ReadDays(t.Context(), backend, c.now, 1)
	if diff := cmp.Diff(twice(), days[0].Queue(0)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	backend := places[0].open(t)
	r := history.NewRecorder(backend, evening().read, "web1", slog.New(slog.DiscardHandler))
	for n := range 1000 {
		b := replay.Report{Result: tracker.Result{Excluded: map[string]int{
			fmt.Sprintf("=%d\n", n) + strings.Repeat("ä", 100): 1,
		}}}
		r.Batch(b)
	}
	r.Write()
	total, err := history.ReadTotal(t.Context(), backend)
	excluded := total.Queue(0).Excluded
	if err != nil || len(excluded) != 101 || excluded["other reasons"] != 900 || history.Sum(excluded) != 1000 {
		t.Errorf("%d reasons, %v: %v", len(excluded), err, excluded)
	}
	for reason := range excluded {
		if len(reason) > 60 || strings.ContainsAny(reason, "=\n") {
			t.Errorf("%q", reason)
		}
	}
}

// What somebody else has written there does no harm.
func TestStrangeFieldsAreLeftOut(t *testing.T) {
	backend := places[0].open(t)
	err := backend.AddTally(t.Context(), queue.DayKey("2026-11-29"), queue.TotalKey, time.Hour, queue.Tally{
		Numbers: map[string]int64{
			"x": 1, "-1:tracked": 1, "99999:tracked": 1, "3:": 1, "all:duration:99": 1,
			"all:duration:x": 2, "3:tracked": 8,
		},
		Texts: map[string]string{"3:time": "yesterday", "3:tracked:": "", "all:error_time": "", "3:host": "42"},
	})
	if err != nil {
		t.Fatal(err)
	}
	total, err := history.ReadTotal(t.Context(), backend)
	if err != nil || len(total.Queues) != 1 || total.Queues[0].Tracked != 8 || total.Queues[0].LastBatch != nil ||
		total.LastError != nil ||
		total.Durations.Count() != 0 {
		t.Errorf("%+v, %v", total, err)
	}
}
