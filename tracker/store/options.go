package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Option is a row of table option.
type Option struct {
	Name     string // cut to 191 bytes
	Value    string
	Autoload bool
}

const maxOptionName = 191

// SetOptions writes options, existing ones too (spec §B.5), with one statement.
func (tx *Tx) SetOptions(ctx context.Context, options []Option) error {
	tail := tx.s.dialect.onDuplicate("`option_name`", "`option_value`", "`autoload`")
	for len(options) > 0 {
		q := tx.begin("INSERT INTO ", tx.s.table("option"), " (`option_name`, `option_value`, `autoload`) VALUES ")
		n := fill(tx.s, &tx.q, options, func(n int) {
			o := &options[n]
			q.add(separator(n), "(").text(o.Name[:min(len(o.Name), maxOptionName)]).add(", ").text(o.Value)
			if o.Autoload {
				q.add(", 1)")
			} else {
				q.add(", 0)")
			}
		})
		q.add(tail)
		if _, err := tx.write(ctx, nil); err != nil {
			return err
		}
		options = options[n:]
	}
	return nil
}

// CreateOptions is SetOptions for options that all have the same value and are not loaded by Matomo unasked.
func (tx *Tx) CreateOptions(ctx context.Context, names []string, value string) error {
	options := make([]Option, len(names))
	for i, name := range names {
		options[i] = Option{Name: name, Value: value}
	}
	return tx.SetOptions(ctx, options)
}

// OptionNames returns the names of options that match a LIKE pattern, in which _ and % have their meaning.
func (tx *Tx) OptionNames(ctx context.Context, pattern string) ([]string, error) {
	tx.begin("SELECT `option_name` FROM ", tx.s.table("option"),
		" WHERE `option_name` LIKE ").text(pattern).add(" ORDER BY `option_name`")
	var names []string
	err := tx.query(ctx, func(rows *sqlx.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// MoveSiteCreated lets a site begin at unix second created unless it begins earlier (spec §14.2). ts_created
// is a TIMESTAMP: the text goes through the session's time zone, as it does in Matomo.
func (tx *Tx) MoveSiteCreated(ctx context.Context, siteID, created int64) error {
	tx.begin("UPDATE ", tx.s.table("site"), " SET `ts_created` = ").moment(created)
	tx.q.add(" WHERE `idsite` = ").int(siteID).add(" AND `ts_created` > ").moment(created)
	_, err := tx.write(ctx, nil)
	return err
}

// Option reads an option; found is false when there is none.
func (tx *Tx) Option(ctx context.Context, option string) (value string, found bool, err error) {
	tx.begin("SELECT `option_value` FROM ", tx.s.table("option"), " WHERE `option_name` = ").text(option)
	err = tx.query(ctx, func(rows *sqlx.Rows) error {
		found = true
		return rows.Scan(&value)
	})
	return value, found, err
}

// LockOption reads an option that the transaction is about to change, and keeps others from doing so until it ends. An
// option that is not there is created with a value.
func (tx *Tx) LockOption(ctx context.Context, option, initial string) (value string, err error) {
	for range 2 {
		found := false
		q := tx.begin("SELECT `option_value` FROM ", tx.s.table("option"), " WHERE `option_name` = ").text(option)
		q.add(tx.s.dialect.forUpdate)
		err = tx.query(ctx, func(rows *sqlx.Rows) error {
			found = true
			return rows.Scan(&value)
		})
		if found || err != nil {
			return value, err
		}
		q = tx.begin(tx.s.dialect.insertIgnore, " ", tx.s.table("option"),
			" (`option_name`, `option_value`, `autoload`) VALUES (").text(option)
		q.add(", ").text(initial).add(", 0)")
		if _, err := tx.exec(ctx); err != nil {
			return "", err
		}
	}
	return initial, nil
}

// LockWaits is how many transactions of the server wait for the lock of a row at the moment.
func (s *Store) LockWaits(ctx context.Context) (int64, error) { return s.dialect.lockWaits(ctx, s.db) }

// Checkpoint is how far a queue's list is in the database (docs/how-it-works.md): Offset counts the entries ever
// committed, Digest identifies the last batch.
type Checkpoint struct {
	Offset int64
	Digest string
}

// checkpointPrefix begins the name of the option that holds a list's checkpoint.
const checkpointPrefix = "QueuedTracking.replayed."

// Checkpoint reads the checkpoint of a list and locks it until the transaction ends, so that a second worker that
// believes to hold the list's lock waits here. A list that was never replayed has the zero Checkpoint.
func (tx *Tx) Checkpoint(ctx context.Context, list string) (Checkpoint, error) {
	option, err := CheckpointOption(list)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := tx.ensureCheckpoint(ctx, option); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	d := tx.s.dialect
	q := tx.begin("SELECT `option_value`, ", d.increment, " FROM ", tx.s.table("option"), " WHERE `option_name` = ")
	q.text(option).add(d.forUpdate)
	value := ""
	err = tx.query(ctx, func(rows *sqlx.Rows) error { return rows.Scan(&value, &tx.increment) })
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	tx.s.distance.Store(tx.increment)
	return ParseCheckpoint(list, value)
}

// CheckpointOption is the name of the option that holds a list's checkpoint.
func CheckpointOption(list string) (string, error) {
	option := checkpointPrefix + list
	if len(option) > maxOptionName {
		return "", fmt.Errorf("checkpoint: list name %q is too long", list)
	}
	return option, nil
}

// CreateCheckpoint makes the row of a list's checkpoint, if it is not there, outside of any transaction.
func (s *Store) CreateCheckpoint(ctx context.Context, list string) error {
	option, err := CheckpointOption(list)
	if err == nil {
		_, err = s.db.ExecContext(ctx, s.insertCheckpoint(), option)
	}
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	return nil
}

func (s *Store) insertCheckpoint() string {
	return s.dialect.insertIgnore + " " + s.table("option") +
		" (`option_name`, `option_value`, `autoload`) VALUES (?, '', 0)"
}

// ParseCheckpoint reads what Checkpoint.String gives; "" is the zero Checkpoint.
func ParseCheckpoint(list, value string) (c Checkpoint, err error) {
	if value == "" {
		return c, nil
	}
	offset, digest, _ := strings.Cut(value, " ")
	if _, err := fmt.Sscan(offset, &c.Offset); err != nil {
		return c, fmt.Errorf("checkpoint of %s: option %s%s holds %q instead of an offset: %w", list, checkpointPrefix, list,
			value, err)
	}
	c.Digest = digest
	return c, nil
}

// ensureCheckpoint creates the row aside, so that there is a row to lock: a lock on a gap would not
// keep a second worker out, but would keep both from inserting.
func (tx *Tx) ensureCheckpoint(ctx context.Context, option string) error {
	if _, known := tx.s.replays.Load(option); known {
		return nil
	}
	db, table := tx.aside(), tx.s.table("option")
	var n int
	tx.stats.Statements++
	if err := db.QueryRowxContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE `option_name` = ?", option).Scan(&n); err != nil {
		return err
	}
	if n == 0 { // an INSERT would wait for a worker that has locked the row
		tx.stats.Statements++
		if _, err := db.ExecContext(ctx, tx.s.insertCheckpoint(), option); err != nil {
			return err
		}
	}
	tx.onCommit = append(tx.onCommit, func() { tx.s.replays.Store(option, true) })
	return nil
}

// ErrCheckpointMoved says that a list's checkpoint is not the one that MoveCheckpoint was told.
var ErrCheckpointMoved = errors.New("the checkpoint has been moved by somebody else")

// MoveCheckpoint is Checkpoint and SaveCheckpoint in one step, for somebody who knows what the checkpoint should be:
// it travels with the rows. It waits for a transaction that is about to move the checkpoint. If the checkpoint is then
// another one than from, Flush fails with ErrCheckpointMoved, and the transaction has to be rolled back.
//
// It should be the last statement of the transaction: then two transactions can write their rows at the same time, of
// which one depends on the other. The later one cannot be committed without the earlier one. On a cluster
// (Clustered) that is not so: on another node the rows of the earlier one are not locked, but missing.
func (tx *Tx) MoveCheckpoint(ctx context.Context, list string, from, to Checkpoint) error {
	q := tx.begin("UPDATE ", tx.s.table("option"), " SET `option_value` = ").text(to.String())
	q.add(" WHERE `option_name` = ").text(checkpointPrefix + list)
	// Offset and last batch identify a checkpoint; the rest of the text is long.
	start := from.String()
	if head, _, long := strings.Cut(from.Digest, " "); long {
		start = Checkpoint{from.Offset, head}.String() + " "
	}
	q.add(" AND ", tx.s.dialect.head("`option_value`", len(start)), " = ").text(start)
	q.add(" AND ", tx.s.dialect.increment, " = ").int(tx.increment)
	_, err := tx.writeStep(ctx, step{check: func(matched int64) error {
		if matched != 1 {
			return ErrCheckpointMoved
		}
		return nil
	}})
	return err
}

// String is the text in which a checkpoint is stored.
func (c Checkpoint) String() string { return strconv.FormatInt(c.Offset, 10) + " " + c.Digest }

// ErrDistanceMoved says that auto_increment_increment has changed while a transaction was under way: it may have
// given its rows wrong ids.
var ErrDistanceMoved = errors.New("auto_increment_increment has changed")

// SaveCheckpoint writes the checkpoint of a list, which Checkpoint has read. If the distance between ids is another one
// by now, as when a node has left a cluster, ErrDistanceMoved comes from here or from Flush.
func (tx *Tx) SaveCheckpoint(ctx context.Context, list string, c Checkpoint) error {
	option := checkpointPrefix + list
	q := tx.begin("UPDATE ", tx.s.table("option"), " SET `option_value` = ").text(c.String())
	q.add(" WHERE `option_name` = ").text(option).add(" AND ", tx.s.dialect.increment, " = ").int(tx.increment)
	_, err := tx.writeStep(ctx, step{check: func(matched int64) error {
		if matched == 0 {
			tx.s.replays.Delete(option) // or somebody has deleted the row
			return ErrDistanceMoved
		}
		return nil
	}})
	if err != nil {
		return fmt.Errorf("checkpoint of %s: %w", list, err)
	}
	return nil
}
