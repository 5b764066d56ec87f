package faults

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
	"github.com/gomodule/redigo/redis"
	"github.com/jmoiron/sqlx"
)

// phpQueues are what the plugin's backends send to the servers. Times to live are in seconds.
type phpQueues interface {
	lock(key, value string, ttl int) (bool, error)
	extend(key, value string, ttl int) (bool, error)
	release(key, value string) error
	read(list string, n int) ([][]byte, error)
	trim(list string, n int) error
}

// phpRedis is the plugin's Redis.php.
type phpRedis struct{ conn redis.Conn }

const (
	phpExpire  = `if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("expire",KEYS[1], ARGV[2]) else return 0 end`
	phpRelease = `if redis.call("get",KEYS[1]) == ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end`
)

func (r *phpRedis) lock(key, value string, ttl int) (bool, error) {
	reply, err := r.conn.Do("SET", key, value, "NX", "EX", ttl)
	return reply != nil, err
}

func (r *phpRedis) extend(key, value string, ttl int) (bool, error) {
	return redis.Bool(r.conn.Do("EVAL", phpExpire, 1, key, value, ttl))
}

func (r *phpRedis) release(key, value string) error {
	_, err := r.conn.Do("EVAL", phpRelease, 1, key, value)
	return err
}

func (r *phpRedis) read(list string, n int) ([][]byte, error) {
	return redis.ByteSlices(r.conn.Do("LRANGE", list, 0, n-1))
}

func (r *phpRedis) trim(list string, n int) error {
	_, err := r.conn.Do("LTRIM", list, n, -1)
	return err
}

// phpMySQL is the plugin's MySQL.php.
type phpMySQL struct{ db *sqlx.DB }

// newPHPMySQL makes the table that the plugin's installation makes.
func newPHPMySQL(db *sqlx.DB) *phpMySQL {
	db.MustExec("CREATE TABLE IF NOT EXISTS " + phpKeys + ` (queue_key VARCHAR(70) NOT NULL, queue_value VARCHAR(255) NULL DEFAULT NULL,
		expiry_time BIGINT UNSIGNED DEFAULT 9999999999, PRIMARY KEY (queue_key)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`)
	return &phpMySQL{db}
}

const (
	phpKeys  = "matomo_queuedtracking_queue"
	phpLists = "matomo_queuedtracking_list_"
	phpLive  = "UNIX_TIMESTAMP() <= expiry_time"
)

// number is the number of a server's error, 0 for none.
func number(err error) uint16 {
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return refused.Number
	}
	return 0
}

// exec repeats a statement that lost a deadlock: workers that insert and delete the same lock lose some, whoever they
// are. The plugin's command ends there and cron starts it again, which would only take longer.
func (m *phpMySQL) exec(query string, args ...any) error {
	for {
		if _, err := m.db.Exec(query, args...); number(err) != 1213 {
			return err
		}
	}
}

func (m *phpMySQL) lock(key, value string, ttl int) (bool, error) {
	if m.has(key, "") {
		return false, nil
	}
	if err := m.exec("DELETE FROM "+phpKeys+" WHERE queue_key = ? and not ("+phpLive+")", key); err != nil {
		return false, err
	}
	const insert = "INSERT INTO " + phpKeys +
		" (`queue_key`, `queue_value`, `expiry_time`) VALUES (?,?,(UNIX_TIMESTAMP() + ?))"
	if err := m.exec(insert, key, value, ttl); number(err) == 1062 {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return m.has(key, value), nil
}

// has reports whether the key lives, with this value or any.
func (m *phpMySQL) has(key, value string) bool {
	var now string
	err := m.db.Get(&now, "SELECT SQL_NO_CACHE queue_value FROM "+phpKeys+" WHERE queue_key = ? AND "+phpLive+" LIMIT 1",
		key)
	return err == nil && (value == "" || value == now)
}

func (m *phpMySQL) extend(key, value string, ttl int) (bool, error) {
	err := m.exec("UPDATE "+phpKeys+" SET expiry_time = (UNIX_TIMESTAMP() + ?) WHERE queue_key = ? and queue_value = ?",
		ttl, key, value)
	return m.has(key, value), err
}

func (m *phpMySQL) release(key, value string) error {
	return m.exec("DELETE FROM "+phpKeys+" WHERE queue_key = ? and queue_value = ?", key, value)
}

func (m *phpMySQL) read(list string, n int) (elements [][]byte, err error) {
	err = m.db.Select(&elements,
		fmt.Sprintf("SELECT SQL_NO_CACHE list_value FROM %s ORDER BY idqueuelist ASC LIMIT %d OFFSET 0", phpLists+list, n))
	if number(err) == 1146 { // nothing was queued yet
		return nil, nil
	}
	return elements, err
}

func (m *phpMySQL) trim(list string, n int) error {
	return m.exec(fmt.Sprintf("DELETE FROM %s ORDER BY idqueuelist ASC LIMIT %d", phpLists+list, n))
}
