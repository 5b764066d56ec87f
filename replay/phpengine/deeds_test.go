package phpengine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay/phpengine"
)

// Whatever a plugin does with a request, every other request is tracked once.
func TestNastyDeeds(t *testing.T) {
	for _, test := range []struct {
		deed   string
		tracks bool   // the request itself is tracked
		letter string // of the dead letter's reason, "" for none
		deaths int
		leaked int
		log    string
	}{
		{deed: "exit", letter: "the script was ended (exit or die)", deaths: 2},
		{deed: "memory", letter: "Allowed memory size", deaths: 2},
		{deed: "fatal", letter: "Cannot declare class Twice", deaths: 2},
		{deed: "kill", letter: "signal: killed", deaths: 2},
		{deed: "loop", letter: "nothing was heard of it for", deaths: 2},
		{deed: "exit once", tracks: true, deaths: 1, log: "engine ended, trying again"},
		{deed: "kill once", tracks: true, deaths: 1},
		{deed: "cut once", tracks: true},
		{deed: "deadlock once", tracks: true},
		{deed: "print", tracks: true, log: `PHP prints: noise`},
		{deed: "ddl", tracks: true, leaked: 1, log: "a plugin has ended the transaction"},
		{deed: "begin", tracks: true, leaked: 1, log: "a plugin has ended the transaction"},
		{deed: "throw"},
		{deed: "type"},
		{deed: "error", letter: "Call to undefined method"},
		{deed: "too long", letter: "Data too long for column 'user_id'"},
		{deed: "signal", letter: "a rule of a table"},
		{deed: "idsite=0"},
		{deed: "idsite=999"},
		{deed: "excluded=1"},
	} {
		for _, kind := range []string{"Redis", "database"} {
			t.Run(test.deed+", queue in "+kind, func(t *testing.T) {
				s := newSite(t, testserver.MariaDB(t), kind == "database")
				s.change = func(o *phpengine.Options) {
					if test.deed == "loop" {
						o.Silence = time.Second
					}
				}
				s.push(t, []string{"a"}, []string{"b"}, []string{"c1", "c2 " + test.deed, "c3"}, []string{"d"}, []string{"e"},
					[]string{"f"}, []string{"g"})
				s.run(t, s.options(t))
				want := []string{"a", "b", "c1", "c2", "c3", "d", "e", "f", "g"}
				if !test.tracks {
					want = append(want[:3:3], want[4:]...)
				}
				same(t, s.tracked(t), want...)
				got := s.letters(t)
				switch {
				case test.letter == "":
					same(t, got)
				case len(got) != 1 || !strings.HasPrefix(got[0], "c2: ") || !strings.Contains(got[0], test.letter):
					t.Errorf("dead letters %q, want one of c2 with %q", got, test.letter)
				}
				stats := s.engine.Stats()
				if stats.Deaths != test.deaths || stats.Leaked != test.leaked {
					t.Errorf("%d deaths and %d leaked transactions, want %d and %d",
						stats.Deaths, stats.Leaked, test.deaths, test.leaked)
				}
				log := s.log.String()
				if !strings.Contains(log, test.log) {
					t.Errorf("%q is not in the log:\n%s", test.log, log)
				}
				if strings.Contains(log, "\x1b") || strings.Count(log, "PHP prints") > 30 {
					t.Errorf("what PHP prints goes into the log as it is:\n%.2000s", log)
				}
			})
		}
	}
}

// A batch in which requests are taken back is tracked again with savepoints; what is to stay is there once.
func TestFailuresInABatch(t *testing.T) {
	for _, test := range []struct {
		name         string
		pages, wants []string
	}{
		{"several", []string{"a", "b throw", "c", "d type", "e", "f throw"}, []string{"a", "c", "e"}},
		{"in front", []string{"a throw", "b", "c"}, []string{"b", "c"}},
		// A plugin has committed what was written before it, and everything afterwards is committed at once.
		{"after a leak", []string{"a", "b ddl", "c throw", "d"}, []string{"a", "b", "c", "d"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t), false)
			for _, page := range test.pages {
				s.push(t, []string{page})
			}
			s.run(t, s.options(t))
			same(t, s.tracked(t), test.wants...)
			same(t, s.letters(t))
		})
	}
}
