package tracker

import (
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/store"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
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
			if same, known := sameText(pair[0], pair[1]); same != test.same || known != test.known {
				t.Errorf("sameText(%q, %q) = %v, %v, want %v, %v", pair[0], pair[1], same, known, test.same, test.known)
			}
		}
	}
}

// §3.2: both ends of the time in which a visit is looked for belong to it.
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
}

// Of visits whose last actions are of the same second the index decides, which runs in one direction or the other.
func TestOrderOfVisitsOfTheSameSecond(t *testing.T) {
	visit := func(id, last int64) *visitState { return &visitState{row: &store.Visit{ID: id, LastActionTime: last}} }
	for _, tt := range []struct {
		about       string
		s, other    *visitState
		lowestFirst bool
		want        bool
	}{
		{"a later action", visit(1, 11), visit(2, 10), false, true},
		{"a later action, lowest id first", visit(2, 11), visit(1, 10), true, true},
		{"an earlier action", visit(2, 10), visit(1, 11), false, false},
		{"highest id first", visit(2, 10), visit(1, 10), false, true},
		{"highest id first, asked the other way", visit(1, 10), visit(2, 10), false, false},
		{"lowest id first", visit(1, 10), visit(2, 10), true, true},
		{"lowest id first, asked the other way", visit(2, 10), visit(1, 10), true, false},
		{"one that has no id yet", visit(0, 10), visit(9, 10), false, true},
		{"one that a batch in front inserts", visit(-1, 10), visit(9, 10), false, true},
	} {
		if got := tt.s.newer(tt.other, tt.lowestFirst); got != tt.want {
			t.Errorf("%s: newer %v, want %v", tt.about, got, tt.want)
		}
	}
}

// §14.2: the day before a site's first request counts as the day on which it was made, if it was made later.
func TestDayOnWhichASiteWasMade(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		about    string
		made     time.Time
		requests []time.Time
		want     time.Time // zero: stays
	}{
		{"made earlier", day(1, 0), []time.Time{day(10, 5)}, time.Time{}},
		{"made the day before, at its first second", day(9, 0), []time.Time{day(10, 5)}, time.Time{}},
		{"made later", day(20, 0), []time.Time{day(10, 5)}, day(9, 0)},
		{"the earliest counts", day(20, 0), []time.Time{day(10, 5), day(5, 23), day(12, 0)}, day(4, 0)},
		{"made at no time", time.Time{}, []time.Time{day(10, 5)}, time.Time{}},
	} {
		a := &applier{}
		for _, at := range tt.requests {
			site := &matomo.Site{ID: 3, CreatedAt: tt.made}
			a.moveSiteCreated(&parsed{facts: visit.Facts{Site: site, Time: at.Unix()}})
		}
		got, moved := a.pending.created[3]
		if moved == tt.want.IsZero() || moved && got != tt.want.Unix() {
			t.Errorf("%s: %v (%v), want %v", tt.about, time.Unix(got, 0).UTC(), moved, tt.want)
		}
	}
}
