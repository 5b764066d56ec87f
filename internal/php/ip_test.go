package php

import "testing"

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "::1": "::1", "2001:DB8:0:0:1::": "2001:db8:0:0:1::", "::ffff:1.2.3.4": "::ffff:1.2.3.4",
		"::1.2.3.4": "::1.2.3.4", "::": "::", "::102": "::102",
	} {
		ip, ok := ParseIP(in)
		if got := FormatIP(ip); !ok || got != want {
			t.Errorf("%s becomes %s (%v), want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "01.2.3.4", "1.2.3", "fe80::1%eth0", "1.2.3.4:80", "[::1]", "256.1.1.1", "localhost"} {
		if _, ok := ParseIP(in); ok {
			t.Errorf("%q is no address", in)
		}
	}
	if got := FormatIP([]byte{1}); got != "" {
		t.Errorf("one byte is written as %q", got)
	}
}

func TestRanges(t *testing.T) {
	for _, tt := range []struct{ in, low, high string }{
		{"203.0.113.7", "203.0.113.7", "203.0.113.7"},
		{" 198.51.100.* ", "198.51.100.0", "198.51.100.255"},
		{"10.*.*.*", "10.0.0.0", "10.255.255.255"},
		{"192.0.2.77/25", "192.0.2.0", "192.0.2.127"},
		{"2001:db8:bad::/48", "2001:db8:bad::", "2001:db8:bad:ffff:ffff:ffff:ffff:ffff"},
		{"2001:db8:1:2:3:4:5:*", "2001:db8:1:2:3:4:5:0", "2001:db8:1:2:3:4:5:ffff"},
		{"1.2.3.4/0", "0.0.0.0", "255.255.255.255"},
		{"1.2.3.4/32", "1.2.3.4", "1.2.3.4"},
		{"1.2.3.4/31.5", "1.2.3.4", "1.2.3.5"},
	} {
		r, ok := ParseIPRange(tt.in)
		if !ok || FormatIP(r.Low) != tt.low || FormatIP(r.High) != tt.high {
			t.Errorf("%s is %s to %s (%v)", tt.in, FormatIP(r.Low), FormatIP(r.High), ok)
		}
		if !r.Contains(r.Low) || !r.Contains(r.High) || r.Contains([]byte{1, 2}) {
			t.Errorf("%s does not contain its ends only", tt.in)
		}
	}
	for _, in := range []string{"", "1.*", "1.2.*.4", "1.2.3*.*", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/x", "2001:*::", "x", "*", "1.2.3.**", "::/129", "1:*:*:*:*:*:*:*:*", "1.2.3.4/"} {
		if r, ok := ParseIPRange(in); ok {
			t.Errorf("%q is %s to %s", in, FormatIP(r.Low), FormatIP(r.High))
		}
	}
	r, _ := ParseIPRange("198.51.100.*")
	if r.Contains([]byte{198, 51, 101, 0}) || r.Contains([]byte{198, 51, 99, 255}) {
		t.Error("neighbours are inside")
	}
}
