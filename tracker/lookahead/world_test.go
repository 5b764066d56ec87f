package lookahead_test

import (
	"context"
	"slices"

	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// world is a queue of batches on their way to a database.
type world struct {
	descending  bool
	inFlight    *lookahead.InFlight[int64]
	truth       table // every change is made at once
	server      table // what is committed
	lastID      int64 // idvisit
	lastNumber  int64 // of batches
	now         int64
	pace        pace
	visitors    []visitor  // most requests are theirs
	waiting     []*batch   // not played yet
	uncommitted []*attempt // written, not committed
	front       *batch     // the last one that was written
}

func newWorld(t *rapid.T, pace pace, descending bool) *world {
	return &world{
		visitors:   rapid.SliceOfN(rapid.Custom(drawVisitor), 3, 3).Draw(t, "visitors"),
		pace:       pace,
		descending: descending,
		inFlight:   &lookahead.InFlight[int64]{VisitorIndexDescending: descending},
		now:        100_000, front: new(batch),
	}
}

// batch is some requests.
type batch struct {
	number   int64
	requests []request
	reading  *lookahead.Reading
	ahead    bool // the reading was not used yet
}

func (b *batch) lookUps() lookahead.LookUps {
	lookUps := lookahead.LookUps{Batch: b.number}
	for i := range b.requests {
		lookUps.Queries = append(lookUps.Queries, b.requests[i].query)
	}
	return lookUps
}

var (
	ids   = rapid.SampledFrom([]store.BinaryID{{1}, {2}, {3}})
	users = rapid.SampledFrom([]store.NullText{
		{},
		{},
		store.Text("anna"), store.Text("ANNA"), store.Text("anna "), store.Text("bert"),
		store.Text("José"), store.Text("jose"),
	})
	kinds   = rapid.SampledFrom([]struct{ visitor, config bool }{{true, true}, {true, true}, {true, false}, {false, true}})
	moments = rapid.SampledFrom([]string{"", "", "", "before", "before, noted later", "after"})
	seven   = rapid.SampledFrom([]bool{true, false, false, false, false, false, false})
)

// pace is how fast requests come, in seconds.
type pace struct {
	window int64
	steps  []int64
}

var paces = []pace{
	{window: 1800, steps: []int64{0, 1, 10}},
	{window: 1800, steps: []int64{0, 0, 1, 10, 300, 1800, 1801}},
	{window: 10, steps: []int64{0, 1, 2, 5}},
	{window: 60, steps: []int64{0, 0, 1, 10, 60, 61}},
}

// late is how many seconds a request comes late.
func (p pace) late() *rapid.Generator[int64] {
	return rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 1, p.window / 3, p.window, p.window + 1, 2 * p.window})
}

// visitor is how somebody is looked up.
type visitor struct {
	by struct{ visitor, config bool }
	row
}

func drawVisitor(t *rapid.T) visitor {
	v := visitor{by: kinds.Draw(t, "by")}
	v.Site = 1
	if seven.Draw(t, "other site") {
		v.Site = 2
	}
	v.Visitor, v.Config, v.User = ids.Draw(t, "visitor"), ids.Draw(t, "config"), users.Draw(t, "user")
	return v
}

func (w *world) draw(t *rapid.T) request {
	w.now += rapid.SampledFrom(w.pace.steps).Draw(t, "step")
	r := request{at: w.now - w.pace.late().Draw(t, "late"), window: w.pace.window, begins: seven.Draw(t, "begins")}
	r.leaves = seven.Draw(t, "leaves")
	from := rapid.SampledFrom(w.visitors).Draw(t, "from")
	if seven.Draw(t, "somebody else") {
		from = drawVisitor(t)
	}
	r.query = store.VisitQuery{SiteID: from.Site, ByVisitor: from.by.visitor, ByConfig: from.by.config}
	r.query.To = r.at + r.window
	if from.by.visitor {
		r.query.Visitor = from.Visitor
	}
	if from.by.config {
		r.query.ConfigID, r.query.From, r.query.UserID = from.Config, r.at-r.window, from.User
	}
	r.becomes = from.row
	if seven.Draw(t, "changes") {
		r.becomes = drawVisitor(t).row
	}
	return r
}

// prepare adds a batch to those that wait.
func (w *world) prepare(t *rapid.T) *batch {
	w.lastNumber++
	b := &batch{number: w.lastNumber}
	for range rapid.IntRange(1, 8).Draw(t, "requests") {
		b.requests = append(b.requests, w.draw(t))
	}
	w.waiting = append(w.waiting, b)
	return b
}

// goOn is what goes on without trouble: batches are read ahead, played on those in front and committed.
func (w *world) goOn(t *rapid.T) {
	if len(w.waiting) < 4 {
		w.readAhead(t)
	}
	for range rapid.IntRange(1, 3).Draw(t, "played") {
		w.play(t)
	}
	for range min(len(w.uncommitted), rapid.IntRange(0, 4).Draw(t, "committed")) {
		w.commit()
	}
}

// readAhead asks for some batches behind those that are there. Meanwhile a batch may be committed, which whoever asks
// may see before it is noted.
func (w *world) readAhead(t *rapid.T) {
	front := w.front
	if n := len(w.waiting); n > 0 {
		front = w.waiting[n-1]
	}
	var lookUps []lookahead.LookUps
	first := len(w.waiting)
	for range rapid.IntRange(1, 3).Draw(t, "batches") {
		lookUps = append(lookUps, w.prepare(t).lookUps())
	}
	database := &changing{world: w, moment: moments.Draw(t, "meanwhile")}
	reading, err := w.inFlight.Ask(context.Background(), database, front.number, front.reading, lookUps...)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range w.waiting[first:] {
		b.reading, b.ahead = reading, true
	}
	if a := database.unsaid; a != nil {
		w.inFlight.Commit(a.written)
	}
}

// changing is the database from outside, in which a batch is committed before it answers, or after.
type changing struct {
	*world
	moment string
	unsaid *attempt // committed, and nobody knows yet
}

func (c *changing) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	switch {
	case len(c.uncommitted) == 0:
	case c.moment == "before":
		c.commit()
	case c.moment == "before, noted later":
		c.unsaid = c.take()
	case c.moment == "after":
		defer c.commit()
	}
	return view{c.server, c.descending}.FindVisits(ctx, queries)
}

// play plays the next batch and writes it; the one in front has its numbers by then.
func (w *world) play(t *rapid.T) {
	a := w.start(t)
	if n := len(w.uncommitted); n > 0 {
		w.uncommitted[n-1].arrive()
	}
	a.flush(rapid.Bool().Draw(t, "numbers later"))
	a.written = w.inFlight.Add(a.number, a.visits, a.number)
	w.uncommitted = append(w.uncommitted, a)
	w.front, w.waiting = a.batch, w.waiting[1:]
}

// playInVain plays a batch without writing it: the attempt failed. Perhaps because of one of the requests, which the
// next attempt goes without.
func (w *world) playInVain(t *rapid.T) {
	a := w.start(t)
	w.truth = a.before
	if n := len(a.requests); n > 1 && rapid.Bool().Draw(t, "puts aside") {
		i := rapid.IntRange(0, n-1).Draw(t, "request")
		a.requests = slices.Delete(slices.Clone(a.requests), i, i+1)
	}
}

// take commits the oldest batch on the server.
func (w *world) take() *attempt {
	a := w.uncommitted[0]
	a.arrive()
	for _, r := range a.writes {
		w.server.put(r)
	}
	w.uncommitted = w.uncommitted[1:]
	return a
}

// commit commits the oldest batch.
func (w *world) commit() { w.inFlight.Commit(w.take().written) }

// commitAll commits all that is written.
func (w *world) commitAll() {
	for len(w.uncommitted) > 0 {
		w.commit()
	}
}

// rollBack rolls a batch back, and those behind it, which are played again.
func (w *world) rollBack(t *rapid.T) {
	if len(w.uncommitted) == 0 {
		t.Skip("nothing is in flight")
	}
	w.undo(t, rapid.IntRange(0, len(w.uncommitted)-1).Draw(t, "from"))
}

// undo rolls back what is in flight from a place on.
func (w *world) undo(t *rapid.T, from int) {
	undone := slices.Clone(w.uncommitted[from:])
	if w.uncommitted = w.uncommitted[:from]; len(undone) == 0 {
		return
	}
	w.truth = undone[0].before
	var again []*batch
	for _, a := range undone {
		again = append(again, a.batch)
	}
	w.waiting = append(again, w.waiting...)
	if rapid.Bool().Draw(t, "last first") {
		slices.Reverse(undone)
	}
	for _, a := range undone {
		w.inFlight.RollBack(a.written)
	}
}

// loseReply loses the answer to the COMMIT of the oldest batch: it is in the database, but nobody knows. What was
// played on it is rolled back; the batch itself is found to be there and not played again.
func (w *world) loseReply(t *rapid.T) {
	if len(w.uncommitted) == 0 {
		t.Skip("nothing is in flight")
	}
	a := w.take()
	w.inFlight.RollBack(a.written)
	w.undo(t, 0)
}

// abandon gives up what was read ahead: the batches are made once more.
func (w *world) abandon(t *rapid.T) {
	if len(w.waiting) == 0 {
		t.Skip("nothing waits")
	}
	for i, b := range w.waiting {
		w.lastNumber++
		w.waiting[i] = &batch{number: w.lastNumber, requests: b.requests}
	}
}
