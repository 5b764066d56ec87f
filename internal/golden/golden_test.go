package golden_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/golden"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

var (
	sharedDir = filepath.Join("..", "..", "..", "shared")
	only      = flag.String("golden.case", "", "run the cases whose area/name contains this text")
	logs      = flag.Bool("golden.log", false, "let workers log to stderr")
	verbose   = flag.Int("golden.show", 3, "how many differences of a case to print")
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// bench is a database with the reference installation, the queue and what cases share.
type bench struct {
	name    string
	install *golden.Installation
	db      *sqlx.DB
	config  map[string]map[string]any // [database] of config.ini.php
	devices *device.Detector
}

// run processes a case in batches of at most batch sets and returns how the rows differ from the recorded ones.
func (b *bench) run(t *testing.T, c *golden.Case, batch int, dir string) (summary replay.Summary, differences []golden.Difference, err error) {
	ctx := context.Background()
	if err := b.install.Prepare(ctx, c); err != nil {
		return summary, nil, fmt.Errorf("prepare: %w", err)
	}
	config, err := matomo.ParseConfig(dir, b.install.Config(c, b.config))
	if err != nil {
		return summary, nil, err
	}
	clock := func() time.Time { return time.Unix(c.Now, 0) }
	log := slog.New(slog.DiscardHandler)
	if *logs {
		log = slog.Default()
	}
	db := b.db
	if config.Database().Charset != "utf8mb4" && b.name != sqliteName {
		if db, err = config.Database().Open(); err != nil {
			return summary, nil, err
		}
		defer db.Close()
	}
	server, number := testserver.RedisDatabase(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port, Database: number})
	if err != nil {
		return summary, nil, err
	}
	defer backend.Close()
	if err := push(ctx, backend, c); err != nil {
		return summary, nil, err
	}
	installation, err := matomo.Open(ctx, config, db, clock, matomo.Options{})
	if err != nil {
		return summary, nil, err
	}
	settings, err := installation.QueueSettings(ctx)
	if err != nil {
		return summary, nil, err
	}
	before, err := b.install.Snapshot(ctx)
	if err != nil {
		return summary, nil, err
	}
	for id := range settings.NumQueueWorkers {
		devices, err := b.devices.Forgetful()
		if err != nil {
			return summary, nil, err
		}
		a, err := assembly.Assemble(ctx, installation, db, assembly.Options{
			Clock: clock, Random: rand.Reader, Devices: devices, Log: log,
		})
		if err != nil {
			return summary, nil, err
		}
		done, err := replay.Run(ctx, nil, replay.Options{
			Backend: backend, Store: a.Store(), NewTracker: func() replay.Tracker { return a.NewTracker() },
			Clock: clock, Random: rand.Reader, Log: log,
			Queues: settings.NumQueueWorkers, Only: id, BatchSize: batch, Threshold: 1,
		})
		summary.Add(done)
		a.Close()
		if err != nil {
			return summary, nil, err
		}
	}
	found, err := b.install.Read(ctx, before)
	if err != nil {
		return summary, nil, err
	}
	expect, volatile := c.Wanted()
	expect = withDeliberate(c, expect)
	return summary, golden.Compare(expect, found, volatile, nil), nil
}

// withDeliberate adds the rows that Matomo loses and we write on purpose. In this case its first attempt at the set is rolled back
// together with the mark that asks for new reports, the second attempt believes that the mark is there; so the reports of a day that has
// got a new visit would never be made again.
func withDeliberate(c *golden.Case, expect golden.Tables) golden.Tables {
	if c.Area+"/"+c.Name != "auth-time/bulk-token-wrong-site" {
		return expect
	}
	expect = maps.Clone(expect)
	expect["option"] = append(expect["option"], golden.Row{
		"option_name": "Xxxx_report_to_invalidate_1_2026-11-22_1", "option_value": "1", "autoload": json.Number("0"),
	})
	return expect
}

// notOnSQLite lists cases whose outcome is that of the server: its strict mode, or the character set of its connections.
var notOnSQLite = map[string]bool{
	"encoding-and-numbers/charset-utf8": true, // the connection's character set refuses characters of four bytes
}

func push(ctx context.Context, backend queue.Backend, c *golden.Case) error {
	for _, e := range c.Queue {
		payload, err := e.Payload()
		if err != nil {
			return err
		}
		if err := backend.Append(ctx, e.Key, golden.Compress(payload)); err != nil {
			return err
		}
	}
	return nil
}

const (
	mariadbName = "MariaDB"
	sqliteName  = "SQLite"
)

func newBench(t *testing.T, name, installDir string, devices *device.Detector) *bench {
	t.Helper()
	ctx := context.Background()
	b := &bench{name: name, devices: devices}
	var schema func(ctx context.Context, script string) error
	if name == sqliteName {
		db, err := store.OpenSQLite(filepath.Join(t.TempDir(), "golden.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		b.db = db
		schema = func(ctx context.Context, _ string) error { return store.CreateSchema(ctx, db, golden.Prefix) }
	} else {
		server := testserver.MariaDB(t)
		database := server.CreateDatabase(t)
		b.config = map[string]map[string]any{"database": {"unix_socket": server.Socket, "dbname": database}}
		config, err := matomo.ParseConfig("", golden.DatabaseConfig(server.Socket, database))
		if err != nil {
			t.Fatal(err)
		}
		if b.db, err = config.Database().Open(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.db.Close() })
		schema = func(ctx context.Context, script string) error {
			for _, statement := range golden.Statements(script) {
				if _, err := b.db.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var err error
	if b.install, err = golden.Install(ctx, b.db, installDir, schema); err != nil {
		t.Fatal(err)
	}
	return b
}

// matomoDir makes a Matomo directory with the vendor data of dir, with or without the GeoIP2 database.
func matomoDir(t *testing.T, data string, geo bool) string {
	t.Helper()
	dir := t.TempDir()
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(data, "vendor"), filepath.Join(dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	if !geo {
		return dir
	}
	if err := os.Mkdir(filepath.Join(dir, "misc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(data, "misc", "GeoIP2-City-Test.mmdb"), filepath.Join(dir, "misc", "DBIP-City.mmdb")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestGolden plays all recorded cases on both databases in batches of 1, 7 and 25 entries.
func TestGolden(t *testing.T) {
	dir := filepath.Join(sharedDir, "golden")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("../shared/golden is not there")
	}
	cases, err := golden.LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(sharedDir, "matomo-data")
	plain, geo := matomoDir(t, data, false), matomoDir(t, data, true)
	devices, err := device.Load(matomo.VendorIn(plain).DeviceRegexes())
	if err != nil {
		t.Fatal(err)
	}
	var report report
	for _, name := range []string{mariadbName, sqliteName} {
		b := newBench(t, name, filepath.Join(dir, "install"), devices)
		for _, batch := range []int{1, 7, 25} {
			for _, c := range cases {
				id := c.Area + "/" + c.Name
				if !strings.Contains(id, *only) || name == sqliteName && notOnSQLite[id] {
					continue
				}
				home := plain
				if c.Geo != "" {
					home = geo
				}
				_, differences, err := b.run(t, c, batch, home)
				if err != nil {
					differences = []golden.Difference{{Table: "error", Detail: err.Error()}}
				}
				report.add(name, batch, c, differences)
				if len(differences) > 0 {
					t.Errorf("%s, batches of %d, %s: %s", name, batch, id, show(differences))
				}
			}
		}
	}
	report.print(t)
}

func show(differences []golden.Difference) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d differences", len(differences))
	for i, d := range differences {
		if i == *verbose {
			b.WriteString("\n\t…")
			break
		}
		b.WriteString("\n\t" + d.String())
	}
	return b.String()
}

// report counts equal cases by area.
type report struct {
	keys    []string
	cases   map[string]int
	equal   map[string]int
	columns map[string]map[string]int
}

func (r *report) add(database string, batch int, c *golden.Case, differences []golden.Difference) {
	if r.cases == nil {
		r.cases, r.equal, r.columns = make(map[string]int), make(map[string]int), make(map[string]map[string]int)
	}
	for _, key := range []string{fmt.Sprintf("%s/%d\t%s", database, batch, c.Area), fmt.Sprintf("%s/%d\tall", database, batch)} {
		if r.cases[key] == 0 {
			r.keys = append(r.keys, key)
			r.columns[key] = make(map[string]int)
		}
		r.cases[key]++
		if len(differences) == 0 {
			r.equal[key]++
		}
		for _, d := range differences {
			r.columns[key][d.Table+"."+d.Column]++
		}
	}
}

func (r *report) print(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-14s %-24s %6s %6s  columns that differ most\n", "database/batch", "area", "equal", "cases")
	for _, key := range r.keys {
		where, area, _ := strings.Cut(key, "\t")
		fmt.Fprintf(&b, "%-14s %-24s %6d %6d  %s\n", where, area, r.equal[key], r.cases[key], most(r.columns[key]))
	}
	t.Log(b.String())
}

func most(columns map[string]int) string {
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return columns[names[i]] > columns[names[j]] || columns[names[i]] == columns[names[j]] && names[i] < names[j]
	})
	const shown = 4
	var parts []string
	for i, name := range names {
		if i == shown {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, columns[name]))
	}
	return strings.Join(parts, ", ")
}
