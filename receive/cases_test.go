package receive

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// recorded is one HTTP request with the answer and the queue entries of Matomo 5.1.2 with QueuedTracking 5.1.1.
type recorded struct {
	Request struct {
		Name, Method, Path string
		Query, Body        *string
		Headers            map[string]string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string `json:"body_base64"`
	}
	Entries []struct {
		Key   string
		Entry json.RawMessage
	}
}

func readCases(t *testing.T, path string) (cases []recorded) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c recorded
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// recordedQueues is the number of queues of the recordings.
const recordedQueues = 4

// installationOf is an installation with a configuration file of this text.
func installationOf(t testing.TB, config string) Installation {
	t.Helper()
	c, err := matomo.ParseConfig(t.TempDir(), config)
	if err != nil {
		t.Fatal(err)
	}
	return Installation{
		Queues: func() int { return recordedQueues }, Tracker: c.Tracker, CORS: c.List("General", "cors_domains"),
		General: func() *matomo.General { return &matomo.General{} },
		Cookie:  CookieSettings{Expire: 33_955_200 * time.Second}, Behaviours: matomo.BehavioursIn("5.1.2"),
	}
}

const recordedConfig = "[General]\nproxy_client_headers[] = HTTP_X_FORWARDED_FOR\nsalt = x\n[database]\ncharset = " +
	"utf8mb4\n"

// sink keeps entries in memory.
type sink struct {
	mu      sync.Mutex
	entries []Entry
	err     error
}

func (s *sink) Write(entries []Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.entries = append(s.entries, entries...)
	return nil
}

func (s *sink) take() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := s.entries
	s.entries = nil
	return entries
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func testOptions(t testing.TB, config string, to Sink) Options {
	return Options{
		Installation: installationOf(t, config), Limits: DefaultLimits(), Sink: to, Clock: time.Now, Random: rand.Reader,
		Log: discard(), Metrics: NewMetrics(prometheus.NewRegistry()),
	}
}

// serve starts a server for the test and returns its URL.
func serve(t testing.TB, o Options) string {
	t.Helper()
	h, err := NewHandler(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error)
	go func() { ended <- Serve(t.Context(), l, h.Handle, o.Limits, testserver.Patience, discard(), stop) }()
	t.Cleanup(func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func TestRecordedCases(t *testing.T) {
	t.Run("testdata", func(t *testing.T) { compareCases(t, filepath.Join("testdata", "cases.jsonl")) })
	t.Run("shared", func(t *testing.T) {
		path := filepath.Join("..", "..", "shared", "http", "cases.jsonl")
		if _, err := os.Stat(path); err != nil {
			t.Skip("the recordings are not here:", err)
		}
		compareCases(t, path)
	})
}

func compareCases(t *testing.T, path string) {
	to := &sink{}
	o := testOptions(t, recordedConfig, to)
	o.Track = func(context.Context, queue.RequestSet) (tracker.Result, error) {
		return tracker.Result{Requests: 1, Tracked: 1}, nil
	}
	url := serve(t, o)
	for _, c := range readCases(t, path) {
		t.Run(c.Request.Name, func(t *testing.T) {
			compareAnswer(t, c, send(t, url, c))
			compareEntries(t, c, to.take())
		})
	}
}

func send(t *testing.T, url string, c recorded) *http.Response {
	t.Helper()
	url += c.Request.Path
	if c.Request.Query != nil {
		url += "?" + *c.Request.Query
	}
	var body io.Reader
	if c.Request.Body != nil {
		body = strings.NewReader(*c.Request.Body)
	}
	r, err := http.NewRequest(c.Request.Method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.Request.Headers {
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header[name] = []string{value}
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func compareAnswer(t *testing.T, c recorded, got *http.Response) {
	t.Helper()
	if got.StatusCode != c.Response.Status {
		t.Errorf("status %d, want %d", got.StatusCode, c.Response.Status)
	}
	for _, name := range []string{
		"Content-Type", "Content-Length", "Content-Encoding", "Cache-Control", "Vary", "Access-Control-Allow-Origin",
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
	} {
		if name == "Content-Length" && c.Response.Headers[name] != "43" {
			continue // an answer without a body has none, or says 0: HTTP forbids it with 204, chunks do without it
		}
		if name == "Content-Length" && got.Request.Method == http.MethodHead {
			continue
		}
		if want := c.Response.Headers[name]; got.Header.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := base64.StdEncoding.DecodeString(c.Response.Body); !bytes.Equal(body, want) {
		t.Errorf("body %q, want %q", body, want)
	}
}

// lostByPHP is the case that PHP cannot queue because its text is no UTF-8.
const lostByPHP = "bulk-latin1"

func compareEntries(t *testing.T, c recorded, got []Entry) {
	t.Helper()
	if len(got) != len(c.Entries) {
		t.Fatalf("%d entries, want %d", len(got), len(c.Entries))
	}
	slices.SortFunc(got, func(a, b Entry) int { return a.Queue - b.Queue })
	for i, want := range c.Entries {
		if queue.Key(got[i].Queue) != want.Key {
			t.Errorf("entry %d is in %s, want %s", i, queue.Key(got[i].Queue), want.Key)
		}
		set, err := queue.Decode(got[i].Element)
		if err != nil {
			t.Fatal(err)
		}
		if c.Request.Name == lostByPHP {
			if name := set.Requests[0].Value("action_name").Str(); name != "\uFFFD" {
				t.Errorf("action_name %q, want U+FFFD", name)
			}
			continue
		}
		wantSet, err := queue.Decode(want.Entry)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(comparable(t, wantSet), comparable(t, set)); diff != "" {
			t.Errorf("entry %d differs (-PHP +ours):\n%s", i, diff)
		}
	}
}

// ofTheWebServer are the variables that depend on the web server, on Matomo's folder or on time and port. Tracking
// reads none of them.
var ofTheWebServer = []string{
	"USER", "HOME", "SCRIPT_FILENAME", "DOCUMENT_ROOT", "SERVER_NAME", "SERVER_PORT", "SERVER_ADDR", "SERVER_SOFTWARE",
	"REMOTE_PORT", "REMOTE_USER", "FCGI_ROLE", "REQUEST_TIME", "REQUEST_TIME_FLOAT",
}

// comparable is the set as text: requests with order and types, environment with sorted names.
func comparable(t *testing.T, set queue.RequestSet) []string {
	t.Helper()
	text := func(v php.Value) string {
		json, err := php.EncodeJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		return json
	}
	lines := []string{"token " + set.TokenAuth}
	if set.EmptyToken {
		lines = append(lines, "token is text")
	}
	for _, params := range set.Requests {
		lines = append(lines, "request "+text(php.ArrayValue(params)))
	}
	lines = append(lines, "cookies "+text(php.ArrayValue(set.Env.Cookie)))
	var server []string
	for name, v := range set.Env.Server.All() {
		if !slices.Contains(ofTheWebServer, name) {
			server = append(server, name+" = "+text(v))
		}
	}
	slices.Sort(server)
	return append(lines, server...)
}

func siteSettings(s *matomo.TrackerSettings) func(int64) *matomo.TrackerSettings {
	return func(int64) *matomo.TrackerSettings { return s }
}
