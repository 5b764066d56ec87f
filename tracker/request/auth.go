package request

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Authenticated reports whether the request may set address, old times and location (spec §1.5): the site asks for no
// authentication, or the token of the set, else that of the request, has the right to track the site or belongs to a
// superuser. The error is the Authenticator's.
//
// When the answer is no Matomo notes a tracking failure (idfailure 2) and a failed login, but each of its callers then
// refuses the request, and the transaction with these rows is rolled back: there is nothing to write.
func (r *Request) Authenticated() (bool, error) { return r.auth.get(r, (*Request).findAuth) }

func (r *Request) findAuth() (bool, error) {
	if !r.ctx.Settings.RequireAuthentication {
		return true, nil
	}
	token := r.token()
	if r.ctx.Site == nil || php.EmptyString(token) {
		return false, nil
	}
	hash := matomo.TokenHash(token, r.ctx.Settings.Salt)
	if r.ctx.Site.MayTrack(hash) {
		return true, nil
	}
	_, bearer := r.bearer()
	return r.ctx.Auth.IsSuperuser(hash, r.origin.SecureToken || bearer)
}

// token is the first that is not empty: the set's, the request's own, and where Matomo knows it that of the header
// Authorization, which the whole set shares (spec §V1.3.1). Where it knows the header it also takes the request's own
// token as it came, not sanitised: "a&b".
func (r *Request) token() string {
	token := r.origin.TokenAuth
	switch {
	case !php.EmptyString(token):
		return token
	case !r.ctx.Behaviours.BearerTokens:
		return r.PlainText("token_auth")
	}
	if token = php.RawString(r.params, "token_auth"); php.EmptyString(token) {
		token, _ = r.bearer()
	}
	return token
}

// bearer is the token of the header Authorization: what follows "Bearer ", letter by letter. Like the body of a POST
// the header is a secure way, and Matomo does not ask which token came by it. present is false where Matomo does not
// know the header.
func (r *Request) bearer() (token string, present bool) {
	if !r.ctx.Behaviours.BearerTokens {
		return "", false
	}
	return strings.CutPrefix(r.Server("HTTP_AUTHORIZATION"), "Bearer ")
}

// authenticate refuses a request that is not authenticated. detail says what it would have to be authenticated for.
func (r *Request) authenticate(detail string) error {
	ok, err := r.Authenticated()
	if err == nil && !ok {
		err = Reject(NotAuthenticated, detail)
	}
	return err
}

// CheckLocationOverrides refuses a request that sets its location without authentication (spec §1.1 step 4). Empty
// values and "0" set nothing.
func (r *Request) CheckLocationOverrides() error {
	for _, name := range [...]string{"city", "region", "country", "lat", "long"} {
		if php.EmptyString(r.PlainText(name)) {
			continue
		}
		if err := r.authenticate(name); err != nil {
			return err
		}
	}
	return nil
}
