package replay_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// A rule that the database has beyond Matomo's.
const (
	checked = "ALTER TABLE matomo_log_visit ADD CHECK (user_id NOT LIKE 'bad%')"
	signals = "CREATE TRIGGER matomo_broken BEFORE INSERT ON matomo_log_link_visit_action FOR EACH ROW " +
		"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'broken'"
)

// refused runs and wants nothing but the error of a queue whose every request is refused.
func (s *site) refused(t *testing.T, o replay.Options, tried, waiting int) {
	t.Helper()
	summary, err := replay.Run(t.Context(), nil, o)
	if count := fmt.Sprintf("that was tried (%d): ", tried); !errors.Is(err, replay.ErrAllRefused) ||
		!strings.Contains(err.Error(), count) {
		t.Errorf("%v, want %d tried", err, tried)
	}
	if summary.Tracked != 0 || s.waiting(t) != int64(waiting) || len(s.letters(t)) != 0 {
		t.Errorf("%+v, %d waiting, %v", summary, s.waiting(t), s.letters(t))
	}
}

func TestRequestThatBreaksARuleIsADeadLetter(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{
		"queue in Redis":        func(t *testing.T) *site { return newSite(t, testserver.MariaDB(t)) },
		"queue in the database": newJointSite,
	} {
		for _, size := range []int{1, 2, 5, 50} {
			t.Run(fmt.Sprintf("%s, batches of %d", name, size), func(t *testing.T) {
				s := open(t)
				s.db.MustExec(checked)
				s.push(t, "bad 1", "a", "b", "c", "bad 2")
				s.append(t, set("d", "bad 3", "e"))
				s.push(t, "f", "bad 4", "bad 5", "g")
				o := s.options()
				o.BatchSize = size
				if summary := s.run(t, o); summary.Tracked != 7 || summary.Failed != 5 {
					t.Errorf("%+v", summary)
				}
				same(t, s.titles(t), "a", "b", "c", "d", "e", "f", "g")
				found := s.letters(t)
				if len(found) != 5 || found[2].Request != 1 || found[4].Reason != letters.BadData ||
					!strings.Contains(found[4].Error, "CONSTRAINT") {
					t.Errorf("%+v", found)
				}
			})
		}
	}
}

// A rule that refuses everything is broken itself. Nothing may be put aside batch by batch, and once it is mended
// everything is tracked.
func TestRuleThatRefusesEveryRequestKeepsTheQueue(t *testing.T) {
	for _, size := range []int{1, 3, 200} {
		t.Run(fmt.Sprintf("batches of %d", size), func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			s.db.MustExec(signals)
			excluded := set("bot")
			excluded.Env.Server.Set("HTTP_USER_AGENT", php.String("Googlebot/2.1 (+http://www.google.com/bot.html)"))
			s.append(t, excluded) // which writes nothing, and shows nothing
			titles := make([]string, 120)
			for i := range titles {
				titles[i] = fmt.Sprintf("page %03d", i)
			}
			s.push(t, titles...)
			o := s.options()
			o.BatchSize = size
			waiting := len(titles) + 1
			if size == 1 {
				waiting-- // the excluded one is a batch of its own
			}
			s.refused(t, o, 100, waiting)
			s.refused(t, o, 100, waiting)
			s.db.MustExec("DROP TRIGGER matomo_broken")
			s.run(t, o)
			same(t, s.titles(t), titles...)
		})
	}
}

// Whether the one request that waits is to blame is not known before another one comes.
func TestSingleRequestThatIsRefusedWaitsForAnother(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec(checked)
	s.push(t, "bad")
	s.refused(t, s.options(), 1, 1)
	s.push(t, "bad, too")
	s.refused(t, s.options(), 2, 2)
	s.push(t, "good")
	s.run(t, s.options())
	same(t, s.titles(t), "good")
	if found := s.letters(t); len(found) != 2 {
		t.Errorf("%+v", found)
	}
}

// A value that no column can hold is its request's fault, also when there is no other one.
func TestValuesNeedNoWitness(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(5)")
	s.push(t, "much too long", "long again")
	s.run(t, s.options())
	if found := s.letters(t); len(found) != 2 || s.waiting(t) != 0 {
		t.Errorf("%+v, %d waiting", found, s.waiting(t))
	}
}

// One queue whose requests are refused does not keep the others.
func TestOtherQueuesGoOn(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec(checked)
	s.push(t, "bad")
	s.appendTo(t, 1, set("good"))
	o := s.options()
	o.Queues = 2
	if summary, err := replay.Run(t.Context(), nil, o); !errors.Is(err, replay.ErrAllRefused) || summary.Tracked != 1 {
		t.Errorf("%+v, %v", summary, err)
	}
	same(t, s.titles(t), "good")
	if n := strings.Count(s.log.String(), "queue not processed any further"); n != 1 {
		t.Errorf("given up %d times, want once", n)
	}
}

// A request behind the batch that cannot even be read shows nothing.
func TestBugBehindTheBatchIsNoWitness(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec(checked)
	s.push(t, "bad", "bug")
	o := s.options()
	o.BatchSize = 1
	o.NewEngine = s.engine(&buggy{Tracker: s.assembly.NewTracker(), prepare: "bug"})
	s.refused(t, o, 1, 2)
}

// Whatever is prepared to look for a witness is given up afterwards.
func TestWitnessesAreGivenUp(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.db.MustExec(checked)
	s.push(t, "bad", "bad 2", "bad 3")
	c := &counting{Tracker: s.assembly.NewTracker()}
	o := s.options()
	o.BatchSize, o.NewEngine = 1, s.engine(c)
	s.refused(t, o, 3, 3)
	if c.discard != c.prepared-1 {
		t.Errorf("%d of %d batches given up, want all but the one that was refused", c.discard, c.prepared)
	}
}
