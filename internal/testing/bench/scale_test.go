package bench

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/queue"
)

var (
	backlog = flag.Int("bench.backlog", 12_000, "entries that wait when TestBacklog begins")
	visits  = flag.Int("bench.visits", 0, "rows of log_visit beside which TestTableSize drains; 0: it is not run")
)

// program is the real program, with the installation of a bench.
type program struct {
	file, home string
	env        []string
}

// program builds the program and writes config.ini.php.
func (b *bench) program(t *testing.T) *program {
	t.Helper()
	p := &program{file: filepath.Join(t.TempDir(), "queuedtracking"), home: b.home}
	if out, err := exec.Command("go", "build", "-o", p.file, "../../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(b.home, "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.home, "config", "config.ini.php"), []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(os.Environ(), "QUEUEDTRACKING_REDIS_HOST="+b.redis.Host,
		fmt.Sprint("QUEUEDTRACKING_REDIS_PORT=", b.redis.Port),
		"QUEUEDTRACKING_REDIS_DATABASE=0", "QUEUEDTRACKING_NUM_QUEUE_WORKERS=1")
	return p
}

// run is one run of the program, and what it cost.
type run struct {
	output string
	took   time.Duration
	memory []int // resident set in MB, each 200 ms
	peak   int   // its greatest size
}

// run starts the program and looks at it until it ends.
func (p *program) run(t *testing.T, look func(), args ...string) run {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(p.file, append(args, "--matomo", p.home)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, &out, &out
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var r run
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	const pause = 200 * time.Millisecond
	for tick := time.NewTicker(pause / 20); ; {
		select {
		case err := <-ended:
			if r.took, r.output = time.Since(started), out.String(); err != nil {
				t.Fatalf("%v\n%s", err, r.output)
			}
			return r
		case now := <-tick.C:
			r.peak = max(r.peak, memoryOf(cmd.Process.Pid, "VmHWM:"))
			if now.Sub(started) > pause*time.Duration(len(r.memory)+1) {
				r.memory = append(r.memory, memoryOf(cmd.Process.Pid, "VmRSS:"))
				if look != nil {
					look()
				}
			}
		}
	}
}

// TestBacklog drains a long backlog with the program: each tenth should take the same time, and memory stay bounded.
func TestBacklog(t *testing.T) {
	b := newBench(t)
	p := b.program(t)
	total := 0
	for total < *backlog {
		total += b.push(t, 1)
	}
	const parts = 10
	started := time.Now()
	times := make([]time.Duration, 0, parts)
	look := func() {
		left, err := b.backend.Len(context.Background(), queue.Key(0))
		if err != nil {
			t.Error(err)
		}
		for len(times) < parts && total-int(left) >= (len(times)+1)*total/parts {
			times = append(times, time.Since(started))
		}
	}
	r := p.run(t, look, "process", "--batch", "auto", "--force-version")
	if left, err := b.backend.Len(context.Background(), queue.Key(0)); left >= 25 || err != nil {
		t.Errorf("%d left, %v\n%s", left, err, r.output)
	}
	var tenths []string
	last := time.Duration(0)
	for _, at := range times {
		tenths = append(tenths, fmt.Sprintf("%.0f", float64(total/parts)/(at-last).Seconds()))
		last = at
	}
	const curve = 20
	step := max(1, len(r.memory)/curve)
	var sizes []string
	for i := 0; i < len(r.memory); i += step {
		sizes = append(sizes, strconv.Itoa(r.memory[i]))
	}
	t.Logf("%d entries in %s, %.0f requests/s\nrequests/s of each tenth: %s\nmemory in MB over time: %s, peak %d\n%s",
		total, r.took.Round(time.Millisecond), float64(total)/r.took.Seconds(), strings.Join(tenths, " "),
		strings.Join(sizes, " "), r.peak, r.output)
	const limit = 150
	if r.peak > limit {
		t.Errorf("the program took %d MB of memory, more than %d", r.peak, limit)
	}
}

// TestLargeEntry drains an entry of 50 MB: it must not take ten times its size.
func TestLargeEntry(t *testing.T) {
	b := newBench(t)
	p := b.program(t)
	const size = 50 << 20
	set, err := queue.Decode(b.entries(t)[0].Entry)
	if err != nil {
		t.Fatal(err)
	}
	first := set.Requests[0]
	for length := 0; length < size; length += 2000 {
		params := first.Clone()
		params.Set("action_name", php.String(strings.Repeat("long title/", 100)+strconv.Itoa(length)))
		set.Requests = append(set.Requests, params)
	}
	element, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.backend.Append(context.Background(), queue.Key(0), element); err != nil {
		t.Fatal(err)
	}
	r := p.run(t, nil, "process", "--force-num-requests-process-at-once", "1", "--force-version")
	if n := len(set.Requests); !strings.Contains(strings.ReplaceAll(r.output, ",", ""), fmt.Sprintf("Tracked: %d of %d requests", n, n)) {
		t.Errorf("not tracked:\n%s", r.output)
	}
	t.Logf("one entry of %d requests in %s, peak %d MB\n%s", len(set.Requests), r.took.Round(time.Millisecond), r.peak,
		r.output)
	if limit := 10 * size >> 20; r.peak > limit {
		t.Errorf("the program took %d MB of memory, more than %d", r.peak, limit)
	}
}

// TestIdle runs the program on empty queues, as cron does every minute. It must not load the detection data, which
// alone take more than it may take here.
func TestIdle(t *testing.T) {
	b := newBench(t)
	p := b.program(t)
	var times []time.Duration
	peak := 0
	for range 20 {
		r := p.run(t, nil, "process", "--force-version")
		times, peak = append(times, r.took), max(peak, r.peak)
	}
	slices.Sort(times)
	t.Logf("idle run: fastest %s, median %s, slowest %s; peak memory %d MB", times[0], times[len(times)/2],
		times[len(times)-1], peak)
	const limit = 32
	if peak > limit {
		t.Errorf("an idle run took %d MB, more than %d", peak, limit)
	}
}

// TestTableSize drains the same traffic beside a small and a large log_visit. The server has memory for the large one,
// as one that has to keep such a table should: else the measurement is one of the disk.
func TestTableSize(t *testing.T) {
	if *visits == 0 {
		t.Skip("-bench.visits is not given")
	}
	b := newBench(t)
	b.db.MustExec("SET GLOBAL innodb_buffer_pool_size = 4294967296")
	m := measurement{"25", 25, 25, 1, false}
	b.drain(t, m, false) // as many rows as the copies are made of
	before := b.drain(t, m, false).speed()
	b.grow(t, *visits)
	after := b.drain(t, m, false)
	t.Logf("beside a small log_visit %.0f requests/s, beside %d visits %.0f (%.2f)\n%s", before, *visits, after.speed(),
		after.speed()/before, after)
}

// grow copies the visits, under other visitor ids and fingerprints, until there are n.
func (b *bench) grow(t *testing.T, n int) {
	t.Helper()
	table := golden.Prefix + "log_visit"
	var columns []string
	if err := b.db.Select(&columns, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "+
		"AND TABLE_NAME = ? "+
		"AND COLUMN_NAME <> 'idvisit' ORDER BY ORDINAL_POSITION", table); err != nil {
		t.Fatal(err)
	}
	values := slices.Clone(columns)
	for i, column := range columns {
		switch column {
		case "idvisitor", "config_id":
			values[i] = "LEFT(UNHEX(MD5(RAND())), 8)"
		case "visit_last_action_time", "visit_first_action_time":
			values[i] = "DATE_SUB(" + column + ", INTERVAL FLOOR(RAND() * 180) DAY)"
		}
	}
	var name, definition string
	if err := b.db.QueryRow("SHOW CREATE TABLE "+table).Scan(&name, &definition); err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile("(?m)^  (KEY `(\\w+)` .*?),?$").FindAllStringSubmatch(definition, -1)
	for _, key := range keys { // to sort them once is faster than to fill them row by row
		b.db.MustExec("ALTER TABLE " + table + " DROP KEY " + key[2])
	}
	insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") SELECT " + strings.Join(values, ", ") +
		" FROM " + table + " LIMIT "
	for {
		var have int
		if err := b.db.Get(&have, "SELECT COUNT(*) FROM "+table); err != nil {
			t.Fatal(err)
		}
		if have >= n {
			break
		}
		b.db.MustExec(insert + strconv.Itoa(min(have, n-have, 500_000)))
	}
	var add []string
	for _, key := range keys {
		add = append(add, "ADD "+key[1])
	}
	b.db.MustExec("ALTER TABLE " + table + " " + strings.Join(add, ", "))
	b.db.MustExec("ANALYZE TABLE " + table)
	b.db.MustExec("SET GLOBAL innodb_max_dirty_pages_pct = 0") // and wait until it is so
	for dirty := 1000; dirty > 100; time.Sleep(100 * time.Millisecond) {
		if err := b.db.QueryRow("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").Scan(&name, &dirty); err != nil {
			t.Fatal(err)
		}
	}
	b.db.MustExec("SET GLOBAL innodb_max_dirty_pages_pct = 90")
}
