package receive

import (
	"errors"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// errConflict refuses a request with two tokens: one of them could be somebody else's.
var errConflict = errors.New("different tokens in one request")

// findToken finds the token of the set, and whether it came in a secure way, which counts for requests that are
// tracked at once. b is nil unless it is a bulk request.
func (q *received) findToken(b *bulk) error {
	if !q.installation.Behaviours.BearerTokens {
		q.findParameterToken(b)
		return nil
	}
	tokens := q.tokens(b)
	if q.installation.Behaviours.ConflictingTokens {
		if err := tokens.check(); err != nil {
			return err
		}
	}
	q.set.TokenAuth, q.set.SecureToken = tokens.first()
	if b != nil && php.EmptyString(q.set.TokenAuth) {
		q.set.TokenAuth = b.token
	}
	return nil
}

// findParameterToken is findToken before Matomo 5.4: the token comes from the parameters, those of the URL first, else
// from the JSON of a bulk request.
func (q *received) findParameterToken(b *bulk) {
	read := func(params *php.Array) string { return php.ReadString(params, "token_auth", "") }
	q.set.TokenAuth = read(union(q.get, q.post))
	if b != nil && php.EmptyString(q.set.TokenAuth) {
		q.set.TokenAuth = b.token
	}
	q.set.SecureToken = php.RawString(q.get, "token_auth") == "" && php.RawString(q.post, "token_auth") != ""
}

// tokens are those that one HTTP request brings, as they came.
type tokens struct {
	bearer    string
	hasBearer bool // perhaps an empty one
	body      string
	post, get string
}

// tokens looks in all places that Matomo looks in (spec §V1.3.1).
func (q *received) tokens(b *bulk) (t tokens) {
	t.bearer, t.hasBearer = strings.CutPrefix(q.set.Env.Server.Value("HTTP_AUTHORIZATION").Str(), "Bearer ")
	t.post, t.get = php.RawString(q.post, "token_auth"), php.RawString(q.get, "token_auth")
	if !strings.HasPrefix(q.body, "{") {
		return t
	}
	if b != nil && b.asSent {
		t.body = b.rawToken
	} else if document, err := php.DecodeJSON(q.body); err == nil {
		t.body = rawToken(document.Array())
	}
	return t
}

// rawToken is the token that a JSON body holds, if it is text.
func rawToken(document *php.Array) string {
	token := document.Value("token_auth").Str()
	if php.EmptyString(token) {
		return ""
	}
	return token
}

// first is the token that counts. The URL is no secure place.
func (t *tokens) first() (token string, secure bool) {
	switch {
	case t.hasBearer:
		return t.bearer, true
	case t.body != "":
		return t.body, true
	case t.post != "":
		return t.post, true
	}
	return t.get, false
}

// check refuses different tokens.
func (t *tokens) check() error {
	known := ""
	for _, token := range []string{t.bearer, t.body, t.post, t.get} {
		switch {
		case php.EmptyString(token):
		case known == "":
			known = token
		case token != known:
			return errConflict
		}
	}
	return nil
}
