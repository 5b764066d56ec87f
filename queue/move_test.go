package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func keep(context.Context) error { return nil }

// fill puts sets into queue id; each text is one set, each letter a request of the visitor of its number (a: 0, b: 1
// …).
func fill(t *testing.T, b Backend, id int, sets ...string) {
	t.Helper()
	for i, letters := range sets {
		set := RequestSet{Time: int64(1000 + i), Env: Env{Server: array(t, `{"REMOTE_ADDR":"203.0.113.2"}`)}}
		for _, letter := range letters {
			set.Requests = append(set.Requests, request(int(letter-'a'), string(letter)))
		}
		must(t, b.Append(t.Context(), Key(id), mustEncode(t, set)))
	}
}

func TestMoveTakesOrphanedEntriesInOrder(t *testing.T) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			b := s.start(t)(t)
			m := newManager(t, b, 2)
			fill(t, b, 0, "a")
			fill(t, b, 3, "b", "abdc", "", "c")
			must(t, b.Append(t.Context(), Key(3), []byte("garbage"),
				[]byte(`{"requests":[{"x":1e999,"_id":"0000000000000000"},{"_id":"0010000000000000"}],"env":[],"time":1}`)))
			sources, err := b.Range(t.Context(), Key(3), 0, 10)
			must(t, err)

			moved, err := m.Move(t.Context(), 3, defaultVisitor, keep)
			if moved != 6 || err != nil {
				t.Fatalf("moved %d, %v", moved, err)
			}
			if diff := cmp.Diff([]string{"a", "ac", "c"}, urls(t, b, 0)); diff != "" {
				t.Errorf("queue 0 (-want +got):\n%s", diff)
			}
			// Queue 3 mod 2 also takes over, as it is, what belongs nowhere or cannot be split.
			got, err := b.Range(t.Context(), Key(1), 0, 10)
			must(t, err)
			if len(got) != 5 || !slices.EqualFunc([][]byte{sources[0], sources[2], sources[4], sources[5]},
				[][]byte{got[0], got[2], got[3], got[4]}, slices.Equal) {
				t.Errorf("queue 1: %q", urls(t, b, 1))
			}
			split, err := Decode(got[1])
			if err != nil || split.Time != 1001 || len(split.Requests) != 2 || split.Env.Server.Len() != 1 {
				t.Errorf("split set %+v, %v", split, err)
			}
			expectList(t, b, Key(3))
		})
	}
}

func TestMoveOfManyBatches(t *testing.T) {
	b := openRedis(t)
	var want []string
	for i := range 2*moveBatch + 7 {
		name := fmt.Sprint("url ", i)
		want = append(want, name)
		must(t, b.Append(t.Context(), Key(5), mustEncode(t, RequestSet{Requests: []*php.Array{request(0, name)}})))
	}
	kept := 0
	moved, err := newManager(t, b, 1).Move(t.Context(), 5, defaultVisitor,
		func(context.Context) error { kept++; return nil })
	if moved != len(want) || kept != 3 || err != nil {
		t.Errorf("moved %d, lock extended %d times, %v", moved, kept, err)
	}
	if diff := cmp.Diff(want, urls(t, b, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMoveOfAQueueInUseIsRefused(t *testing.T) {
	if _, err := newManager(t, nil, 4).Move(t.Context(), 3, defaultVisitor, keep); err == nil {
		t.Error("no error")
	}
}

func TestMoveStopsWithoutItsLock(t *testing.T) {
	b := openRedis(t)
	fill(t, b, 3, "a")
	lost := errors.New("lost")
	moved, err := newManager(t, b, 2).Move(t.Context(), 3, defaultVisitor, func(context.Context) error { return lost })
	if moved != 0 || !errors.Is(err, lost) {
		t.Errorf("moved %d, %v", moved, err)
	}
	if diff := cmp.Diff([]string{"a"}, urls(t, b, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	expectList(t, b, Key(0)) // where it would go
}

// failing is a backend whose calls fail from the n-th writing or reading one on, as if the process had died there.
type failing struct {
	Backend
	left int
}

var errDied = errors.New("died")

func (f *failing) step() error {
	if f.left--; f.left < 0 {
		return errDied
	}
	return nil
}

func (f *failing) Get(ctx context.Context, key string) (string, bool, error) {
	if err := f.step(); err != nil {
		return "", false, err
	}
	return f.Backend.Get(ctx, key)
}

func (f *failing) AppendMarked(ctx context.Context, list string, mark Mark, elements ...[]byte) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Backend.AppendMarked(ctx, list, mark, elements...)
}

func (f *failing) Head(ctx context.Context, list string, n int) (Batch, error) {
	if err := f.step(); err != nil {
		return Batch{}, err
	}
	return f.Backend.Head(ctx, list, n)
}

func (f *failing) RemoveFirst(ctx context.Context, list string, batch Batch) (bool, error) {
	if err := f.step(); err != nil {
		return false, err
	}
	return f.Backend.RemoveFirst(ctx, list, batch)
}

func TestInterruptedMoveIsContinuedWithoutLossOrDouble(t *testing.T) {
	for died := range 12 {
		t.Run(fmt.Sprintf("died before call %d", died), func(t *testing.T) {
			b := openRedis(t)
			fill(t, b, 5, "a", "bc", "abc", "c")
			_, err := newManager(t, &failing{b, died}, 3).Move(t.Context(), 5, defaultVisitor, keep)
			if err != nil && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			fill(t, b, 5, "ca") // queued late by a front end that does not know the new settings yet
			_, err = newManager(t, b, 3).Move(t.Context(), 5, defaultVisitor, keep)
			must(t, err)
			for id, want := range [][]string{{"a", "a", "a"}, {"b", "b"}, {"c", "c", "c", "c"}} {
				if diff := cmp.Diff(want, urls(t, b, id)); diff != "" {
					t.Errorf("queue %d (-want +got):\n%s", id, diff)
				}
			}
			expectList(t, b, Key(5))
		})
	}
}

// taker removes an entry behind the mover's back.
type taker struct{ Backend }

func (k taker) Get(ctx context.Context, key string) (string, bool, error) {
	if _, err := k.Take(ctx, Key(5), k.first(ctx)); err != nil {
		return "", false, err
	}
	return k.Backend.Get(ctx, key)
}

func (k taker) first(ctx context.Context) []byte {
	elements, err := k.Range(ctx, Key(5), 0, 1)
	if err != nil || len(elements) == 0 {
		return nil
	}
	return elements[0]
}

func TestMoveStopsWhenSomebodyElseTakesEntries(t *testing.T) {
	b := openRedis(t)
	fill(t, b, 5, "a", "b")
	_, err := newManager(t, taker{b}, 1).Move(t.Context(), 5, defaultVisitor, keep)
	if !errors.Is(err, ErrOvertaken) {
		t.Errorf("error %v", err)
	}
}

func TestMarkOfAnotherBatchCountsForNothing(t *testing.T) {
	batch := Batch{Elements: numbered(0, 3), Offset: 7}
	other := Batch{Elements: numbered(1, 4), Offset: 7}
	later := Batch{Elements: numbered(0, 3), Offset: 8}
	tests := []struct {
		name, mark string
		want       int
	}{
		{"this one", markValue(batch, 3), 3},
		{"its beginning", markValue(batch, 2), 2},
		{"other entries", markValue(other, 3), 0},
		{"other position", markValue(later, 3), 0},
		{"none", "", 0},
		{"more entries than there are", "7 9 aa", 0},
		{"negative", "7 -1 aa", 0},
	}
	for _, tt := range tests {
		if got := movedBefore(tt.mark, batch); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
