package surroundings

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// Servers whose sessions begin otherwise than usual: the rows are the same.
func TestRowsWhateverTheServersSettings(t *testing.T) {
	const strict = "STRICT_TRANS_TABLES"
	for _, test := range []struct {
		name  string
		flags []string
	}{
		{"nothing is committed by itself", []string{"--autocommit=0"}},
		{"nothing is committed by itself, for users", []string{"--init-connect=SET autocommit=0"}},
		{"Oracle's dialect", []string{"--sql-mode=ORACLE," + strict}},
		{"ANSI", []string{"--sql-mode=ANSI," + strict}},
		{"no backslash escapes", []string{"--sql-mode=NO_BACKSLASH_ESCAPES," + strict}},
		{"many modes", []string{"--sql-mode=ONLY_FULL_GROUP_BY,NO_UNSIGNED_SUBTRACTION,NO_AUTO_VALUE_ON_ZERO," +
			"NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH," +
			"TIME_ROUND_FRACTIONAL,NO_ENGINE_SUBSTITUTION," + strict}},
		{"transactions follow each other", []string{"--completion-type=CHAIN"}},
		{"safe updates", []string{"--init-connect=SET sql_safe_updates=1"}},
		{"isolation", []string{"--transaction-isolation=SERIALIZABLE"}},
		{"committed reads", []string{"--transaction-isolation=READ-COMMITTED"}},
		{"uncommitted reads", []string{"--transaction-isolation=READ-UNCOMMITTED"}},
		{"snapshots", []string{"--innodb-snapshot-isolation=ON"}},
		{"small joins", []string{"--max-join-size=1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t, testserver.WithFlags(test.flags...)))
			s.tracksAll(t)
			s.run(t, "test").wants(t, 0)
		})
	}
}

// The same for variables that a server takes no option for.
func TestRowsWhateverIsSetGlobally(t *testing.T) {
	for _, statement := range []string{
		"SET GLOBAL sql_safe_updates = 1",
		"SET GLOBAL sql_select_limit = 3",
		"SET GLOBAL sql_big_selects = 0, GLOBAL max_join_size = 1",
		"SET GLOBAL time_zone = '+05:30'",
	} {
		t.Run(statement, func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t, testserver.Private()))
			s.db.MustExec(statement)
			s.tracksAll(t)
			s.run(t, "test").wants(t, 0)
		})
	}
}

// The same for queues that are in the database, and for every command.
func TestQueuesInTheDatabaseWhateverItsSettings(t *testing.T) {
	for _, flags := range [][]string{
		{"--autocommit=0", "--sql-mode=ORACLE,STRICT_TRANS_TABLES", "--completion-type=CHAIN"},
		append([]string{"--sql-mode=NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES"}, utf8mb3...),
	} {
		t.Run(flags[0], func(t *testing.T) {
			s := newSite(t, testserver.MariaDB(t, testserver.WithFlags(flags...)))
			s.db.MustExec("SET GLOBAL sql_select_limit = 2, GLOBAL sql_safe_updates = 1")
			s.queueInDatabase(t)
			s.tracksAll(t)
			s.push(t, []byte("no entry"))
			for _, command := range [][]string{
				{"process", "--force-num-requests-process-at-once", "1"},
				{"test"},
				{"monitor", "--once"},
				{"print-queued-requests"},
				{"lock-status"},
				{"unlock", "--all", "--yes"},
				{"failed", "list"},
				{"failed", "delete", "--all", "--yes"},
			} {
				s.run(t, command...).wants(t, 0)
			}
			if n := len(s.letters(t)); n != 0 {
				t.Errorf("%d dead letters are left", n)
			}
		})
	}
}
