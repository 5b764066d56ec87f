package tracker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/location"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// TestNamesOfAddressesAreLearntForNewVisits looks at which addresses are looked up, and what their visits get.
func TestNamesOfAddressesAreLearntForNewVisits(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	hosts, err := location.NewHosts(func(_ context.Context, address string) ([]string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, address)
		return []string{"dialin.example.net."}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := &matomo.TrackerSettings{CharsetUTF8MB4: true}
	locator, err := location.New(location.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name              string
		ip, stored, dp    string
		masked, ping, off bool
		asked             []string
		want              string
	}{
		{name: "full address", ip: "198.51.100.7", stored: "198.51.0.0", asked: []string{"198.51.100.7"}, want: "example.net"},
		{name: "known by now", ip: "198.51.100.7", want: "example.net"},
		{name: "masked", ip: "198.51.100.8", stored: "198.51.0.0", masked: true},
		{name: "masked so that it ends otherwise", ip: "2001:db8::1", stored: "2001:db8::", masked: true, asked: []string{"2001:db8::"}, want: "example.net"},
		{name: "log importer", ip: "198.51.100.9", dp: "1"},
		{name: "dp=0", ip: "198.51.100.10", dp: "0", asked: []string{"198.51.100.10"}, want: "example.net"},
		{name: "ping", ip: "198.51.100.11", ping: true, want: "example.net"}, // it begins no visit
		{name: "no look-ups", ip: "198.51.100.12", off: true},
	} {
		asked = nil
		tracker := &Tracker{hosts: hosts, locator: locator}
		if test.off {
			tracker.hosts = nil
		}
		params := php.NewArray(1)
		params.Set("dp", php.String(test.dp))
		r := request.New(params, &request.Origin{})
		r.Bind(&request.Context{General: &matomo.General{Privacy: matomo.Privacy{UseAnonymizedIPForVisit: test.masked}}, Settings: settings})
		p := &parsed{req: r, binaryIP: binary(test.ip)}
		p.facts.LocationIP, p.facts.Ping = binary(test.stored), test.ping
		tracker.learnHosts(t.Context(), &Prepared{requests: []*parsed{p}})
		if !slices.Equal(asked, test.asked) {
			t.Errorf("%s: asked for %v, want %v", test.name, asked, test.asked)
		}
		got := tracker.provider(t.Context(), p, locatedIP(p, p.facts.LocationIP))
		if got.V != test.want || got.Valid != (test.want != "") {
			t.Errorf("%s: %s, want %q", test.name, fmt.Sprint(got), test.want)
		}
	}
}

func binary(ip string) string {
	b, _ := php.ParseIP(ip)
	return string(b)
}
