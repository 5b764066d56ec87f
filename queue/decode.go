package queue

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// DefaultMaxBytes is the longest JSON that Decode accepts. PHP's limit is its memory_limit; a bulk request of 64 MiB
// would not pass any web server's usual limits.
const DefaultMaxBytes = 64 << 20

// Reason says why an entry cannot be decoded.
type Reason string

// The reasons of an UndecodableError.
const (
	ReasonInflate  Reason = "damaged zlib stream"
	ReasonTooLarge Reason = "too large"
	ReasonJSON     Reason = "no JSON"
	ReasonShape    Reason = "no request set" // JSON, but not of the form of spec §0.2
)

// ErrUndecodable is what every UndecodableError is.
var ErrUndecodable = errors.New("undecodable queue entry")

// UndecodableError is the error of an entry that holds no request set. PHP drops such entries silently.
type UndecodableError struct {
	Reason Reason
	Err    error // what exactly
}

func (e *UndecodableError) Error() string {
	return fmt.Sprintf("%v: %s: %v", ErrUndecodable, e.Reason, e.Err)
}

// Unwrap gives ErrUndecodable and the cause.
func (e *UndecodableError) Unwrap() []error { return []error{ErrUndecodable, e.Err} }

func undecodable(reason Reason, format string, args ...any) error {
	return &UndecodableError{reason, fmt.Errorf(format, args...)}
}

// Decoder turns entries into request sets. The zero Decoder is ready; it may be used by several goroutines.
type Decoder struct {
	MaxBytes int // longest JSON accepted; 0 is DefaultMaxBytes
}

// Decode decodes an entry with the default limits.
func Decode(element []byte) (RequestSet, error) { return Decoder{}.Decode(element) }

// Decode restores the request set of an entry as PHP does (spec §0.1 to §0.3): a zlib stream of JSON or the bare JSON
// of old versions. A compressed empty text, which PHP writes when a request is not UTF-8, is a set without requests.
// Everything else that PHP would take for an empty set, or fail on, is an *UndecodableError.
func (d Decoder) Decode(element []byte) (RequestSet, error) {
	limit := d.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	text, err := decompress(element, limit)
	switch {
	case errors.Is(err, errNotZlib):
		if len(element) > limit {
			return RequestSet{}, tooLarge(limit)
		}
		text = bytes.Clone(element)
	case errors.Is(err, errLimit):
		return RequestSet{}, tooLarge(limit)
	case err != nil:
		return RequestSet{}, undecodable(ReasonInflate, "%w", err)
	case len(text) == 0:
		return RequestSet{}, nil
	}
	state, err := php.DecodeJSONInPlace(text)
	if err != nil {
		return RequestSet{}, undecodable(ReasonJSON, "%w", err)
	}
	return restore(state)
}

func tooLarge(limit int) error {
	return undecodable(ReasonTooLarge, "JSON of more than %d bytes", limit)
}

// restore builds the set from the decoded JSON.
func restore(state php.Value) (RequestSet, error) {
	if !state.IsArray() {
		return RequestSet{}, undecodable(ReasonShape, "neither object nor list")
	}
	a := state.Array()
	requests := a.Value("requests")
	if !requests.IsArray() {
		return RequestSet{}, undecodable(ReasonShape, "requests is no list")
	}
	queued := a.Value("time")
	if queued.Kind() != php.KindInt && queued.Kind() != php.KindFloat {
		return RequestSet{}, undecodable(ReasonShape, "time is no number")
	}
	env := a.Value("env").Array()
	set := RequestSet{
		Requests: restoreRequests(requests.Array()),
		Env:      Env{Server: env.Value("server").Array(), Cookie: env.Value("cookie").Array()},
		Time:     php.ToInt(queued),
	}
	token := a.Value("tokenAuth")
	if !token.IsArray() {
		set.TokenAuth = php.ToString(token)
		set.EmptyToken = token.IsString() && set.TokenAuth == ""
	}
	return set, nil
}

// restoreRequests takes the requests as RequestSet::setRequests does: what is empty and no array is dropped, other
// values that are no arrays are requests without parameters ("requests":[null,"x",{}] are two empty requests).
func restoreRequests(list *php.Array) []*php.Array {
	requests := make([]*php.Array, 0, list.Len())
	for key, v := range list.All() {
		if !v.IsArray() {
			if php.Empty(v) {
				continue
			}
			v = php.ArrayValue(nil)
		}
		if key == "0" {
			encodeClientHints(v.Array())
		}
		requests = append(requests, v.Array())
	}
	return requests
}

// clientHints is the parameter that JSON bulk requests may hold as an object where Matomo expects JSON text.
const clientHints = "uadata"

// encodeClientHints makes JSON text of a structured uadata. PHP does that for the first request of a set only
// (spec §0.2).
func encodeClientHints(params *php.Array) {
	v, ok := params.Get(clientHints)
	if !ok || v.IsString() || php.Empty(v) {
		return
	}
	text, err := php.EncodeJSON(v)
	if err != nil { // {"a":1e999}: PHP's json_encode refuses INF and gives false
		params.Set(clientHints, php.Bool(false))
		return
	}
	params.Set(clientHints, php.String(text))
}
