package queue

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gomodule/redigo/redis"
)

// ErrNotReplicated is the error of elements that are in their list, on a master of which too few replicas have told in
// time that they have them, too. They must not be appended again while that master lives; they are lost when another
// server replaces it.
var ErrNotReplicated = errors.New("not on enough replicas")

// Replicated is a Redis whose Append and AppendMarked return when a number of replicas have the elements (WAIT).
type Replicated struct {
	*Redis
	replicas int
	wait     time.Duration
}

var _ Backend = (*Replicated)(nil)

// Replicated makes a backend that waits for replicas, no longer than wait, on the connections of r.
func (r *Redis) Replicated(replicas int, wait time.Duration) *Replicated {
	return &Replicated{r, replicas, wait}
}

// Check makes sure that the server lets us wait for replicas; whether it has any does not matter.
func (r *Replicated) Check(ctx context.Context) error {
	_, err := r.do(ctx, "WAIT", "0", 1)
	return err
}

// Append implements Backend.
func (r *Replicated) Append(ctx context.Context, list string, elements ...[]byte) error {
	if len(elements) == 0 {
		return nil
	}
	return r.write(ctx, list, "RPUSH", func(conn redis.Conn) error {
		_, err := conn.Do("RPUSH", withElements(elements, list)...)
		return err
	})
}

// AppendMarked implements Backend.
func (r *Replicated) AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error {
	return r.write(ctx, list, "script "+appendMarkedScript.name, func(conn redis.Conn) error {
		_, err := r.evalOn(conn, appendMarkedScript, list, withMark(mark, elements))
		return err
	})
}

// write writes and waits on the same connection: WAIT is about what that one has written. Once it has written every
// error is an ErrNotReplicated.
func (r *Replicated) write(ctx context.Context, list, command string, f func(redis.Conn) error) error {
	var written atomic.Bool
	have, err := redis.Int(r.on(ctx, list, command, func(conn redis.Conn) (any, error) {
		if err := f(conn); err != nil {
			return nil, err
		}
		written.Store(true)
		return conn.Do("WAIT", r.replicas, milliseconds(r.wait))
	}))
	switch {
	case err != nil && written.Load():
		return fmt.Errorf("%w: %w", ErrNotReplicated, err)
	case err != nil:
		return err
	case have < r.replicas:
		return fmt.Errorf("%s: %w: %d of %d have it after %v", r.errs.server, ErrNotReplicated, have, r.replicas, r.wait)
	}
	return nil
}
