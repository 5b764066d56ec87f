package matomo

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// named makes a database on the server, to be connected to with a charset and a collation.
func named(t *testing.T, server *testserver.MariaDBServer) func(charset, collation string) Database {
	name := server.CreateDatabase(t)
	return func(charset, collation string) Database {
		return Database{Socket: server.Socket, Username: "root", Name: name, Charset: charset, Collation: collation}
	}
}

// Charset and collation are the server's business, whatever tables the driver has.
func TestCharsetAndCollationAreSentAsTheyAre(t *testing.T) {
	with := named(t, testserver.MariaDB(t))
	for _, tt := range []struct{ charset, collation, want string }{
		{"utf8mb4", "", "utf8mb4 utf8mb4_general_ci"},
		{"utf8mb4", "utf8mb4_unicode_ci", "utf8mb4 utf8mb4_unicode_ci"},
		{"utf8mb4", "utf8mb4_uca1400_ai_ci", "utf8mb4 utf8mb4_uca1400_ai_ci"},
		{"UTF8MB4", "utf8mb4_bin", "utf8mb4 utf8mb4_bin"},
		{"utf8mb3", "", "utf8mb3 utf8mb3_general_ci"},
		{"utf8mb3", "utf8mb3_general_ci", "utf8mb3 utf8mb3_general_ci"},
		{"utf8", "", "utf8mb3 utf8mb3_general_ci"},
		{"utf8", "utf8_unicode_ci", "utf8mb3 utf8mb3_unicode_ci"},
		{"latin1", "latin1_bin", "latin1 latin1_bin"},
		{"", "", "utf8mb4 utf8mb4_general_ci"},                   // the server's
		{"", "utf8mb3_general_ci", "utf8mb4 utf8mb4_general_ci"}, // Matomo sends a collation only with a charset
	} {
		db, err := with(tt.charset, tt.collation).Open()
		if err != nil {
			t.Errorf("%s %s: %v", tt.charset, tt.collation, err)
			continue
		}
		defer db.Close()
		var got string
		err = db.Get(&got, "SELECT CONCAT(@@character_set_client, ' ', @@collation_connection) FROM DUAL "+
			"WHERE @@character_set_results = @@character_set_client")
		if err != nil || got != tt.want {
			t.Errorf("%s %s: %s, %v", tt.charset, tt.collation, got, err)
		}
	}
}

func TestCharsetsThatCannotBe(t *testing.T) {
	with := named(t, testserver.MariaDB(t))
	for _, tt := range []struct {
		charset, collation, want string
		server                   bool // says so
	}{
		{"klingon", "", `charset "klingon", collation "": Unknown character set: 'klingon'`, true},
		{"utf8mb4", "utf8mb4_klingon_ci", "Unknown collation: 'utf8mb4_klingon_ci'", true},
		{"utf8mb4", "utf8mb3_bin", "COLLATION 'utf8mb3_bin' is not valid for CHARACTER SET 'utf8mb4'", true},
		{"utf16", "", "Variable 'character_set_client' can't be set to the value of 'utf16'", true},
		{"utf8', autocommit = '0", "", "of section [database] is not the name of one", false},
		{"utf8", "a b", `collation "a b" of section [database] is not the name of one`, false},
		{"gbk", "", `charset "gbk" is not safe to write with`, false},
		{"Big5", "", `charset "Big5" is not safe to write with`, false},
		{"gb18030", "gb18030_bin", `charset "gb18030" is not safe to write with`, false},
	} {
		db, err := with(tt.charset, tt.collation).Open()
		if err == nil {
			err = db.Ping()
			_ = db.Close()
		}
		var refused *SessionError
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.As(err, &refused) != tt.server {
			t.Errorf("%s %s: %v", tt.charset, tt.collation, err)
		}
	}
}

// Where the charset is the server's it has to be a safe one, too.
func TestServersCharsetThatIsNotSafe(t *testing.T) {
	gbk := testserver.WithFlags("--character-set-server=gbk", "--collation-server=gbk_chinese_ci")
	db, err := named(t, testserver.MariaDB(t, gbk))("", "").Open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(); err == nil || !strings.Contains(err.Error(), `charset "gbk" is not safe to write with`) {
		t.Error(err)
	}
}

// A new connection costs one statement beside the driver's question for max_allowed_packet, but for the first one,
// which asks whether there is a cluster. Here is none.
func TestSessionIsSetUpInOneStatement(t *testing.T) {
	d := named(t, testserver.MariaDB(t))("utf8mb4", "utf8mb4_bin")
	d.LockWaitTimeout = 7
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, want := range []int{4, 3} {
		conn, err := db.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // only then: the next one is a new one
		var name string
		var questions, wait, patience int
		err = conn.QueryRowxContext(t.Context(), "SHOW SESSION STATUS LIKE 'Questions'").Scan(&name, &questions)
		if err != nil || questions != want {
			t.Errorf("%d statements, want %d, %v", questions, want, err)
		}
		err = conn.QueryRowxContext(t.Context(), "SELECT @@wsrep_sync_wait, @@wait_timeout").Scan(&wait, &patience)
		if err != nil || wait != 0 || patience != 180 {
			t.Errorf("wsrep_sync_wait %d, wait_timeout %d; want 0 and 180, %v", wait, patience, err)
		}
	}
}
