package surroundings

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
)

// bad are requests like the first one of the corpus, by other users and of another time: names that they leave in the
// dictionary are there already.
func bad(t *testing.T, n int) (entries [][]byte) {
	t.Helper()
	for i := range n {
		set, err := queue.Decode(corpus(t)[0])
		if err != nil {
			t.Fatal(err)
		}
		set.Time = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC).Unix()
		for _, params := range set.Requests {
			params.Set("uid", php.String(fmt.Sprint("bad ", i)))
			params.Set("_id", php.String(fmt.Sprintf("bad0%012x", i)))
		}
		entry, err := queue.Encode(set)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	return entries
}

// mixed are the corpus and bad requests: first, next to the last, alone and next to each other.
func mixed(t *testing.T) (entries [][]byte, n int) {
	t.Helper()
	good, wrong := corpus(t), bad(t, 8)
	last := len(good) - 1
	return slices.Concat(wrong[:1], good[:40], wrong[1:2], good[40:41], wrong[2:3], good[41:100], wrong[3:6],
		good[100:last], wrong[6:], good[last:]), len(wrong)
}

// What a table of an operator's may have beyond Matomo's: the requests that break the rule are dead letters, and
// everything else is tracked.
func TestRulesOfTables(t *testing.T) {
	want := undisturbed(t)
	users := []string{"('none')"}
	for _, row := range want.rows["log_visit"] {
		if user, ok := row["user_id"].(string); ok {
			users = append(users, "('"+strings.ReplaceAll(user, "'", "''")+"')")
		}
	}
	for _, test := range []struct {
		name       string
		statements []string
		complaint  string
	}{
		{"partition that is missing", []string{
			"ALTER TABLE matomo_log_visit DROP PRIMARY KEY, ADD PRIMARY KEY (idvisit, visit_last_action_time)",
			`ALTER TABLE matomo_log_visit PARTITION BY RANGE (TO_DAYS(visit_last_action_time))
				(PARTITION p0 VALUES LESS THAN (TO_DAYS('2026-11-01')),
				PARTITION p1 VALUES LESS THAN (TO_DAYS('2027-01-01')))`,
		}, "Table has no partition for value"},
		{"partition of another table", []string{
			"ALTER TABLE matomo_log_link_visit_action DROP PRIMARY KEY, ADD PRIMARY KEY (idlink_va, server_time)",
			`ALTER TABLE matomo_log_link_visit_action PARTITION BY RANGE COLUMNS (server_time)
				(PARTITION p1 VALUES LESS THAN ('2027-01-01'))`,
		}, "Table has no partition for value"},
		{"CHECK", []string{
			"ALTER TABLE matomo_log_visit ADD CONSTRAINT honest CHECK (user_id IS NULL OR user_id NOT LIKE 'bad %')",
		}, "CONSTRAINT `honest` failed"},
		{"foreign key", []string{
			"CREATE TABLE users AS SELECT user_id FROM matomo_log_visit",
			"ALTER TABLE users MODIFY user_id VARCHAR(200) NOT NULL, ADD PRIMARY KEY (user_id)",
			"INSERT IGNORE INTO users VALUES " + strings.Join(users, ","),
			"ALTER TABLE matomo_log_visit ADD FOREIGN KEY (user_id) REFERENCES users (user_id)",
		}, "a foreign key constraint fails"},
		{"trigger", []string{
			`CREATE TRIGGER matomo_honest BEFORE INSERT ON matomo_log_visit FOR EACH ROW
				IF NEW.user_id LIKE 'bad %' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'dishonest'; END IF`,
		}, "dishonest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			for _, statement := range test.statements {
				s.db.MustExec(statement)
			}
			entries, n := mixed(t)
			s.push(t, entries...)
			s.drain(t)
			s.equal(t, want)
			for _, l := range s.letters(t) {
				switch {
				case strings.Contains(l.Error, test.complaint):
					n--
				case !strings.Contains(l.Error, "incorrect string value"): // of the corpus itself
					t.Errorf("%s: %s", l.Reason, l.Error)
				}
			}
			if n != 0 {
				t.Errorf("%d more dead letters are wanted", n)
			}
		})
	}
}

// A rule that refuses everything is the operator's to mend: nothing is put aside, and then everything is tracked.
func TestRulesThatRefuseEverything(t *testing.T) {
	const trigger = "CREATE TRIGGER matomo_broken BEFORE INSERT ON matomo_log_visit FOR EACH ROW "
	want := undisturbed(t)
	for _, test := range []struct{ name, breaks, mends, complaint string }{
		{
			"trigger", trigger + "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'broken'",
			"DROP TRIGGER matomo_broken", "wait in queue 0: the database refuses every request",
		},
		{
			"trigger without its table", trigger + "INSERT INTO gone VALUES (NEW.idvisit)",
			"DROP TRIGGER matomo_broken", "gone' doesn't exist",
		},
		{
			"column without a value", "ALTER TABLE matomo_log_visit ADD later INT NOT NULL",
			"ALTER TABLE matomo_log_visit DROP later", "Field 'later' doesn't have a default value",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t))
			entries := corpus(t)
			s.push(t, entries...)
			s.db.MustExec(test.breaks)
			s.run(t, "process").wants(t, 1, test.complaint)
			if s.waiting(t) != len(entries) || len(s.letters(t)) > 0 || len(s.rows(t)["log_visit"]) > 0 {
				t.Errorf("%d of %d wait, %d dead letters, %s",
					s.waiting(t), len(entries), len(s.letters(t)), sizes(s.rows(t)))
			}
			s.db.MustExec(test.mends)
			s.drain(t)
			s.equal(t, want)
		})
	}
}
