package exclude

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
)

// Plugin TrackingSpamPrevention has its say behind Matomo's first rules and in front of the others.
func TestSpamPreventionComesBetweenTheRules(t *testing.T) {
	blocked := func(_ *request.Origin, c *request.Context) {
		r, ok := php.ParseIPRange("198.51.100.1")
		if !ok {
			t.Fatal("no range")
		}
		c.Features.TrackingSpamPrevention = true
		c.General = &matomo.General{Spam: &matomo.SpamPrevention{BlockedIPs: []php.IPRange{r}}}
	}
	ruled := config(func(s *matomo.TrackerSettings) { s.ExcludeRequests = "a==b" })
	c := newChecker().WithSpamPrevention(spam.New(nil, nil))
	for _, tt := range []struct {
		params string
		change []setting
		want   string
	}{
		{`{"rec":"1"}`, []setting{blocked}, spam.BlockedAddress},
		{`{"rec":"1","a":"b"}`, []setting{blocked, ruled}, spam.BlockedAddress},
		{`{"rec":"0"}`, []setting{blocked}, NotRecorded},
		{`{"rec":"1","a":"b"}`, []setting{ruled}, ConfigRule},
	} {
		if got, err := c.Check(read(t, tt.params, tt.change...)); got != tt.want || err != nil {
			t.Errorf("%s: %q, error %v; want %q", tt.params, got, err, tt.want)
		}
	}
}

// The site of a request that one of the first rules excludes is not asked whether Do Not Track counts.
func TestRulesInFrontOfDoNotTrack(t *testing.T) {
	for rule, want := range map[string]bool{
		Bot: false, BotAddress: false, NotRecorded: false,
		"": true, DoNotTrack: true, InstallCheck: true, ConfigRule: true, spam.BlockedAddress: true, Prefetch: true,
	} {
		if got := ComesToDoNotTrack(rule); got != want {
			t.Errorf("%q: %v, want %v", rule, got, want)
		}
	}
}
