package verify

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/tables"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// site is an installation in a database of its own.
type site struct {
	db      *sqlx.DB
	options NativeOptions
}

func newSite(t *testing.T) *site {
	t.Helper()
	server := testserver.MariaDB(t)
	name := server.CreateDatabase(t)
	dir, files := t.TempDir(), os.DirFS("../../testdata")
	for from, to := range map[string]string{
		"matomo/config": "config", "device-detector": "vendor/matomo/device-detector",
		"lists/searchengine-and-social-list": "vendor/matomo/searchengine-and-social-list",
		"lists/referrer-spam-list":           "vendor/matomo/referrer-spam-list",
	} {
		if err := demo.CopyFolder(files, from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	config, err := matomo.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := config.Database()
	d.Socket, d.Name = server.Socket, name
	config = config.WithDatabase(d)
	s := &site{}
	if s.db, err = d.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	if err := tables.Create(t.Context(), s.db, d.Prefix); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("../../testdata/matomo/rows.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(rows), ";\n") {
		if strings.TrimSpace(statement) != "" {
			s.db.MustExec(statement)
		}
	}
	s.options = NativeOptions{
		Config: config, DB: s.db, LockWait: time.Second,
		Assembly: assembly.Options{Clock: time.Now, Random: rand.Reader, Cores: 1},
	}
	return s
}

// entries are requests of the demo's visitors.
func (s *site) entries(t *testing.T, requests int) []Entry {
	t.Helper()
	g, err := demo.NewGenerator(os.DirFS("../../testdata"), 7, time.Now().UTC().Truncate(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return entriesOf(t, g.Sets(requests)...)
}

func entriesOf(t *testing.T, sets ...queue.RequestSet) (entries []Entry) {
	t.Helper()
	for i, set := range sets {
		element, err := queue.Encode(set)
		if err != nil {
			t.Fatal(err)
		}
		if set, err = queue.Decode(element); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{0, int64(i), element, set})
	}
	return entries
}

// page is a page view of a visitor.
func page(visitor int, url string, more ...string) queue.RequestSet {
	params := php.NewArray(0)
	set := func(name, value string) { params.Set(name, php.String(value)) }
	set("idsite", "1")
	set("rec", "1")
	set("url", "https://garden.example.org/"+url)
	set("action_name", "Page "+url)
	set("_id", fmt.Sprintf("%016x", visitor+1))
	for i := 0; i+1 < len(more); i += 2 {
		set(more[i], more[i+1])
	}
	server := php.NewArray(0)
	server.Set("REMOTE_ADDR", php.String("192.0.2.7"))
	server.Set("HTTP_USER_AGENT", php.String("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"))
	return queue.RequestSet{
		Requests: []*php.Array{params}, Env: queue.Env{Server: server, Cookie: php.NewArray(0)}, Time: time.Now().Unix() - 5,
	}
}

// second is a second engine of ours that stands in for Matomo's: a real one, with the fault of a test.
type second struct {
	*nativeSide
	change func(url string, params *php.Array)                      // of a request before it is tracked; nil: no fault
	after  func(ctx context.Context, s *second, requests int) error // when a part was tracked; nil for nothing
	seen   int                                                      // parts
}

func (s *second) track(ctx context.Context, p part) ([]outcome, error) {
	s.seen++
	altered := part{slices.Clone(p.entries), p.places}
	for i := range altered.entries {
		set, err := queue.Decode(altered.entries[i].Element)
		if err != nil {
			return nil, err
		}
		for _, params := range set.Requests {
			if s.change != nil {
				s.change(php.ToString(params.Value("url")), params)
			}
		}
		altered.entries[i].Set = set
	}
	outcomes, err := s.nativeSide.track(ctx, altered)
	if err == nil && s.after != nil {
		err = s.after(ctx, s, p.len())
	}
	return outcomes, err
}

// bench has both sides.
type bench struct {
	*site
	run    *run
	second *second
	report *Report
}

func (s *site) bench(t *testing.T, o Options) *bench {
	t.Helper()
	schema, err := readSchema(t.Context(), s.db, "matomo_")
	if err != nil {
		t.Fatal(err)
	}
	own, err := newNative(t.Context(), s.options)
	t.Cleanup(own.close) // also after an error: the database waits for its connection
	if err != nil {
		t.Fatal(err)
	}
	other, err := newNative(t.Context(), s.options)
	t.Cleanup(other.close)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{site: s, second: &second{nativeSide: other}, report: &Report{}}
	p := &pair{
		schema: schema, matomo: b.second, own: own, randomPrint: own.randomPrint,
		between: o.Between,
	}
	b.run = newRun(p, o, b.report)
	return b
}

// list is a source.
type list struct{ entries []Entry }

func (l *list) Next(_ context.Context, n int) ([]Entry, error) {
	n = min(n, len(l.entries))
	next := l.entries[:n]
	l.entries = l.entries[n:]
	return next, nil
}

func (b *bench) compare(t *testing.T, entries []Entry) *Report {
	t.Helper()
	if err := b.run.all(t.Context(), &list{entries}); err != nil {
		t.Fatalf("%v; %+v", err, b.report)
	}
	return b.report
}

// dump is the text of all tables.
func dump(t *testing.T, db *sqlx.DB) string {
	t.Helper()
	var names []string
	if err := db.Select(&names, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "+
		"ORDER BY 1"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		rows, err := db.Queryx("SELECT * FROM `" + name + "` ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			cells, err := rows.SliceScan()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %q\n", name, cells)
		}
		_ = rows.Close()
	}
	return b.String()
}

// unchanged wants the database to be as it was.
func (s *site) unchanged(t *testing.T, before string) {
	t.Helper()
	after := dump(t, s.db)
	if after == before {
		return
	}
	old := strings.Split(before, "\n")
	for _, line := range strings.Split(after, "\n") {
		if !slices.Contains(old, line) {
			t.Errorf("a row that was not there: %.300s", line)
		}
	}
	if !t.Failed() {
		t.Error("rows are gone")
	}
}
