package queue

import (
	"context"
	"errors"

	"github.com/gomodule/redigo/redis"
	"github.com/mna/redisc"
)

// connecting marks an error that came before a command was sent.
type connecting struct{ error }

func (c connecting) Unwrap() error { return c.error }

// await returns what f returns, or an error as soon as the context ends; f then goes on by itself, no longer than its
// connection's timeouts. redigo's DoContext and ReceiveContext start a goroutine, too, one for each command and each
// answer, and connections to a cluster do not have them.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := f()
		done <- outcome{value, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// attempt awaits f and words its error; command names it there.
func attempt[T any](ctx context.Context, r *Redis, command string, f func() (T, error)) (T, error) {
	value, err := await(ctx, f)
	if err == nil {
		return value, nil
	}
	err = r.errs.wrap(ctx, command, err)
	if errors.Is(err, ErrUnavailable) {
		r.topology.lost()
	}
	var none T
	return none, err
}

// on runs f with a connection to the server that has the key, "" for any; command names it in errors.
func (r *Redis) on(ctx context.Context, key, command string, f func(redis.Conn) (any, error)) (any, error) {
	return attempt(ctx, r, command, func() (any, error) {
		conn, err := r.topology.conn(ctx, key)
		if err != nil {
			return nil, connecting{err}
		}
		defer conn.Close()
		reply, err := f(conn)
		return reply, withMemory(conn, err)
	})
}

// do sends one command about a key.
func (r *Redis) do(ctx context.Context, command, key string, args ...any) (any, error) {
	return r.on(ctx, key, command, func(conn redis.Conn) (any, error) {
		return conn.Do(command, append([]any{key}, args...)...)
	})
}

// ask sends one command that is about no key.
func (r *Redis) ask(ctx context.Context, command string, args ...any) (any, error) {
	return r.on(ctx, "", command, func(conn redis.Conn) (any, error) { return conn.Do(command, args...) })
}

// eval runs a script where its first key is.
func (r *Redis) eval(ctx context.Context, s *script, key string, keysAndArgs ...any) (any, error) {
	return r.on(ctx, key, "script "+s.name,
		func(conn redis.Conn) (any, error) { return r.evalOn(conn, s, key, keysAndArgs) })
}

// evalOn runs a script by its hash if the server knows it and allows that.
func (r *Redis) evalOn(conn redis.Conn, s *script, key string, keysAndArgs []any) (any, error) {
	args := append([]any{s.hash, s.keys, key}, keysAndArgs...)
	var forbidden error
	if !r.plainEval.Load() {
		reply, err := conn.Do("EVALSHA", args...)
		if !isForbidden(err) && !hasCode(err, "NOSCRIPT") {
			return reply, err
		}
		if isForbidden(err) {
			forbidden = err
		}
	}
	args[0] = s.source
	reply, err := conn.Do("EVAL", args...)
	if forbidden == nil {
		return reply, err
	}
	if isForbidden(err) {
		return nil, forbidden
	}
	r.plainEval.Store(true)
	return reply, err
}

// maxPipeline bounds the commands that are sent before their answers are read.
const maxPipeline = 1024

// each sends the command once per key, many at a time to each server, and returns the numbers that are answered.
func (r *Redis) each(ctx context.Context, command string, keys []string) ([]int64, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return attempt(ctx, r, command, func() ([]int64, error) { return r.pipelines(ctx, command, keys) })
}

func (r *Redis) pipelines(ctx context.Context, command string, keys []string) ([]int64, error) {
	numbers := make([]int64, len(keys))
	for _, group := range r.topology.groups(keys) {
		for len(group) > 0 {
			n := min(len(group), maxPipeline)
			if err := r.pipeline(ctx, command, keys, group[:n], numbers); err != nil {
				return nil, err
			}
			group = group[n:]
		}
	}
	return numbers, nil
}

// pipeline asks one server for the keys with these indexes. Keys that have moved to another server are asked for there.
func (r *Redis) pipeline(ctx context.Context, command string, keys []string, indexes []int, numbers []int64) error {
	conn, err := r.topology.pipe(ctx, keys[indexes[0]])
	if err != nil {
		return connecting{err}
	}
	defer conn.Close()
	for _, i := range indexes {
		if err := conn.Send(command, keys[i]); err != nil {
			return err
		}
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	var moved []int
	for _, i := range indexes {
		numbers[i], err = redis.Int64(conn.Receive())
		switch {
		case redisc.ParseRedir(err) != nil:
			moved = append(moved, i)
		case err != nil:
			return err
		}
	}
	for _, i := range moved {
		if numbers[i], err = r.follow(ctx, command, keys[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Redis) follow(ctx context.Context, command, key string) (int64, error) {
	conn, err := r.topology.conn(ctx, key)
	if err != nil {
		return 0, connecting{err}
	}
	defer conn.Close()
	return redis.Int64(conn.Do(command, key))
}
