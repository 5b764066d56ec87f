package request

import "testing"

func TestFailureURLMasksTokens(t *testing.T) {
	const token = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	for _, test := range []struct{ params, want string }{
		{`{"idsite":"0","a":["1","2"],"b":{"c":"d e"}}`, "idsite=0&a%5B0%5D=1&a%5B1%5D=2&b%5Bc%5D=d+e"},
		{`{"url":"http://n.example/?a=1&b=2","action_name":"Ü & <x>"}`, "url=http%3A%2F%2Fn.example%2F%3Fa%3D1%26b%3D2&action_name=%C3%9C+%26+%3Cx%3E"},
		{`{"token_auth":"x","token":5,"tokenauth":"","token__auth":null}`, "token_auth=__TOKEN_AUTH__&token=__TOKEN_AUTH__&tokenauth=__TOKEN_AUTH__"},
		{`{"custom":"0123456789abcdef0123456789ABC"}`, "custom=__TOKEN_AUTH__"},
		{`{"custom":"0123456789abcdef0123456789AB"}`, "custom=0123456789abcdef0123456789AB"},
		{`{"custom":"0123456789abcdef0123456789ABCDEF01234"}`, "custom=0123456789abcdef0123456789ABCDEF01234"},
		{`{"custom":"0123456789abcdef0123456789abcdeg"}`, "custom=0123456789abcdef0123456789abcdeg"},
		{`{"misplaced":"the set's"}`, "misplaced=__TOKEN_AUTH__"},
		{`{"yes":true,"no":false,"null":null}`, "yes=1&no=0"},
		{`{"nested":["` + token + `"]}`, "nested%5B0%5D=" + token},
	} {
		r := read(t, test.params, setToken("the set's"), server("HTTP_REFERER", "http://r.example/"), unknownSite)
		if got := r.FailureURL(); got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", test.params, got, test.want)
		}
	}
	if got := read(t, `{"empty":""}`).FailureURL(); got != "empty=" {
		t.Error(got)
	}
}
