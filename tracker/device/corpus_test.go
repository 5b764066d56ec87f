package device_test

import (
	"bufio"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// sharedData is where the data of a Matomo installation lies in a development setup; it is not part of the repository.
const sharedData = "../../../shared/matomo-data"

// corpusCase is a user agent, its client hints and what device-detector's PHP code gives for each column.
type corpusCase struct {
	UA      string         `json:"ua"`
	Headers map[string]any `json:"headers"`
	Expect  corpusColumns  `json:"expect"`

	hints *device.Hints
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
	return corpusColumns{d.Bot, d.OS, d.OSVersion, d.BrowserName, d.BrowserVersion, d.Engine, pointer(d.ClientType), pointer(d.Type), d.Brand, d.Model}
}

func (c corpusColumns) String() string {
	b, _ := json.Marshal(c)
	return string(b)
}

func loadCorpus(tb testing.TB) []corpusCase {
	tb.Helper()
	f, err := os.Open(filepath.Join(sharedData, "device-cases.jsonl.gz"))
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
		if c.hints, err = device.HintsFromParam(orderedHints(tb, lines.Bytes())); err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return cases
}

// orderedHints reads the headers of a line with the order of their keys, which counts.
func orderedHints(tb testing.TB, line []byte) php.Value {
	var raw struct{ Headers json.RawMessage }
	if err := json.Unmarshal(line, &raw); err != nil {
		tb.Fatal(err)
	}
	return decodeJSON(tb, string(raw.Headers))
}

func loadShared(tb testing.TB) *device.Detector {
	tb.Helper()
	dir := filepath.Join(sharedData, "vendor/matomo/device-detector/regexes")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no data files of a Matomo installation: %v", err)
	}
	d, err := device.Load(os.DirFS(dir))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// TestDeviceCorpus compares every column for all user agents of device-detector's own fixtures, and reports how long that takes.
func TestDeviceCorpus(t *testing.T) {
	cases := loadCorpus(t)
	start := time.Now()
	d := loadShared(t)
	load := time.Since(start)

	perCase := func() time.Duration {
		start := time.Now()
		for _, c := range cases {
			d.Detect(c.UA, c.hints)
		}
		return time.Since(start) / time.Duration(len(cases))
	}
	t.Logf("%d user agents: load %v, uncached %v each, cached %v each", len(cases), load.Round(time.Millisecond), perCase(), perCase())

	wrong := 0
	for _, c := range cases {
		if got := columnsOf(d.Detect(c.UA, c.hints)).String(); got != c.Expect.String() {
			if wrong++; wrong <= 20 {
				t.Errorf("%s %v\n got %s\nwant %s", c.UA, c.Headers, got, c.Expect)
			}
		}
		if bot := d.IsBot(c.UA); bot != c.Expect.IsBot {
			t.Errorf("IsBot(%s) = %v, want %v", c.UA, bot, c.Expect.IsBot)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d user agents wrong", wrong, len(cases))
	}
}
