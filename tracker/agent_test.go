package tracker_test

import (
	"math/rand/v2"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
)

// TestAgentsHaveVisitsOfTheirOwn plays a visitor that an AI agent helps now and then, in batches of 1, 2 and 500:
// where log_visit names agents each change begins a visit, also when the visit before is still on its way; before that
// all is one visit.
func TestAgentsHaveVisitsOfTheirOwn(t *testing.T) {
	const agent, nova = `&ai_s=s&ai_si=i&ai_sa="https://chatgpt.com"`, "&ua=Mozilla/5.0 Agent-NovaAct/1"
	entries := []journey.Entry{
		entry(0, page("/1")),
		entry(1, page("/2")+agent),
		entry(2, page("/3")+agent, "ping=1"+visitor+agent),
		entry(3, "ping=1"+visitor), // would begin a visit: dropped
		entry(4, page("/4")+agent),
		entry(5, page("/5")),
		entry(6, page("/6")+nova),
		entry(7, page("/7")+nova, "url=http://site1.example.org/&e_c=c&e_a=a"+visitor+nova),
		entry(8, page("/8")),
	}
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		for name, tt := range map[string]struct {
			data         bench.Data
			agents, hits []string
		}{
			"5.1": {bench.Own(root), nil, []string{"9"}},
			"6.0": {
				bench.OwnSix(root),
				[]string{"<nil>", "ChatGPT", "<nil>", "NovaAct", "<nil>"},
				[]string{"1", "3", "1", "3", "1"},
			},
		} {
			t.Run(name+" "+database, func(t *testing.T) {
				s := &stage{Bench: bench.New(t, database, tt.data, tt.data.Devices(t)), home: tt.data.Home(t, false)}
				play := func(batch int) outcome {
					return s.playCase(t, caseOf(entries), bench.Options{Batch: batch, Random: rand.NewChaCha8([32]byte{1})})
				}
				want := play(1)
				wantCells(t, want, "log_visit", "visit_total_actions", tt.hits...)
				if tt.agents != nil {
					wantCells(t, want, "log_visit", "ai_agent_name", tt.agents...)
				}
				for _, batch := range []int{2, 500} {
					for _, line := range differences(want, play(batch), sentIDs(entries)) {
						t.Errorf("batches of %d: %s", batch, line)
					}
				}
			})
		}
	}
}
