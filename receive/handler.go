package receive

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// Sink takes entries; *Writer is one.
type Sink interface {
	Write(ctx context.Context, entries []Entry) error
}

// Options say how requests are received.
type Options struct {
	Installation Installation
	Limits       Limits
	Prefix       string // path before /matomo.php, "" or "/analytics"
	Sink         Sink
	Clock        func() time.Time
	Random       io.Reader // for visitor ids of third-party cookies
	Log          *slog.Logger
	Metrics      *Metrics

	// Track tracks a set at once, for queuedtracking=0. Without it such requests are queued like others.
	Track func(ctx context.Context, set queue.RequestSet) (tracker.Result, error)
	// Superuser reports whether a token is a superuser's, for the answer to bulk requests that are tracked at once; may be nil.
	Superuser func(ctx context.Context, token string) (bool, error)
	// Queued is called after a request was queued, with the number of its entries; may be nil.
	Queued func(entries int)
}

// Handler serves Matomo's tracking endpoints.
type Handler struct {
	o        Options
	receiver *Receiver
	buckets  *buckets // nil: no limit
	reading  atomic.Int64
	paths    map[string]bool
}

// endpoints are the paths at which Matomo takes tracking requests. The last one also serves a script to those who ask without a query,
// which we do not.
var endpoints = []string{"/matomo.php", "/piwik.php", "/js/tracker.php"}

const scriptEndpoint = "/js/tracker.php"

// NewHandler makes the handler.
func NewHandler(o Options) (*Handler, error) {
	if err := o.Limits.Validate(); err != nil {
		return nil, err
	}
	h := &Handler{o: o, paths: make(map[string]bool)}
	h.receiver = &Receiver{installation: o.Installation, limits: o.Limits, clock: o.Clock, random: o.Random}
	if o.Limits.Rate > 0 {
		h.buckets = newBuckets(o.Limits.Rate, o.Limits.Burst)
	}
	prefix := strings.TrimSuffix(o.Prefix, "/")
	for _, path := range endpoints {
		h.paths[prefix+path] = true
	}
	return h, nil
}

var _ http.Handler = (*Handler)(nil)

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := mergeSlashes(r.URL.Path)
	if !h.paths[path] {
		answerRefused(w, http.StatusNotFound, "There is no tracking endpoint at this path.", 0)
		return
	}
	if strings.HasSuffix(path, scriptEndpoint) && r.Method != http.MethodPost && r.URL.RawQuery == "" {
		answerRefused(w, http.StatusNotFound, "The tracking script is not served here.", 0)
		return
	}
	h.receiver.allowDomains(w.Header(), r)
	if isPreflight(r) {
		answerPreflight(w)
		return
	}
	h.count(h.serve(w, r))
}

// mergeSlashes makes one slash of several, as web servers do.
func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

func (h *Handler) count(outcome string) { h.o.Metrics.requests.WithLabelValues(outcome).Inc() }

// serve receives one request, answers it and tells what became of it.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (outcome string) {
	started := h.o.Clock()
	if h.buckets != nil && !h.buckets.take(h.receiver.clientIP(r), started) {
		answerRefused(w, http.StatusTooManyRequests, "Too many requests from this address.", 1)
		return outcomeLimited
	}
	body, release, ok := h.admit(w, r)
	if !ok {
		return outcomeRefused
	}
	defer release()
	q, outcome := h.read(w, r, body)
	if q == nil {
		return outcome
	}
	if len(q.set.Requests) == 0 || !h.o.Installation.Tracker(0).RecordStatistics {
		answerNothing(w, r)
		return outcomeEmpty
	}
	if h.o.Track != nil && q.direct() {
		return h.track(w, q)
	}
	if outcome := h.enqueue(w, q); outcome != outcomeQueued {
		return outcome
	}
	h.o.Metrics.duration.Observe(h.o.Clock().Sub(started).Seconds())
	return outcomeQueued
}

// read takes the request apart; nil when that was refused.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, body io.Reader) (q *received, outcome string) {
	q, err := h.receiver.receive(r, body)
	if err == nil {
		return q, ""
	}
	w.Header().Set("Connection", "close") // what is left of the body is not read
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		answerRefused(w, http.StatusRequestEntityTooLarge, "The body is too large.", 0)
	case errors.Is(err, errTooMany):
		answerRefused(w, http.StatusRequestEntityTooLarge, "Too many requests in one bulk request.", 0)
	case errors.Is(err, errBusy):
		answerRefused(w, http.StatusServiceUnavailable, "Too many large requests at the same time.", 1)
		return nil, outcomeFull
	case errors.Is(err, os.ErrDeadlineExceeded):
		answerRefused(w, http.StatusRequestTimeout, "The body took too long.", 0)
	default: // the client has gone, or sent a body that is no HTTP
		answerRefused(w, http.StatusBadRequest, "The body could not be read.", 0)
	}
	return nil, outcomeRefused
}

// admit bounds the body, and the memory that all bodies together take until release, when their requests are answered. ok is false when
// it was refused as too large.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (body io.Reader, release func(), ok bool) {
	if r.ContentLength == 0 {
		return nil, func() {}, true
	}
	limit := h.o.Limits.BodyBytes
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		answerRefused(w, http.StatusRequestEntityTooLarge, "The body is too large.", 0)
		return nil, nil, false
	}
	body = http.MaxBytesReader(w, r.Body, limit)
	if 0 < r.ContentLength && r.ContentLength <= smallBody {
		return body, func() {}, true
	}
	large := &largeBody{from: body, all: &h.reading, most: h.o.Limits.BodyMemory}
	return large, large.release, true
}

// retryAfter is how many seconds a client should wait when the queue is away.
const retryAfter = 5

// enqueue writes the entries and answers.
func (h *Handler) enqueue(w http.ResponseWriter, q *received) (outcome string) {
	entries, replaced, err := q.entries()
	if err != nil {
		h.o.Log.Warn("request cannot be queued", "error", err)
		answerRefused(w, http.StatusBadRequest, "The request holds values that cannot be stored.", 0)
		return outcomeRefused
	}
	if replaced {
		h.o.Metrics.replaced.Inc()
	}
	if err := q.setThirdPartyCookie(w.Header()); err != nil {
		h.o.Log.Warn("third-party cookie was not set", "error", err)
	}
	if err := h.o.Sink.Write(q.http.Context(), entries); err != nil {
		answerRefused(w, http.StatusServiceUnavailable, "Tracking requests cannot be taken at the moment.", retryAfter)
		return outcomeFull
	}
	h.o.Metrics.entries.Add(float64(len(entries)))
	if h.o.Queued != nil {
		h.o.Queued(len(entries))
	}
	q.answerQueued(w)
	return outcomeQueued
}
