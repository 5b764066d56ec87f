// Package redact takes secrets out of what is shown to people: tokens, cookies, passwords in tracking requests and in
// the HTTP requests that carried them.
package redact

import (
	"regexp"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Mask stands for a secret.
const Mask = "***"

// tokenInText finds tokens in URLs, messages and headers: a parameter whose name tells what it is, what follows the
// word Bearer, or 32 hex digits, the form of token_auth.
var tokenInText = regexp.MustCompile(
	`(?i)((?:\bbearer(?: |%20|\+)+|` +
		`(?:token|token_auth|auth|password|passwd|pwd|secret|api_?key|access_?key|session_?id)(?:%5b[^=&]*%5d|\[[^=&\]]*\])?(?:=|%3d)))[^&#\s"'%;]+|\b[0-9a-f]{32}\b`)

// Text masks tokens in a URL or a message.
func Text(s string) string {
	if len(s) < 4 {
		return s
	}
	return tokenInText.ReplaceAllStringFunc(s, func(match string) string {
		if name := tokenInText.FindStringSubmatch(match)[1]; name != "" {
			return name + Mask
		}
		return Mask
	})
}

// secretNames are parts of the names of parameters and headers whose values are secrets.
var secretNames = []string{
	"token", "password", "passwd", "secret", "authorization", "cookie", "auth_pw", "api_key",
	"apikey", "session",
}

// IsSecret reports whether the value under this name is a secret as a whole.
func IsSecret(name string) bool {
	name = strings.ToLower(name)
	if name == "cookie" { // tells whether the browser takes cookies: 0 or 1
		return false
	}
	for _, secret := range secretNames {
		if strings.Contains(name, secret) {
			return true
		}
	}
	return false
}

// Params returns a copy of parameters or headers without secrets.
func Params(params *php.Array) *php.Array {
	clean := php.NewArray(params.Len())
	for key, value := range params.All() {
		switch {
		case IsSecret(key) && !php.Empty(value):
			clean.Set(key, php.String(Mask))
		default:
			clean.Set(Text(key), Value(value))
		}
	}
	return clean
}

// Value returns a value without secrets in its texts.
func Value(v php.Value) php.Value {
	switch v.Kind() {
	case php.KindString:
		return php.String(Text(php.ToString(v)))
	case php.KindArray:
		return php.ArrayValue(Params(v.Array()))
	default:
		return v
	}
}

// Cookies returns the names of cookies with all values masked: which of them are somebody's session cannot be told.
func Cookies(cookies *php.Array) *php.Array {
	clean := php.NewArray(cookies.Len())
	for key := range cookies.All() {
		clean.Set(key, php.String(Mask))
	}
	return clean
}
