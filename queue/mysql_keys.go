package queue

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

const (
	// isLive is the plugin's rule for a key that has not run out.
	isLive = "UNIX_TIMESTAMP() <= expiry_time"
	// staysFrom is the time of expiry from which a key stays for ever; the table's default is such a time.
	staysFrom = 9_999_999_999
)

// seconds is a time to live as the table holds it: whole seconds, at least one.
func seconds(d time.Duration) int64 { return max(1, int64((d+time.Second-1)/time.Second)) }

// SetIfNotExists implements Backend. A key that has run out is deleted first; only one of several workers can insert it
// then.
func (m *MySQL) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (set bool, err error) {
	key = shortened(key, maxKey)
	err = m.call(ctx, "insert", m.createKeys, func(ctx context.Context) error {
		var live []bool
		err := m.db.SelectContext(ctx, &live,
			"SELECT "+isLive+" FROM "+m.keys()+" WHERE queue_key = ? AND expiry_time IS NOT NULL", key)
		if err != nil || len(live) > 0 && live[0] {
			return err
		}
		if len(live) > 0 {
			_, err := m.db.ExecContext(ctx, "DELETE FROM "+m.keys()+" WHERE queue_key = ? AND NOT ("+isLive+")", key)
			if err != nil {
				return err
			}
		}
		_, err = m.db.ExecContext(ctx, "INSERT INTO "+m.keys()+
			" (queue_key, queue_value, expiry_time) VALUES (?, ?, UNIX_TIMESTAMP() + ?)", key, value, seconds(ttl))
		set = err == nil
		if isDuplicate(err) {
			return nil
		}
		return err
	})
	return set, err
}

// ExpireIfValue implements Backend.
func (m *MySQL) ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (ours bool, err error) {
	key = shortened(key, maxKey)
	err = m.call(ctx, "update", nil, func(ctx context.Context) error {
		n, err := affected(m.db.ExecContext(ctx, "UPDATE "+m.keys()+
			" SET expiry_time = UNIX_TIMESTAMP() + ? WHERE queue_key = ? AND queue_value = ? AND "+isLive, seconds(ttl), key, value))
		ours = n == 1
		return err
	})
	if err != nil || ours {
		return ours, err
	}
	now, ok, err := m.Get(ctx, key) // a time that was set already may count as no change
	return ok && now == value, err
}

// DeleteIfValue implements Backend.
func (m *MySQL) DeleteIfValue(ctx context.Context, key, value string) (deleted bool, err error) {
	key = shortened(key, maxKey)
	err = m.call(ctx, "delete", nil, func(ctx context.Context) error {
		n, err := affected(m.db.ExecContext(ctx, "DELETE FROM "+m.keys()+
			" WHERE queue_key = ? AND queue_value = ? AND "+isLive, key, value))
		deleted = n == 1
		return err
	})
	return deleted, err
}

// Delete implements Backend. The table of a list is dropped.
func (m *MySQL) Delete(ctx context.Context, key string) (deleted bool, err error) {
	err = m.call(ctx, "delete", nil, func(ctx context.Context) error {
		n, err := affected(m.db.ExecContext(ctx, "DELETE FROM "+m.keys()+" WHERE queue_key = ?", shortened(key, maxKey)))
		deleted = n == 1
		return err
	})
	if err != nil {
		return deleted, err
	}
	err = m.call(ctx, "drop", nil, func(ctx context.Context) error {
		var n int64
		if err := m.db.GetContext(ctx, &n, "SELECT COUNT(*) FROM "+m.table(key)); err != nil {
			return err
		}
		deleted = deleted || n > 0
		_, err := m.db.ExecContext(ctx, "DROP TABLE IF EXISTS "+m.table(key))
		return err
	})
	return deleted, err
}

// Get implements Backend.
func (m *MySQL) Get(ctx context.Context, key string) (value string, ok bool, err error) {
	key = shortened(key, maxKey)
	err = m.call(ctx, "select", nil, func(ctx context.Context) error {
		err := m.db.GetContext(ctx, &value,
			"SELECT COALESCE(queue_value, '') FROM "+m.keys()+" WHERE queue_key = ? AND "+isLive, key)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return value, ok, err
}

// maxKeys bounds the keys that one statement asks for.
const maxKeys = 4096

// TTLs implements Backend.
func (m *MySQL) TTLs(ctx context.Context, keys ...string) ([]time.Duration, error) {
	left := make(map[string]time.Duration, len(keys))
	for rest := keys; len(rest) > 0; {
		n := min(len(rest), maxKeys)
		if err := m.readTTLs(ctx, rest[:n], left); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	ttls := make([]time.Duration, len(keys))
	for i, key := range keys {
		ttls[i] = left[shortened(key, maxKey)]
	}
	return ttls, nil
}

func (m *MySQL) readTTLs(ctx context.Context, keys []string, left map[string]time.Duration) error {
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = shortened(key, maxKey)
	}
	return m.call(ctx, "select", nil, func(ctx context.Context) error {
		var rows []struct {
			Key    string `db:"queue_key"`
			Expiry int64  `db:"expiry"`
			Now    int64  `db:"now"`
		}
		err := m.db.SelectContext(ctx, &rows,
			"SELECT queue_key, COALESCE(expiry_time, 0) AS expiry, UNIX_TIMESTAMP() AS now FROM "+m.keys()+
				" WHERE queue_key IN (?"+strings.Repeat(",?", len(keys)-1)+")", args...)
		for _, row := range rows {
			left[row.Key] = timeUntil(row.Expiry, row.Now)
		}
		return err
	})
}

// timeUntil is the time left until a key runs out; in its last second, which has begun, there is not a whole one left.
func timeUntil(expiry, now int64) time.Duration {
	switch {
	case expiry == 0 || expiry >= staysFrom: // as the plugin: no time is no end
		return NoExpiry
	case expiry < now:
		return 0
	case expiry == now:
		return time.Millisecond
	}
	return time.Duration(expiry-now) * time.Second
}
