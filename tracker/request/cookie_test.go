package request

import (
	"encoding/base64"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// signed makes a cookie of Matomo 3: values are serialized, the content is signed.
func signed(content string) string {
	content += ":_="
	return content + hexSHA1(content+salt)
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestCookieField(t *testing.T) {
	for _, test := range []struct {
		cookie, want string
		found        bool
	}{
		{"ignore=Kg==", "*", true},
		{"a=1:ignore=Kg==", "*", true},
		{"ignore=eA==:ignore=Kg==", "*", true},
		{"ignore=Kg", "*", true},
		{"ignore=*", "", true},
		{"ignore=12", "12", true},
		{"ignore=" + encoded("<a>"), "&lt;a&gt;", true},
		{"ignore=" + encoded(`s:1:"*";`), "s:1:&quot;*&quot;;", true},
		{"a:ignore=Kg==", "*", true},
		{"*", "", false},
		{"", "", false},
		{"other=Kg==", "", false},
		// Signed ones.
		{signed("ignore=" + encoded(`s:1:"*";`)), "*", true},
		{signed("ignore=5"), "5", true},
		{signed("ignore=" + encoded("N;")), "", false},
		{signed("ignore=" + encoded("b:0;")), "", true},
		{signed("ignore=" + encoded(`s:1:"*";`) + ":x=" + encoded("broken")), "", false},
		{signed(""), "", false},
		// A wrong signature makes it a cookie of today.
		{"ignore=Kg==:_=0123456789012345678901234567890123456789", "*", true},
	} {
		r := read(t, `{}`, cookie("c", php.String(test.cookie)))
		got, found, err := r.CookieField("c", "ignore")
		if got != test.want || found != test.found || err != nil {
			t.Errorf("%q: %q %v %v, want %q %v", test.cookie, got, found, err, test.want, test.found)
		}
	}
	if _, found, err := read(t, `{}`).CookieField("c", "ignore"); found || err != nil {
		t.Errorf("no cookie: %v %v", found, err)
	}
	_, _, err := read(t, `{}`, cookie("c", php.ArrayValue(nil))).CookieField("c", "ignore")
	wantRejection(t, err, WrongType)
}
