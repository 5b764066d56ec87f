package tracker

import (
	"strconv"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/bot"
	"github.com/queuedtracking/queuedtracking/tracker/store"
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

// What was read of a request stays as it is, so that the next attempt begins with the same.
func TestRowOfABotIsAnAttemptsOwn(t *testing.T) {
	name := action.NewLookup(action.FieldURL, action.TypePageURL, "site1.example.org/p")
	p := &parsed{
		bot:   &botRequest{Record: &bot.Record{Row: store.BotRequest{Name: "Bot"}, Lookups: []action.Lookup{name}}},
		date:  "2026-11-23",
		facts: visit.Facts{Site: &matomo.Site{ID: 1, Location: time.UTC}},
	}
	for range 2 {
		b := &Prepared{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Unix()}
		a := newApplier(&Tracker{}, b, nil, false)
		e, _ := a.entry(name.Type, name.Name, name.Prefix)
		e.ID = 7 // the dictionary has it
		if err := a.recordBot(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		rows := a.work.pending.bots
		if len(rows) != 1 || rows[0].Name != "Bot" || rows[0].URL.Entry != e {
			t.Errorf("rows %+v, want one of Bot with the URL's entry", rows)
		}
		if got := p.bot.Row.URL; !got.IsZero() {
			t.Errorf("the request has URL %+v, want none", got)
		}
	}
}

// Salts of days that no site holds are kept, up to a bound.
func TestRememberedSaltsAreBounded(t *testing.T) {
	key := func(n int) matomo.SaltKey { return matomo.SaltKey{SiteID: 1, Date: strconv.Itoa(n)} }
	tracker := &Tracker{salts: make(map[matomo.SaltKey]string)}
	for n := range maxRememberedSalts {
		tracker.salts[key(n)] = "old"
	}
	for _, step := range []struct{ more, want int }{
		{1, maxRememberedSalts + 1}, // the bound is passed once
		{2, 2},
		{1, 3},
	} {
		read := make(map[matomo.SaltKey]string)
		for n := range step.more {
			read[key(-1-10*step.want-n)] = "new"
		}
		tracker.rememberSalts(read)
		if got := len(tracker.salts); got != step.want {
			t.Errorf("%d salts are remembered, want %d", got, step.want)
		}
		for k := range read {
			if got := tracker.salts[k]; got != "new" {
				t.Errorf("salt %q of %s, want %q", got, k.Date, "new")
			}
		}
	}
}
