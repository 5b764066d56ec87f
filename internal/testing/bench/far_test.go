package bench

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/proxy"
	"github.com/queuedtracking/queuedtracking/queue"
)

var distances = flag.String("bench.far", "1ms", "round trips to database and Redis that TestFar measures, such as 500us,1ms,2ms,10ms")

// TestFar drains the recorded traffic with database and Redis at a distance, each in turn with the same run without,
// and prints the ratio. Beside it stands a model of Matomo's worker in PHP.
func TestFar(t *testing.T) {
	b := newBench(t)
	f := b.away(t)
	var lines []string
	for _, m := range []measurement{
		{"25", 25, 25, 1, false},
		{"25x4", 25, 25, 4, false},
		{"auto", 25, 500, 1, false},
		{"autox4", 25, 500, 4, false},
		{phpModel, 25, 25, 1, false},
	} {
		if *only != "" && !strings.Contains(","+*only+",", ","+m.name+",") {
			continue
		}
		for _, text := range strings.Split(*distances, ",") {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			line := f.compare(t, m, d)
			t.Log(line)
			lines = append(lines, line)
		}
	}
	t.Logf("medians of %d parts (ratios: lowest to highest)\n%s", *parts, strings.Join(lines, "\n"))
}

// far is a bench whose servers are behind proxies.
type far struct {
	*bench
	database, queue *proxy.Proxy
	queries         float64 // of Matomo's worker for each request
}

// away puts proxies in front of the servers.
func (b *bench) away(t *testing.T) *far {
	t.Helper()
	f := &far{database: proxy.New(t, b.server.Addr), queue: proxy.New(t, b.redis.Addr)}
	behind := *b
	f.bench = &behind
	plain, err := matomo.ParseConfig(b.home, golden.DatabaseConfig(b.server.Socket, b.database))
	if err != nil {
		t.Fatal(err)
	}
	d := plain.Database()
	d.Socket, d.Host, d.Port = "", f.database.Host, f.database.Port
	if f.db, err = d.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.db.Close() })
	if f.backend, err = queue.NewRedis(queue.RedisOptions{Host: f.queue.Host, Port: f.queue.Port}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.backend.Close() })
	return f
}

// set moves the servers.
func (f *far) set(roundTrip time.Duration) {
	f.database.RoundTrip.Store(int64(roundTrip))
	f.queue.RoundTrip.Store(int64(roundTrip))
}

// traffic is what went through the proxies.
type traffic struct{ questions, bytes [2]int64 }

func (f *far) traffic() (all traffic) {
	for i, p := range [2]*proxy.Proxy{f.database, f.queue} {
		all.questions[i], all.bytes[i] = p.Questions.Load(), p.Bytes.Load()
	}
	return all
}

// compare measures with a distance and without, in turn.
func (f *far) compare(t *testing.T, m measurement, distance time.Duration) string {
	t.Helper()
	var near, away []cost
	var passed traffic
	for part := range *parts {
		for i := range 2 {
			if (i+part)%2 == 0 {
				near = append(near, f.at(t, m, 0))
				continue
			}
			before := f.traffic()
			away = append(away, f.at(t, m, distance))
			after := f.traffic()
			for i := range 2 {
				passed.questions[i] += after.questions[i] - before.questions[i]
				passed.bytes[i] += after.bytes[i] - before.bytes[i]
			}
		}
	}
	ratio, wander := ratios(away, speeds(near))
	total := sum(away)
	per := func(n int64, of int) float64 { return float64(n) / float64(of) }
	return fmt.Sprintf("%-7s %6s %8.0f of %8.0f req/s: %.2f %s; per batch of %.0f: database %.1f messages, %.0f KB, Redis %.1f, %.1f KB; "+
		"cores %.2f; batch p50 %s, p99 %s",
		m.name, distance, median(speeds(away)), median(speeds(near)), ratio, wander, per(int64(total.requests), total.batches),
		per(passed.questions[0], total.batches), per(passed.bytes[0], total.batches)/1000,
		per(passed.questions[1], total.batches), per(passed.bytes[1], total.batches)/1000,
		total.cores(total.machine.busy), percentile(total.latencies, 50).Round(10*time.Microsecond),
		percentile(total.latencies, 99).Round(10*time.Microsecond))
}

// at is one run at a distance.
func (f *far) at(t *testing.T, m measurement, distance time.Duration) cost {
	t.Helper()
	defer f.reset(t)
	if m.name == phpModel {
		if f.queries == 0 { // of the recorded requests
			f.drain(t, measurement{"500", 500, 500, 1, false}, false)
			f.queries = f.phpQueries(t)
			t.Logf("Matomo's worker asks the database %.2f times for a request", f.queries)
		}
		defer f.set(0)
		f.set(distance)
		return f.php(t, m.batch)
	}
	defer f.set(0)
	f.set(distance)
	return f.drain(t, m, *only != "")
}

// phpModel names the model of Matomo's worker.
const phpModel = "php"

// phpQueries is how often Matomo's worker asks the database for each of the requests that were drained, at least
// (spec §B.4): each time it looks for the visit, a second time where there is none, and for the names; it inserts an
// action, and inserts the visit or changes it. Names that are new, goals and dimensions would be more.
func (f *far) phpQueries(t *testing.T) float64 {
	t.Helper()
	var visits, actions int
	for table, n := range map[string]*int{"log_visit": &visits, "log_link_visit_action": &actions} {
		if err := f.bench.db.Get(n, "SELECT COUNT(*) FROM "+golden.Prefix+table); err != nil {
			t.Fatal(err)
		}
	}
	requests := max(1, *rounds) * len(f.entries(t))
	f.corpus = nil
	return 3 + float64(visits+actions)/float64(requests)
}

// php is a model of Matomo's worker: its questions one after the other, none of which can be sent before the one in
// front is answered, in transactions of a batch; before each request it extends its lock (spec §0.1). It does nothing
// else, and asks for nothing that takes time: so fast the distance lets the worker be at most.
func (f *far) php(t *testing.T, batch int) cost {
	t.Helper()
	ctx := context.Background()
	conn, err := f.db.Connx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	extend := func() {
		if _, err := f.backend.ExpireIfValue(ctx, "php", "php", time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	const requests = 500
	meter := startMeter()
	asked := 0
	for first := 0; first < requests; first += batch {
		if _, err := f.backend.Range(ctx, queue.Key(0), 0, batch); err != nil {
			t.Fatal(err)
		}
		ask(t, conn, "BEGIN")
		for n := range batch {
			extend()
			for ; float64(asked) < float64(first+n+1)*f.queries; asked++ {
				ask(t, conn, "DO 0")
			}
		}
		extend()
		ask(t, conn, "COMMIT")
		if _, err := f.backend.Delete(ctx, "php"); err != nil { // in place of LTRIM
			t.Fatal(err)
		}
	}
	spent := meter.stop()
	spent.requests, spent.batches = requests, requests/batch
	return spent
}

func ask(t *testing.T, conn *sqlx.Conn, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}
