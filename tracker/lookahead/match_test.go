package lookahead

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func TestTextsAreComparedAsFarAsCollationsAgree(t *testing.T) {
	tests := []struct {
		a, b        string
		same, known bool
	}{
		{"", "", true, true},
		{"anna", "anna", true, true},
		{"Anna", "aNNa", true, true},
		{"anna", "annb", false, true},
		{"anna", "annab", false, true},
		{"José", "José", true, true},
		{"José", "jose", false, false},
		{"éa", "ea", false, false},
		{"José", "Karl", false, true}, // the first letters differ
		{"anna", "anna ", false, false},
		{"anna", "anna\x00", false, false},
		{"anna ", "bert", false, true},
	}
	for _, test := range tests {
		for _, pair := range [][2]string{{test.a, test.b}, {test.b, test.a}} {
			if same, known := SameText(pair[0], pair[1]); same != test.same || known != test.known {
				t.Errorf("SameText(%q, %q) = %v, %v, want %v, %v", pair[0], pair[1], same, known, test.same, test.known)
			}
		}
	}
}

// spec §3.2: both ends of the time in which a visit is looked for belong to it.
func TestBordersOfTheTimeInWhichAVisitIsLookedFor(t *testing.T) {
	q := &store.VisitQuery{SiteID: 1, From: 100, To: 200}
	for at, want := range map[int64]bool{99: false, 100: true, 101: true, 199: true, 200: true, 201: false} {
		if match, known := matchesConfig(q, &store.Visit{SiteID: 1, LastActionTime: at}); match != want || !known {
			t.Errorf("fingerprint, last action at %d: %v, known %v; want %v", at, match, known, want)
		}
	}
	for at, want := range map[int64]bool{0: true, 200: true, 201: false} { // however old
		if match, known := matchesVisitor(q, &store.Visit{SiteID: 1, LastActionTime: at}); match != want || !known {
			t.Errorf("visitor id, last action at %d: %v, known %v; want %v", at, match, known, want)
		}
	}
	elsewhere := &store.Visit{SiteID: 2, LastActionTime: 150}
	for name, matches := range map[string]matcher{"fingerprint": matchesConfig, "visitor id": matchesVisitor} {
		if match, known := matches(q, elsewhere); match || !known {
			t.Errorf("%s, another site: %v, known %v; want false", name, match, known)
		}
	}
}
