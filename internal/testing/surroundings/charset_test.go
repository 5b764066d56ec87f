package surroundings

import (
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

var utf8mb3 = []string{"--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci"}

// Collations that Matomo's updates copy from the server into config.ini.php, also those that are younger than the
// driver.
func TestRowsWhateverTheCollation(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	for _, collation := range []string{"utf8mb4_uca1400_ai_ci", "utf8mb4_nopad_bin"} {
		t.Run(collation, func(t *testing.T) {
			s.config["database"]["collation"] = collation
			s.reset(t)
			s.tracksAll(t)
		})
	}
}

// A server, tables and a configuration from before utf8mb4.
func TestRowsWithoutTheUpperPlanes(t *testing.T) {
	older := func(maria *testserver.MariaDBServer) *site {
		s := newSite(t, maria)
		toUTF8MB3(t, s.db)
		s.config["database"]["charset"], s.config["database"]["collation"] = "utf8", ""
		return s
	}
	want := expect(t, func() *site { return older(testserver.MariaDB(t)) })
	server := testserver.MariaDB(t, testserver.WithFlags(utf8mb3...))
	for _, names := range [][2]string{
		{"utf8", ""},
		{"utf8", "utf8mb3_general_ci"},
		{"utf8mb3", "utf8mb3_unicode_ci"},
		{"utf8mb3", ""},
	} {
		t.Run(strings.Join(names[:], " "), func(t *testing.T) {
			s := older(server)
			s.config["database"]["charset"], s.config["database"]["collation"] = names[0], names[1]
			s.push(t, corpus(t)...)
			s.drain(t)
			s.equal(t, want)
		})
	}
}

func toUTF8MB3(t *testing.T, db *sqlx.DB) {
	t.Helper()
	var tables []string
	const query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
	if err := db.Select(&tables, query); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		db.MustExec("ALTER TABLE " + table + " CONVERT TO CHARACTER SET utf8mb3")
	}
}

func TestCollationThatTheServerDoesNotKnow(t *testing.T) {
	s := newSite(t, testserver.MariaDB(t))
	s.config["database"]["collation"] = "utf8mb4_klingon_ci"
	const complaint = "Unknown collation: 'utf8mb4_klingon_ci': check charset and collation in"
	s.run(t, "process").wants(t, 1, complaint, "nothing was processed")
	s.run(t, "test").wants(t, 1, complaint)
	s.run(t, "process", "--db-charset", "utf8").wants(t, 0) // which the collation does not belong to
}
