package receive

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// Serve answers on the listener until stop is closed. Then it takes no more connections, lets requests under way end
// for as long as grace, but not after ctx has ended, and returns. The listener is closed.
func Serve(
	ctx context.Context, l net.Listener, handler fasthttp.RequestHandler, limits Limits, grace time.Duration,
	log *slog.Logger, stop <-chan struct{},
) error {
	connections := limitConnections(l, limits.Connections)
	server := &fasthttp.Server{
		Handler: recovering(handler, log), ErrorHandler: answerUnreadable, HeaderReceived: limits.bodyTime,
		ReadTimeout: min(limits.HeaderTimeout, limits.ReadTimeout), WriteTimeout: limits.WriteTimeout,
		IdleTimeout: limits.IdleTimeout,
		// connections that are being closed count, too
		ReadBufferSize: limits.HeaderBytes, Concurrency: 2 * limits.Connections,
		StreamRequestBody: true, MaxRequestBodySize: 1, // the handler reads and bounds what is longer
		ExpectHandler: limits.expect, DisablePreParseMultipartForm: true, CloseOnShutdown: true,
		NoDefaultServerHeader: true, NoDefaultContentType: true, LazyRequestTime: true,
		Logger: slog.NewLogLogger(log.Handler(), slog.LevelDebug), SecureErrorLogMessage: true,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(connections) }()
	select {
	case err := <-served:
		return err
	case <-stop:
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	err := server.ShutdownWithContext(ctx)
	if err != nil && errors.Is(err, ctx.Err()) {
		log.Warn("clients that were too slow are cut off")
		connections.cutOff()
		err = nil
	}
	_ = l.Close() // stop may have come before the server knew its listener
	<-served
	return err
}

// bodyTime gives a request with a body time for that.
func (l Limits) bodyTime(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if h.ContentLength() == 0 || h.ContentLength() == noBody {
		return c
	}
	c.ReadTimeout = l.ReadTimeout
	return c
}

// expect answers a client that asks before it sends a body.
func (l Limits) expect(ctx *fasthttp.RequestCtx) int {
	if int64(ctx.Request.Header.ContentLength()) > l.BodyBytes {
		return fasthttp.StatusRequestEntityTooLarge
	}
	return fasthttp.StatusContinue
}

// noBody is fasthttp's content length of a request that tells none.
const noBody = -2

// answerUnreadable answers what is no request, or did not come in time.
func answerUnreadable(ctx *fasthttp.RequestCtx, err error) {
	closeEarly(ctx)
	_, tooLong := errors.AsType[*fasthttp.ErrSmallBuffer](err)
	switch {
	case tooLong:
		ctx.Error("The headers are too large.\n", fasthttp.StatusRequestHeaderFieldsTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		ctx.Error("The request took too long.\n", fasthttp.StatusRequestTimeout)
	default:
		ctx.Error("This is no HTTP request.\n", fasthttp.StatusBadRequest)
	}
}

// recovering answers a request whose handling panics with 500: it must not end the process.
func recovering(handler fasthttp.RequestHandler, log *slog.Logger) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("request could not be handled", "panic", p, "stack", string(debug.Stack()))
				closeEarly(ctx)
				ctx.Error("The request could not be handled.\n", fasthttp.StatusInternalServerError)
			}
		}()
		handler(ctx)
	}
}

// Health answers whether the process lives (/healthz) and whether it can take requests (/readyz), and serves metrics
// (/metrics) and a page for people (/).
type Health struct {
	Ready    func(ctx context.Context) error // nil: requests have a place to go
	Gatherer prometheus.Gatherer             // nil: no metrics
	Page     http.Handler                    // nil: no page
}

// Beside serves /healthz and /readyz, and leaves every other path to handler.
func (h Health) Beside(handler fasthttp.RequestHandler) fasthttp.RequestHandler {
	health := h.Handler()
	return func(ctx *fasthttp.RequestCtx) {
		if path := string(ctx.Path()); path == healthPath || path == readyPath {
			health(ctx)
			return
		}
		handler(ctx)
	}
}

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// probeTimeout bounds the look at the queue's server.
const probeTimeout = 2 * time.Second

// Handler serves /healthz and /readyz, /metrics when there is a gatherer, and / when there is a page.
func (h Health) Handler() fasthttp.RequestHandler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
		defer cancel()
		if err := h.Ready(ctx); err != nil {
			plain(w, http.StatusServiceUnavailable, "not ready: requests have no place to go")
			return
		}
		plain(w, http.StatusOK, "ready")
	})
	if h.Gatherer != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(h.Gatherer, promhttp.HandlerOpts{}))
	}
	if h.Page != nil {
		mux.Handle("GET /{$}", h.Page)
	}
	return fasthttpadaptor.NewFastHTTPHandler(mux)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
