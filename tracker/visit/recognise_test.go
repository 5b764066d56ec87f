package visit

import (
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func TestAnotherUserIDBeginsANewVisit(t *testing.T) {
	tests := []struct {
		last, now          string
		overwrites, always bool // the setting, and the behaviour of 5.5
		want               bool
	}{
		{"a", "b", false, false, true},
		{"a", "b", true, false, false},
		{"a", "b", true, true, true},
		{"a", "b", false, true, true},
		{"a", "a", true, true, false},
		{"a", "", true, true, false},
		{"", "b", true, true, false},
		{"0", "b", true, true, false},
	}
	for _, tt := range tests {
		settings := &matomo.TrackerSettings{VisitStandardLength: 1800, UserIDOverwritesVisitorID: tt.overwrites}
		f := &Facts{
			Site: &matomo.Site{Tracker: settings, Location: time.UTC}, Time: 1000, UserID: tt.now, HasUserID: tt.now != "",
			UserIDChangeNewVisit: tt.always,
		}
		last := &store.Visit{LastActionTime: 990, UserID: store.Text(tt.last)}
		if got := StartsNew(f, last); got != tt.want {
			t.Errorf("%+v: new %v, want %v", tt, got, tt.want)
		}
	}
}

func TestRandomIDs(t *testing.T) {
	random := func() store.BinaryID { return store.BinaryID([]byte("randomid")) }
	f := Facts{
		Site: &matomo.Site{Tracker: &matomo.TrackerSettings{}}, Visitor: store.BinaryID([]byte("visitor1")), HasVisitor: true,
		ConfigID: store.BinaryID([]byte("config-1")),
	}
	for _, tt := range []struct {
		randomised      bool
		visitor, config string
	}{{false, "visitor1", "config-1"}, {true, "randomid", "randomid"}} {
		f.RandomConfigID = tt.randomised
		v := Begin(&f, nil, Beginning{RandomID: random})
		if string(v.Visitor[:]) != tt.visitor || string(v.ConfigID[:]) != tt.config || v.Profilable.V != 1 {
			t.Errorf("randomised %v: visitor %s, config id %s, profilable %d; want %s, %s, 1", tt.randomised, v.Visitor[:],
				v.ConfigID[:], v.Profilable.V, tt.visitor, tt.config)
		}
	}
}
