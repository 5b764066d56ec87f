package device_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// TestRecordedVisits compares with the visits that Matomo wrote for the recorded queues about devices: each visit must
// be what some request of its visitor gives.
func TestRecordedVisits(t *testing.T) {
	sets := sharedSets(t)
	for i, folder := range []string{"golden", "golden-6"} {
		t.Run(folder, func(t *testing.T) {
			compareVisits(t, load(t, sets[i].folder), filepath.Join(shared, folder, "devices/*.json"))
		})
	}
}

func compareVisits(t *testing.T, d *device.Detector, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Skipf("no recorded cases: %v", err)
	}
	compared := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		recorded := decodeJSON(t, string(content)).Array()
		found := detectRecorded(d, recorded.Value("queue").Array())
		for i, v := range recorded.Value("expect").Array().Value("log_visit").Array().All() {
			want := columnsOfVisit(v.Array())
			devices, sent := found[v.Array().Value("idvisitor").Str()]
			if !sent {
				continue
			}
			compared++
			if !slices.Contains(devices, want) {
				t.Errorf("%s: visit %s:\n got %v\nwant %v", filepath.Base(file), i, devices, want)
			}
		}
	}
	t.Logf("%d visits compared", compared)
}

// detectRecorded gives the columns for each visitor's requests, as JSON. Requests that are refused give none.
func detectRecorded(d *device.Detector, queue *php.Array) map[string][]string {
	found := map[string][]string{}
	for _, e := range queue.All() {
		entry := e.Array().Value("entry").Array()
		server := entry.Value("env").Array().Value("server").Array()
		for _, r := range entry.Value("requests").Array().All() {
			params := r.Array()
			hints, err := readHints(d, params, server)
			if err != nil {
				continue
			}
			ua := php.ReadString(params, "ua", server.Value("HTTP_USER_AGENT").Str())
			d.Detect(php.Unsanitize(ua), hints) // the exclusion check comes first
			id := params.Value("_id").Str()
			found[id] = append(found[id], columnsOf(d.Detect(ua, hints)).String())
		}
	}
	return found
}

func readHints(d *device.Detector, params, server *php.Array) (*device.Hints, error) {
	if v, present := php.ReadJSON(params, "uadata"); present {
		return d.HintsFromParam(v)
	}
	return d.HintsFromServer(server)
}

// columnsOfVisit gives the columns of a row of log_visit in the form of detectRecorded.
func columnsOfVisit(row *php.Array) string {
	number := func(column string) *int64 {
		if row.Value(column).IsNull() {
			return nil
		}
		n := row.Value(column).Int()
		return &n
	}
	text := func(column string) string { return row.Value(column).Str() }
	return corpusColumns{
		text("config_os") == "BOT", text("config_os"), text("config_os_version"), text("config_browser_name"),
		text("config_browser_version"),
		text("config_browser_engine"), number("config_client_type"), number("config_device_type"),
		text("config_device_brand"),
		text("config_device_model"),
	}.String()
}
