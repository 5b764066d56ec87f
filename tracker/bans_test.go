package tracker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
)

const (
	past    = "&cdo=80000" // of the day before, which is marked for new reports
	spammer = "198.18.70.1"
)

func newStageOfSix(t *testing.T, database string) *stage {
	t.Helper()
	data := bench.OwnSix(root)
	return &stage{Bench: bench.New(t, database, data, data.Devices(t)), home: data.Home(t, false)}
}

// limited is a case in which visits may have this many actions.
func limited(actions int, entries []journey.Entry) *golden.Case {
	c := caseOf(entries)
	c.SQL = []string{fmt.Sprintf("INSERT INTO {prefix}plugin_setting (plugin_name, setting_name, setting_value, json_encoded, user_login) "+
		"VALUES ('TrackingSpamPrevention', 'max_actions_allowed', '%d', 0, '')", actions)}
	return c
}

func pageOf(visitor int, path string) string {
	return fmt.Sprintf("url=http://site1.example.org%s&_id=%016x", path, visitor)
}

// TestBansDoNotDependOnTheBatchSize has several addresses go over the limit, and days marked in between: from then on
// bans count.
func TestBansDoNotDependOnTheBatchSize(t *testing.T) {
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newStageOfSix(t, database)
			excluded := make(map[string]int)
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, 1))
				var entries []journey.Entry
				for i := range 80 {
					person := r.IntN(6)
					request := pageOf(person+1, fmt.Sprintf("/p%d", i))
					switch r.IntN(12) {
					case 0:
						request += "&new_visit=1"
					case 1:
						request += "&cdo=80000&idsite=" + fmt.Sprint(1+r.IntN(4))
					}
					entries = append(entries, entryFrom(fmt.Sprintf("198.18.70.%d", person), int64(i), request))
				}
				play := func(batch int, o bench.Options) outcome {
					o.Batch, o.Random = batch, constant{}
					c := limited(4, entries)
					c.Options = map[string]string{"TrackingSpamBlockedIpRanges": `{"203.": ["203.0.113.0/24"]}`}
					return s.playCase(t, c, o)
				}
				want := play(1, bench.Options{})
				for rule, n := range want.summary.Result.Excluded {
					excluded[rule] += n
				}
				for _, batch := range []int{2, 7, 25, 500} {
					for _, line := range differences(want, play(batch, bench.Options{}), sentIDs(entries)) {
						t.Errorf("seed %d, batches of %d: %s", seed, batch, line)
					}
				}
				for _, line := range differences(want, play(25, bench.Options{Wrap: withDeadlocks}), sentIDs(entries)) {
					t.Errorf("seed %d, every batch twice: %s", seed, line)
				}
			}
			if excluded[spam.TooManyActions] == 0 || excluded[spam.BlockedRange] == 0 {
				t.Errorf("excluded by %v: not all rules had a turn", excluded)
			}
		})
	}
}

// A banned address is kept out once Matomo has made its general cache again, which it does when it marks a day.
func TestABanCountsFromTheNextMark(t *testing.T) {
	over := []journey.Entry{
		entryFrom(spammer, 0, pageOf(1, "/a")), entryFrom(spammer, 1, pageOf(1, "/b")), entryFrom(spammer, 2, pageOf(1, "/c")),
	}
	next := entryFrom(spammer, 20, pageOf(2, "/next")+"&new_visit=1")
	for _, tt := range []struct {
		name    string
		between []journey.Entry
		want    map[string]int
		visits  int
	}{
		{"no mark", nil, map[string]int{spam.TooManyActions: 1}, 2},
		{"mark", []journey.Entry{entryFrom("198.51.100.1", 10, pageOf(3, "/")+past)}, map[string]int{spam.TooManyActions: 1, spam.BlockedRange: 1}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStageOfSix(t, bench.SQLite)
			for _, batch := range []int{1, 500} {
				o := s.playCase(t, limited(2, append(slices.Concat(over, tt.between), next)), bench.Options{Batch: batch})
				r := o.summary.Result
				if fmt.Sprint(r.Excluded) != fmt.Sprint(tt.want) || len(o.rows["log_visit"]) != tt.visits {
					t.Errorf("batches of %d: excluded by %v, %d visits; want %v, %d", batch, r.Excluded, len(o.rows["log_visit"]), tt.want, tt.visits)
				}
			}
		})
	}
}

// TestWorkersKeepEachOthersBans lets several workers ban at the same time.
func TestWorkersKeepEachOthersBans(t *testing.T) {
	const queues = 4
	s := newStageOfSix(t, bench.MariaDB)
	var entries []journey.Entry
	var want []string
	for queue := range queues {
		for i := range 12 {
			ip := fmt.Sprintf("198.18.7%d.%d", queue, i)
			want = append(want, ip)
			for action := range 3 {
				e := entryFrom(ip, int64(i*10+action), pageOf(100*queue+i+1, fmt.Sprintf("/%d", action)))
				e.Queue = queue
				entries = append(entries, e)
			}
		}
	}
	c := limited(2, entries)
	c.SQL = append(c.SQL, fmt.Sprintf("UPDATE {prefix}plugin_setting SET setting_value = '%d' WHERE setting_name = 'numQueueWorkers'", queues))
	o := s.playCase(t, c, bench.Options{Batch: 5, Workers: queues})
	var option string
	for _, row := range o.rows["option"] {
		if row["option_name"] == "TrackingSpamBlockedIpRanges" {
			option = fmt.Sprint(row["option_value"])
		}
	}
	list := spam.ParseList(option)
	for _, ip := range want {
		if !list.Bans(ip) {
			t.Errorf("%s is not banned: %s", ip, option)
		}
	}
	if n := o.summary.Result.Excluded[spam.TooManyActions]; n != len(want) {
		t.Errorf("%d requests excluded, want %d", n, len(want))
	}
}
