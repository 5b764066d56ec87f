package lookahead

import "github.com/queuedtracking/queuedtracking/tracker/store"

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
	age               int   // look-ups since the database was asked
}

// horizon is for how long behind a batch's own requests the answer to its questions is looked for, in seconds; half
// the time in which a visit usually ends. maxAge is for how many look-ups an answer is used.
const (
	horizon = 900
	maxAge  = 4000
)

// with is the span that has the window of a query, too.
func (s span) with(q store.VisitQuery) span {
	return span{from: min(s.from, q.From), least: min(s.least, q.To), most: max(s.most, q.To)}
}

// covers reports whether the answer is good for the windows of another span, too. The zero span covers none.
func (s span) covers(other span) bool {
	return s.age < maxAge && s.from <= other.from && s.least <= other.least && other.most <= s.most
}

// query asks for the whole span.
func (s span) query(key question) store.VisitQuery {
	q := store.VisitQuery(key)
	q.From, q.To = s.from, s.most
	return q
}

// answer is what the database has said to a question, and the visits that were changed or begun since and may be the
// answer now.
type answer struct {
	found  store.Found
	visits []*Visit
}

// in is the database's answer for the window of a query that the span covers.
func (a answer) in(q store.VisitQuery) store.Found {
	if v := a.found.Visit; v != nil && !a.found.ByVisitor && v.LastActionTime < q.From {
		return store.Found{} // the newest one is too old
	}
	return a.found
}
