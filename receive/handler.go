package receive

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// Sink takes entries; *Writer is one.
type Sink interface {
	Write(entries []Entry) error
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
	// Superuser reports whether a token, which came in a secure way or not, is a superuser's, for the answer to bulk
	// requests that are tracked at once; may be nil.
	Superuser func(ctx context.Context, token string, secure bool) (bool, error)
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

// endpoints are the paths at which Matomo takes tracking requests. The last one also serves a script to those who ask
// without a query, which we do not.
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
	prefix := strings.Trim(o.Prefix, "/")
	if prefix != "" {
		prefix = "/" + prefix
	}
	for _, path := range endpoints {
		h.paths[prefix+path] = true
	}
	return h, nil
}

// Handle answers one request.
func (h *Handler) Handle(ctx *fasthttp.RequestCtx) { h.answer(newMessage(ctx)) }

func (h *Handler) answer(m *message) {
	path := mergeSlashes(m.path)
	if !h.paths[path] {
		m.refuse(fasthttp.StatusNotFound, "There is no tracking endpoint at this path.", 0)
		return
	}
	if strings.HasSuffix(path, scriptEndpoint) && !m.IsPost() && m.query == "" {
		m.refuse(fasthttp.StatusNotFound, "The tracking script is not served here.", 0)
		return
	}
	m.allowDomains(h.o.Installation.CORS)
	if m.isPreflight() {
		m.answerPreflight()
		return
	}
	h.o.Metrics.requests[h.serve(m)].Inc()
}

// mergeSlashes makes one slash of several, as web servers do.
func mergeSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// serve receives one request, answers it and tells what became of it.
func (h *Handler) serve(m *message) (outcome string) {
	started := h.o.Clock()
	if h.buckets != nil && !h.buckets.take(h.receiver.clientIP(m), started) {
		m.refuse(fasthttp.StatusTooManyRequests, "Too many requests from this address.", 1)
		return outcomeLimited
	}
	body, release, ok := h.admit(m)
	if !ok {
		return outcomeRefused
	}
	defer release()
	q, outcome := h.read(m, body)
	if q == nil {
		return outcome
	}
	if len(q.set.Requests) == 0 || !h.o.Installation.Tracker(0).RecordStatistics {
		m.answerNothing()
		return outcomeEmpty
	}
	if h.o.Track != nil && q.direct() {
		return h.track(q)
	}
	if outcome := h.enqueue(q); outcome != outcomeQueued {
		return outcome
	}
	h.o.Metrics.duration.Observe(h.o.Clock().Sub(started).Seconds())
	return outcomeQueued
}

// read takes the request apart; nil when that was refused.
func (h *Handler) read(m *message, body io.Reader) (q *received, outcome string) {
	q, err := h.receiver.receive(m, body)
	if err == nil {
		return q, ""
	}
	m.closeEarly()
	switch {
	case errors.Is(err, errTooLarge):
		m.refuse(fasthttp.StatusRequestEntityTooLarge, "The body is too large.", 0)
	case errors.Is(err, errTooMany):
		m.refuse(fasthttp.StatusRequestEntityTooLarge, "Too many requests in one bulk request.", 0)
	case errors.Is(err, errConflict):
		m.refuse(fasthttp.StatusBadRequest, "The request has different tokens: in a header, the body or the URL.", 0)
	case errors.Is(err, errBusy):
		m.refuse(fasthttp.StatusServiceUnavailable, "Too many large requests at the same time.", 1)
		return nil, outcomeFull
	case errors.Is(err, os.ErrDeadlineExceeded):
		m.refuse(fasthttp.StatusRequestTimeout, "The body took too long.", 0)
	default: // the client has gone, or sent a body that is no HTTP
		m.refuse(fasthttp.StatusBadRequest, "The body could not be read.", 0)
	}
	return nil, outcomeRefused
}

// admit bounds the body, and the memory that all bodies together take until release, when their requests are answered.
// ok is false when it was refused as too large.
func (h *Handler) admit(m *message) (body io.Reader, release func(), ok bool) {
	body = m.RequestBodyStream()
	if body == nil {
		return nil, func() {}, true
	}
	length, limit := int64(m.Request.Header.ContentLength()), h.o.Limits.BodyBytes
	if length > limit {
		m.closeEarly()
		m.refuse(fasthttp.StatusRequestEntityTooLarge, "The body is too large.", 0)
		return nil, nil, false
	}
	if 0 <= length && length <= smallBody {
		return body, func() {}, true
	}
	large := &largeBody{from: body, all: &h.reading, most: h.o.Limits.BodyMemory, max: limit}
	return large, large.release, true
}

// retryAfter is how many seconds a client should wait when the queue is away.
const retryAfter = 5

// enqueue writes the entries and answers.
func (h *Handler) enqueue(q *received) (outcome string) {
	entries, replaced, err := q.entries()
	if err != nil {
		h.o.Log.Warn("request cannot be queued", "error", err)
		q.refuse(fasthttp.StatusBadRequest, "The request holds values that cannot be stored.", 0)
		return outcomeRefused
	}
	if replaced {
		h.o.Metrics.replaced.Inc()
	}
	if err := q.setThirdPartyCookie(); err != nil {
		h.o.Log.Warn("third-party cookie was not set", "error", err)
	}
	if err := h.o.Sink.Write(entries); err != nil {
		q.refuse(fasthttp.StatusServiceUnavailable, "Tracking requests cannot be taken at the moment.", retryAfter)
		return outcomeFull
	}
	h.o.Metrics.entries.Add(float64(len(entries)))
	if h.o.Queued != nil {
		h.o.Queued(len(entries))
	}
	q.answerQueued()
	return outcomeQueued
}
