package receive

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

const htmlType = "text/html; charset=UTF-8"

// answerQueued answers a request whose entries are queued: the image, or 204 when send_image=0 asks for nothing. Matomo
// sends CORS headers only with an answer that has no body, because the plugin sends the image before they are made.
func (q *received) answerQueued() {
	isGet := q.IsGet()
	if isGet {
		q.setHeader("Cache-Control", "no-store")
	}
	q.setHeader("Content-Encoding", "none")
	if q.wantsNoImage() {
		q.SetContentType(htmlType)
		if !isGet {
			q.allowOrigin()
		}
		q.SetStatusCode(fasthttp.StatusNoContent)
		return
	}
	q.answerImage(fasthttp.StatusOK)
}

func (q *received) answerImage(status int) {
	image := q.installation.Image.orDefault()
	q.SetStatusCode(status)
	q.SetContentType(image.kind)
	q.Response.SetBodyRaw(image.bytes) // a HEAD gets its length alone
}

// answerNothing answers what holds no tracking requests. Matomo's queue says nothing then, with status 200, also to a
// bulk request that cannot be read.
func (m *message) answerNothing() {
	m.SetContentType(htmlType)
	if !m.IsGet() {
		m.allowOrigin()
	}
}

// isPreflight reports whether a browser asks what it may send.
func (m *message) isPreflight() bool {
	return m.IsOptions() && (m.header("Access-Control-Request-Headers") != "" ||
		m.header("Access-Control-Request-Method") != "")
}

func (m *message) answerPreflight() {
	m.SetContentType(htmlType)
	m.setHeader("Access-Control-Allow-Methods", "GET, POST")
	m.setHeader("Access-Control-Allow-Headers", "*")
	m.setHeader("Access-Control-Allow-Origin", "*")
	m.SetStatusCode(fasthttp.StatusNoContent)
}

// refuse answers what limits, or a queue that is away, keep from being queued. retryAfter is in seconds, 0 for never.
func (m *message) refuse(status int, why string, retryAfter int) {
	m.SetContentType("text/plain; charset=UTF-8")
	m.setHeader("Cache-Control", "no-store")
	m.setHeader("Access-Control-Allow-Origin", "*")
	if retryAfter > 0 {
		m.setHeader("Retry-After", strconv.Itoa(retryAfter))
	}
	m.SetStatusCode(status)
	m.SetBodyString(why + "\n")
}

func (m *message) allowOrigin() {
	origin := "*"
	if all := m.Request.Header.PeekAll("Origin"); len(all) > 0 {
		origin = string(bytes.Join(all, []byte(", ")))
	}
	m.setHeader("Access-Control-Allow-Origin", origin)
	m.setHeader("Access-Control-Allow-Credentials", "true")
}

// allowDomains sends the CORS headers of the setting cors_domains, before anything else is known of the request.
func (m *message) allowDomains(domains []string) {
	if len(domains) == 0 {
		return
	}
	m.setHeader("Vary", "Origin")
	origin := m.header("Origin")
	all := slices.Contains(domains, "*")
	switch {
	case all && origin == "":
		origin = "*"
	case !all && (origin == "" || !slices.Contains(domains, strings.TrimSpace(origin))):
		return
	}
	m.setHeader("Access-Control-Allow-Credentials", "true")
	m.setHeader("Access-Control-Allow-Origin", origin)
}
