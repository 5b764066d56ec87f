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
		q.answerBulk(w, result, status)
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

// answerBulk answers a bulk request. Requests that are refused do not fail the others.
func (q *received) answerBulk(w http.ResponseWriter, result tracker.Result, status int) {
	answer := bulkResult{Status: "success", Tracked: result.Requests - len(result.Refusals), Invalid: len(result.Refusals)}
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
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}
