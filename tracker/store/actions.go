package store

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/maypok86/otter/v2"
)

// actionKey identifies an entry of the dictionary.
type actionKey struct {
	kind int64
	name string
}

func (e *ActionEntry) key() actionKey { return actionKey{e.Type, e.Name} }

// newActionCache returns the memory of known entries, bounded by the bytes that it takes.
func newActionCache(bytes uint64, ttl time.Duration) (*otter.Cache[actionKey, int64], error) {
	const overhead = 96 // bytes per entry, about
	cache, err := otter.New(&otter.Options[actionKey, int64]{
		MaximumWeight:    bytes,
		Weigher:          func(key actionKey, _ int64) uint32 { return uint32(len(key.name)) + overhead },
		ExpiryCalculator: otter.ExpiryWriting[actionKey, int64](ttl),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of actions: %w", err)
	}
	return cache, nil
}

// FindActions sets the ID of entries that are in log_action, from memory or with one SELECT for all others: the lowest
// idaction with the entry's type and, byte for byte, its name (spec §6.6). It sees what is committed; inside a
// transaction use Tx.FindActions.
func (s *Store) FindActions(ctx context.Context, entries []*ActionEntry) error {
	missing := s.recall(entries)
	if len(missing) == 0 {
		return nil
	}
	if err := s.lookUpActions(ctx, s.db, new(statement), missing, unseen); err != nil {
		return err
	}
	s.remember(missing)
	return nil
}

// FindActions is Store.FindActions inside the transaction. On MySQL it still reads what is committed by now, whatever
// the transaction's snapshot: entries are committed on their own.
func (tx *Tx) FindActions(ctx context.Context, entries []*ActionEntry) error {
	missing := tx.s.recall(entries)
	if len(missing) == 0 {
		return nil
	}
	tx.stats.Statements++
	if err := tx.s.lookUpActions(ctx, tx.aside(), &tx.q, missing, unseen); err != nil {
		return err
	}
	tx.remember(missing)
	return nil
}

// aside is where names and the rows of checkpoints come from and go to: they are committed at once, on another
// connection. Where only one transaction can write they are part of tx.
func (tx *Tx) aside() database {
	if tx.s.dialect.oneWriter {
		return tx.conn
	}
	return tx.s.db
}

// CreateActions adds the entries that have no ID yet to log_action and sets their IDs, in the order of the slice. A row
// that another worker has added meanwhile wins when its id is lower; ours is deleted then (spec §6.6).
//
// The rows are committed at once, on another connection: they are harmless when the batch rolls back, and other workers
// need not wait for them. On SQLite, where only one transaction can write, they are part of tx, and a Rollback takes
// the IDs back.
func (tx *Tx) CreateActions(ctx context.Context, entries []*ActionEntry) error {
	missing := withoutID(entries)
	if len(missing) == 0 {
		return nil
	}
	tx.stats.Statements++
	if !tx.s.dialect.oneWriter {
		return tx.s.CreateActions(ctx, missing)
	}
	if err := tx.s.createActions(ctx, tx.aside(), missing); err != nil {
		return err
	}
	tx.remember(missing)
	return nil
}

// CreateActions is Tx.CreateActions ahead of a transaction. On SQLite it does nothing.
func (s *Store) CreateActions(ctx context.Context, entries []*ActionEntry) error {
	missing := withoutID(entries)
	if len(missing) == 0 || s.dialect.oneWriter {
		return nil
	}
	// One after the other: workers of this process that meet the same new name do not add it twice.
	s.creating.Lock()
	defer s.creating.Unlock()
	if missing = s.recall(missing); len(missing) == 0 {
		return nil
	}
	if err := s.createActions(ctx, s.db, missing); err != nil {
		clearIDs(missing)
		return err
	}
	s.remember(missing)
	return nil
}

// database runs statements outside of a Tx's script: a *sqlx.DB or a *sqlx.Conn.
type database interface {
	sqlx.QueryerContext
	sqlx.ExecerContext
}

// createActions inserts the entries, then looks which rows are the lowest of their names: only now two workers that
// have added the same name see each other's row. Inserted rows that are not the lowest are deleted.
func (s *Store) createActions(ctx context.Context, db database, entries []*ActionEntry) error {
	unique := make([]*ActionEntry, 0, len(entries))
	listed := make(map[actionKey]bool, len(entries))
	for _, e := range entries {
		if !listed[e.key()] {
			listed[e.key()] = true
			unique = append(unique, e)
		}
	}
	inserted := make(map[actionKey]int64, len(unique))
	for rest := unique; len(rest) > 0; {
		n, err := s.insertActions(ctx, db, rest, inserted)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	q := new(statement)
	seen := make(map[int64]actionKey)
	if err := s.lookUpActions(ctx, db, q, entries, func(id int64, key actionKey) { seen[id] = key }); err != nil {
		return err
	}
	q.reset()
	q.add("DELETE FROM ", s.entries.sqlName, " WHERE `idaction` IN (")
	surplus := 0
	for _, e := range entries {
		id := inserted[e.key()]
		if e.ID == 0 {
			e.ID = id
		}
		if e.ID != id && id != 0 && seen[id] == e.key() {
			q.add(separator(surplus)).int(id)
			surplus++
			delete(inserted, e.key())
		}
	}
	if surplus == 0 {
		return nil
	}
	q.add(")")
	_, err := db.ExecContext(ctx, string(q.sql), q.args...)
	return err
}

// insertActions adds as many entries as fit into one statement and notes the ids of their rows.
func (s *Store) insertActions(
	ctx context.Context, db database, entries []*ActionEntry, inserted map[actionKey]int64,
) (int, error) {
	q := new(statement)
	q.add("INSERT INTO ", s.entries.sqlName, " (`name`, `hash`, `type`, `url_prefix`) VALUES ")
	n := fill(s, q, entries, func(n int) {
		e := entries[n]
		q.add(separator(n), "(").text(e.Name).add(", ").int(e.hash()).add(", ").int(e.Type).add(", ")
		if e.Prefix.Valid {
			q.int(e.Prefix.V)
		} else {
			q.add("NULL")
		}
		q.add(")")
	})
	result, err := db.ExecContext(ctx, string(q.sql), q.args...)
	if err != nil {
		return 0, err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return 0, err
	}
	s.ids(n, id, s.distance.Load(), func(i int, id int64) { inserted[entries[i].key()] = id })
	return n, nil
}

// maxHashes bounds the hashes of one SELECT: MariaDB turns longer lists into a join.
const maxHashes = 900

// lookUpActions sets the IDs of entries that db has, and tells of each row that it sees. The rows are found by type and
// hash, the index that Matomo made for it.
func (s *Store) lookUpActions(
	ctx context.Context, db sqlx.QueryerContext, q *statement, entries []*ActionEntry, seen func(id int64, key actionKey),
) error {
	byType := slices.Clone(entries)
	slices.SortStableFunc(byType, func(a, b *ActionEntry) int { return int(a.Type - b.Type) })
	lowest := make(map[actionKey]int64, len(entries))
	for chunk := range slices.Chunk(byType, maxHashes) {
		q.reset()
		q.add("SELECT `idaction`, `type`, `name` FROM ", s.entries.sqlName, " WHERE ")
		for i, e := range chunk {
			switch {
			case i == 0:
				q.add("`type` = ").int(e.Type).add(" AND `hash` IN (")
			case e.Type != chunk[i-1].Type:
				q.add(") OR `type` = ").int(e.Type).add(" AND `hash` IN (")
			default:
				q.add(", ")
			}
			q.int(e.hash())
		}
		q.add(")")
		err := queryRows(ctx, db, q, func(rows *sqlx.Rows) error {
			var id int64
			var key actionKey
			if err := rows.Scan(&id, &key.kind, &key.name); err != nil {
				return err
			}
			if known, ok := lowest[key]; !ok || id < known {
				lowest[key] = id
			}
			seen(id, key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, e := range entries {
		e.ID = lowest[e.key()]
	}
	return nil
}

func unseen(int64, actionKey) {}

// hash is what MySQL's CRC32 gives for the name in UTF-8.
func (e *ActionEntry) hash() int64 { return int64(crc32.ChecksumIEEE([]byte(e.Name))) }

// recall sets the IDs that are in memory and returns the other entries. An entry without a name has no row.
func (s *Store) recall(entries []*ActionEntry) []*ActionEntry {
	for _, e := range entries {
		if e.ID == 0 {
			e.ID, _ = s.known.GetIfPresent(e.key())
		}
	}
	return withoutID(entries)
}

// RecallActions sets the IDs of entries that are in memory: those that FindActions has found, or CreateActions created,
// lately.
func (s *Store) RecallActions(entries []*ActionEntry) { s.recall(entries) }

func withoutID(entries []*ActionEntry) []*ActionEntry {
	var missing []*ActionEntry
	for _, e := range entries {
		if e.ID == 0 && e.Name != "" {
			missing = append(missing, e)
		}
	}
	return missing
}

func clearIDs(entries []*ActionEntry) {
	for _, e := range entries {
		e.ID = 0
	}
}

func (s *Store) remember(entries []*ActionEntry) {
	for _, e := range entries {
		if e.ID != 0 {
			s.known.Set(e.key(), e.ID)
		}
	}
}

// remember remembers entries. Those that are a part of this transaction it remembers once this is committed, and
// forgets their IDs when it is not.
func (tx *Tx) remember(entries []*ActionEntry) {
	if !tx.s.dialect.oneWriter {
		tx.s.remember(entries)
		return
	}
	tx.onCommit = append(tx.onCommit, func() { tx.s.remember(entries) })
	tx.undo = append(tx.undo, func() { clearIDs(entries) })
}

// ForgetActions forgets all IDs that are in memory: those of rows that were added in a transaction which was taken back
// as a whole, connections of all kinds included.
func (s *Store) ForgetActions() { s.known.InvalidateAll() }
