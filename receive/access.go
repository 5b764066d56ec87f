package receive

import (
	"log/slog"
	"time"

	"github.com/valyala/fasthttp"
)

// LogAccess writes a line for each request that the handler answers, to be told apart by client, path and status. Query
// strings and bodies, which hold tokens and what visitors do, are left out.
func (h *Handler) LogAccess(to *slog.Logger) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		started := h.o.Clock()
		m := newMessage(ctx)
		h.answer(m)
		to.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("client", h.receiver.clientIP(m)), slog.String("method", m.method), slog.String("path", m.path),
			slog.Int("status", m.Response.StatusCode()), slog.Duration("took", h.o.Clock().Sub(started).Round(time.Microsecond)),
			slog.String("agent", m.header("User-Agent")))
	}
}
