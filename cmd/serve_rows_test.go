package cmd

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/queue"
)

// recordedRequest is an HTTP request to a real Matomo, and the entries that PHP queued for it.
type recordedRequest struct {
	Request struct {
		Name, Method, Path string
		Query, Body        *string
		Headers            map[string]string
	}
	Entries []struct {
		Key   string
		Entry json.RawMessage
	}
}

// unlike are the cases in which PHP queues nothing and serve, on purpose, tracks: text that is no UTF-8, which PHP loses, and what is
// tracked at once.
var unlike = []string{"bulk-latin1", "queuedtracking-0"}

// recordedRequests are all recordings, or those that the repository has, and their text.
func recordedRequests(t *testing.T) (cases []recordedRequest, text string) {
	t.Helper()
	all, err := os.ReadFile(filepath.Join(shared, "http", "cases.jsonl"))
	if err != nil {
		all, err = os.ReadFile("../receive/testdata/cases.jsonl")
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(all)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c recordedRequest
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(unlike, c.Request.Name) {
			cases = append(cases, c)
		}
	}
	return cases, strings.ToLower(string(all))
}

func TestRequestsThatServeReceivesGiveTheRowsOfPHPsEntries(t *testing.T) {
	i := newInstallation(t)
	i.reconfigure(t, "enable_internet_features = 0", "enable_internet_features = 0\nproxy_client_headers[] = HTTP_X_FORWARDED_FOR")
	i.configure(t, "[QueuedTracking]\nnumQueueWorkers = 4\nprocessDuringTrackingRequest = 0")
	cases, text := recordedRequests(t)
	at := time.Now().Truncate(time.Second)
	clock := func(p *program) { p.clock = func() time.Time { return at } }
	process := func() []string {
		t.Helper()
		if r := i.run(t, []string{"process", "--force-num-requests-process-at-once", "1"}, clock); r.status != statusDone || i.waiting(t) != 0 {
			t.Fatalf("exit status %d, %d sets wait\n%s%s", r.status, i.waiting(t), r.stdout, r.stderr)
		}
		return i.rows(t, text)
	}
	for _, c := range cases {
		for _, e := range c.Entries {
			i.requeue(t, e.Key, e.Entry, at)
		}
	}
	want := process()
	for _, table := range append(slices.Clone(logTables), "log_action") {
		i.db.MustExec("DELETE FROM matomo_" + table)
	}
	s := startServeAs(t, clock, i.dir, i.env)
	for _, c := range cases {
		s.replay(t, c)
	}
	if diff := cmp.Diff(want, process()); diff != "" || len(want) < len(cases) {
		t.Errorf("%d rows from PHP's entries (-PHP +ours):\n%s", len(want), diff)
	}
}

// requeue queues a recorded entry as if it had come at another time.
func (i *installation) requeue(t *testing.T, list string, entry []byte, at time.Time) {
	t.Helper()
	set, err := queue.Decode(entry)
	if err != nil {
		t.Fatal(err)
	}
	set.Time = at.Unix()
	element, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.backend.Append(context.Background(), list, element); err != nil {
		t.Fatal(err)
	}
}

// replay sends a recorded request.
func (s *serving) replay(t *testing.T, c recordedRequest) {
	t.Helper()
	target := "http://stats.example.org" + c.Request.Path
	if c.Request.Query != nil {
		target += "?" + *c.Request.Query
	}
	var body io.Reader
	if c.Request.Body != nil {
		body = strings.NewReader(*c.Request.Body)
	}
	r, err := http.NewRequest(c.Request.Method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.Request.Headers {
		r.Header[name] = []string{value}
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Errorf("%s: status %d", c.Request.Name, response.StatusCode)
	}
}

var logTables = []string{"log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item"}

// rows are those of the log tables as sorted text: without numbers that the database chooses, with names instead of ids of actions.
// Visitor ids that do not occur in the requests are random ones, or made of user ids.
func (i *installation) rows(t *testing.T, requests string) (lines []string) {
	t.Helper()
	names := map[string]string{"": "", "0": "0"}
	for _, row := range i.table(t, "log_action") {
		names[row["idaction"]] = row["type"] + " " + row["url_prefix"] + " " + row["name"]
	}
	for _, table := range logTables {
		for _, row := range i.table(t, table) {
			var cells []string
			for column, value := range row {
				switch {
				case column == "idvisit" || column == "idlink_va":
					continue
				case strings.Contains(column, "idaction"):
					name, known := names[value]
					if !known {
						t.Errorf("%s.%s: no action %s", table, column, value)
					}
					value = name
				case column == "idvisitor" && !strings.Contains(requests, value):
					value = "other"
				}
				cells = append(cells, column+"="+value)
			}
			slices.Sort(cells)
			lines = append(lines, table+": "+strings.Join(cells, ", "))
		}
	}
	slices.Sort(lines)
	return lines
}

// table is a table as text; bytes that are no text are hexadecimal digits.
func (i *installation) table(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	found, err := i.db.Queryx("SELECT * FROM matomo_" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		cells := make(map[string]any)
		if err := found.MapScan(cells); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]string)
		for column, value := range cells {
			switch b, isBytes := value.([]byte); {
			case value == nil:
				row[column] = ""
			case column == "idvisitor" || column == "config_id" || column == "location_ip":
				row[column] = hex.EncodeToString(b)
			case isBytes:
				row[column] = string(b)
			default:
				row[column] = fmt.Sprint(value)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
