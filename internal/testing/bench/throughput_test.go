package bench

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/background"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

var (
	rounds = flag.Int("bench.rounds", 0,
		"how often the 6,000 recorded entries are drained, with fresh visitors each time; 0: one tenth of them, once")
	profile = flag.String("bench.profile", "",
		"write a CPU profile of the last part to this file; with one measurement as bench.only")
	parts  = flag.Int("bench.parts", 1, "how often each measurement is made")
	only   = flag.String("bench.only", "", "make only the measurements with these names, such as 25,25x2,25@6.0")
	shared = filepath.Join("..", "..", "..", "..", "shared")
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// TestThroughput drains the recorded traffic with durable commits and prints the speed beside that of inserting the
// rows and nothing else. What is compared is measured in turn, part by part: a machine's speed, above all that of its
// disk, changes from minute to minute. Most measurements are of Matomo 5.1; those of 6.0, which keeps page view times
// besides, stand beside them.
func TestThroughput(t *testing.T) {
	b := newBench(t)
	var lines []string
	for _, g := range []group{
		{25, []measurement{{"25", 25, 25, 1, false}, {"25@6.0", 25, 25, 1, true}, {"25x2", 25, 25, 2, false}}},
		{100, []measurement{{"100", 100, 100, 1, false}}},
		{500, []measurement{
			{"500", 500, 500, 1, false},
			{"500@6.0", 500, 500, 1, true},
			{"auto", 25, 500, 1, false},
			{"autox2", 25, 500, 2, false},
		}},
	} {
		g.measurements = slices.DeleteFunc(g.measurements,
			func(m measurement) bool { return *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) })
		lines = append(lines, b.compare(t, g)...)
	}
	t.Logf("medians of %d parts (ratios: lowest to highest)\n%-8s %8s %8s %6s\n%s\npeak memory of the process with its "+
		"tests: %d MB",
		*parts, "batch", "req/s", "ceiling", "ratio", strings.Join(lines, "\n"), peakMemory())
}

// measurement is one way to drain the queue. Its name has the entries per transaction, "auto" for process --batch
// auto, and the number of workers, and the version of Matomo if it is not 5.1.
type measurement struct {
	name        string
	batch, most int // entries per transaction, at least and at most
	workers     int
	six         bool
}

// group is what is compared with one ceiling, and with its own first measurement.
type group struct {
	ceiling      int // rows of actions per transaction
	measurements []measurement
}

// compare returns a line for each measurement of a group.
func (b *bench) compare(t *testing.T, g group) []string {
	t.Helper()
	var ceilings []float64
	costs := make([][]cost, len(g.measurements))
	for part := range *parts {
		for i := range g.measurements {
			i = (i + part) % len(g.measurements) // nobody comes first each time
			on := b
			if g.measurements[i].six {
				on = b.later
			}
			costs[i] = append(costs[i], on.drain(t, g.measurements[i], *only != ""))
			if len(ceilings) == part {
				ceilings = append(ceilings, on.ceiling(t, g.ceiling))
			}
			on.reset(t)
		}
	}
	lines := make([]string, len(costs))
	for i, all := range costs {
		first, _ := ratios(all, speeds(costs[0]))
		ratio, wander := ratios(all, ceilings)
		lines[i] = fmt.Sprintf("%-8s %8.0f %8.0f %6.2f %s", g.measurements[i].name, median(speeds(all)), median(ceilings),
			ratio, wander)
		if i > 0 {
			lines[i] += fmt.Sprintf(" %.2f times %s;", first, g.measurements[0].name)
		}
		lines[i] += " " + sum(all).String()
	}
	return lines
}

// ratios compares parts, each with what was measured beside it. It returns the median and, as text, the range.
func ratios(costs []cost, base []float64) (float64, string) {
	all := speeds(costs)
	for i := range all {
		all[i] /= base[i]
	}
	return median(all), fmt.Sprintf("(%.2f…%.2f)", slices.Min(all), slices.Max(all))
}

type bench struct {
	server  *testserver.MariaDBServer
	db      *sqlx.DB
	redis   *testserver.RedisServer
	backend *queue.Redis
	home    string // of the installation
	text    string // of its config.ini.php
	install *golden.Installation
	config  *matomo.Config
	devices *device.Detector
	corpus  []golden.Entry
	round   int
	later   *bench // with Matomo 6.0, on the same servers
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if _, err := os.Stat(filepath.Join(shared, "perf")); err != nil {
		t.Skip("../shared/perf is not there")
	}
	b := &bench{server: testserver.MariaDB(t, testserver.Durable()), redis: testserver.Redis(t)}
	var err error
	if b.backend, err = queue.NewRedis(queue.RedisOptions{Host: b.redis.Host, Port: b.redis.Port}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.backend.Close() })
	later := *b
	b.later = &later
	b.installMatomo(t, "")
	b.later.installMatomo(t, "-6")
	return b
}

// installMatomo makes the installation whose recordings lie in folders with this suffix.
func (b *bench) installMatomo(t *testing.T, suffix string) {
	t.Helper()
	home := t.TempDir()
	b.home = home
	data, err := filepath.Abs(filepath.Join(shared, "matomo-data"+suffix, "vendor"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(data, filepath.Join(home, "vendor")); err != nil {
		t.Fatal(err)
	}
	database := b.server.CreateDatabase(t)
	plain, err := matomo.ParseConfig(home, golden.DatabaseConfig(b.server.Socket, database))
	if err != nil {
		t.Fatal(err)
	}
	if b.db, err = plain.Database().Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
	err = tables.Create(t.Context(), b.db, golden.Prefix)
	if err == nil && suffix != "" {
		err = tables.Upgrade(t.Context(), b.db, golden.Prefix)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.install, err = golden.Install(t.Context(), b.db, filepath.Join(shared, "golden"+suffix, "install"))
	if err != nil {
		t.Fatal(err)
	}
	b.text = b.install.Config(&golden.Case{}, map[string]map[string]any{
		"database": {"unix_socket": b.server.Socket, "dbname": database},
	})
	b.config, err = matomo.ParseConfig(home, b.text)
	if err != nil {
		t.Fatal(err)
	}
	if b.devices, err = device.Load(b.config.Vendor().DeviceDetector()); err != nil {
		t.Fatal(err)
	}
	b.reset(t)
}

func (b *bench) reset(t *testing.T) {
	t.Helper()
	if err := b.install.Prepare(context.Background(), &golden.Case{}); err != nil {
		t.Fatal(err)
	}
	b.round = 0
}

// entries are the recorded ones. They are forgotten while something is measured: the program has none of them in
// memory.
func (b *bench) entries(t *testing.T) []golden.Entry {
	t.Helper()
	if b.corpus != nil {
		return b.corpus
	}
	f, err := os.Open(filepath.Join(shared, "perf", "queue-perf.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var entries []golden.Entry
	for lines.Scan() {
		var e golden.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if *rounds == 0 {
		entries = entries[:len(entries)/10]
	}
	b.corpus = entries
	return entries
}

// push queues one more round of the corpus: the same visits by other visitors, a day later each time. With several
// queues the visitor id decides, as in PHP.
func (b *bench) push(t *testing.T, queues int) int {
	t.Helper()
	ctx := context.Background()
	elements := make(map[string][][]byte)
	entries := b.entries(t)
	for _, e := range entries {
		set, err := queue.Decode(e.Entry)
		if err != nil {
			t.Fatal(err)
		}
		params := set.Requests[0]
		sum := md5.Sum([]byte(php.ToString(params.Value("_id")) + strconv.Itoa(b.round)))
		params.Set("_id", php.String(hex.EncodeToString(sum[:8])))
		set.Time += int64(b.round) * 86400
		element, err := queue.Encode(set)
		if err != nil {
			t.Fatal(err)
		}
		list := queue.Key(queue.QueueIDOfVisitor(queue.VisitorID(params), "", queues))
		elements[list] = append(elements[list], element)
	}
	for list, values := range elements {
		if err := b.backend.Append(ctx, list, values...); err != nil {
			t.Fatal(err)
		}
	}
	b.round++
	return len(entries)
}

// drain measures rounds of the corpus.
func (b *bench) drain(t *testing.T, m measurement, profiled bool) cost {
	t.Helper()
	ctx := context.Background()
	clock := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	installation, err := matomo.Open(ctx, b.config, b.db, clock, matomo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	background.Work() // as process does
	cores := max(1, background.Cores/m.workers)
	devices, err := b.devices.Forgetful()
	if err != nil {
		t.Fatal(err)
	}
	a, err := assembly.Assemble(ctx, installation, b.db, assembly.Options{
		Clock: clock, Random: rand.Reader, Devices: devices, Log: slog.New(slog.DiscardHandler), Cores: cores,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	queues := m.workers
	requests := 0
	for range max(1, *rounds) {
		requests += b.push(t, queues)
	}
	b.corpus = nil
	var mu sync.Mutex
	var latencies []time.Duration
	runtime.GC()
	if profiled && *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			t.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	statements := b.statements(t)
	meter := startMeter()
	summary, err := replay.Run(ctx, nil, replay.Options{
		Backend: b.backend, Store: a.Store(), NewEngine: a.NewEngine,
		Clock: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Queues: queues, Only: replay.AnyQueue, BatchSize: m.batch, MaxBatchSize: m.most, Threshold: 1, Workers: m.workers,
		Cores: cores,
		OnBatch: func(done replay.Report) {
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, done.Duration)
		},
	})
	spent := meter.stop()
	if err != nil {
		t.Fatal(err)
	}
	if summary.Tracked != requests {
		t.Fatalf("%d of %d requests tracked", summary.Tracked, requests)
	}
	spent.requests, spent.batches, spent.statements, spent.latencies = requests, summary.Batches, b.statements(t)-statements, latencies
	return spent
}

// statements is how many the database has got so far.
func (b *bench) statements(t *testing.T) int {
	t.Helper()
	var name string
	var n int
	if err := b.db.QueryRow("SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// ceiling inserts the rows that are in log_visit and log_link_visit_action once more, on one connection with plain
// multi-row statements and nothing else, a transaction for as many actions as a batch has.
func (b *bench) ceiling(t *testing.T, batch int) float64 {
	t.Helper()
	ctx := context.Background()
	conn, err := b.db.Connx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	links, visits := tuples(t, conn, "log_link_visit_action"), tuples(t, conn, "log_visit")
	run := func(statement string) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"log_link_visit_action", "log_visit"} {
		run("CREATE TABLE ceiling_" + table + " LIKE " + golden.Prefix + table)
		defer run("DROP TABLE ceiling_" + table)
	}
	started := time.Now()
	written := 0
	for first := 0; first < len(links); first += batch {
		last := min(first+batch, len(links))
		upTo := len(visits) * last / len(links)
		run("BEGIN")
		if upTo > written {
			run("INSERT INTO ceiling_log_visit VALUES " + strings.Join(visits[written:upTo], ","))
			written = upTo
		}
		run("INSERT INTO ceiling_log_link_visit_action VALUES " + strings.Join(links[first:last], ","))
		run("COMMIT")
	}
	return float64(len(links)) / time.Since(started).Seconds()
}

// tuples returns the rows of a table as SQL literals.
func tuples(t *testing.T, conn *sqlx.Conn, table string) []string {
	t.Helper()
	rows, err := conn.QueryxContext(context.Background(), "SELECT * FROM "+golden.Prefix+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
				cells[i] = "NULL"
			case []byte:
				if strings.Contains(types[i].DatabaseTypeName(), "BINARY") {
					cells[i] = "x'" + hex.EncodeToString(v) + "'"
				} else {
					cells[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(string(v)) + "'"
				}
			default:
				cells[i] = fmt.Sprint(v)
			}
		}
		out = append(out, "("+strings.Join(cells, ",")+")")
	}
	return out
}
