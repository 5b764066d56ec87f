package receive

import (
	"context"
	"encoding/json"

	"github.com/valyala/fasthttp"

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

// track tracks the set at once and answers as Matomo does without the queue: the image with a status that tells
// whether the request was taken, or JSON for a bulk request.
func (h *Handler) track(q *received) (outcome string) {
	if err := q.setThirdPartyCookie(); err != nil {
		h.o.Log.Warn("third-party cookie was not set", "error", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.o.Limits.WriteTimeout)
	defer cancel()
	result, err := h.o.Track(ctx, q.set)
	status := directStatus(result)
	if err != nil {
		h.o.Log.Error("request could not be tracked", "error", err)
		status = fasthttp.StatusInternalServerError
	}
	if isBulk(q.body) {
		q.answerBulk(result, status, h.isSuperuser(ctx, q))
	} else {
		q.answerTracked(status)
	}
	if status >= fasthttp.StatusBadRequest {
		return outcomeRefused
	}
	return outcomeTracked
}

// directStatus is the status of the answer: 400 when Matomo refuses a request, 500 when one fails.
func directStatus(result tracker.Result) int {
	switch {
	case result.Rejected[request.WrongType] > 0, result.Failed > 0:
		return fasthttp.StatusInternalServerError
	case len(result.Rejected) > 0:
		return fasthttp.StatusBadRequest
	}
	return fasthttp.StatusOK
}

func (q *received) answerTracked(status int) {
	if q.IsGet() {
		q.setHeader("Cache-Control", "no-store")
	} else {
		q.allowOrigin()
	}
	if q.wantsNoImage() {
		q.SetContentType(htmlType)
		q.SetStatusCode(fasthttp.StatusNoContent)
		return
	}
	q.answerImage(status)
}

// isSuperuser reports whether a bulk request comes with a superuser's token.
func (h *Handler) isSuperuser(ctx context.Context, q *received) bool {
	if h.o.Superuser == nil || q.set.TokenAuth == "" {
		return false
	}
	is, err := h.o.Superuser(ctx, q.set.TokenAuth, q.set.SecureToken)
	if err != nil {
		h.o.Log.Warn("token could not be looked up", "error", err)
	}
	return is
}

// answerBulk answers a bulk request. Requests that are refused do not fail the others.
func (q *received) answerBulk(result tracker.Result, status int, superuser bool) {
	answer := bulkResult{Status: "success", Tracked: result.Requests - len(result.Refusals), Invalid: len(result.Refusals)}
	if superuser {
		indices := make([]int, 0, len(result.Refusals))
		for _, refusal := range result.Refusals {
			indices = append(indices, refusal.Request)
		}
		answer.Indices = &indices
	}
	if status == fasthttp.StatusBadRequest {
		status = fasthttp.StatusOK
	}
	if status != fasthttp.StatusOK {
		answer.Status = "error"
	}
	q.SetContentType("application/json")
	if !q.IsGet() {
		q.allowOrigin()
	}
	if q.silent && status == fasthttp.StatusOK {
		q.SetStatusCode(fasthttp.StatusNoContent)
		return
	}
	q.SetStatusCode(status)
	text, _ := json.Marshal(answer) // numbers and texts: cannot fail
	q.SetBody(text)
}
