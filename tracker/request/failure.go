package request

import "github.com/queuedtracking/queuedtracking/internal/php"

const maskedToken = "__TOKEN_AUTH__"

// FailureURL is the request as table tracking_failure shows it: the queued parameters as a query string, with
// everything masked that is a token or looks like one (spec §12.1).
func (r *Request) FailureURL() string {
	shown := php.NewArray(r.raw.Len())
	for name, v := range r.raw.All() {
		if r.isSecret(name, v) {
			v = php.String(maskedToken)
		}
		shown.Set(name, v)
	}
	return php.HTTPBuildQuery(shown)
}

func (r *Request) isSecret(name string, v php.Value) bool {
	switch name {
	case "token_auth", "token", "tokenauth", "token__auth":
		if !v.IsNull() {
			return true
		}
	}
	if !v.IsString() {
		return false
	}
	token := r.origin.TokenAuth
	return !php.EmptyString(token) && v.Str() == token || looksLikeToken(v.Str())
}

// looksLikeToken reports whether s consists of 29 to 36 hexadecimal digits.
func looksLikeToken(s string) bool {
	if len(s) < 29 || len(s) > 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if nibble(s[i]) == 0 && s[i] != '0' {
			return false
		}
	}
	return true
}
