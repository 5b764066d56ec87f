package receive

import (
	"errors"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// errTooMany refuses a bulk request that holds more than the limits allow.
var errTooMany = errors.New("too many requests in one bulk request")

// isBulk tells a bulk request by its body, whatever its content type: the word "requests" in quotes, not at the very
// start.
func isBulk(body string) bool {
	return strings.Index(body, `"requests"`) > 0 || strings.Index(body, `'requests'`) > 0
}

// maxBulkValues bounds the values of a bulk request of the given number of requests: memory is needed for each.
func maxBulkValues(requests int) int { return 10_000 + 64*requests }

// bulk is what a bulk request holds.
type bulk struct {
	requests []*php.Array
	token    string // sanitised
	rawToken string // as it came, if it is text
	asSent   bool   // the body is JSON as it came
	silent   bool   // "send_image":0 asks for an answer without a body, when the requests are tracked at once
}

// parseBulk reads {"requests":[…],"token_auth":"…"}: texts are URLs whose query strings are requests, everything else
// is a request itself. A body that is no such JSON holds no requests; PHP and we answer that with 200.
func parseBulk(body string, limit int) (b bulk, err error) {
	if strings.Count(body, ",") > maxBulkValues(limit) {
		return bulk{}, errTooMany
	}
	sent := body
	body = withoutLineBreaks(php.Trim(body))
	document, err := php.DecodeJSON(body)
	b.asSent = body == sent && err == nil
	if err != nil {
		valid, changed := substitute(body)
		if !changed {
			return bulk{}, nil
		}
		if document, err = php.DecodeJSON(valid); err != nil {
			return bulk{}, nil
		}
	}
	list := document.Array().Value("requests")
	if list.Array().Len() > limit {
		return bulk{}, errTooMany
	}
	for _, v := range list.Array().All() {
		if params := bulkRequest(v); params != nil {
			b.requests = append(b.requests, params)
		}
	}
	b.token, b.rawToken = php.ReadString(document.Array(), "token_auth", ""), rawToken(document.Array())
	b.silent = php.EmptyString(php.ReadString(document.Array(), "send_image", "1"))
	return b, nil
}

// bulkRequest is one request of a bulk request, nil for a text without a query. A value that is neither text nor a
// list or object is a request without parameters.
func bulkRequest(v php.Value) *php.Array {
	switch {
	case v.IsArray():
		return v.Array()
	case !v.IsString():
		return &php.Array{}
	}
	u, ok := php.ParseURL(v.Str())
	if !ok || php.EmptyString(u.Query) {
		return nil
	}
	return parseQuery(u.Query)
}

func withoutLineBreaks(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.NewReplacer("\n", "", "\r", "").Replace(s)
}
