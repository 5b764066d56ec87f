package matomo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

var saltValue = regexp.MustCompile(`^\{"value":"[a-pr-z0-9]{32}","time":1795352400\}$`)

// saltOptions are the rows of all salts.
func saltOptions(t *testing.T, db *sqlx.DB) map[string]string {
	t.Helper()
	var rows []struct {
		Name     string `db:"option_name"`
		Value    string `db:"option_value"`
		Autoload int    `db:"autoload"`
	}
	if err := db.Select(&rows, "SELECT option_name, option_value, autoload FROM m_option WHERE option_name LIKE "+
		"'fingerprint%'"); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, row := range rows {
		if row.Autoload != 0 {
			t.Errorf("%s is loaded with every request", row.Name)
		}
		all[row.Name] = row.Value
	}
	return all
}

func TestLoadingASiteCreatesItsSalts(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx := context.Background()
		mustExec(t, db,
			"INSERT INTO m_option VALUES ('fingerprint_salt_1_2026-11-22', ?, 0), ('fingerprint_salt_1_2026-11-21', ?, 0)",
			`{"value":"kept","time":1}`, `{"value":"","time":1}`)
		i := open(t, db, newClock(), "")
		one, err := i.Site(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		two, err := i.Site(ctx, 2) // Auckland: already the 23rd
		if err != nil {
			t.Fatal(err)
		}
		stored := saltOptions(t, db)
		want := []string{
			"fingerprint_salt_1_2026-11-23", "fingerprint_salt_1_2026-11-21", "fingerprint_salt_1_2026-11-20",
			"fingerprint_salt_2_2026-11-24", "fingerprint_salt_2_2026-11-23", "fingerprint_salt_2_2026-11-22",
			"fingerprint_salt_2_2026-11-21",
		}
		if len(stored) != len(want)+1 {
			t.Errorf("got %v", stored)
		}
		for _, name := range want {
			site := one
			if strings.HasPrefix(name, "fingerprint_salt_2") {
				site = two
			}
			date := name[len("fingerprint_salt_1_"):]
			if !saltValue.MatchString(stored[name]) || !strings.Contains(stored[name], `"`+site.Salts[date]+`"`) {
				t.Errorf("%s is %q, the site has %q", name, stored[name], site.Salts[date])
			}
		}
		if one.Salts["2026-11-22"] != "kept" {
			t.Errorf("a salt that existed is now %q", one.Salts["2026-11-22"])
		}
		again := open(t, db, newClock(), "")
		if site, err := again.Site(ctx, 2); err != nil || !cmp.Equal(site.Salts, two.Salts) {
			t.Errorf("another worker has other salts: %v", err)
		}
	})
}

func TestSaltsOfOtherDaysAreCreatedOnDemand(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx := context.Background()
		i := open(t, db, newClock(), "")
		site, err := i.Site(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if salt, err := i.FingerprintSalt(ctx, db, site, "2026-11-22"); err != nil || salt != site.Salts["2026-11-22"] {
			t.Errorf("today: %q, %v", salt, err)
		}
		created, err := i.FingerprintSalt(ctx, db, site, "2020-02-03")
		if err != nil || len(created) != 32 {
			t.Errorf("created %q, %v", created, err)
		}
		keys := []SaltKey{{1, "2020-02-03"}, {2, "2020-02-03"}, {1, "2026-11-22"}}
		salts, err := i.FingerprintSalts(ctx, db, keys)
		if err != nil || len(salts) != 3 || salts[keys[0]] != created || salts[keys[2]] != site.Salts["2026-11-22"] {
			t.Errorf("got %v, %v", salts, err)
		}
		if salts, err := i.FingerprintSalts(ctx, db, nil); err != nil || len(salts) != 0 {
			t.Errorf("no keys: %v, %v", salts, err)
		}
	})
}

func TestWritersOfSaltsConverge(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		ctx := context.Background()
		mustExec(t, db, "INSERT INTO m_option VALUES ('fingerprint_salt_1_2020-02-02', 'broken', 0)")
		keys := []SaltKey{{1, "2020-02-01"}, {1, "2020-02-02"}, {1, "2020-02-03"}}
		results := make([]map[SaltKey]string, 6)
		var wg sync.WaitGroup
		for n := range results {
			i := open(t, db, newClock(), "")
			i.random = bytes.NewReader(bytes.Repeat([]byte{byte(n)}, 4096))
			wg.Go(func() {
				salts, err := i.FingerprintSalts(ctx, db, keys)
				if err != nil {
					t.Error(err)
				}
				results[n] = salts
			})
		}
		wg.Wait()
		for n := range results {
			if diff := cmp.Diff(results[0], results[n]); diff != "" {
				t.Errorf("writer %d: %s", n, diff)
			}
		}
	})
}

// TestSaltOfAnotherWriterIsSeenInATransaction: a plain read would only see what was there when the transaction began.
func TestSaltOfAnotherWriterIsSeenInATransaction(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		if isSQLite(db) {
			t.Skip("SQLite has one writer at a time")
		}
		ctx := context.Background()
		i := open(t, db, newClock(), "")
		tx := db.MustBeginTx(ctx, nil)
		defer tx.Rollback() // the test is over
		var n int
		if err := tx.Get(&n, "SELECT COUNT(*) FROM m_option"); err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, `INSERT INTO m_option VALUES ('fingerprint_salt_1_2020-01-01', '{"value":"theirs","time":1}', 0)`)
		salts, err := i.FingerprintSalts(ctx, tx, []SaltKey{{1, "2020-01-01"}})
		if err != nil || salts[SaltKey{1, "2020-01-01"}] != "theirs" {
			t.Errorf("got %v, %v", salts, err)
		}
	})
}

func TestUserIDSaltIsCreatedOnce(t *testing.T) {
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "DELETE FROM m_option WHERE option_name = 'useridsalt'")
		var salts [2]string
		for n := range salts {
			general, err := open(t, db, newClock(), "").General(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			salts[n] = general.UserIDSalt
		}
		var autoload int
		if err := db.Get(&autoload, "SELECT autoload FROM m_option WHERE option_name = 'useridsalt'"); err != nil ||
			autoload != 1 {
			t.Errorf("autoload %d, %v", autoload, err)
		}
		if len(salts[0]) != 40 || salts[0] != salts[1] {
			t.Errorf("got %q", salts)
		}
	})
}

func TestRandomSourceMayFail(t *testing.T) {
	broken := errors.New("no randomness")
	if _, err := randomString(io.MultiReader(strings.NewReader("abc"), errReader{broken}), saltAlphabet, saltLength); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	onDatabases(t, func(t *testing.T, db *sqlx.DB) {
		mustExec(t, db, "DELETE FROM m_option WHERE option_name = 'useridsalt'")
		i := open(t, db, newClock(), "")
		i.random = errReader{broken}
		if _, err := i.General(context.Background()); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if _, err := i.FingerprintSalts(context.Background(), db, []SaltKey{{1, "2020-01-01"}}); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestRandomStringUsesTheWholeAlphabetEvenly(t *testing.T) {
	all := make([]byte, 512)
	for i := range all {
		all[i] = byte(255 - i)
	}
	text, err := randomString(bytes.NewReader(all), saltAlphabet, 245)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range saltAlphabet {
		if n := strings.Count(text, string(c)); n != 7 {
			t.Errorf("%c occurs %d times", c, n)
		}
	}
}
