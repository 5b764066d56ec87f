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
	got := view(s, nil, p, true, 80)
	contains(t, got,
		"\n    0 * |     12,000 |       0s |     -600 |      20s\n",
		"\n    1   |        300 |   3m 20s |       +1 |  (grows)\n",
		"\n    2   |         50 |   6m 40s |        0 |        -\n",
		"\nTotal   |     12,350 |   6m 40s |     -599 |      20s\n",
		"* a worker has locked this queue", "request sets more (+)")
}

func TestViewFitsNarrowTerminals(t *testing.T) {
	s := twoLooks()
	s.Orphans = []orphanState{{ID: 5, Sets: 3}, {ID: 6, Sets: 1}}
	p := pager{rows: 16, page: 1}
	p.fit(len(s.Queues))
	g := graphsOf(50)
	for _, columns := range []int{40, 60, 72, 73, 80, 160, 300} {
		for _, drawn := range []*graphs{nil, g} {
			text := view(s, drawn, p, true, columns)
			for line := range strings.SplitSeq(text, "\n") {
				if terminal.Width(line) > columns && columns >= tableWidth {
					t.Errorf("%d columns: %q", columns, line)
				}
			}
			if got, want := strings.Contains(text, "█"), drawn != nil; got != want {
				t.Errorf("%d columns: graphs %t, want %t:\n%s", columns, got, want, text)
			}
		}
	}
}

// graphsOf are the graphs of three queues after that many looks: the first one shrinks, the second grows, the third
// stays as it is.
func graphsOf(looks int) *graphs {
	g := new(graphs)
	var before *snapshot
	for n := range looks {
		s := &snapshot{Time: time.Unix(int64(2*n), 0)}
		for id, sets := range []int64{int64(looks-n-1) * 100, int64(n * n), 50} {
			s.Queues = append(s.Queues, queueState{ID: id, Sets: sets})
			s.Total += sets
		}
		s.compare(before)
		g.add(s)
		before = s
	}
	return g
}

func TestGraphsShowWhatWasSeen(t *testing.T) {
	g := graphsOf(8)
	for id, want := range map[int]string{
		0:         " | █▇▆▅▄▃▂▁ |  ▁▁▁▁▁▁▁",
		1:         " | ▁▁▂▂▃▅▆█ |  ▂▃▄▅▆▇█",
		2:         " | ████████ |  ▁▁▁▁▁▁▁",
		3:         " |          |         ", // there was no such queue
		allQueues: " | █▇▆▅▄▄▃▂ |  ▁▁▁▁▂▂▂",
	} {
		if got := g.beside(id, 8); got != want {
			t.Errorf("queue %d: %q, want %q", id, got, want)
		}
	}
	if got := graphsOf(1).columnsIn(160); got != 0 {
		t.Errorf("a single look draws graphs of %d columns", got)
	}
	if n := len(graphsOf(500).looks); n != longestGraph {
		t.Errorf("%d looks are remembered, want %d", n, longestGraph)
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
