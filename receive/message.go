package receive

import (
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// message is a request and its answer. Its texts are copies: fasthttp uses its own memory again when the request is
// answered.
type message struct {
	*fasthttp.RequestCtx
	texts       strings.Builder // all copies, side by side: one allocation instead of a dozen
	method, uri string
	path, query string // path is decoded; both are empty when uri is none
}

func newMessage(ctx *fasthttp.RequestCtx) *message {
	m := &message{RequestCtx: ctx}
	h := &ctx.Request.Header
	m.texts.Grow(len(h.Method()) + len(h.RequestURI()) + len(h.RawHeaders()))
	m.method, m.uri = m.text(h.Method()), m.text(h.RequestURI())
	m.path, m.query = splitURI(m.uri)
	return m
}

// text is a copy of b.
func (m *message) text(b []byte) string {
	from := m.texts.Len()
	m.texts.Write(b)
	return m.texts.String()[from:]
}

// splitURI takes the target of a request line apart: "/matomo.php?idsite=1", for proxies also with scheme and host.
func splitURI(uri string) (path, query string) {
	if !strings.HasPrefix(uri, "/") {
		u, err := url.ParseRequestURI(uri)
		if err != nil {
			return "", ""
		}
		return u.Path, u.RawQuery
	}
	path, query, _ = strings.Cut(uri, "?")
	path, err := url.PathUnescape(path)
	if err != nil {
		return "", ""
	}
	return path, query
}

// header is the first value of a header of the request.
func (m *message) header(name string) string { return string(m.Request.Header.Peek(name)) }

// setHeader sets a header of the answer.
func (m *message) setHeader(name, value string) { m.Response.Header.Set(name, value) }

// closeEarly ends the connection after the answer although the client may still be sending.
func (m *message) closeEarly() { closeEarly(m.RequestCtx) }
