package statuspage

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// site is a page of queues in a Redis, and what workers do to them.
type site struct {
	server  *miniredis.Miniredis
	backend *queue.Redis
	now     time.Time
	page    *Page
	worker  *history.Recorder
}

func newSite(t *testing.T, queues int, change func(*Options)) *site {
	t.Helper()
	s := &site{server: miniredis.RunT(t), now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	host, port, err := net.SplitHostPort(s.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if s.backend, err = queue.NewRedis(queue.RedisOptions{Host: host, Port: number}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.backend.Close() })
	clock := func() time.Time { return s.now }
	s.worker = history.NewRecorder(s.backend, clock, "web<1>", slog.New(slog.DiscardHandler))
	o := Options{
		Command: "process", Version: "v1.2.3", Matomo: "5.14.0", Engine: "native", Clock: clock,
		Look:    metrics.NewQueues(s.backend, func() int { return queues }, clock, testserver.Patience).Look,
		History: s.backend,
	}
	if change != nil {
		change(&o)
	}
	s.page = New(o)
	return s
}

// add queues sets that came in that long ago.
func (s *site) add(t *testing.T, id, n int, ago time.Duration) {
	t.Helper()
	set, err := queue.Encode(queue.RequestSet{Requests: []*php.Array{{}}, Time: s.now.Add(-ago).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := s.backend.Append(t.Context(), queue.Key(id), set); err != nil {
			t.Fatal(err)
		}
	}
}

// work counts what a worker did.
func (s *site) work(id, requests int) {
	s.worker.Batch(replay.Report{Queue: id, Result: tracker.Result{Requests: requests, Tracked: requests}})
	s.worker.Write()
}

// get asks for the page, as long after the last time.
func (s *site) get(t *testing.T, path string, later time.Duration) (body string, header func(string) string) {
	t.Helper()
	s.now = s.now.Add(later)
	w := httptest.NewRecorder()
	s.page.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String(), w.Header().Get
}

func wantText(t *testing.T, body string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(body, text) {
			t.Errorf("no %q in\n%s", text, body)
		}
	}
}

func TestPageTellsOfQueuesAndRuns(t *testing.T) {
	s := newSite(t, 2, func(o *Options) { o.Spool = func() (int64, int64) { return 7, 2048 } })
	s.add(t, 0, 3, 90*time.Second)
	if err := s.backend.Append(t.Context(), queue.FailedKey(queue.Key(1)), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.backend.SetIfNotExists(t.Context(), lock.Key(0), "me", time.Hour); err != nil {
		t.Fatal(err)
	}
	body, _ := s.get(t, "/", 0)
	wantText(t, body, "<dd>3 <small>in 2 queues</small>", "<dd>1m 30s</dd>", `<td class="busy">yes</td>`,
		`<td class="bad">1</td>`,
		"known from the second look on", "<dd>none is known of</dd>", "<dd>7 on disk <small>2.0 KiB</small>",
		"<dd>native</dd>", "<dd>v1.2.3</dd>", "<dd>5.14.0</dd>")
	if strings.Contains(body, "<svg") {
		t.Error("a graph of a single look")
	}
	s.work(0, 30)
	s.add(t, 0, 3, 0)
	body, _ = s.get(t, "/", 10*time.Second)
	wantText(t, body, "<dd>3.0 <small>tracked in the last 10s</small>", "<dd>10s ago on web&lt;1&gt;</dd>",
		`<tr><th scope="row">Today</th><td>30</td>`, `aria-label="3, then 6, at most 6"`,
		`points="0.0,10.0 120.0,0.0"`)
}

func TestRateIsThatOfTheLastMinute(t *testing.T) {
	s := newSite(t, 1, nil)
	s.work(0, 1)
	s.get(t, "/", 0)
	s.work(0, 5000)
	s.get(t, "/", time.Hour)
	for range 12 {
		s.work(0, 50)
		s.get(t, "/", 5*time.Second)
	}
	body, _ := s.get(t, "/", 5*time.Second)
	wantText(t, body, "<dd>9.2 <small>tracked in the last 1m</small>") // 550 requests
}

func TestQueuesAreLookedAtOnceASecondAtMost(t *testing.T) {
	looks := 0
	s := newSite(t, 1, func(o *Options) {
		look := o.Look
		o.Look = func(ctx context.Context) ([]metrics.QueueState, error) { looks++; return look(ctx) }
	})
	for range 5 {
		s.get(t, "/", 300*time.Millisecond)
	}
	if looks != 2 {
		t.Errorf("%d looks at the queues, want 2", looks)
	}
	for range 2 * kept {
		s.get(t, "/", time.Second)
	}
	if len(s.page.seen) != kept {
		t.Errorf("%d looks are remembered, want %d", len(s.page.seen), kept)
	}
}

func TestEmptyQueuesAreLeftOutWhereThereAreMany(t *testing.T) {
	s := newSite(t, 40, nil)
	s.add(t, 33, 1, time.Second)
	body, _ := s.get(t, "/", 0)
	wantText(t, body, `<th scope="row">33</th>`, "39 more queues, most of them empty")
	if strings.Contains(body, `<th scope="row">32</th>`) {
		t.Error("an empty queue is shown")
	}
}

// Who loads the page is not made to load it again; who asks for that is.
func TestPageLoadsItselfAgainOnlyWhenAskedTo(t *testing.T) {
	s := newSite(t, 1, nil)
	body, _ := s.get(t, "/", 0)
	if strings.Contains(body, "http-equiv") {
		t.Errorf("it does so unasked:\n%s", body)
	}
	wantText(t, body, `<a href="./?refresh">Refresh every 5 seconds</a>`)
	body, _ = s.get(t, "/?refresh", 0)
	wantText(t, body, `<meta http-equiv="refresh" content="5">`, `<a href="./">Stop refreshing</a>`)
}

func TestPageTellsThatQueuesAreAway(t *testing.T) {
	s := newSite(t, 1, nil)
	s.get(t, "/", 0)
	s.server.Close()
	body, _ := s.get(t, "/", time.Minute)
	wantText(t, body, "<title>Queues away", "The server of the queues does not answer.", "<dd>5.14.0</dd>")
	if strings.Contains(body, "<table") {
		t.Error("it shows old numbers")
	}
}

// What comes from elsewhere is text, without secrets.
func TestPageEscapesAndMasks(t *testing.T) {
	const attack = `<script>alert(1)</script>"'&token_auth=0123456789abcdef0123456789abcdef` + "\x1b[31m\u202e"
	for name, break_ := range map[string]func(*site, *Options){
		"version": func(_ *site, o *Options) { o.Matomo = attack },
		"queues": func(_ *site, o *Options) {
			o.Look = func(context.Context) ([]metrics.QueueState, error) { return nil, errors.New(attack) }
		},
		"history": func(s *site, _ *Options) {
			s.worker.Failed(errors.New(attack))
			s.worker.Write()
		},
	} {
		s := newSite(t, 1, nil)
		break_(s, &s.page.o)
		body, _ := s.get(t, "/", 0)
		if strings.Contains(body, "<script") || strings.Contains(body, "0123456789abcdef") || strings.ContainsAny(body,
			"\x1b\u202e") {
			t.Errorf("%s: not escaped or not masked:\n%s", name, body)
		}
		wantText(t, body, "&lt;script&gt;")
	}
}
