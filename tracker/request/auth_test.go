package request

import (
	"errors"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func mayTrack(token string) option {
	return func(_ *Origin, c *Context) {
		c.Site.TrackingTokens[matomo.TrackingHash(c.Site.ID, matomo.TokenHash(token, salt), salt)] = true
	}
}

func TestAuthentication(t *testing.T) {
	notRequired := settings(func(s *matomo.TrackerSettings) { s.RequireAuthentication = false })
	for _, test := range []struct {
		name, params string
		options      []option
		want         bool
	}{
		{"no token", `{}`, nil, false},
		{"empty token", `{"token_auth":""}`, nil, false},
		{"token 0", `{"token_auth":"0"}`, nil, false},
		{"superuser", `{"token_auth":"super"}`, nil, true},
		{"unknown token", `{"token_auth":"other"}`, nil, false},
		{"right for the site", `{"token_auth":"writer"}`, []option{mayTrack("writer")}, true},
		{"token of the set", `{}`, []option{setToken("super")}, true},
		{"token of the set wins", `{"token_auth":"other"}`, []option{setToken("super")}, true},
		{"token of the set wins though it is wrong", `{"token_auth":"super"}`, []option{setToken("other")}, false},
		{"not required", `{}`, []option{notRequired}, true},
		{"unknown site", `{"token_auth":"super"}`, []option{unknownSite}, false},
		{"unknown site, not required", `{}`, []option{unknownSite, notRequired}, true},
	} {
		r := read(t, test.params, test.options...)
		for range 2 {
			if got, err := r.Authenticated(); got != test.want || err != nil {
				t.Errorf("%s: %v %v, want %v", test.name, got, err, test.want)
			}
		}
	}
}

func version(text string) option {
	return func(_ *Origin, c *Context) { c.Behaviours = matomo.BehavioursIn(text) }
}

// TestTokensMayComeAsBearer holds each case against the first Matomo that knows the header and against the one before.
func TestTokensMayComeAsBearer(t *testing.T) {
	bearer := func(token string) option { return server("HTTP_AUTHORIZATION", "Bearer "+token) }
	secure := func(o *Origin, _ *Context) { o.SecureToken = true }
	ampersand := func(_ *Origin, c *Context) {
		c.Auth = superusers{
			matomo.TokenHash("a&b", salt): true, matomo.TokenHash("a&amp;c", salt): true,
			matomo.TokenHash("7", salt): true,
		}
	}
	for _, test := range []struct {
		name, params string
		options      []option
		want, before bool
	}{
		{"header alone", `{}`, []option{bearer("super")}, true, false},
		{"unknown token", `{}`, []option{bearer("other")}, false, false},
		{"right for the site", `{}`, []option{bearer("writer"), mayTrack("writer")}, true, false},
		{"two blanks", `{}`, []option{bearer(" super")}, false, false},
		{"blank at the end", `{}`, []option{bearer("super ")}, false, false},
		{"no token", `{}`, []option{bearer("")}, false, false},
		{"lower case", `{}`, []option{server("HTTP_AUTHORIZATION", "bearer super")}, false, false},
		{"Basic", `{}`, []option{server("HTTP_AUTHORIZATION", "Basic super")}, false, false},
		{"own token first", `{"token_auth":"other"}`, []option{bearer("super")}, false, false},
		{"own token 0 is none", `{"token_auth":"0"}`, []option{bearer("super")}, true, false},
		{"own list is none", `{"token_auth":["super"]}`, []option{bearer("super")}, true, false},
		{"token of the set first", `{}`, []option{setToken("other"), bearer("super")}, false, false},
		{"token of the set 0 is none", `{}`, []option{setToken("0"), bearer("super")}, true, false},

		// tokens for secure use only
		{"secure token as parameter", `{"token_auth":"secure"}`, nil, false, false},
		{"secure token of the set", `{}`, []option{setToken("secure")}, false, false},
		{"secure token as Bearer", `{}`, []option{bearer("secure")}, true, false},
		{
			"secure token of the set, written from the header", `{}`,
			[]option{setToken("secure"), bearer("secure")},
			true,
			false,
		},
		{"secure token beside some header", `{"token_auth":"secure"}`, []option{bearer("x")}, true, false},
		{"secure token in the body of a POST, tracked at once", `{"token_auth":"secure"}`, []option{secure}, true, true},

		// the request's own token is not sanitised any more
		{"ampersand", `{"token_auth":"a&b"}`, []option{ampersand}, true, false},
		{"sanitised ampersand", `{"token_auth":"a&c"}`, []option{ampersand}, false, true},
		{"NUL byte", `{"token_auth":"su\u0000per"}`, nil, true, true},
		{"number", `{"token_auth":7}`, []option{ampersand}, true, true},
	} {
		for v, want := range map[string]bool{"5.3.2": test.before, "5.4.0": test.want} {
			options := append([]option{version(v)}, test.options...)
			if got, err := read(t, test.params, options...).Authenticated(); got != want || err != nil {
				t.Errorf("%s: %s: %v %v, want %v", v, test.name, got, err, want)
			}
		}
	}
}

// flaky fails once.
type flaky struct{ asked int }

var errAway = errors.New("database is away")

func (f *flaky) IsSuperuser(string, bool) (bool, error) {
	f.asked++
	if f.asked == 1 {
		return false, errAway
	}
	return true, nil
}

func TestFailedAuthenticationIsAskedAgainAnAnsweredOneIsNot(t *testing.T) {
	auth := &flaky{}
	r := read(t, `{"cip":"1.2.3.4","token_auth":"x"}`, func(_ *Origin, c *Context) { c.Auth = auth })
	if _, _, err := r.IP(); !errors.Is(err, errAway) {
		t.Errorf("first: %v", err)
	}
	for range 2 {
		if text, _, err := r.IP(); text != "1.2.3.4" || err != nil {
			t.Errorf("then: %q %v", text, err)
		}
	}
	if auth.asked != 2 {
		t.Errorf("asked %d times", auth.asked)
	}
}

func TestLocationOverridesNeedAuthentication(t *testing.T) {
	for _, name := range []string{"city", "region", "country", "lat", "long"} {
		err := read(t, `{"`+name+`":"x"}`).CheckLocationOverrides()
		wantRejection(t, err, NotAuthenticated)
		if err := read(t, `{"`+name+`":"x","token_auth":"super"}`).CheckLocationOverrides(); err != nil {
			t.Errorf("%s with token: %v", name, err)
		}
		if err := read(t, `{"`+name+`":"0"}`).CheckLocationOverrides(); err != nil {
			t.Errorf("%s=0: %v", name, err)
		}
	}
	if err := read(t, `{"city":"","lat":["1"]}`).CheckLocationOverrides(); err != nil {
		t.Error(err)
	}
}

func TestRejectionNamesReasonAndParameter(t *testing.T) {
	_, _, err := read(t, `{"cip":"1.2.3.4"}`).IP()
	if got := err.Error(); got != "not authenticated: cip" {
		t.Error(got)
	}
}
