package queue

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// A tally is kept as rows of the table of keys, one for each name: their keys begin with the tally's, their values are
// "name=value".

// maxValue is the number of characters of column queue_value.
const maxValue = 255

// AddTally implements Backend. Rows are changed in the order of their keys, so that workers wait for each other instead
// of getting in each other's way.
func (m *MySQL) AddTally(ctx context.Context, key, total string, ttl time.Duration, tally Tally) error {
	if err := m.deleteExpired(ctx); err != nil {
		return err
	}
	return m.inTx(ctx, "insert", m.createKeys, func(ctx context.Context, tx *sqlx.Tx) error {
		rows := func(key string) (numbers, texts []any) {
			for _, name := range slices.Sorted(maps.Keys(tally.Numbers)) {
				numbers = append(numbers, tallyKey(key, name), name+"="+strconv.FormatInt(tally.Numbers[name], 10))
			}
			for _, name := range slices.Sorted(maps.Keys(tally.Texts)) {
				texts = append(texts, tallyKey(key, name), fitting(name+"="+tally.Texts[name]))
			}
			return numbers, texts
		}
		for _, kept := range []struct{ key, until string }{
			{key, "UNIX_TIMESTAMP() + " + strconv.FormatInt(seconds(ttl), 10)}, {total, strconv.Itoa(staysFrom)},
		} {
			numbers, texts := rows(kept.key)
			if err := m.addRows(ctx, tx, kept.until, sumOfValues, numbers); err != nil {
				return err
			}
			if err := m.addRows(ctx, tx, kept.until, "VALUES(queue_value)", texts); err != nil {
				return err
			}
		}
		return nil
	})
}

// sumOfValues is the new value of a number.
const sumOfValues = "CONCAT(SUBSTRING_INDEX(VALUES(queue_value), '=', 1), '=', " +
	"CAST(SUBSTRING_INDEX(queue_value, '=', -1) AS SIGNED) + " +
	"CAST(SUBSTRING_INDEX(VALUES(queue_value), '=', -1) AS SIGNED))"

// rowsAtOnce bounds the rows of a statement.
const rowsAtOnce = 1000

// addRows inserts keys with values, or changes the values of those that are there to this one.
func (m *MySQL) addRows(ctx context.Context, tx Executor, until, value string, keysAndValues []any) error {
	row := "(?, ?, " + until + ")"
	for chunk := range slices.Chunk(keysAndValues, 2*rowsAtOnce) {
		_, err := tx.ExecContext(ctx, "INSERT INTO "+m.keys()+" (queue_key, queue_value, expiry_time) VALUES "+row+
			strings.Repeat(", "+row, len(chunk)/2-1)+
			" ON DUPLICATE KEY UPDATE queue_value = "+value+", expiry_time = VALUES(expiry_time)", chunk...)
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteExpired deletes keys of ours that have run out. They are looked for without locks.
func (m *MySQL) deleteExpired(ctx context.Context) error {
	return m.call(ctx, "delete", nil, func(ctx context.Context) error {
		var found []string
		err := m.db.SelectContext(ctx, &found, "SELECT queue_key FROM "+m.keys()+
			" WHERE queue_key LIKE ? AND expiry_time IS NOT NULL AND NOT ("+isLive+") LIMIT "+strconv.Itoa(maxKeys),
			likePrefix("queuedtracking:"))
		if err != nil || len(found) == 0 {
			return err
		}
		keys := make([]any, len(found))
		for i, key := range found {
			keys[i] = key
		}
		_, err = m.db.ExecContext(ctx, "DELETE FROM "+m.keys()+" WHERE NOT ("+isLive+") AND queue_key IN (?"+
			strings.Repeat(",?", len(keys)-1)+")", keys...)
		return err
	})
}

// Tally implements Backend.
func (m *MySQL) Tally(ctx context.Context, key string) (map[string]string, error) {
	tally := make(map[string]string)
	err := m.call(ctx, "select", nil, func(ctx context.Context) error {
		var values []string
		err := m.db.SelectContext(ctx, &values, "SELECT queue_value FROM "+m.keys()+
			" WHERE queue_key LIKE ? AND queue_value IS NOT NULL AND "+isLive, likePrefix(key+":"))
		for _, value := range values {
			name, text, _ := strings.Cut(value, "=")
			tally[name] = text
		}
		return err
	})
	return tally, err
}

func tallyKey(key, name string) string { return shortened(key+":"+name, maxKey) }

// fitting is the part of a value that the column takes in every character set that the plugin's table may have.
func fitting(value string) string {
	characters := []rune(strings.ToValidUTF8(value, "?"))
	for i, c := range characters {
		if c > 0xffff { // more than MySQL's utf8 has
			characters[i] = '?'
		}
	}
	return string(characters[:min(len(characters), maxValue)])
}
