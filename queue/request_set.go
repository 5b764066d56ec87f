package queue

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// RequestSet is one entry of a queue: the tracking requests of one HTTP request, in order and with the types of the
// JSON (spec §0.2).
type RequestSet struct {
	Requests  []*php.Array // raw parameters, never nil; an empty one is an empty request
	Env       Env
	TokenAuth string // token of the HTTP request, "" when there is none

	// EmptyToken tells, when TokenAuth is "", that the entry holds "", not false: as PHP writes it for a bulk request,
	// and since Matomo 5.4 for every request.
	EmptyToken bool

	// SecureToken tells of a set that is not queued that its token came in a secure way. An entry does not hold it.
	SecureToken bool

	Time int64 // unix seconds at which the set was queued: the clock of its requests
}

// Env is the environment of the HTTP request: PHP's $_SERVER and $_COOKIE. A nil array counts as an empty one.
type Env struct{ Server, Cookie *php.Array }

// Encode gives the entry that PHP would write: a zlib stream of the same JSON, byte for byte. Text that is not UTF-8
// is an error (PHP then queues an entry without requests).
func Encode(set RequestSet) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	return e.encode(set)
}

// value is the set as PHP's array; the order of the keys is part of the format.
func (s RequestSet) value() php.Value {
	requests := php.NewArray(len(s.Requests))
	for _, params := range s.Requests {
		requests.Append(php.ArrayValue(params))
	}
	env := php.NewArray(2)
	env.Set("server", php.ArrayValue(s.Env.Server))
	env.Set("cookie", php.ArrayValue(s.Env.Cookie))
	token := php.String(s.TokenAuth)
	if s.TokenAuth == "" && !s.EmptyToken {
		token = php.Bool(false)
	}
	state := php.NewArray(4)
	state.Set("requests", php.ArrayValue(requests))
	state.Set("env", php.ArrayValue(env))
	state.Set("tokenAuth", token)
	state.Set("time", php.Int(s.Time))
	return php.ArrayValue(state)
}
