package assembly

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

var _ replay.Tracker = (*Tracker)(nil)

// fixture is the demo's installation.
type fixture struct {
	dir          string
	db           *sqlx.DB
	installation *matomo.Installation
	log          bytes.Buffer
	sets         []queue.RequestSet
}

var now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir()}
	files := os.DirFS("../../testdata")
	config, db, err := demo.Install(context.Background(), files, f.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f.db = db
	if f.installation, err = matomo.Open(context.Background(), config, db, clock, matomo.Options{}); err != nil {
		t.Fatal(err)
	}
	g, err := demo.NewGenerator(files, 1, now)
	if err != nil {
		t.Fatal(err)
	}
	f.sets = g.Sets(20)
	return f
}

func clock() time.Time { return now }

func (f *fixture) assemble(t *testing.T, without bool) *Assembly {
	t.Helper()
	a, err := Assemble(context.Background(), f.installation, f.db, Options{
		WithoutDevices: without, Clock: clock, Random: rand.Reader, Cores: 1, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// track writes the fixture's requests and returns how many browsers were recognised.
func (f *fixture) track(t *testing.T, a *Assembly) (browsers int) {
	t.Helper()
	ctx := context.Background()
	tracker := a.NewTracker()
	batch, err := tracker.Prepare(ctx, f.sets)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := a.Store().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := tracker.Preview(ctx, tx, batch)
	if err != nil {
		t.Fatal(err)
	}
	result, err := tracker.Write(ctx, tx, batch)
	if err != nil {
		t.Fatal(err)
	}
	if preview.Tracked == 0 || preview.Tracked != result.Tracked {
		t.Errorf("%d tracked, %d in the preview", result.Tracked, preview.Tracked)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.db.Get(&browsers, "SELECT COUNT(*) FROM matomo_log_visit WHERE config_browser_name <> 'UNK'"); err != nil {
		t.Fatal(err)
	}
	return browsers
}

func TestTrackersShareWhatIsLoaded(t *testing.T) {
	f := newFixture(t)
	a := f.assemble(t, false)
	if f.track(t, a) == 0 {
		t.Error("no browser was recognised")
	}
	loaded := a.parts.Devices
	if err := os.RemoveAll(filepath.Join(f.dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.NewTracker().Prepare(context.Background(), f.sets); err != nil || a.parts.Devices != loaded {
		t.Errorf("the second tracker loads again: %v", err)
	}
}

func TestDevicesCanBeDoneWithout(t *testing.T) {
	f := newFixture(t)
	if n := f.track(t, f.assemble(t, true)); n != 0 {
		t.Errorf("%d browsers were recognised", n)
	}
}

func TestUnknownLocationProviderGivesWayToTheDefault(t *testing.T) {
	f := newFixture(t)
	f.db.MustExec("INSERT INTO matomo_option VALUES ('usercountry.location_provider', 'satellite', 0)")
	f.track(t, f.assemble(t, false))
	if !strings.Contains(f.log.String(), "provider=satellite") {
		t.Errorf("log: %s", f.log.String())
	}
}

func TestListsOfOptionRowsNeedNoFiles(t *testing.T) {
	s, err := source("bGlzdA==", "no/such/file")
	if err != nil || s.Option != "bGlzdA==" {
		t.Errorf("%+v %v", s, err)
	}
}

// TestAssistantsNeedNoFile loads the lists of versions before and since AI assistants: their file may be absent, not
// unreadable.
func TestAssistantsNeedNoFile(t *testing.T) {
	older, newer := matomo.Behaviours{}, matomo.Behaviours{AIReferrers: true}
	for _, tt := range []struct {
		name       string
		spoil      func(file string) error
		behaviours matomo.Behaviours
		want       string
	}{
		{"a list", func(string) error { return nil }, newer, ""},
		{"absent", os.Remove, newer, ""},
		{"no list", func(file string) error { return os.WriteFile(file, []byte("- x"), 0o644) }, newer, "AI assistants"},
		{"no list", func(file string) error { return os.WriteFile(file, []byte("- x"), 0o644) }, older, ""},
		{
			"a folder", func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o755)) }, newer,
			"list of AI assistants",
		},
	} {
		vendor := matomo.VendorIn(t.TempDir())
		if err := os.CopyFS(filepath.Dir(vendor.Assistants()),
			os.DirFS("../../testdata/lists/searchengine-and-social-list")); err != nil {
			t.Fatal(err)
		}
		if err := tt.spoil(vendor.Assistants()); err != nil {
			t.Fatal(err)
		}
		_, err := loadReferrers(vendor, &matomo.General{}, tt.behaviours)
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s, since 5.5: %v: %v, want %q", tt.name, tt.behaviours.AIReferrers, err, tt.want)
		}
	}
}

// A run that finds empty queues must not load detection data; a run that needs it says what is missing.
func TestDataIsLoadedWithTheFirstBatch(t *testing.T) {
	for _, test := range []struct{ remove, want string }{
		{"vendor/matomo/device-detector", "device detection"},
		{"vendor/matomo/searchengine-and-social-list/SearchEngines.yml", "list of search engines"},
		{"vendor/matomo/searchengine-and-social-list/Socials.yml", "list of social networks"},
		{"vendor/matomo/referrer-spam-list", "referrer spam list"},
	} {
		f := newFixture(t)
		if err := os.RemoveAll(filepath.Join(f.dir, filepath.FromSlash(test.remove))); err != nil {
			t.Fatal(err)
		}
		a := f.assemble(t, false)
		tracker := a.NewTracker()
		if a.parts != nil {
			t.Error("data was loaded before the first batch")
		}
		if _, err := tracker.Prepare(context.Background(), f.sets); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("without %s: %v", test.remove, err)
		}
	}
}

func TestAssembleNeedsTheTables(t *testing.T) {
	f := newFixture(t)
	f.db.MustExec("DROP TABLE matomo_log_visit")
	if _, err := Assemble(context.Background(), f.installation, f.db, Options{}); err == nil {
		t.Error("no error without log_visit")
	}
}
