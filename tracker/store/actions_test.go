package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"
)

func entry(kind int64, name string) *ActionEntry { return &ActionEntry{Type: kind, Name: name} }

func create(t testing.TB, s *Store, entries ...*ActionEntry) {
	t.Helper()
	inTx(t, s, func(ctx context.Context, tx *Tx) error { return tx.CreateActions(ctx, entries) })
}

// fresh is the same database for a worker that knows nothing yet.
func fresh(t testing.TB, s *Store) *Store { return openStore(t, s.db) }

func TestActionsAreCreatedOnceAndFound(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		url := &ActionEntry{Type: 1, Name: "example.org/ä'?", Prefix: Int(2)}
		title, umlaut := entry(4, "example.org/ä'?"), entry(4, "Ärger")
		create(t, s, url, title, umlaut, entry(1, ""))
		if url.ID == 0 || title.ID <= url.ID || umlaut.ID <= title.ID {
			t.Fatalf("ids %d, %d, %d", url.ID, title.ID, umlaut.ID)
		}
		for about, worker := range map[string]*Store{"from memory": s, "from the table": fresh(t, s)} {
			again := []*ActionEntry{entry(4, "Ärger"), entry(1, url.Name), entry(4, "ärger"), entry(10, "Ärger"), entry(4, "")}
			if err := worker.FindActions(t.Context(), again); err != nil {
				t.Fatal(err)
			}
			if again[0].ID != umlaut.ID || again[1].ID != url.ID || again[2].ID != 0 || again[3].ID != 0 || again[4].ID != 0 {
				t.Errorf("%s: %+v %+v %+v %+v %+v", about, again[0], again[1], again[2], again[3], again[4])
			}
		}
		var rows []struct {
			Hash   int64   `db:"hash"`
			Prefix NullInt `db:"url_prefix"`
		}
		if err := s.db.Select(&rows, "SELECT hash, url_prefix FROM m_log_action ORDER BY idaction"); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 3 || rows[0].Prefix != Int(2) || rows[1].Prefix.Valid {
			t.Errorf("%+v, want 3 rows, the first with prefix 2, the second without", rows)
		}
		if s.OneWriter() {
			return
		}
		var wrong int
		if err := s.db.Get(&wrong, "SELECT COUNT(*) FROM m_log_action WHERE hash <> CRC32(name)"); err != nil || wrong != 0 {
			t.Errorf("%d hashes differ from the server's, want 0 (%v)", wrong, err)
		}
	})
}

func TestLowestActionWins(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		first := entry(1, "a")
		create(t, s, first)
		// Workers that both looked before either had written.
		second, other := entry(1, "a"), entry(1, "b")
		create(t, fresh(t, s), second, other)
		if second.ID != first.ID || other.ID == 0 {
			t.Errorf("first %d, second %d, other %d", first.ID, second.ID, other.ID)
		}
		var n int
		if err := s.db.Get(&n, "SELECT COUNT(*) FROM m_log_action"); err != nil || n != 2 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func TestDuplicatesInTheTableAndInTheBatch(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		twin, same := entry(1, "x"), entry(1, "x")
		create(t, s, twin, same)
		if twin.ID == 0 || same.ID != twin.ID {
			t.Errorf("ids %d and %d", twin.ID, same.ID)
		}
		s.db.MustExec("INSERT INTO m_log_action (name, hash, type) SELECT name, hash, type FROM m_log_action")
		again := entry(1, "x")
		if err := fresh(t, s).FindActions(t.Context(), []*ActionEntry{again}); err != nil || again.ID != twin.ID {
			t.Errorf("id %d, want %d, %v", again.ID, twin.ID, err)
		}
	})
}

func TestManyActions(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		var entries, again []*ActionEntry
		for i := range maxHashes + 50 {
			name := strings.Repeat("n", i%7) + string(rune('a'+i%26)) + strings.Repeat("é", i/26)
			entries, again = append(entries, entry(int64(1+i%5), name)), append(again, entry(int64(1+i%5), name))
		}
		create(t, s, entries...)
		if err := fresh(t, s).FindActions(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		for i, e := range entries {
			if e.ID == 0 || again[i].ID != e.ID || i > 0 && e.ID <= entries[i-1].ID {
				t.Fatalf("entry %d: %d, %d", i, e.ID, again[i].ID)
			}
		}
	})
}

func TestRollbackKeepsTheDictionaryConsistent(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *Store) {
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e, again := entry(1, "r"), entry(1, "r")
		if err := errors.Join(tx.CreateActions(t.Context(), []*ActionEntry{e}), tx.FindActions(t.Context(), []*ActionEntry{again})); err != nil {
			t.Fatal(err)
		}
		if again.ID != e.ID || e.ID == 0 {
			t.Errorf("created %d, found %d, want the same, not 0", e.ID, again.ID)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		var ids []int64
		if err := s.db.Select(&ids, "SELECT idaction FROM m_log_action"); err != nil {
			t.Fatal(err)
		}
		if s.OneWriter() && (len(ids) != 0 || e.ID != 0 || again.ID != 0) || !s.OneWriter() && (len(ids) != 1 || ids[0] != e.ID) {
			t.Errorf("rows %v, entries %d and %d, want nothing where there is one writer, else one row", ids, e.ID, again.ID)
		}
		retry := entry(1, "r")
		create(t, s, retry)
		found := entry(1, "r")
		if err := fresh(t, s).FindActions(t.Context(), []*ActionEntry{found}); err != nil || found.ID != retry.ID {
			t.Errorf("found %d, %v, want %d", found.ID, err, retry.ID)
		}
	})
}

func TestActionsAreFoundByTheirIndex(t *testing.T) {
	s := openStore(t, mariaDB(t))
	var entries []*ActionEntry
	for i := range 3000 {
		entries = append(entries, entry(int64(1+i%3), strings.Repeat("x", i/30)+string(rune('A'+i%30))))
	}
	create(t, s, entries...)
	s.db.MustExec("ANALYZE TABLE m_log_action")
	rows := struct {
		Key  string `db:"key"`
		Type string `db:"type"`
	}{}
	query := "EXPLAIN SELECT idaction, type, name FROM m_log_action WHERE type = 1 AND hash IN (1, 2, 3) OR type = 2 AND hash IN (4, 5)"
	if err := s.db.Unsafe().Get(&rows, query); err != nil || rows.Key != "index_type_hash" || rows.Type != "range" {
		t.Errorf("%+v, %v", rows, err)
	}
}

// meanwhile lets somebody else act between the insertion of a worker's rows and its look at them.
type meanwhile struct {
	database
	act func()
}

func (m *meanwhile) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	m.act()
	return m.database.QueryxContext(ctx, query, args...)
}

func TestWorkersThatCreateTheSameNamesAgree(t *testing.T) {
	s := openStore(t, mariaDB(t))
	for _, increment := range []int64{1, 2} { // 2 is wrong: ids that are thought to be the worker's own are somebody else's
		s.db.MustExec("DELETE FROM m_log_action")
		bystander := entry(1, "bystander")
		create(t, fresh(t, s), bystander)
		first, second := []*ActionEntry{entry(1, "a"), entry(1, "b"), entry(4, "a")}, []*ActionEntry{entry(4, "a"), entry(1, "c"), entry(1, "a")}
		worker := fresh(t, s)
		worker.distance.Store(increment)
		other := fresh(t, s)
		db := &meanwhile{s.db, func() { create(t, other, second...) }}
		if err := worker.createActions(t.Context(), db, first); err != nil {
			t.Fatal(err)
		}
		checkDictionary(t, s, 5, append(append(first, second...), bystander)...)
	}
}

func TestWorkersThatCreateTheSameNamesAtOnceKeepEachOthersRows(t *testing.T) {
	s := openStore(t, mariaDB(t))
	const workers, names = 4, 40
	entries := make([][]*ActionEntry, workers)
	var wait sync.WaitGroup
	for w := range workers {
		for i := range names {
			entries[w] = append(entries[w], entry(1, string(rune('a'+(i+w*7)%names))))
		}
		process := fresh(t, s)
		wait.Go(func() {
			for chunk := range slices.Chunk(entries[w], 5) {
				tx, err := process.Begin(t.Context())
				if err == nil {
					err = errors.Join(tx.CreateActions(t.Context(), chunk), tx.Rollback())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	// Who has looked before another one's rows were committed keeps its own, as in Matomo: the name then has two rows.
	checkDictionary(t, s, 0, slices.Concat(entries...)...)
}

// checkDictionary checks that each entry has a row of its name: the lowest one of so many rows, or any where rows is 0.
func checkDictionary(t *testing.T, s *Store, rows int, entries ...*ActionEntry) {
	t.Helper()
	var n int
	if err := s.db.Get(&n, "SELECT COUNT(*) FROM m_log_action"); err != nil || rows > 0 && n != rows {
		t.Errorf("%d rows, want %d, %v", n, rows, err)
	}
	reader := fresh(t, s)
	for _, e := range entries {
		query := "SELECT COUNT(*) FROM m_log_action WHERE idaction = ? AND type = ? AND BINARY name = ?"
		if err := s.db.Get(&n, query, e.ID, e.Type, e.Name); err != nil || n != 1 {
			t.Errorf("%+v has no row, %v", e, err)
		}
		lowest := entry(e.Type, e.Name)
		if err := reader.FindActions(t.Context(), []*ActionEntry{lowest}); err != nil || rows > 0 && lowest.ID != e.ID || lowest.ID > e.ID {
			t.Errorf("%+v, found %d, %v", e, lowest.ID, err)
		}
	}
}
