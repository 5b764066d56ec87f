package receive

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const htmlType = "text/html; charset=UTF-8"

// Header values that are shared by all answers; they are never changed.
var (
	noStore    = []string{"no-store"}
	noEncoding = []string{"none"}
)

// answerQueued answers a request whose entries are queued: the image, or 204 when send_image=0 asks for nothing. Matomo sends CORS
// headers only with an answer that has no body, because the plugin sends the image before they are made.
func (q *received) answerQueued(w http.ResponseWriter) {
	h := w.Header()
	isGet := q.http.Method == http.MethodGet
	if isGet {
		h["Cache-Control"] = noStore
	}
	h["Content-Encoding"] = noEncoding
	if q.wantsNoImage() {
		h.Set("Content-Type", htmlType)
		if !isGet {
			allowOrigin(h, q.http)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	image := q.installation.Image.orDefault()
	h["Content-Type"] = image.types
	h["Content-Length"] = image.lengths
	w.WriteHeader(http.StatusOK)
	if q.http.Method != http.MethodHead {
		_, _ = w.Write(image.bytes) // a client that has gone needs no answer
	}
}

// answerNothing answers what holds no tracking requests. Matomo's queue says nothing then, with status 200, also to a bulk request
// that cannot be read.
func answerNothing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", htmlType)
	if r.Method != http.MethodGet {
		allowOrigin(w.Header(), r)
	}
	w.WriteHeader(http.StatusOK)
}

// isPreflight reports whether a browser asks what it may send.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions &&
		(r.Header.Get("Access-Control-Request-Headers") != "" || r.Header.Get("Access-Control-Request-Method") != "")
}

func answerPreflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", htmlType)
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusNoContent)
}

// answerRefused answers what limits, or a queue that is away, keep from being queued. retryAfter is in seconds, 0 for never.
func answerRefused(w http.ResponseWriter, status int, why string, retryAfter int) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h["Cache-Control"] = noStore
	h.Set("Access-Control-Allow-Origin", "*")
	if retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(why + "\n"))
}

func allowOrigin(h http.Header, r *http.Request) {
	origin := joined(r.Header["Origin"], ", ")
	if len(r.Header["Origin"]) == 0 {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
}

// allowDomains sends the CORS headers of the setting cors_domains, before anything else is known of the request.
func (rc *Receiver) allowDomains(h http.Header, r *http.Request) {
	domains := rc.installation.CORS
	if len(domains) == 0 {
		return
	}
	h.Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	all := slices.Contains(domains, "*")
	switch {
	case all && origin == "":
		origin = "*"
	case !all && (origin == "" || !slices.Contains(domains, strings.TrimSpace(origin))):
		return
	}
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Origin", origin)
}
