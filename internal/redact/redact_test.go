package redact

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

const token = "0123456789abcdef0123456789abcdef"

func TestTextMasksTokens(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"abc", "abc"},
		{"https://example.org/?a=1&b=2", "https://example.org/?a=1&b=2"},
		{"/matomo.php?token_auth=" + token + "&idsite=1", "/matomo.php?token_auth=***&idsite=1"},
		{"?TOKEN_AUTH=short", "?TOKEN_AUTH=***"},
		{"?password=x y", "?password=*** y"},
		{"?x%3Dtoken_auth%3Dabc", "?x%3Dtoken_auth%3D***"},
		{"?api_key=1&apikey=2&access_key=3", "?api_key=***&apikey=***&access_key=***"},
		{"?token[x]=1", "?token[x]=***"},
		{`{"HTTP_AUTHORIZATION":"Bearer abc-def"}`, `{"HTTP_AUTHORIZATION":"Bearer ***"}`},
		{"Authorization: bearer  x y", "Authorization: bearer  *** y"},
		{"forbearer abc", "forbearer abc"},
		{"the token " + token + " is unknown", "the token *** is unknown"},
		{"0123456789abcdef", "0123456789abcdef"}, // a visitor id
	} {
		if got := Text(test.in); got != test.want {
			t.Errorf("Text(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func TestSecretsAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]bool{
		"token_auth": true, "HTTP_AUTHORIZATION": true, "HTTP_COOKIE": true, "PHP_AUTH_PW": true, "PASSWORD": true,
		"session_id": true,
		"cookie":     false, "url": false, "_id": false,
	} {
		if IsSecret(name) != want {
			t.Errorf("IsSecret(%q) = %v", name, !want)
		}
	}
}

func TestParamsMasksAtAllLevels(t *testing.T) {
	inner := php.NewArray(0)
	inner.Set("token_auth", php.String(token))
	inner.Set("n", php.Int(5))
	a := php.NewArray(0)
	a.Set("token_auth", php.String(token))
	a.Set("api_token", php.String(""))
	a.Set("nested", php.ArrayValue(inner))
	a.Set("url", php.String("http://x/?token_auth="+token))
	a.Set(token, php.Bool(true))
	got, err := php.EncodeJSON(php.ArrayValue(Params(a)))
	want := `{"token_auth":"***","api_token":"","nested":{"token_auth":"***","n":5},"url":"http:\/\/x\/?token_auth=***","***":true}`
	if err != nil || got != want {
		t.Errorf("%s\nwant %s (%v)", got, want, err)
	}
}

func TestCookiesKeepTheirNamesOnly(t *testing.T) {
	a := php.NewArray(0)
	a.Set("_pk_id", php.String("abc"))
	got, _ := php.EncodeJSON(php.ArrayValue(Cookies(a)))
	if got != `{"_pk_id":"***"}` {
		t.Error(got)
	}
}
