package receive

import (
	"encoding/json"
	"net/http"

	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// bulkResult is how Matomo answers a bulk request that it tracks at once.
type bulkResult struct {
	Status  string `json:"status"`
	Tracked int    `json:"tracked"`
	Invalid int    `json:"invalid"`
	Indices *[]int `json:"invalid_indices,omitempty"` // positions of the invalid ones, for superusers alone
}

// track tracks the set at once and answers as Matomo does without the queue: the image with a status that tells whether the request
// was taken, or JSON for a bulk request.
func (h *Handler) track(w http.ResponseWriter, q *received) (outcome string) {
	if err := q.setThirdPartyCookie(w.Header()); err != nil {
		h.o.Log.Warn("third-party cookie was not set", "error", err)
	}
	result, err := h.o.Track(q.http.Context(), q.set)
	status := directStatus(result)
	if err != nil {
		h.o.Log.Error("request could not be tracked", "error", err)
		status = http.StatusInternalServerError
	}
	if isBulk(q.body) {
		q.answerBulk(w, result, status, h.isSuperuser(q))
	} else {
		q.answerTracked(w, status)
	}
	if status >= http.StatusBadRequest {
		return outcomeRefused
	}
	return outcomeTracked
}

// directStatus is the status of the answer to a single request: 400 when Matomo refuses it, 500 when it fails.
func directStatus(result tracker.Result) int {
	for reason := range result.Rejected {
		if reason == request.WrongType {
			return http.StatusInternalServerError
		}
		return http.StatusBadRequest
	}
	if result.Failed > 0 {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func (q *received) answerTracked(w http.ResponseWriter, status int) {
	h := w.Header()
	if q.http.Method == http.MethodGet {
		h["Cache-Control"] = noStore
	} else {
		allowOrigin(h, q.http)
	}
	if q.wantsNoImage() {
		h.Set("Content-Type", htmlType)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	image := q.installation.Image.orDefault()
	h["Content-Type"] = image.types
	w.WriteHeader(status)
	if q.http.Method != http.MethodHead {
		_, _ = w.Write(image.bytes) // a client that has gone needs no answer
	}
}

// isSuperuser reports whether a bulk request comes with a superuser's token.
func (h *Handler) isSuperuser(q *received) bool {
	if h.o.Superuser == nil || q.set.TokenAuth == "" {
		return false
	}
	is, err := h.o.Superuser(q.http.Context(), q.set.TokenAuth)
	if err != nil {
		h.o.Log.Warn("token could not be looked up", "error", err)
	}
	return is
}

// answerBulk answers a bulk request. Requests that are refused do not fail the others.
func (q *received) answerBulk(w http.ResponseWriter, result tracker.Result, status int, superuser bool) {
	answer := bulkResult{Status: "success", Tracked: result.Requests - len(result.Refusals), Invalid: len(result.Refusals)}
	if superuser {
		indices := make([]int, 0, len(result.Refusals))
		for _, refusal := range result.Refusals {
			indices = append(indices, refusal.Request)
		}
		answer.Indices = &indices
	}
	if status == http.StatusBadRequest {
		status = http.StatusOK
	}
	if status != http.StatusOK {
		answer.Status = "error"
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if q.http.Method != http.MethodGet {
		allowOrigin(h, q.http)
	}
	if q.silent && status == http.StatusOK {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(status)
	text, _ := json.Marshal(answer) // numbers and texts: cannot fail
	_, _ = w.Write(text)            // a client that has gone needs no answer
}
