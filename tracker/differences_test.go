package tracker_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// The tests of this file prove what docs/differences.md says: where Matomo's worker loses or doubles data when a batch is repeated or a
// request is refused, this one does not.

// unlucky is a tracker whose first attempt at each batch ends in a deadlock, after all has been written.
type unlucky struct {
	replay.Tracker
	tried map[*tracker.Prepared]bool
}

func withDeadlocks(t replay.Tracker) replay.Tracker {
	return &unlucky{Tracker: t, tried: make(map[*tracker.Prepared]bool)}
}

func (u *unlucky) Write(ctx context.Context, tx *store.Tx, batch *tracker.Prepared) (*tracker.Result, error) {
	result, err := u.Tracker.Write(ctx, tx, batch)
	if err == nil && !u.tried[batch] {
		u.tried[batch] = true
		return nil, &mysql.MySQLError{Number: 1213, Message: "Deadlock found when trying to get lock"}
	}
	return result, err
}

// playWithOptions plays with rows of table option, and random values that are always the same.
func (s *stage) playWithOptions(t *testing.T, entries []journey.Entry, options map[string]string, o bench.Options) outcome {
	t.Helper()
	o.Random = constant{}
	c := caseOf(entries)
	c.Options = options
	return s.playCase(t, c, o)
}

// retried plays entries twice on each database: undisturbed, and with a first attempt at each batch that is rolled back. The rows must
// be equal. Those of the second run are checked.
func retried(t *testing.T, options map[string]string, check func(t *testing.T, o outcome), entries ...journey.Entry) {
	t.Helper()
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newStage(t, database)
			want := s.playWithOptions(t, entries, options, bench.Options{Batch: 25})
			got := s.playWithOptions(t, entries, options, bench.Options{Batch: 25, Wrap: withDeadlocks})
			if got.summary.Retries == 0 {
				t.Error("no attempt was repeated")
			}
			for _, line := range differences(want, got, sentIDs(entries)) {
				t.Error(line)
			}
			check(t, got)
		})
	}
}

func TestRetryDoesNotHashUserIDsTwice(t *testing.T) {
	retried(t, map[string]string{"PrivacyManager.anonymizeUserId": "1", "useridsalt": "salt"}, func(t *testing.T, o outcome) {
		if id := cells(o.rows["log_visit"], "user_id"); len(id) != 1 || len(id[0]) != 40 {
			t.Errorf("user_id: %v, want one hash", id)
		}
	}, entry(0, "url=http://site1.example.org/&uid=anna"))
}

func TestRetryDoesNotRecordGoalsTwice(t *testing.T) {
	retried(t, nil, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_conversion", "idgoal", "1", "10", "11") // goal 11 may be converted several times in a visit
	}, entry(0, page("/goal/contains")), entry(1, "idgoal=10"+visitor), entry(2, "idgoal=11"+visitor))
}

func TestRetryMarksPastDaysForNewReports(t *testing.T) {
	retried(t, nil, func(t *testing.T, o outcome) {
		wantMarks(t, o, "_report_to_invalidate_1_2026-11-22_")
	}, entry(0, page("/")+"&cdo=40000"))
}

func TestRetriedJourneysHaveTheRowsOfUndisturbedOnes(t *testing.T) {
	s := newStage(t, bench.SQLite)
	for i := range max(1, *journeys/4) {
		entries := journey.Make(journey.Options{Seed: *seed + uint64(i), Entries: 60, People: 4})
		options := map[string]string{"PrivacyManager.anonymizeUserId": "1", "useridsalt": "salt"}
		want := s.playWithOptions(t, entries, options, bench.Options{Batch: 25})
		got := s.playWithOptions(t, entries, options, bench.Options{Batch: 25, Wrap: withDeadlocks})
		if lines := differences(want, got, ""); len(lines) > 0 {
			t.Fatalf("seed %d: %s", *seed+uint64(i), strings.Join(lines[:min(len(lines), 10)], "\n"))
		}
	}
}

func wantMarks(t *testing.T, o outcome, want string) {
	t.Helper()
	names := cells(o.rows["option"], "option_name")
	if len(names) != 1 || !strings.Contains(names[0], want) {
		t.Errorf("options: %v, want one with %s", names, want)
	}
}

// refused are requests that Matomo refuses: it drops what follows them in their set, and what it keeps it counts wrongly.
const (
	unknownSite = "idsite=99&url=http://site1.example.org/unknown" + visitor
	unknownGoal = "idgoal=77" + visitor
	wrongID     = "url=http://site1.example.org/&cid=123"
	notNumber   = "url=http://site1.example.org/&e_c=c&e_a=a&e_v=1e400" + visitor // the database refuses infinity
)

func TestRefusedRequestsTakeNothingElseOfTheirSetAlong(t *testing.T) {
	everywhere(t, []journey.Entry{
		entry(0, unknownSite, page("/a"), unknownGoal, page("/b"), unknownSite, wrongID, page("/c"), notNumber, page("/d")),
	}, func(t *testing.T, o outcome) {
		r := o.summary.Result
		want := map[request.Reason]int{request.UnknownSite: 2, request.InvalidParameter: 2}
		if r.Tracked != 4 || r.Failed != 1 || !maps.Equal(r.Rejected, want) {
			t.Errorf("%d tracked, %d failed, rejected %v; want 4, 1, %v", r.Tracked, r.Failed, r.Rejected, want)
		}
		wantPages(t, o, "a", "b", "c", "d")
	})
}

func TestSeveralRefusedRequestsDoNotCostTheBatch(t *testing.T) {
	var entries []journey.Entry
	var want []string
	for i := range 6 {
		name := string(rune('a' + i))
		entries = append(entries, entry(int64(2*i), page("/"+name), unknownGoal, notNumber), entry(int64(2*i+1), unknownGoal))
		want = append(want, name)
	}
	everywhere(t, entries, func(t *testing.T, o outcome) {
		if r := o.summary.Result; r.Tracked != 6 || r.Failed != 6 || r.Rejected[request.InvalidParameter] != 12 {
			t.Errorf("%s", o.counts())
		}
		wantPages(t, o, want...)
	})
}

func TestRefusedRequestLeavesTheMarkOfItsSet(t *testing.T) {
	everywhere(t, []journey.Entry{entry(0, page("/")+"&cdo=40000", unknownGoal)}, func(t *testing.T, o outcome) {
		wantMarks(t, o, "_report_to_invalidate_1_2026-11-22_")
	})
}

func TestUndecodableEntriesAreCountedAndTheRestIsTracked(t *testing.T) {
	everywhere(t, []journey.Entry{{Payload: "no json"}, entry(0, page("/a")), {Payload: "[1,2]"}, {Payload: ""}}, func(t *testing.T, o outcome) {
		if o.summary.Undecodable != 2 || o.summary.Tracked != 1 { // an empty text is what PHP queues for requests that are not UTF-8
			t.Error(o.counts())
		}
		wantPages(t, o, "a")
	})
}

// wantPages wants the page views of these pages of site 1, in this order.
func wantPages(t *testing.T, o outcome, pages ...string) {
	t.Helper()
	names := make(map[string]string)
	for _, row := range o.rows["log_action"] {
		names[fmt.Sprint(row["idaction"])] = strings.TrimPrefix(fmt.Sprint(row["name"]), "site1.example.org/")
	}
	var got []string
	for _, row := range o.rows["log_link_visit_action"] {
		got = append(got, names[fmt.Sprint(row["idaction_url"])])
	}
	if fmt.Sprint(got) != fmt.Sprint(pages) {
		t.Errorf("pages %v, want %v", got, pages)
	}
}

func TestDifferencesNameTestsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	exists := make(map[string]bool)
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(code, -1) {
			exists[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range namedTest.FindAllSubmatch(text, -1) {
		if !exists[string(m[1])] {
			t.Errorf("docs/differences.md names %s, which does not exist", m[1])
		}
	}
}

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	namedTest    = regexp.MustCompile("`(Test\\w+)`")
)
