package spam

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestRangesHoldAddresses(t *testing.T) {
	const option = `{"198.":["198.18.5.0/24","198.19.7.7/32","198.18.4.128/25"],"203.":["198.18.6.0/24","nonsense"],"2001:":["2001:db8:c::/48"],
		":":["::1234/128"],"192":["192.0.2.0/24"],"10.":"10.0.0.0/8","11.":[],"::ffff:9.":["9.9.9.9"]}`
	for _, tt := range []struct {
		option, ip string
		holds, any bool
	}{
		{option, "198.18.5.255", true, true},
		{option, "198.18.4.127", false, true},
		{option, "198.18.4.128", true, true},
		{option, "198.19.7.7", true, true},
		{option, "198.19.7.8", false, true},
		{option, "198.18.6.1", false, true}, // its range is under another index
		{option, "203.0.113.1", false, true},
		{option, "192.0.2.1", false, false}, // the index is 192. with the dot
		{option, "2001:db8:c::1", true, true},
		{option, "2001:db8:d::1", false, true},
		{option, "::1234", true, true},
		{option, "10.0.0.1", false, false},
		{option, "11.0.0.1", false, false},
		{option, "::ffff:9.9.9.9", false, true}, // another family
		{option, "198.", false, false},          // no address
		{option, "", false, false},
		{`{"198.":["198.18.5.0/24"`, "198.18.5.1", false, false},
		{"[]", "198.18.5.1", false, false},
		{"5", "198.18.5.1", false, false},
		{`{"203.":["203.0.113.0/24","::/0"]}`, "203.0.113.5", true, true}, // families are apart
		{`{"203.":["203.0.113.0/24","::/0"]}`, "203.0.200.1", false, true},
		{"", "198.18.5.1", false, false},
	} {
		if holds, any := NewRanges(ParseList(tt.option)).Holds(tt.ip); holds != tt.holds || any != tt.any {
			t.Errorf("%s in %.20s…: %v, %v, want %v, %v", tt.ip, tt.option, holds, any, tt.holds, tt.any)
		}
	}
}

func TestRangesEqualSearchOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []string
		for range rapid.IntRange(1, 8).Draw(t, "ranges") {
			last := rapid.IntRange(0, 255).Draw(t, "last")
			list = append(list, fmt.Sprintf("10.0.0.%d/%d", last, rapid.IntRange(24, 32).Draw(t, "bits")))
		}
		ip := fmt.Sprintf("10.0.0.%d", rapid.IntRange(0, 255).Draw(t, "ip"))
		binary, _ := php.ParseIP(ip)
		want := false
		for _, text := range list {
			r, _ := php.ParseIPRange(text)
			want = want || r.Contains(binary)
		}
		got, _ := NewRanges(ParseList(`{"10.":["` + strings.Join(list, `","`) + `"]}`)).Holds(ip)
		if got != want {
			t.Fatalf("%s in %v: %v, want %v", ip, list, got, want)
		}
	})
}

func TestBansAreAdded(t *testing.T) {
	for _, tt := range []struct{ option, ip, want string }{
		{"", "198.18.70.1", `{"198.":["198.18.70.1\/32"]}`},
		{"[]", "2001:db8:70::1", `{"2001:":["2001:db8:70::1\/128"]}`},
		{`{"203.": ["203.0.113.0/24"]}`, "198.18.70.1", `{"203.":["203.0.113.0\/24"],"198.":["198.18.70.1\/32"]}`},
		{`{"198.":["198.18.0.0/16"],"2.":[]}`, "198.18.70.1", `{"198.":["198.18.0.0\/16","198.18.70.1\/32"],"2.":[]}`},
		{`{"2.":[],"198.":[]}`, "2.0.0.1", `{"2.":["2.0.0.1\/32"],"198.":[]}`},
		{"broken", "1.2.3.4", `{"1.":["1.2.3.4\/32"]}`},
		{"", "::ffff:1.2.3.4", `{"::ffff:1.":["::ffff:1.2.3.4\/32"]}`},
		{"", "unknown", `{"u":["unknown\/128"]}`},
	} {
		before := ParseList(tt.option)
		after := before.With(tt.ip)
		got, err := after.Option()
		if got != tt.want || err != nil {
			t.Errorf("%s added to %s: %s %v, want %s", tt.ip, tt.option, got, err, tt.want)
		}
		if before.Bans(tt.ip) || !after.Bans(tt.ip) || after.With(tt.ip) != after {
			t.Errorf("%s added to %s: banned before %v, after %v", tt.ip, tt.option, before.Bans(tt.ip), after.Bans(tt.ip))
		}
	}
}
