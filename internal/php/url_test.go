package php

import (
	"fmt"
	"strings"
	"testing"
)

// text is the components found, named as parse_url names them.
func (u URL) text() string {
	var parts []string
	add := func(has bool, name, value string) {
		if has {
			parts = append(parts, name+" "+value)
		}
	}
	add(u.HasScheme, "scheme", u.Scheme)
	add(u.HasHost, "host", u.Host)
	add(u.HasPort, "port", fmt.Sprint(u.Port))
	add(u.HasUser, "user", u.User)
	add(u.HasPass, "pass", u.Pass)
	add(u.HasPath, "path", u.Path)
	add(u.HasQuery, "query", u.Query)
	add(u.HasFragment, "fragment", u.Fragment)
	return strings.Join(parts, ",")
}

func TestParseURL(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "path "},
		{"//h", "host h"},
		{"///p", "fail"},
		{"http://h?", "scheme http,host h,query "},
		{"http://h:99999/", "fail"},
		{"http://h:/x", "scheme http,host h,path /x"},
		{"http://h:80a/", "scheme http,host h,port 80,path /"},
		{"a.com:80", "host a.com,port 80"},
		{"a.com:80/x", "host a.com,port 80,path /x"},
		{"http:///x", "fail"},
		{"http:/x", "scheme http,path /x"},
		{"http:x", "scheme http,path x"},
		{"http:", "scheme http"},
		{":80", "fail"},
		{":", "fail"},
		{"/p:80", "fail"},
		{"/p:80/x", "fail"},
		{"/p:99999", "fail"},
		{"//h:80", "host h,port 80"},
		{"//h_:x", "fail"},
		{"http://h:80:90/", "scheme http,host h:80,port 90,path /"},
		{"http://h/\x01x", "scheme http,host h,path /_x"},
		{"file:///c:/x", "scheme file,path c:/x"},
		{"file:///etc/x", "scheme file,path /etc/x"},
		{"http://@h/", "scheme http,host h,user ,path /"},
		{"http://h@/", "fail"},
		{"http://h:pw@x@y/z", "scheme http,host y,user h,pass pw@x,path /z"},
		{"a:80", "host a,port 80"},
		{"a:b", "scheme a,path b"},
		{"1:2", "host 1,port 2"},
		{"http://?a", "fail"},
		{"http://.../", "scheme http,host ...,path /"},
		{"+x://h/p", "scheme +x,host h,path /p"},
		{"ht_tp://h/p?q:1", "path ht_tp://h/p,query q:1"},
		{"h:123456", "scheme h,path 123456"},
		{"/a?b:c", "path /a,query b:c"},
		{"mailto:x@y", "scheme mailto,path x@y"},
		{"http://[::1]:80/x", "scheme http,host [::1],port 80,path /x"},
		{"http://[::1]", "scheme http,host [::1]"},
		{"/a#b?c", "path /a,fragment b?c"},
		{"?a#", "query a,fragment "},
		{"http://h: 80/", "scheme http,host h,port 80,path /"},
		{"http://h:-1/", "fail"},
		{"http://h:123456/", "fail"},
		{"a.com:0", "host a.com,port 0"},
	} {
		got := "fail"
		if u, ok := ParseURL(tt.in); ok {
			got = u.text()
		}
		if got != tt.want {
			t.Errorf("ParseURL(%q) gives %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestURLEncoding(t *testing.T) {
	for in, want := range map[string]string{"a+b%20c%C3%A9%zz%4": "a b cé%zz%4", "plain": "plain", "%e9": "\xe9"} {
		if got := URLDecode(in); got != want {
			t.Errorf("URLDecode(%q) = %q", in, got)
		}
	}
	for in, want := range map[string]string{"a b-_.~/é": "a+b-_.%7E%2F%C3%A9", "plain": "plain"} {
		if got := URLEncode(in); got != want {
			t.Errorf("URLEncode(%q) = %q", in, got)
		}
	}
	v, _ := DecodeJSON(`{"a":[1,2],"b":{"x y":{"z":true}},"n":null,"f":false,"d":1.5,"e":[]}`)
	if got, want := HTTPBuildQuery(v.Array()), "a%5B0%5D=1&a%5B1%5D=2&b%5Bx+y%5D%5Bz%5D=1&f=0&d=1.5"; got != want {
		t.Errorf("HTTPBuildQuery gives %s, want %s", got, want)
	}
}

func TestQueryToMap(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "[]"},
		{"0", "[]"},
		{"a", `{"a":false}`},
		{"?a=1", `{"a":"1"}`},
		{"=1", "[]"},
		{"a=1&b=&a=2", `{"a":"2","b":""}`},
		{"a[]=1&a[]=2&a[]", `{"a":["1","2",false]}`},
		{"a%5B%5D=x&a%5b%5d=y", `{"a":["x","y"]}`},
		{"a=1&a[]=2", `{"a":["2"]}`},
		{"a[1]=2", `{"a[1]":"2"}`},
		{`x=<b>&y="q"&z=it's`, `{"x":"&lt;b&gt;","y":"&quot;q&quot;","z":"it&#039;s"}`},
		{"a=1&amp;b=2", `{"a":"1","amp;b":"2"}`},
		{" a=1 ", `{" a":"1"}`},
		{"[]=5", `{"[]":"5"}`},
		{"0=5&0[]=6", `{"0[]":"6"}`},
		{"&&&a=1", `{"a":"1"}`},
		{"?", "[]"},
		{"a=1\r\n2", `{"a":"12"}`},
		{"a%5B=1&]=2", `{"a%5B":"1","]":"2"}`},
		{" ", "[]"},
	} {
		got, err := EncodeJSON(ArrayValue(QueryToMap(tt.in)))
		if got = strings.ReplaceAll(got, `\/`, "/"); err != nil || got != tt.want {
			t.Errorf("QueryToMap(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}
