package queue

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/gomodule/redigo/redis"
)

// Append implements Backend.
func (r *Redis) Append(ctx context.Context, list string, elements ...[]byte) error {
	if len(elements) == 0 {
		return nil
	}
	_, err := r.do(ctx, "RPUSH", list, withElements(elements)...)
	return err
}

// AppendMarked implements Backend.
func (r *Redis) AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error {
	_, err := r.eval(ctx, appendMarkedScript, list, withMark(mark, elements)...)
	return err
}

func withMark(mark Mark, elements [][]byte) []any {
	whenFull := 0
	if mark.WhenFull {
		whenFull = 1
	}
	return withElements(elements, mark.Key, mark.Value, milliseconds(mark.TTL), whenFull)
}

func withElements(elements [][]byte, args ...any) []any {
	for _, e := range elements {
		args = append(args, e)
	}
	return args
}

// Range implements Backend.
func (r *Redis) Range(ctx context.Context, list string, start int64, n int) ([][]byte, error) {
	if n <= 0 {
		return nil, nil
	}
	return redis.ByteSlices(r.do(ctx, "LRANGE", list, start, start+int64(n)-1))
}

// Len implements Backend.
func (r *Redis) Len(ctx context.Context, list string) (int64, error) {
	return redis.Int64(r.do(ctx, "LLEN", list))
}

// Lens implements Backend.
func (r *Redis) Lens(ctx context.Context, lists ...string) ([]int64, error) {
	return r.each(ctx, "LLEN", lists)
}

// Head implements Backend.
func (r *Redis) Head(ctx context.Context, list string, n int) (Batch, error) {
	last := n - 1
	if n <= 0 {
		last = math.MinInt32 // before the first element; -1 would be the end of the list
	}
	reply, err := redis.Values(r.eval(ctx, headScript, list, OffsetKey(list), last))
	if err != nil {
		return Batch{}, err
	}
	var b Batch
	if _, err := redis.Scan(reply, &b.Elements, &b.Offset, &b.Len); err != nil {
		return Batch{}, fmt.Errorf("%s: head of %s: %w", r.errs.server, list, err)
	}
	return b, nil
}

// Next implements Backend.
func (r *Redis) Next(ctx context.Context, list string, after Batch, n int) (Batch, error) {
	b := Batch{Offset: after.End()}
	if n <= 0 {
		return b, nil
	}
	reply, err := redis.Values(r.eval(ctx, nextScript, list, OffsetKey(list), b.Offset, n))
	if err != nil {
		return Batch{}, err
	}
	if _, err := redis.Scan(reply, &b.Elements, &b.Len); err != nil {
		return Batch{}, fmt.Errorf("%s: elements of %s: %w", r.errs.server, list, err)
	}
	return b, nil
}

// RemoveFirst implements Backend.
func (r *Redis) RemoveFirst(ctx context.Context, list string, batch Batch) (bool, error) {
	if len(batch.Elements) == 0 {
		return true, nil
	}
	return redis.Bool(r.eval(ctx, removeScript, list, OffsetKey(list),
		len(batch.Elements), strconv.FormatInt(batch.Offset, 10), batch.Elements[0]))
}

// Offset implements Backend.
func (r *Redis) Offset(ctx context.Context, list string) (int64, error) {
	text, ok, err := r.Get(ctx, OffsetKey(list))
	if err != nil || !ok {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %s is no counter: %w", r.errs.server, OffsetKey(list), err)
	}
	return n, nil
}

// Take implements Backend.
func (r *Redis) Take(ctx context.Context, list string, element []byte) (bool, error) {
	return redis.Bool(r.do(ctx, "LREM", list, 1, element))
}

// Move implements Backend.
func (r *Redis) Move(ctx context.Context, from, to string, element, replacement []byte) (bool, error) {
	return redis.Bool(r.eval(ctx, moveScript, from, to, element, replacement))
}
