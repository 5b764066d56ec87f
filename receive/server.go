package receive

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Serve answers on the listener until stop is closed. Then it takes no more connections, lets requests under way end for as long as grace,
// and returns. The listener is closed.
func Serve(l net.Listener, handler http.Handler, limits Limits, grace time.Duration, log *slog.Logger, stop <-chan struct{}) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.HeaderTimeout, ReadTimeout: limits.ReadTimeout,
		WriteTimeout: limits.WriteTimeout, IdleTimeout: limits.IdleTimeout,
		MaxHeaderBytes:               limits.HeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(limitConnections(l, limits.Connections)) }()
	select {
	case err := <-served:
		return err
	case <-stop:
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("clients that were too slow are cut off")
		err = server.Close()
	}
	<-served
	return err
}

// Health answers whether the process lives (/healthz) and whether it can take requests (/readyz), and serves metrics (/metrics).
type Health struct {
	Ready    func(ctx context.Context) error // nil: requests have a place to go
	Gatherer prometheus.Gatherer
}

// Beside serves /healthz and /readyz, and leaves every other path to handler as it came: a mux would redirect //matomo.php.
func (h Health) Beside(handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	h.Register(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == healthPath || r.URL.Path == readyPath {
			mux.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// probeTimeout bounds the look at the queue's server.
const probeTimeout = 2 * time.Second

// Register adds /healthz and /readyz to a mux, and /metrics when there is a gatherer.
func (h Health) Register(mux *http.ServeMux) {
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
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
