package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// twoLooks is what monitor sees of three queues, two seconds after it has looked first.
func twoLooks() *snapshot {
	started := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	look := func(at time.Time, sets ...int64) *snapshot {
		s := &snapshot{Time: at, Active: 1, Workers: len(sets)}
		for id, n := range sets {
			oldest := 200.0 * float64(id)
			s.Queues = append(s.Queues, queueState{ID: id, Sets: n, Oldest: &oldest, Locked: id == 0})
			s.Total += n
		}
		return s
	}
	s := look(started.Add(2*time.Second), 12_000, 300, 50)
	s.compare(look(started, 13_200, 298, 50))
	return s
}

func TestViewTellsHowEachQueueChanges(t *testing.T) {
	s := twoLooks()
	p := pager{rows: 16, page: 1}
	p.fit(len(s.Queues))
	got := view(s, p, true, 80)
	contains(t, got,
		"\n     0 * |       12,000 |       0s |     -600 |       20s\n",
		"\n     1   |          300 |   3m 20s |       +1 |   (grows)\n",
		"\n     2   |           50 |   6m 40s |        0 |         -\n",
		"\n Total   |       12,350 |   6m 40s |     -599 |       20s\n",
		"* a worker has locked this queue", "request sets more (+)")
}

func TestViewFitsNarrowTerminals(t *testing.T) {
	s := twoLooks()
	s.Orphans = []orphanState{{ID: 5, Sets: 3}, {ID: 6, Sets: 1}}
	p := pager{rows: 16, page: 1}
	p.fit(len(s.Queues))
	for _, columns := range []int{60, 80, 160} {
		for line := range strings.SplitSeq(view(s, p, true, columns), "\n") {
			if terminal.Width(line) > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
	}
}

func TestTrendOfAQueue(t *testing.T) {
	for _, test := range []struct {
		sets int64
		rate float64
		want string
	}{
		{600, 60, ", -60/s, empty in 10s"},
		{600, -1234, ", +1,234/s"},
		{600, 0, ", 0/s"},
		{0, 20, ", -20/s"},
		{1e12, 0.6, ", -1/s"}, // longer than anybody can tell from two looks
	} {
		if got := trend(test.sets, &test.rate); got != test.want {
			t.Errorf("%d sets, %v/s: %q, want %q", test.sets, test.rate, got, test.want)
		}
	}
	if got := trend(1, nil); got != "" {
		t.Error(got)
	}
}

func TestVerdictNamesWhatExceedsThresholds(t *testing.T) {
	s := twoLooks()
	for _, test := range []struct {
		limits limits
		want   string
		exit   int
	}{
		{limits{}, "OK: 12,350 request sets in 3 queues, the oldest has waited for 6m 40s", statusDone},
		{
			limits{warn: 200, crit: 10_000, warnAge: 5 * time.Minute},
			"CRITICAL: queue 0 holds 12,000 request sets, more than 10,000; " +
				"the oldest request set of queue 2 has waited for 6m 40s, more than 5m", statusCritical,
		},
		{
			limits{warn: 200, warnAge: time.Minute},
			"WARNING: 2 queues hold more than 200 request sets, queue 0 the most: 12,000; " +
				"request sets of 2 queues have waited for more than 1m, the oldest of queue 2 for 6m 40s", statusWarning,
		},
	} {
		v := test.limits.judge(s)
		if got := v.line(s); got != test.want || v.exit != test.exit {
			t.Errorf("%d %s, want %d %s", v.exit, got, test.exit, test.want)
		}
	}
}
