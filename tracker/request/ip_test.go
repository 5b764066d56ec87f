package request

import (
	"encoding/hex"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func headers(names ...string) option {
	return settings(func(s *matomo.TrackerSettings) { s.ProxyClientHeaders = names })
}

func proxies(first bool, ips ...string) option {
	return settings(func(s *matomo.TrackerSettings) { s.ProxyIPs, s.ProxyIPReadLastInList = ips, !first })
}

const forwarded = "HTTP_X_FORWARDED_FOR"

func TestClientIPFromHeader(t *testing.T) {
	trusted := []string{"10.0.0.5", "192.168.7.*", "2001:db8:ffff::/48", "nonsense"}
	for _, test := range []struct {
		header, want string
		options      []option
	}{
		{"203.0.113.1", "203.0.113.1", nil},
		{"203.0.113.2, 198.18.0.2", "198.18.0.2", nil},
		{"203.0.113.5,", "203.0.113.5", nil},
		{",203.0.113.6", "203.0.113.6", nil},
		{"203.0.113.8, 2001:db8::8", "2001:db8::8", nil},
		{" 203.0.113.1\r\n", "203.0.113.1", nil},
		// Unusable ones fall back on the peer, others are taken though they are no addresses.
		{"unknown", "127.0.0.1", nil},
		{"203.0.113.3, UNKNOWN", "127.0.0.1", nil},
		{",", "127.0.0.1", nil},
		{"0, 0", "127.0.0.1", nil},
		{"", "127.0.0.1", nil},
		{"0", "127.0.0.1", nil},
		{"<b>203.0.113.4</b>", "&lt;b&gt;203.0.113.4&lt;", nil},
		{"not an address", "not an address", nil},
		// Ports, brackets and networks.
		{"203.0.113.1:8080", "203.0.113.1", nil},
		{"203.0.113.1:", "203.0.113.1", nil},
		{"[2001:db8::2]:443", "2001:db8::2", nil},
		{"[2001:db8::3]", "2001:db8::3", nil},
		{"[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", nil},
		{"203.0.113.4/24", "203.0.113.4", nil},
		{"2001:db8::5/64", "2001:db8::5", nil},
		{"fe80::1%eth0", "fe80::1%eth0", nil},
		{"localhost:80", "localhost", nil},
		{"::ffff:203.0.113.10", "::ffff:203.0.113.10", nil},
		// Proxies are left out of lists.
		{"203.0.113.1, 10.0.0.5", "203.0.113.1", []option{proxies(false, trusted...)}},
		{"203.0.113.2, 192.168.7.7, 10.0.0.5", "203.0.113.2", []option{proxies(false, trusted...)}},
		{"203.0.113.2, [2001:db8:ffff::1]:80", "203.0.113.2", []option{proxies(false, trusted...)}},
		{"10.0.0.5", "10.0.0.5", []option{proxies(false, trusted...)}},
		{"192.168.7.7, 10.0.0.5", "127.0.0.1", []option{proxies(false, trusted...)}},
		// The first of the list, the peer being a proxy.
		{"203.0.113.2, 198.18.0.2", "203.0.113.2", []option{proxies(true)}},
		{"127.0.0.1, 203.0.113.3", "203.0.113.3", []option{proxies(true)}},
		{"unknown, 203.0.113.4", "127.0.0.1", []option{proxies(true)}},
		{"10.0.0.5, 203.0.113.1, 198.18.0.1", "203.0.113.1", []option{proxies(true, trusted...)}},
	} {
		options := append([]option{server("REMOTE_ADDR", "127.0.0.1"), server(forwarded, test.header), headers(forwarded)}, test.options...)
		r := read(t, `{}`, options...)
		for range 2 {
			if got := r.HeaderIP(); got != test.want {
				t.Errorf("%q: %q, want %q", test.header, got, test.want)
			}
		}
	}
}

func TestProxyHeadersAreAskedInTheirOrder(t *testing.T) {
	both := headers("HTTP_CF_CONNECTING_IP", forwarded)
	peer := server("REMOTE_ADDR", "[::1]:80")
	for _, test := range []struct{ first, second, want string }{
		{"203.0.113.1", "198.18.0.1", "203.0.113.1"},
		{"unknown", "198.18.0.1", "198.18.0.1"},
		{"", "198.18.0.1", "198.18.0.1"},
		{"", "", "::1"},
	} {
		r := read(t, `{}`, peer, both, server("HTTP_CF_CONNECTING_IP", test.first), server(forwarded, test.second))
		if got := r.HeaderIP(); got != test.want {
			t.Errorf("%q, %q: %q, want %q", test.first, test.second, got, test.want)
		}
	}
	if got := read(t, `{}`, server(forwarded, "203.0.113.1")).HeaderIP(); got != "0.0.0.0" {
		t.Errorf("without headers and peer: %q", got)
	}
}

func TestBinaryIP(t *testing.T) {
	for cip, want := range map[string]string{
		"203.0.113.9":         "cb007109",
		"2001:db8::77":        "20010db8000000000000000000000077",
		"::ffff:203.0.113.9":  "00000000000000000000ffffcb007109",
		"203.0.113.9:8080":    "00000000",
		"203.0.113.0/24":      "00000000",
		" 203.0.113.9 ":       "00000000",
		"203.000.113.009":     "00000000",
		"localhost":           "00000000",
		"fe80::1%eth0":        "00000000",
		"203.0.113.9, 1.2.3.": "00000000",
	} {
		text, binary, err := read(t, `{"cip":"`+cip+`","token_auth":"super"}`).IP()
		if text != cip || hex.EncodeToString([]byte(binary)) != want || err != nil {
			t.Errorf("%q: %q %x %v, want %s", cip, text, binary, err, want)
		}
	}
}

func TestClientIPParameterNeedsAuthentication(t *testing.T) {
	peer := server("REMOTE_ADDR", "198.51.100.1")
	for _, params := range []string{`{"cip":"1.2.3.4"}`, `{"cip":"1.2.3.4","token_auth":"wrong"}`} {
		_, _, err := read(t, params, peer).IP()
		wantRejection(t, err, NotAuthenticated)
	}
	for _, params := range []string{`{"cip":"0"}`, `{"cip":""}`, `{"cip":["1.2.3.4"]}`, `{}`} {
		if text, _, err := read(t, params, peer).IP(); text != "198.51.100.1" || err != nil {
			t.Errorf("%s: %q %v", params, text, err)
		}
	}
}
