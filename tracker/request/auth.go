package request

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Authenticated reports whether the request may set address, old times and location (§1.5): the site asks for no authentication, or the
// token of the set, else that of the request, has the right to track the site or belongs to a superuser. The error is the
// Authenticator's.
//
// When the answer is no Matomo notes a tracking failure (idfailure 2) and a failed login, but each of its callers then refuses the
// request, and the transaction with these rows is rolled back: there is nothing to write.
func (r *Request) Authenticated() (bool, error) { return r.auth.get(r, (*Request).findAuth) }

func (r *Request) findAuth() (bool, error) {
	if !r.ctx.Settings.RequireAuthentication {
		return true, nil
	}
	token := r.origin.TokenAuth
	if php.EmptyString(token) {
		token = r.PlainText("token_auth")
	}
	if r.ctx.Site == nil || php.EmptyString(token) {
		return false, nil
	}
	hash := matomo.TokenHash(token, r.ctx.Settings.Salt)
	if r.ctx.Site.MayTrack(hash) {
		return true, nil
	}
	return r.ctx.Auth.IsSuperuser(hash)
}

// authenticate refuses a request that is not authenticated. detail says what it would have to be authenticated for.
func (r *Request) authenticate(detail string) error {
	ok, err := r.Authenticated()
	if err == nil && !ok {
		err = Reject(NotAuthenticated, detail)
	}
	return err
}

// CheckLocationOverrides refuses a request that sets its location without authentication (§1.1 step 4). Empty values and "0" set nothing.
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
