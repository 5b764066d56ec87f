package surroundings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// areas are those whose cases need no settings of their own, and make rows of all tables.
var areas = []string{
	"actions", "content", "devices", "ecommerce", "encoding-and-numbers", "events", "goals", "journeys", "referrers",
	"site-search", "visits",
}

// corpus are the recorded entries.
func corpus(t *testing.T) [][]byte {
	t.Helper()
	entries, err := recorded()
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 100 {
		t.Fatalf("only %d entries", len(entries))
	}
	return entries
}

var recorded = sync.OnceValues(func() (entries [][]byte, err error) {
	cases, err := golden.LoadAll(bench.Own(root).Cases, areas...)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if len(c.Config) > 0 || len(c.Options) > 0 || len(c.SQL) > 0 || c.Geo != "" {
			continue
		}
		for _, e := range c.Queue {
			payload, err := e.Payload()
			if err != nil {
				return nil, err
			}
			entries = append(entries, golden.Compress(payload))
		}
	}
	return entries, nil
})

// expectation is what a run must leave.
type expectation struct {
	rows     golden.Tables
	volatile []string // cells that differ from run to run, as of visitors that send no id: table[index].column
}

var baseline struct {
	sync.Mutex
	*expectation
}

// undisturbed gives the rows that the corpus makes on usual servers.
func undisturbed(t *testing.T) *expectation {
	t.Helper()
	baseline.Lock()
	defer baseline.Unlock()
	if baseline.expectation == nil {
		baseline.expectation = expect(t, func() *site { return newSite(t, testserver.MariaDB(t)) })
	}
	return baseline.expectation
}

// expect gives the rows that the corpus makes on two sites that are alike.
func expect(t *testing.T, newSite func() *site) *expectation {
	t.Helper()
	var runs [2]golden.Tables
	for i := range runs {
		s := newSite()
		s.push(t, corpus(t)...)
		s.drain(t)
		runs[i] = s.rows(t)
	}
	return &expectation{runs[0], volatile(runs[0], runs[1])}
}

// volatile are the visitor ids that differ.
func volatile(a, b golden.Tables) (cells []string) {
	for table, rows := range a {
		for i, row := range rows {
			if i < len(b[table]) && row["idvisitor"] != b[table][i]["idvisitor"] {
				cells = append(cells, fmt.Sprintf("%s[%d].idvisitor", table, i))
			}
		}
	}
	return cells
}

// tracksAll lets the site track the corpus and compares the rows with those of usual servers.
func (s *site) tracksAll(t *testing.T) {
	t.Helper()
	s.push(t, corpus(t)...)
	s.drain(t)
	s.equal(t, undisturbed(t))
}

// equal wants the rows of the site.
func (s *site) equal(t *testing.T, want *expectation) {
	t.Helper()
	for table, least := range map[string]int{
		"log_visit": 50, "log_link_visit_action": 100, "log_conversion": 5, "log_action": 50,
	} {
		if n := len(want.rows[table]); n < least {
			t.Fatalf("only %d rows of %s to compare with: %s", n, table, sizes(want.rows))
		}
	}
	const shown = 10
	differences := golden.Compare(want.rows, s.rows(t), want.volatile, nil)
	for _, d := range differences[:min(shown, len(differences))] {
		t.Error(d)
	}
	if more := len(differences) - shown; more > 0 {
		t.Errorf("and %d more differences", more)
	}
}

func sizes(tables golden.Tables) string {
	var list []string
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		list = append(list, fmt.Sprintf("%s %d", table, len(tables[table])))
	}
	return strings.Join(list, ", ")
}
