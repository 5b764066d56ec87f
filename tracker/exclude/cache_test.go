package exclude

import (
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestCacheKeepsTheFirstValueAndIsBounded(t *testing.T) {
	var c cache[int, int]
	for i := range maxCached + 1 {
		c.get(i, func() int { return i })
	}
	if len(c.values) != 1 {
		t.Errorf("%d values after the bound", len(c.values))
	}
	if got := c.get(maxCached, func() int { return -1 }); got != maxCached {
		t.Errorf("%d", got)
	}
	// Another goroutine may be first while the value is made.
	if got := c.get(-1, func() int { return c.get(-1, func() int { return 1 }) + 1 }); got != 1 {
		t.Errorf("%d, want the first one", got)
	}
}

func TestCheckerIsSafeForConcurrentUse(t *testing.T) {
	c := newChecker()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				for address, want := range map[string]string{"66.249.80.1": BotAddress, "198.51.100.1": tracked} {
					r := read(t, `{"rec":"1","urlref":"http://a.example"}`, ip(address),
						config(func(s *matomo.TrackerSettings) { s.ExcludeRequests = "a==b" }),
						site(func(s *matomo.Site) { s.ExcludedUserAgents = []string{"/y/"} }))
					if got, err := c.Check(r); got != want || err != nil {
						t.Errorf("%s: %q %v", address, got, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkCheck(b *testing.B) {
	c := newChecker()
	r := read(b, `{"rec":"1","url":"http://a.example/","urlref":"https://www.google.com/"}`,
		ua("Mozilla/5.0 (X11; Linux x86_64)"),
		site(func(s *matomo.Site) { s.ExcludedUserAgents = []string{"BadAgent", "Worse"} }))
	b.ReportAllocs()
	for b.Loop() {
		if rule, _ := c.Check(r); rule != "" {
			b.Fatal(rule)
		}
	}
}
