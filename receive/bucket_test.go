package receive

import (
	"net/netip"
	"testing"
	"time"
)

func TestRateIsLimitedPerClient(t *testing.T) {
	o := testOptions(t, recordedConfig, &sink{})
	o.Limits.Rate, o.Limits.Burst = 1, 2
	now := time.Unix(1_800_000_000, 0)
	o.Clock = func() time.Time { return now }
	handler := askingHandler(t, o)
	ask := func(client string) int {
		r := get("/matomo.php?idsite=1")
		r.Header.Set("X-Forwarded-For", client)
		return handler(r).StatusCode
	}
	for i, want := range []int{200, 200, 429, 429} {
		if got := ask("198.51.100.1"); got != want {
			t.Errorf("request %d: status %d, want %d", i, got, want)
		}
	}
	if got := ask("198.51.100.2"); got != 200 {
		t.Errorf("other client: status %d", got)
	}
	now = now.Add(time.Second)
	if first, second := ask("198.51.100.1"), ask("198.51.100.1"); first != 200 || second != 429 {
		t.Errorf("a second later: %d, %d", first, second)
	}
}

func TestBucketsFillAtTheirRateUpToTheBurst(t *testing.T) {
	b := newBuckets(2, 3)
	now := time.Unix(1_800_000_000, 0)
	for _, step := range []struct {
		after time.Duration
		want  int // requests that may be sent at once
	}{
		{0, 3},
		{499 * time.Millisecond, 0},
		{time.Millisecond, 1},
		{time.Second, 2},
		{time.Hour, 3},
		{-time.Hour, 0}, // the clock was set back
	} {
		now = now.Add(step.after)
		got := 0
		for range 10 {
			if b.take("198.51.100.1", now) {
				got++
			}
		}
		if got != step.want {
			t.Errorf("%v later: %d requests may be sent, want %d", step.after, got, step.want)
		}
	}
}

// TestOneBucketForEachNetwork takes the first address's only token and then asks with the second one.
func TestOneBucketForEachNetwork(t *testing.T) {
	for _, test := range []struct {
		first, second string
		same          bool
	}{
		{"198.51.100.1", "198.51.100.2", false},
		{"198.51.100.1", "::ffff:198.51.100.1", true},
		{"198.51.100.1", "::ffff:198.51.100.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2", true},
		{"::1", "0.0.0.1", false},
		{"", "no address", true},
		{"no address", "::", false},
	} {
		b := newBuckets(1, 1)
		now := time.Unix(1_800_000_000, 0)
		if !b.take(test.first, now) {
			t.Errorf("%s: the first request is refused", test.first)
		}
		if got, want := b.take(test.second, now), !test.same; got != want {
			t.Errorf("%s after %s: taken %t, want %t", test.second, test.first, got, want)
		}
	}
}

// TestNetworksAreForgotten also shows which: not those that go on sending, or they could send more at once again.
func TestNetworksAreForgotten(t *testing.T) {
	b := newBuckets(1, 10)
	now := time.Unix(1_800_000_000, 0)
	taken := 0
	for i := range 2 * maxNetworks {
		b.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), now)
		if i%100 == 0 && b.take("203.0.113.1", now) {
			taken++
		}
	}
	if taken != 10 {
		t.Errorf("%d requests of one address, want 10", taken)
	}
	b.byNetwork.CleanUp()
	if got := b.byNetwork.EstimatedSize(); got > maxNetworks {
		t.Errorf("%d networks are remembered, want at most %d", got, maxNetworks)
	}
}
