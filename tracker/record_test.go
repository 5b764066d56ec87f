package tracker

import (
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/visit"
)

// spec §14.2: the day before a site's first request counts as the day on which it was made, if it was made later.
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
		a := &applier{work: new(unitOfWork)}
		for _, at := range tt.requests {
			site := &matomo.Site{ID: 3, CreatedAt: tt.made}
			a.moveSiteCreated(&parsed{facts: visit.Facts{Site: site, Time: at.Unix()}})
		}
		got, moved := a.work.pending.created[3]
		if moved == tt.want.IsZero() || moved && got != tt.want.Unix() {
			t.Errorf("%s: %v (%v), want %v", tt.about, time.Unix(got, 0).UTC(), moved, tt.want)
		}
	}
}
