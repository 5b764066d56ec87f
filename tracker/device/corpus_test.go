package device_test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/device/devicetest"
)

// shared is where data of Matomo installations lies in a development setup; it is not part of the repository.
const shared = "../../../shared"

// corpusCase is a user agent, its client hints and what device-detector's PHP code gives for each column.
type corpusCase struct {
	UA      string         `json:"ua"`
	Headers map[string]any `json:"headers"`
	Expect  corpusColumns  `json:"expect"`

	hints *device.Hints
	raw   json.RawMessage // headers, with the order of their keys
}

type corpusColumns struct {
	IsBot          bool   `json:"is_bot"`
	OS             string `json:"config_os"`
	OSVersion      string `json:"config_os_version"`
	BrowserName    string `json:"config_browser_name"`
	BrowserVersion string `json:"config_browser_version"`
	Engine         string `json:"config_browser_engine"`
	ClientType     *int64 `json:"config_client_type"`
	DeviceType     *int64 `json:"config_device_type"`
	Brand          string `json:"config_device_brand"`
	Model          string `json:"config_device_model"`
}

func columnsOf(d *device.Device) corpusColumns {
	pointer := func(n sql.Null[int64]) *int64 {
		if !n.Valid {
			return nil
		}
		return &n.V
	}
	return corpusColumns{
		d.Bot, d.OS, d.OSVersion, d.BrowserName, d.BrowserVersion, d.Engine, pointer(d.ClientType),
		pointer(d.Type), d.Brand, d.Model,
	}
}

func (c corpusColumns) String() string {
	b, _ := json.Marshal(c)
	return string(b)
}

// loadCorpus reads cases with the hints as d reads them.
func loadCorpus(tb testing.TB, file string, d *device.Detector) []corpusCase {
	tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		tb.Skipf("no corpus of device-detector's fixtures: %v", err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var cases []corpusCase
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c corpusCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			tb.Fatal(err)
		}
		var line struct{ Headers json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			tb.Fatal(err)
		}
		c.raw = line.Headers
		if c.hints, err = d.HintsFromParam(decodeJSON(tb, string(c.raw))); err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return cases
}

// loadShared is the installation of Matomo 5.1 without PHP files.
func loadShared(tb testing.TB) *device.Detector {
	tb.Helper()
	dir := filepath.Join(shared, "matomo-data/vendor/matomo/device-detector")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no data files of a Matomo installation: %v", err)
	}
	return load(tb, os.DirFS(dir))
}

// set is a release of device-detector: its data files, its tables as facts and user agents with what its PHP code
// gives.
type set struct {
	version string
	folder  fs.FS // with PHP files that were written from the tables
	cases   string
	own     *php.Array // the release's tables; what it does not have is as in base
	base    *php.Array
}

// sharedSets are all releases for which there are cases.
func sharedSets(t *testing.T) []set {
	t.Helper()
	sets := []set{sharedSet(t, "6.3.2", "matomo-data"), sharedSet(t, "6.5.1", "matomo-data-6")}
	tables, err := filepath.Glob(filepath.Join(shared, "devices-between/tables-*.json"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no releases between: %v", err)
	}
	for _, file := range tables {
		version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "tables-"), ".json")
		regexes := untar(t, filepath.Join(shared, "devices-between/regexes-"+version+".tar.gz"),
			version+"/vendor/matomo/device-detector/regexes/")
		s := set{
			version: version, own: readTables(t, file), base: sets[1].own,
			cases: filepath.Join(shared, "devices-between/device-cases-"+version+".jsonl.gz"),
		}
		sets = append(sets, s.with(t, regexes))
	}
	return sets
}

func sharedSet(t *testing.T, version, folder string) set {
	t.Helper()
	dir := filepath.Join(shared, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no data files of a Matomo installation: %v", err)
	}
	s := set{
		version: version, own: readTables(t, filepath.Join(dir, "tables.json")),
		cases: filepath.Join(dir, "device-cases.jsonl.gz"),
	}
	return s.with(t, os.DirFS(filepath.Join(dir, "vendor/matomo/device-detector/regexes")))
}

func (s set) with(t *testing.T, regexes fs.FS) set {
	t.Helper()
	files, err := devicetest.PHP(s.version, s.own, s.base)
	if err != nil {
		t.Fatal(err)
	}
	s.folder = devicetest.Folder(regexes, files)
	return s
}

func readTables(t *testing.T, file string) *php.Array {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, string(content)).Array()
}

// untar reads the files below a folder of an archive.
func untar(t *testing.T, file, folder string) fstest.MapFS {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(header.Name, folder); ok && header.Typeflag == tar.TypeReg {
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: content}
		}
	}
}

// TestDeviceCorpus compares every column for all user agents of device-detector's own fixtures, release by release,
// and reports how long that takes.
func TestDeviceCorpus(t *testing.T) {
	for _, s := range sharedSets(t) {
		t.Run(s.version, func(t *testing.T) {
			start := time.Now()
			d := load(t, s.folder)
			took := time.Since(start)
			found := d.Found()
			if found.Version != s.version || len(found.Problems) > 0 && s.version != "6.3.2" {
				t.Errorf("found %+v", found)
			}
			compareCorpus(t, d, loadCorpus(t, s.cases, d), took)
		})
	}
}

func compareCorpus(t *testing.T, d *device.Detector, cases []corpusCase, load time.Duration) {
	t.Helper()
	perCase := func() time.Duration {
		start := time.Now()
		for _, c := range cases {
			d.Detect(c.UA, c.hints)
		}
		return time.Since(start) / time.Duration(len(cases))
	}
	uncached, cached := perCase(), perCase()
	wrong := 0
	// of a user agent that comes again with other hints a cache may know too much: see TestFirstRequestWithAKeyDecides
	seen := map[string]int{}
	fresh := []*device.Detector{d}
	for _, c := range cases {
		n := seen[c.UA]
		if seen[c.UA]++; n == len(fresh) {
			next, err := d.Forgetful()
			if err != nil {
				t.Fatal(err)
			}
			fresh = append(fresh, next)
		}
		if got := columnsOf(fresh[n].Detect(c.UA, c.hints)).String(); got != c.Expect.String() {
			if wrong++; wrong <= 20 {
				t.Errorf("%s %v\n got %s\nwant %s", c.UA, c.Headers, got, c.Expect)
			}
		}
		if bot := d.IsBot(c.UA); bot != c.Expect.IsBot {
			t.Errorf("IsBot(%s) = %v, want %v", c.UA, bot, c.Expect.IsBot)
		}
	}
	t.Logf("%d of %d user agents equal; rules of %s; load %v, uncached %v each, cached %v each",
		len(cases)-wrong, len(cases), d.Found().Rules, load.Round(time.Millisecond), uncached, cached)
}
