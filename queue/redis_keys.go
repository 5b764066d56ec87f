package queue

import (
	"context"
	"errors"
	"time"

	"github.com/gomodule/redigo/redis"
)

// milliseconds is a time to live as Redis takes it: at least 1, because 0 is refused or deletes.
func milliseconds(d time.Duration) int64 { return max(1, d.Milliseconds()) }

// SetIfNotExists implements Backend.
func (r *Redis) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	reply, err := r.on(ctx, key, "SET", func(conn redis.Conn) (any, error) {
		reply, err := conn.Do("SET", key, value, "NX", "PX", milliseconds(ttl))
		if hasCode(err, "OOM") {
			return r.evalOn(conn, setScript, key, []any{value, milliseconds(ttl)})
		}
		return reply, err
	})
	return reply != nil, err
}

// ExpireIfValue implements Backend.
func (r *Redis) ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	return redis.Bool(r.eval(ctx, expireScript, key, value, milliseconds(ttl)))
}

// DeleteIfValue implements Backend.
func (r *Redis) DeleteIfValue(ctx context.Context, key, value string) (bool, error) {
	return redis.Bool(r.eval(ctx, deleteScript, key, value))
}

// Delete implements Backend.
func (r *Redis) Delete(ctx context.Context, key string) (bool, error) {
	return redis.Bool(r.do(ctx, "DEL", key))
}

// Get implements Backend.
func (r *Redis) Get(ctx context.Context, key string) (value string, ok bool, err error) {
	value, err = redis.String(r.do(ctx, "GET", key))
	if errors.Is(err, redis.ErrNil) {
		return "", false, nil
	}
	return value, err == nil, err
}

// Answers of PTTL that are no time.
const (
	pttlStays  = -1
	pttlAbsent = -2
)

// TTLs implements Backend.
func (r *Redis) TTLs(ctx context.Context, keys ...string) ([]time.Duration, error) {
	answers, err := r.each(ctx, "PTTL", keys)
	if err != nil {
		return nil, err
	}
	left := make([]time.Duration, len(answers))
	for i, ms := range answers {
		left[i] = timeLeft(ms)
	}
	return left, nil
}

func timeLeft(ms int64) time.Duration {
	switch ms {
	case pttlStays:
		return NoExpiry
	case pttlAbsent:
		return 0
	}
	return time.Duration(max(1, ms)) * time.Millisecond
}
