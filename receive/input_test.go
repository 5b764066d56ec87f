package receive

import (
	"fmt"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func jsonOf(t *testing.T, a *php.Array) string {
	t.Helper()
	text, err := php.EncodeJSON(php.ArrayValue(a))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestQueriesAreReadAsPHPReadsThem(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", `[]`},
		{"a=1&b=2", `{"a":"1","b":"2"}`},
		{"a=1&b=2&a=3", `{"a":"3","b":"2"}`},
		{"&&a=1&", `{"a":"1"}`},
		{"a", `{"a":""}`},
		{"=1", `[]`},
		{"a=b=c", `{"a":"b=c"}`},
		{"a+b=1+2", `{"a_b":"1 2"}`},
		{"a.b=1", `{"a_b":"1"}`},
		{"%20a=1", `{"a":"1"}`},
		{"a%00b=1%002", `{"a":"1\u00002"}`},
		{"a[b]=1", `{"a":{"b":"1"}}`},
		{"a[]=1&a[]=2", `{"a":["1","2"]}`},
		{"a[ ]=1", `{"a":["1"]}`},
		{"a[b][c][]=1&a[b][d]=2", `{"a":{"b":{"c":["1"],"d":"2"}}}`},
		{"a[][b]=1&a[][b]=2", `{"a":[{"b":"1"},{"b":"2"}]}`},
		{"a[b.c]=1", `{"a":{"b.c":"1"}}`},
		{"a=1&a[b]=2", `{"a":{"b":"2"}}`},
		{"a[b]=1&a=2", `{"a":"2"}`},
		{"a[b=1", `{"a_b":"1"}`},
		{"a[b]x=1", `{"a":{"b":"1"}}`},
		{"a[b][c=1", `{"a":{"b":"1"}}`},
		{"[a]=1", `[]`},
		{"a%5Bb%5D=1", `{"a":{"b":"1"}}`},
		{"7=1&a[7]=2", `{"7":"1","a":{"7":"2"}}`},
		{"a;b=1", `{"a;b":"1"}`},
	} {
		if got := jsonOf(t, parseQuery(test.in)); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

func TestInputVariablesAreLimited(t *testing.T) {
	if n := parseQuery(strings.Repeat("a[]=1&", 3*maxInputVars)).Value("a").Array().Len(); n != maxInputVars {
		t.Errorf("%d variables", n)
	}
	if n := parseCookies(numbered(3 * maxInputVars)).Len(); n != maxInputVars {
		t.Errorf("%d cookies", n)
	}
	if got := jsonOf(t, parseQuery("b=1&a"+strings.Repeat("[x]", maxInputDepth+1)+"=1")); got != `{"b":"1"}` {
		t.Errorf("nested too deep: %s", got)
	}
	if got := jsonOf(t, parseQuery("a"+strings.Repeat("[x]", maxInputDepth)+"=1")); strings.Count(got, "x") != maxInputDepth {
		t.Errorf("nested just deep enough: %s", got)
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "c%d=1; ", i)
	}
	return b.String()
}

func TestCookiesAreReadAsPHPReadsThem(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", `[]`},
		{"a=1; b=2", `{"a":"1","b":"2"}`},
		{"a=1; a=2", `{"a":"1"}`},
		{"a.b=1; a_b=2", `{"a_b":"1"}`},
		{"a=1+2%20%zz", `{"a":"1+2 %zz"}`},
		{"a%20b=1", `{"a%20b":"1"}`},
		{"a;=b; c=", `{"a":"","c":""}`},
		{"a[x]=1;a[y]=2", `{"a":{"x":"1","y":"2"}}`},
	} {
		if got := jsonOf(t, parseCookies(test.in)); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

func TestBulkRequests(t *testing.T) {
	for _, test := range []struct{ in, token, want string }{
		{`{"requests":["?a=1","http://x/y?b=2#c","nothing","?"]}`, "", `[{"a":"1"},{"b":"2"}]`},
		{`{"requests":[{},null,7,["x"]],"token_auth":"t"}`, "t", `[[],[],[],["x"]]`},
		{`{"requests":{"x":{"a":1.5},"y":"?b"}}`, "", `[{"a":1.5},{"b":""}]`},
		{"  {\"requests\":\r\n[\"?a=1\n\"]} ", "", `[{"a":"1"}]`},
		{`{"requests":"?a=1"}`, "", `[]`},
		{`{"requests":`, "", `[]`},
		{`[1,"requests"]`, "", `[]`},
		{"{\"requests\":[{\"a\":\"\xe4\"}]}", "", `[{"a":"\ufffd"}]`},
		{"{\"requests\":[\xe4]}", "", `[]`},
	} {
		b, err := parseBulk(test.in, 10)
		if err != nil {
			t.Fatal(err)
		}
		list := &php.Array{}
		for _, params := range b.requests {
			list.Append(php.ArrayValue(params))
		}
		if got := jsonOf(t, list); got != test.want || b.token != test.token {
			t.Errorf("%s: %s with token %q, want %s with %q", test.in, got, b.token, test.want, test.token)
		}
	}
	if isBulk(`"requests"`) || !isBulk(`{'requests'`) {
		t.Error("a bulk request is told by the quoted word behind its first byte")
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("a[b][]=1&c.d=%41+&e")
	f.Add("a[[]=1&a]=2&[=3")
	f.Fuzz(func(t *testing.T, query string) {
		for range parseQuery(query).All() {
		}
		for range parseCookies(query).All() {
		}
	})
}
