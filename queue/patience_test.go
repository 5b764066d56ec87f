package queue

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testserver"
)

// interrupted is a backend whose connection fails, before or after the server has done what it was asked for.
type interrupted struct {
	Backend
	before, after int // calls yet to fail
}

func (i *interrupted) fail(call func() error) error {
	if i.before > 0 {
		i.before--
		return &backendError{"test", "not connected", ErrUnavailable, nil, true}
	}
	err := call()
	if err == nil && i.after > 0 {
		i.after--
		return &backendError{"test", "connection broken", ErrUnavailable, nil, false}
	}
	return err
}

func (i *interrupted) Append(ctx context.Context, list string, elements ...[]byte) error {
	return i.fail(func() error { return i.Backend.Append(ctx, list, elements...) })
}

func (i *interrupted) RemoveFirst(ctx context.Context, list string, batch Batch) (ok bool, err error) {
	err = i.fail(func() (e error) { ok, e = i.Backend.RemoveFirst(ctx, list, batch); return e })
	return ok && err == nil, err
}

func (i *interrupted) SetIfNotExists(ctx context.Context, key, value string, ttl time.Duration) (ok bool, err error) {
	err = i.fail(func() (e error) { ok, e = i.Backend.SetIfNotExists(ctx, key, value, ttl); return e })
	return ok && err == nil, err
}

func (i *interrupted) DeleteIfValue(ctx context.Context, key, value string) (ok bool, err error) {
	err = i.fail(func() (e error) { ok, e = i.Backend.DeleteIfValue(ctx, key, value); return e })
	return ok && err == nil, err
}

func TestPatientRepeatsWhatDoesNoHarm(t *testing.T) {
	ctx := t.Context()
	i := &interrupted{Backend: openRedis(t).Backend}
	waits := 0
	b := Patient(i, Patience{Wait: time.Minute, OnWait: func(error, time.Duration) { waits++ }})
	fails := func(before, after int) { i.before, i.after = before, after }

	fails(2, 0)
	must(t, b.Append(ctx, testList, numbered(0, 3)...))
	fails(0, 1)
	if err := b.Append(ctx, testList, numbered(3, 4)...); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an entry that may be there already is added again: %v", err)
	}
	expectList(t, b, testList, numbered(0, 4)...)

	fails(1, 1)
	expect(t, true)(b.SetIfNotExists(ctx, testKey, "ours", time.Minute))
	fails(1, 1)
	expect(t, false)(b.SetIfNotExists(ctx, testKey, "theirs", time.Minute))
	fails(0, 1)
	expect(t, true)(b.DeleteIfValue(ctx, testKey, "ours"))
	fails(0, 1)
	head, err := b.Head(ctx, testList, 2)
	must(t, err)
	expect(t, true)(b.RemoveFirst(ctx, testList, head))
	fails(0, 1)
	expect(t, false)(b.RemoveFirst(ctx, testList, Batch{Elements: head.Elements, Offset: 77}))
	expectList(t, b, testList, numbered(2, 4)...)
	if waits != 9 {
		t.Errorf("waited %d times", waits)
	}
}

func TestPatienceEnds(t *testing.T) {
	i := &interrupted{Backend: openRedis(t).Backend, before: 1_000}
	if err := Patient(i, Patience{Wait: 100 * time.Millisecond}).Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if err := Patient(i, Patience{}).Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b := Patient(i, Patience{Wait: time.Hour, OnWait: func(error, time.Duration) { cancel() }})
	if err := b.Append(ctx, testList, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestPatientWaitsForARestart(t *testing.T) {
	s := testserver.Redis(t, testserver.WithAOF())
	r := newRedis(t, RedisOptions{Host: s.Host, Port: s.Port})
	away := make(chan struct{}, 100)
	b := Patient(r, Patience{Wait: time.Minute, OnWait: func(error, time.Duration) { away <- struct{}{} }})
	must(t, b.Append(t.Context(), testList, []byte("x")))
	s.Kill(t)
	done := make(chan error, 1)
	go func() {
		_, err := b.Len(t.Context(), testList)
		done <- err
	}()
	<-away
	s.Start(t)
	must(t, <-done)
}

func TestPatientDoesNotRepeatWhatCannotSucceed(t *testing.T) {
	s := testserver.Redis(t, testserver.WithPassword("secret"))
	b := Patient(newRedis(t, RedisOptions{Host: s.Host, Port: s.Port}), Patience{Wait: time.Hour})
	if err := b.Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrDenied) {
		t.Errorf("error %v", err)
	}
}
