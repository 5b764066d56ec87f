package receive

import (
	"log/slog"
	"net/http"
	"time"
)

// LogAccess writes a line for each request that the handler answers, to be told apart by client, path and status. Query strings and bodies,
// which hold tokens and what visitors do, are left out.
func (h *Handler) LogAccess(to *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := h.o.Clock()
		noting := &notingWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(noting, r)
		to.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("client", h.receiver.clientIP(r)), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", noting.status), slog.Duration("took", h.o.Clock().Sub(started).Round(time.Microsecond)),
			slog.String("agent", r.UserAgent()))
	})
}

// notingWriter notes the status of an answer.
type notingWriter struct {
	http.ResponseWriter
	status int
}

func (w *notingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *notingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
