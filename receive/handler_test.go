package receive

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// asking serves a handler in memory. What it returns sends one request on a connection of its own, and reads the
// answer.
func asking(t *testing.T, handler fasthttp.RequestHandler) func(r *http.Request) *http.Response {
	t.Helper()
	l := fasthttputil.NewInmemoryListener()
	stop, ended := make(chan struct{}), make(chan error)
	go func() { ended <- Serve(t.Context(), l, handler, unhurried(), testserver.Patience, discard(), stop) }()
	t.Cleanup(func() {
		close(stop)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func(r *http.Request) *http.Response {
		t.Helper()
		conn, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		go func() { _ = r.Write(conn) }() // the server may hang up in the middle
		answer, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func askingHandler(t *testing.T, o Options) func(r *http.Request) *http.Response {
	t.Helper()
	h, err := NewHandler(o)
	if err != nil {
		t.Fatal(err)
	}
	return asking(t, h.Handle)
}

// answerTo is what a handler answers to one request.
func answerTo(t *testing.T, o Options, r *http.Request) *http.Response {
	t.Helper()
	return askingHandler(t, o)(r)
}

func get(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

func TestEndpoints(t *testing.T) {
	for _, test := range []struct {
		prefix, method, target string
		status                 int
	}{
		{"", "GET", "/matomo.php?idsite=1", 200},
		{"", "GET", "/piwik.php?idsite=1", 200},
		{"", "GET", "/js/tracker.php?idsite=1", 200},
		{"", "GET", "/js/tracker.php", 404},
		{"", "POST", "/js/tracker.php", 200},
		{"", "GET", "///matomo.php?idsite=1", 200},
		{"", "GET", "/index.php?idsite=1", 404},
		{"", "GET", "/a/matomo.php?idsite=1", 404},
		{"/a/", "GET", "/a/matomo.php?idsite=1", 200},
		{"/a", "GET", "/matomo.php?idsite=1", 404},
		{"a/b", "GET", "/a/b/matomo.php?idsite=1", 200},
	} {
		o := testOptions(t, recordedConfig, &sink{})
		o.Prefix = test.prefix
		if got := answerTo(t, o, httptest.NewRequest(test.method, test.target, nil)); got.StatusCode != test.status {
			t.Errorf("%s %s with prefix %q: status %d, want %d", test.method, test.target, test.prefix, got.StatusCode,
				test.status)
		}
	}
}

func TestQueueThatIsAwayIsAnsweredWithRetryAfter(t *testing.T) {
	got := answerTo(t, testOptions(t, recordedConfig, &sink{err: ErrFull}), get("/matomo.php?idsite=1"))
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "5" {
		t.Errorf("status %d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
	}
}

func TestSendImage0IsAnsweredWithoutBody(t *testing.T) {
	got := answerTo(t, testOptions(t, recordedConfig, &sink{}), get("/matomo.php?idsite=1&send_image=0"))
	if got.StatusCode != http.StatusNoContent || got.Header.Get("Cache-Control") != "no-store" ||
		got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("status %d, headers %v", got.StatusCode, got.Header)
	}
}

func TestValuesThatJSONCannotHoldAreRefused(t *testing.T) {
	to := &sink{}
	r := httptest.NewRequest(http.MethodPost, "/matomo.php", strings.NewReader(`{"requests":[{"a":1e999}]}`))
	if got := answerTo(t, testOptions(t, recordedConfig, to), r); got.StatusCode != http.StatusBadRequest ||
		len(to.take()) > 0 {
		t.Errorf("status %d", got.StatusCode)
	}
}

func TestTextThatIsNoUTF8IsReplaced(t *testing.T) {
	to := &sink{}
	r := get("/matomo.php?idsite=1&a[%E4]=%E4%80x&b=%C3%A4&token_auth=%FF")
	r.Header.Set("Cookie", "c=%E4")
	answerTo(t, testOptions(t, recordedConfig, to), r)
	set, err := queue.Decode(to.take()[0].Element)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jsonOf(t, set.Requests[0]), `{"idsite":"1","a":{"\ufffd":"\ufffd\ufffdx"},"b":"\u00e4","token_auth":"\ufffd"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := jsonOf(t, set.Env.Cookie), `{"c":"\ufffd"}`; got != want {
		t.Errorf("cookies %s, want %s", got, want)
	}
}

func TestTrackingSwitchedOffQueuesNothing(t *testing.T) {
	to := &sink{}
	got := answerTo(t, testOptions(t, recordedConfig+"[Tracker]\nrecord_statistics = 0\n", to),
		get("/matomo.php?idsite=1"))
	if got.StatusCode != http.StatusOK || got.ContentLength > 0 || len(to.take()) > 0 {
		t.Errorf("status %d", got.StatusCode)
	}
}

func TestCORSDomains(t *testing.T) {
	const all, some = "[General]\ncors_domains[] = *\n", "[General]\ncors_domains[] = https://a.example\n"
	for _, test := range []struct{ config, origin, want string }{
		{"", "https://a.example", ""},
		{all, "https://a.example", "https://a.example"},
		{all, "", "*"},
		{some, "https://a.example", "https://a.example"},
		{some, "https://b.example", ""},
		{some, "", ""},
	} {
		r := get("/matomo.php?idsite=1")
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if got := answerTo(t, testOptions(t, test.config, &sink{}), r).Header.Get("Access-Control-Allow-Origin"); got != test.want {
			t.Errorf("%q from %q: %q, want %q", test.config, test.origin, got, test.want)
		}
	}
}

func TestCustomImage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(path, []byte("\x89PNG\r\n\x1a\nrest"), 0o600); err != nil {
		t.Fatal(err)
	}
	gif := base64.StdEncoding.EncodeToString([]byte(transparentImage))
	for setting, want := range map[string]string{path: "image/png", gif: "image/gif", "": "image/gif"} {
		o := testOptions(t, recordedConfig, &sink{})
		var err error
		if o.Installation.Image, err = LoadImage(setting); err != nil {
			t.Fatal(err)
		}
		got := answerTo(t, o, get("/matomo.php?idsite=1"))
		if body, _ := io.ReadAll(got.Body); got.Header.Get("Content-Type") != want ||
			got.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("%s: headers %v", setting, got.Header)
		}
	}
	for _, setting := range []string{"/nonexistent.gif", "!==", "aGVsbG8gd29ybGQhIQ=="} {
		if _, err := LoadImage(setting); err == nil {
			t.Errorf("%s: no error", setting)
		}
	}
}

func TestThirdPartyCookie(t *testing.T) {
	config := "[Tracker]\nuse_third_party_id_cookie = 1\nignore_visits_cookie_name = matomo_ignore\ncookie_name = " +
		"_pk_uid\n"
	o := testOptions(t, config, &sink{})
	o.Clock = func() time.Time { return time.Unix(1_800_000_000, 0) }
	o.Random = strings.NewReader("12345678")
	o.Installation.Cookie = CookieSettings{Expire: time.Hour, Path: "/", Domain: "www.example.org:80"}
	const end = "; expires=Fri, 15-Jan-2027 09:00:00 GMT; path=/; domain=.example.org"
	for _, test := range []struct{ query, cookie, proto, want string }{
		{"_id=00FFzz0123456789", "", "", "_pk_uid=0%3DMDBmZjAwMDEyMzQ1Njc4OQ%3D%3D" + end + "; SameSite=Lax"},
		{"_id=1234567890123456", "", "https", "_pk_uid=0%3D1234567890123456" + end + "; secure; SameSite=None"},
		{
			"_id=1234567890123456", "_pk_uid=0%3DMDBmZjAwMDEyMzQ1Njc4OQ%3D%3D", "",
			"_pk_uid=0%3DMDBmZjAwMDEyMzQ1Njc4OQ%3D%3D" + end + "; SameSite=Lax",
		},
		{"idsite=1", "", "", "_pk_uid=0%3D3132333435363738" + end + "; SameSite=Lax"},
		{"idsite=1", "matomo_ignore=ignore%3DKg%3D%3D", "", ""},
	} {
		r := get("/matomo.php?" + test.query)
		r.Header.Set("Cookie", test.cookie)
		r.Header.Set("X-Forwarded-Proto", test.proto)
		if got := answerTo(t, o, r).Header.Get("Set-Cookie"); got != test.want {
			t.Errorf("%s with %s: %q, want %q", test.query, test.cookie, got, test.want)
		}
	}
}

func TestThirdPartyCookieOverHTTPS(t *testing.T) {
	o := testOptions(t, "[Tracker]\nuse_third_party_id_cookie = 1\ncookie_name = _pk_uid\n", &sink{})
	o.Installation.Cookie = CookieSettings{Secure: true}
	const webkit = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		webkit + "Version/17.5 Safari/605.1.15":                   "; secure",
		webkit + "Chrome/126.0.0.0 Safari/537.36":                 "; secure; SameSite=None",
		"Mozilla/5.0 (Linux; Android 4.4) Version/4.0 Safari/534": "; secure; SameSite=None",
	} {
		r := get("/matomo.php?_id=1234567890123456")
		r.Header.Set("User-Agent", agent)
		if got := answerTo(t, o, r).Header.Get("Set-Cookie"); got != "_pk_uid=0%3D1234567890123456"+want {
			t.Errorf("%s: %q, want …%q", agent, got, want)
		}
	}
}

func TestAnswersToWhatIsTrackedAtOnce(t *testing.T) {
	bulk := `{"requests":["?idsite=1","?idsite=2"]}`
	with := func(more string) string { return strings.Replace(bulk, "]}", "],"+more+"}", 1) }
	rejected := func(reason request.Reason) tracker.Result {
		return tracker.Result{
			Requests: 2, Tracked: 1, Rejected: map[request.Reason]int{reason: 1},
			Refusals: []tracker.Refusal{{Request: 1, Err: errors.New("x")}},
		}
	}
	for _, test := range []struct {
		method, query, body string
		result              tracker.Result
		err                 error
		status              int
		want                string
	}{
		{"GET", "", "", tracker.Result{Tracked: 1}, nil, 200, transparentImage},
		{"HEAD", "", "", tracker.Result{Tracked: 1}, nil, 200, ""},
		{"GET", "&send_image=0", "", tracker.Result{Tracked: 1}, nil, 204, ""},
		{"GET", "", "", rejected(request.UnknownSite), nil, 400, transparentImage},
		{"GET", "", "", rejected(request.WrongType), nil, 500, transparentImage},
		{"GET", "", "", tracker.Result{Failed: 1}, nil, 500, transparentImage},
		{"GET", "", "", tracker.Result{}, errors.New("away"), 500, transparentImage},
		{"POST", "", bulk, tracker.Result{Requests: 2, Tracked: 2}, nil, 200, `{"status":"success","tracked":2,"invalid":0}`},
		{"POST", "", bulk, rejected(request.UnknownSite), nil, 200, `{"status":"success","tracked":1,"invalid":1}`},
		{
			"POST", "", with(`"token_auth":"root"`), rejected(request.UnknownSite), nil, 200,
			`{"status":"success","tracked":1,"invalid":1,"invalid_indices":[1]}`,
		},
		{
			"POST", "", with(`"token_auth":"root"`),
			tracker.Result{Requests: 2},
			nil, 200,
			`{"status":"success","tracked":2,"invalid":0,"invalid_indices":[]}`,
		},
		{
			"POST", "", with(`"token_auth":"other"`),
			tracker.Result{Requests: 2},
			nil, 200,
			`{"status":"success","tracked":2,"invalid":0}`,
		},
		{"POST", "", with(`"send_image":0`), tracker.Result{Requests: 2}, nil, 204, ""},
		{"POST", "", bulk, tracker.Result{}, errors.New("away"), 500, `{"status":"error","tracked":0,"invalid":0}`},
		{
			"POST", "", with(`"send_image":0`),
			tracker.Result{},
			errors.New("away"), 500,
			`{"status":"error","tracked":0,"invalid":0}`,
		},
		{"POST", "", with(`"send_image":0`), rejected(request.UnknownSite), nil, 204, ""},
	} {
		o, registry := testOptions(t, recordedConfig, nil), prometheus.NewRegistry()
		o.Metrics = NewMetrics(registry)
		o.Track = func(context.Context, queue.RequestSet) (tracker.Result, error) { return test.result, test.err }
		o.Superuser = func(_ context.Context, token string, _ bool) (bool, error) { return token == "root", nil }
		got := answerTo(t, o, httptest.NewRequest(test.method, "/matomo.php?queuedtracking=0"+test.query,
			strings.NewReader(test.body)))
		body, _ := io.ReadAll(got.Body)
		if got.StatusCode != test.status || string(body) != test.want {
			t.Errorf("%s %s %+v: status %d, body %q, want %d, %q", test.method, test.query, test.result, got.StatusCode, body,
				test.status, test.want)
		}
		outcome := outcomeTracked
		if test.err != nil || len(test.result.Rejected) > 0 || test.result.Failed > 0 { // also one of many
			outcome = outcomeRefused
		}
		if diff := cmp.Diff(map[string]float64{outcome: 1}, countedOutcomes(t, registry)); diff != "" {
			t.Errorf("%s %s %+v: requests by outcome (-want +got):\n%s", test.method, test.query, test.result, diff)
		}
	}
}

// countedOutcomes are the numbers of requests by what became of them, without zeros.
func countedOutcomes(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := make(map[string]float64)
	for _, family := range families {
		if family.GetName() != "queuedtracking_http_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if n := m.GetCounter().GetValue(); n != 0 {
				counted[m.GetLabel()[0].GetValue()] = n
			}
		}
	}
	return counted
}

func TestMemoryForBodiesIsBounded(t *testing.T) {
	o := testOptions(t, recordedConfig, &sink{})
	h, err := NewHandler(o)
	if err != nil {
		t.Fatal(err)
	}
	h.reading.Store(o.Limits.BodyMemory)
	r := httptest.NewRequest(http.MethodPost, "/matomo.php", strings.NewReader(strings.Repeat("x", smallBody+1)))
	if got := asking(t, h.Handle)(r).StatusCode; got != http.StatusServiceUnavailable ||
		h.reading.Load() != o.Limits.BodyMemory {
		t.Errorf("status %d, %d bytes in use; want %d, %d", got, h.reading.Load(), http.StatusServiceUnavailable,
			o.Limits.BodyMemory)
	}
}

func TestLimitsThatCannotWork(t *testing.T) {
	for _, tt := range []struct {
		about  string
		change func(*Limits)
		want   string // part of the error, "" for none
	}{
		{"the usual ones", func(*Limits) {}, ""},
		{"no body", func(l *Limits) { l.BodyBytes = 0 }, "bytes of a body: 0"},
		{"no headers", func(l *Limits) { l.HeaderBytes = -1 }, "bytes of headers: -1"},
		{"no requests", func(l *Limits) { l.BulkRequests = 0 }, "requests of a bulk request: 0"},
		{"no connections", func(l *Limits) { l.Connections = 0 }, "connections: 0"},
		{"no time", func(l *Limits) { l.ReadTimeout = 0 }, "time for a request: 0"},
		{"memory for less than one body", func(l *Limits) { l.BodyMemory = l.BodyBytes - 1 }, "memory for bodies"},
		{"memory for one body", func(l *Limits) { l.BodyMemory = l.BodyBytes }, ""},
		{"negative rate", func(l *Limits) { l.Rate = -1 }, "rate -1"},
		{"rate without burst", func(l *Limits) { l.Rate, l.Burst = 1, 0 }, "burst"},
		{"a burst of one", func(l *Limits) { l.Rate, l.Burst = 1, 1 }, ""},
		{"neither rate nor burst", func(l *Limits) { l.Rate, l.Burst = 0, 0 }, ""},
	} {
		o := testOptions(t, "", nil)
		tt.change(&o.Limits)
		_, err := NewHandler(o)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.about, err, tt.want)
		}
	}
}

// Bodies as long as the limit are taken whether their length is announced or not. Whatever becomes of one, its memory
// is free afterwards.
func TestBodiesUpToTheLimitAreTaken(t *testing.T) {
	const limit = smallBody + 100
	for _, tt := range []struct {
		length    int
		announced bool
		memory    int64 // that others leave
		want      int
	}{
		{limit, true, limit, http.StatusOK},
		{limit + 1, true, limit, http.StatusRequestEntityTooLarge},
		{limit, false, limit, http.StatusOK},
		{limit + 1, false, limit + 1, http.StatusRequestEntityTooLarge},
		{limit, true, limit - 1, http.StatusServiceUnavailable},
		{limit, false, limit - 1, http.StatusServiceUnavailable},
		{smallBody, true, 0, http.StatusOK}, // needs no share
		{smallBody, false, smallBody - 1, http.StatusServiceUnavailable},
	} {
		o := testOptions(t, recordedConfig, &sink{})
		o.Limits.BodyBytes = limit
		h, err := NewHandler(o)
		if err != nil {
			t.Fatal(err)
		}
		others := o.Limits.BodyMemory - tt.memory
		h.reading.Store(others)
		r := httptest.NewRequest(http.MethodPost, "/matomo.php", strings.NewReader(strings.Repeat("x", tt.length)))
		if !tt.announced {
			r.ContentLength = -1
		}
		if got := asking(t, h.Handle)(r).StatusCode; got != tt.want {
			t.Errorf("%d bytes, announced %v, memory %d: status %d, want %d", tt.length, tt.announced, tt.memory, got,
				tt.want)
		}
		if got := h.reading.Load(); got != others {
			t.Errorf("%d bytes, announced %v, memory %d: %d are in use afterwards, want %d", tt.length, tt.announced, tt.memory,
				got, others)
		}
	}
}

func TestHealth(t *testing.T) {
	var away error
	ask := asking(t, Health{
		Ready:    func(context.Context) error { return away },
		Gatherer: prometheus.NewRegistry(),
	}.Handler())
	status := func(path string) int { return ask(get(path)).StatusCode }
	if a, b, c := status("/healthz"), status("/readyz"), status("/metrics"); a != 200 || b != 200 || c != 200 {
		t.Errorf("statuses %d, %d, %d", a, b, c)
	}
	teapot := func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(fasthttp.StatusTeapot) }
	beside := asking(t, Health{Ready: func(context.Context) error { return nil }}.Beside(teapot))
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "//matomo.php": 418} {
		if got := beside(get("http://x" + path)).StatusCode; got != want {
			t.Errorf("%s beside a handler: %d", path, got)
		}
	}
	away = errors.New("away")
	if a, b := status("/healthz"), status("/readyz"); a != 200 || b != 503 {
		t.Errorf("queue away: statuses %d, %d", a, b)
	}
}
