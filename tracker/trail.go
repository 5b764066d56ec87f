package tracker

import (
	"sync"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// trail holds what the last batches have written, the newest at the end. Batches behind them were read before they
// could see that in the database, and their transactions may end while the next ones are played. It is as long as the
// batches that are on their way: each one that is played either forgets what it has seen in the database itself, or
// all of it.
type trail struct {
	mu      sync.Mutex
	list    []*written
	dropped int64 // number of the newest batch that is no longer in the list
	undone  int64 // number of the newest batch that was rolled back
	banned  bans  // as the newest batch that is committed has left them
}

// written is what one batch has written.
type written struct {
	batch     int64 // its number
	committed bool
	touched   []*visitState
	marked    map[markKey]bool
	answers   map[question]answer
	bans      bans
}

// add notes a batch that was written. It may not be committed yet.
func (t *trail) add(w *written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, w)
}

// forget drops the batches in front of one that a reading has seen: so have those that were read later.
func (t *trail) forget(seen int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.list) > 0 && t.list[0].batch < seen {
		t.dropped, t.list[0] = t.list[0].batch, nil
		t.list = t.list[1:]
	}
}

// end forgets all batches, which the database shows by now. Those behind them that were read before they could see
// them will read again.
func (t *trail) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.list); n > 0 {
		t.dropped, t.list = t.list[n-1].batch, nil
	}
}

func (t *trail) commit(w *written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.committed = true
	t.banned = w.bans
}

// rollBack forgets what did not happen, as far as anybody knows, and what was built on it. When only the answer to
// COMMIT was lost it did happen: who has read before does not know its rows, and neither does the trail.
func (t *trail) rollBack(w *written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.undone = max(t.undone, w.batch)
	for i := range t.list {
		if t.list[i] == w {
			clear(t.list[i:])
			t.list = t.list[:i]
			return
		}
	}
}

// visible is the number of the newest batch that whoever asks the database now will see.
func (t *trail) visible() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.list) - 1; i >= 0; i-- {
		if t.list[i].committed {
			return t.list[i].batch
		}
	}
	return t.dropped
}

// since lists what was written after a batch up to another one, which is the last; it reports false when that is not
// known.
func (t *trail) since(first, last int64) ([]*written, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.list)
	if n == 0 || t.list[n-1].batch != last || first < t.dropped || first < t.undone && t.undone <= last {
		return nil, false
	}
	for n > 0 && t.list[n-1].batch > first {
		n--
	}
	return t.list[n:], true
}

// answer is what a batch knows about a question.
func (t *trail) answer(batch int64, key question) (known answer, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.list {
		if w.batch == batch {
			known, ok = w.answers[key]
		}
	}
	return known, ok
}

// bans are those that the newest batch has left.
func (t *trail) bans() bans {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.list); n > 0 {
		return t.list[n-1].bans
	}
	return t.banned
}

// marked reports whether one of the batches that are not committed yet has marked a day.
func (t *trail) marked(key markKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.list {
		if !w.committed && w.marked[key] {
			return true
		}
	}
	return false
}

// question is a VisitQuery without its window.
type question store.VisitQuery

func questionOf(q store.VisitQuery) question {
	q.From, q.To = 0, 0
	return question(q)
}

// span are the windows for which the answer to a question is known: they begin at from or later and end between least
// and most.
type span struct {
	from, least, most int64 // unix seconds
	age               int   // requests since the database was asked
}

// horizon is for how long behind a batch's own requests the answer to its questions is looked for, in seconds; half
// the time in which a visit usually ends. maxAge is for how many requests an answer is used.
const (
	horizon = 900
	maxAge  = 4000
)

// covers reports whether the answer is good for the windows of another span, too. The zero span covers none.
func (s span) covers(other span) bool {
	return s.age < maxAge && s.from <= other.from && s.least <= other.least && other.most <= s.most
}

// answer is what the database has said to a question, and the visits that were changed or begun since and may be the
// answer now.
type answer struct {
	found  store.Found
	states []*visitState
}

// in is the database's answer for the window of a query that the span covers.
func (a answer) in(q store.VisitQuery) store.Found {
	if v := a.found.Visit; v != nil && !a.found.ByVisitor && v.LastActionTime < q.From {
		return store.Found{} // the newest one is too old
	}
	return a.found
}
