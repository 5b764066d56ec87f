package lookahead

import (
	"iter"
	"slices"
	"sync"
)

// InFlight holds what the last batches have written, the newest at the end. Batches behind them were read before they
// could see that in the database, and their transactions may end while the next ones are played. The list is as long
// as the batches that are on their way: each one that is played either forgets what it has seen in the database itself
// (Recall), or all of it (Read). N is what else the caller wants to know of a batch.
type InFlight[N any] struct {
	// VisitorIndexDescending is that of the schema: of visits of one second a look-up by visitor finds the one with the
	// smallest idvisit, else, like all others, the one with the greatest.
	VisitorIndexDescending bool

	mu      sync.Mutex
	list    []*Written[N]
	dropped int64 // number of the newest batch that is no longer in the list
	undone  int64 // number of the newest batch that was rolled back
	last    N     // of the newest batch that is committed
}

// Written is what one batch has written.
type Written[N any] struct {
	number    int64
	committed bool
	visits    []*Visit
	answers   map[question]answer
	note      N
}

// Add notes a batch that was written. It may not be committed yet.
func (f *InFlight[N]) Add(number int64, visits *Visits, note N) *Written[N] {
	w := &Written[N]{number: number, visits: visits.touched, answers: visits.answersBehind(), note: note}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, w)
	return w
}

// Commit notes that a batch was committed.
func (f *InFlight[N]) Commit(w *Written[N]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.committed = true
	f.last = w.note
}

// RollBack forgets what did not happen, as far as anybody knows, and what was built on it. When only the answer to
// COMMIT was lost it did happen: who has read before does not know its rows, and neither does the list.
func (f *InFlight[N]) RollBack(w *Written[N]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.undone = max(f.undone, w.number)
	if i := slices.Index(f.list, w); i >= 0 {
		clear(f.list[i:])
		f.list = f.list[:i]
	}
}

// Newest is the note of the newest batch, the zero note when there was none.
func (f *InFlight[N]) Newest() N {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.list); n > 0 {
		return f.list[n-1].note
	}
	return f.last
}

// Uncommitted are the notes of the batches that are not committed yet.
func (f *InFlight[N]) Uncommitted() iter.Seq[N] {
	return func(yield func(N) bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, w := range f.list {
			if !w.committed && !yield(w.note) {
				return
			}
		}
	}
}

// visible is the number of the newest batch that whoever asks the database now will see.
func (f *InFlight[N]) visible() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range slices.Backward(f.list) {
		if w.committed {
			return w.number
		}
	}
	return f.dropped
}

// since lists what was written after a batch up to another one, which is the last; it reports false when that is not
// known.
func (f *InFlight[N]) since(first, last int64) ([]*Written[N], bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.list)
	if n == 0 || f.list[n-1].number != last || first < f.dropped || first < f.undone && f.undone <= last {
		return nil, false
	}
	for n > 0 && f.list[n-1].number > first {
		n--
	}
	return f.list[n:], true
}

// forget drops the batches in front of one that a reading has seen: so have those that were read later.
func (f *InFlight[N]) forget(seen int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.list) > 0 && f.list[0].number < seen {
		f.dropped, f.list[0] = f.list[0].number, nil
		f.list = f.list[1:]
	}
}

// end forgets all batches, which the database shows by now. Those behind them that were read before they could see
// them will read again.
func (f *InFlight[N]) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.list); n > 0 {
		f.dropped, f.list = f.list[n-1].number, nil
	}
}

// answer is what a batch knows about a question.
func (f *InFlight[N]) answer(number int64, key question) (known answer, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.list {
		if w.number == number {
			known, ok = w.answers[key]
		}
	}
	return known, ok
}
