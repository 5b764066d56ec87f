package receive

import (
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// substitute replaces each byte that is no part of UTF-8 by U+FFFD, as PHP's flag JSON_INVALID_UTF8_SUBSTITUTE does.
func substitute(s string) (valid string, changed bool) {
	if utf8.ValidString(s) {
		return s, false
	}
	b := make([]byte, 0, len(s)+16)
	for _, r := range s { // a broken byte reads as utf8.RuneError
		b = utf8.AppendRune(b, r)
	}
	return string(b), true
}

// substituteSet is the set with all its texts made UTF-8. The arrays of set are left as they are.
func substituteSet(set queue.RequestSet) queue.RequestSet {
	requests := make([]*php.Array, len(set.Requests))
	for i, params := range set.Requests {
		requests[i] = substituteArray(params)
	}
	set.Requests = requests
	set.Env = queue.Env{Server: substituteArray(set.Env.Server), Cookie: substituteArray(set.Env.Cookie)}
	set.TokenAuth, _ = substitute(set.TokenAuth)
	return set
}

func substituteArray(a *php.Array) *php.Array {
	valid := php.NewArray(a.Len())
	for name, v := range a.All() {
		name, _ = substitute(name)
		switch {
		case v.IsArray():
			v = php.ArrayValue(substituteArray(v.Array()))
		case v.IsString():
			text, _ := substitute(v.Str())
			v = php.String(text)
		}
		valid.Set(name, v)
	}
	return valid
}
