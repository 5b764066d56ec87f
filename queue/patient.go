package queue

import (
	"context"
	"time"
)

// Append implements Backend.
func (p *patient) Append(ctx context.Context, list string, elements ...[]byte) error {
	_, err := write(ctx, p, func() (nothing, error) { return nothing{}, p.backend.Append(ctx, list, elements...) })
	return err
}

// AppendMarked implements Backend.
func (p *patient) AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error {
	_, err := write(ctx, p, func() (nothing, error) { return nothing{}, p.backend.AppendMarked(ctx, list, mark, elements...) })
	return err
}

// Range implements Backend.
func (p *patient) Range(ctx context.Context, list string, start int64, n int) ([][]byte, error) {
	return read(ctx, p, func() ([][]byte, error) { return p.backend.Range(ctx, list, start, n) })
}

// Len implements Backend.
func (p *patient) Len(ctx context.Context, list string) (int64, error) {
	return read(ctx, p, func() (int64, error) { return p.backend.Len(ctx, list) })
}

// Lens implements Backend.
func (p *patient) Lens(ctx context.Context, lists ...string) ([]int64, error) {
	return read(ctx, p, func() ([]int64, error) { return p.backend.Lens(ctx, lists...) })
}

// Head implements Backend.
func (p *patient) Head(ctx context.Context, list string, n int) (Batch, error) {
	return read(ctx, p, func() (Batch, error) { return p.backend.Head(ctx, list, n) })
}

// RemoveFirst implements Backend. An attempt whose answer was lost shows in the counter, unless somebody else has gone on.
func (p *patient) RemoveFirst(ctx context.Context, list string, batch Batch) (bool, error) {
	removed, again, err := try(ctx, p, harmless, func() (bool, error) { return p.backend.RemoveFirst(ctx, list, batch) })
	if err != nil || removed || !again {
		return removed, err
	}
	offset, err := p.Offset(ctx, list)
	return offset == batch.Offset+int64(len(batch.Elements)), err
}

// Offset implements Backend.
func (p *patient) Offset(ctx context.Context, list string) (int64, error) {
	return read(ctx, p, func() (int64, error) { return p.backend.Offset(ctx, list) })
}

// Take implements Backend.
func (p *patient) Take(ctx context.Context, list string, element []byte) (bool, error) {
	return write(ctx, p, func() (bool, error) { return p.backend.Take(ctx, list, element) })
}

// Move implements Backend.
func (p *patient) Move(ctx context.Context, from, to string, element, replacement []byte) (bool, error) {
	return write(ctx, p, func() (bool, error) { return p.backend.Move(ctx, from, to, element, replacement) })
}

// SetIfNotExists implements Backend. An attempt whose answer was lost shows in the value, if that is nobody else's.
func (p *patient) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	set, again, err := try(ctx, p, harmless, func() (bool, error) { return p.backend.SetIfNotExists(ctx, key, value, ttl) })
	if err != nil || set || !again {
		return set, err
	}
	now, ok, err := p.Get(ctx, key)
	return ok && now == value, err
}

// ExpireIfValue implements Backend.
func (p *patient) ExpireIfValue(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	return read(ctx, p, func() (bool, error) { return p.backend.ExpireIfValue(ctx, key, value, ttl) })
}

// DeleteIfValue implements Backend. A key that is gone after an attempt whose answer was lost counts as deleted by it.
func (p *patient) DeleteIfValue(ctx context.Context, key, value string) (bool, error) {
	deleted, again, err := try(ctx, p, harmless, func() (bool, error) { return p.backend.DeleteIfValue(ctx, key, value) })
	if err != nil || deleted || !again {
		return deleted, err
	}
	_, there, err := p.Get(ctx, key)
	return !there, err
}

// Delete implements Backend.
func (p *patient) Delete(ctx context.Context, key string) (bool, error) {
	return read(ctx, p, func() (bool, error) { return p.backend.Delete(ctx, key) })
}

// Get implements Backend.
func (p *patient) Get(ctx context.Context, key string) (string, bool, error) {
	type entry struct {
		value string
		ok    bool
	}
	e, err := read(ctx, p, func() (e entry, err error) {
		e.value, e.ok, err = p.backend.Get(ctx, key)
		return e, err
	})
	return e.value, e.ok, err
}

// TTLs implements Backend.
func (p *patient) TTLs(ctx context.Context, keys ...string) ([]time.Duration, error) {
	return read(ctx, p, func() ([]time.Duration, error) { return p.backend.TTLs(ctx, keys...) })
}

// Info implements Backend. It does not wait: it is asked to see how the server is.
func (p *patient) Info(ctx context.Context) (Info, error) { return p.backend.Info(ctx) }

// Close implements Backend.
func (p *patient) Close() error { return p.backend.Close() }
