package tracker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker"
)

func TestUnsupportedPatterns(t *testing.T) {
	site := &matomo.Site{
		Tracker: &matomo.TrackerSettings{ExcludedURLParameters: []string{"(?R)", "/(?|R)/"}},
		Goals: []matomo.Goal{
			{ID: 1, PatternType: "regex", Pattern: "(?:a|b)/(?i)c"},
			{ID: 2, PatternType: "contains", Pattern: "(?R)"},
			{ID: 3, PatternType: "regex", Pattern: "(?|a|b)"},
			{ID: 4, PatternType: "regex", Pattern: "(broken"},
			{ID: 5, PatternType: "regex", Pattern: "a+%28*ACCEPT)"}, // url-decoded
		},
		Dimensions: []matomo.Dimension{
			{ID: 6, Extractions: []matomo.Extraction{{Source: "url", Pattern: `(\X)`}, {Source: "urlparam", Pattern: "x"}}},
			{ID: 7, Extractions: []matomo.Extraction{{Source: "urlparam", Pattern: "(?(1)a)"}}},
		},
		ExcludedParameters: []string{"/^utm_/", "/(?&n)/", "(?&n)"}, ExcludedUserAgents: []string{"(Bot)", `/\C/`},
	}
	want := []string{
		"goal 3, (?|a|b)", "goal 5, a (*ACCEPT)", `custom dimension 6, (\X)`, "custom dimension 7, (?(1)a)", "excluded parameter /(?&n)/",
		"excluded parameter /(?|R)/", `excluded user agent /\C/`,
	}
	if diff := cmp.Diff(want, tracker.UnsupportedPatterns(site)); diff != "" {
		t.Error(diff)
	}
}
