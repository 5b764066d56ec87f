package lookahead_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// TestFindEqualsOneQueryAtATime plays random requests of few visitors in batches that are read ahead, written while
// others are on their way, committed, rolled back, given up and played again. Whatever happens, each request must find
// what one query at a time finds in a plain list of rows to which every change is made at once; and in the end the
// database must have these rows.
func TestFindEqualsOneQueryAtATime(t *testing.T) {
	for about, descending := range map[string]bool{"ascending index": false, "descending index": true} {
		t.Run(about, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, descending)
				trouble := rapid.SampledFrom([]func(*rapid.T){w.playInVain, w.rollBack, w.loseReply, w.abandon})
				t.Repeat(map[string]func(*rapid.T){
					"go on":   w.goOn,
					"hurry":   w.goOn,
					"trouble": func(t *rapid.T) { trouble.Draw(t, "what")(t) },
				})
				w.land()
				if diff := cmp.Diff(w.truth.withoutIDs(), w.server.withoutIDs()); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// row is a row of log_visit: what visits are looked up by, and the place at which the visit begins among all visits.
// Unlike idvisit it stays the same when the batch is rolled back and played again.
type row struct {
	Place, ID, Site int64
	Visitor, Config store.BinaryID
	User            store.NullText
	LastAction      int64
}

func rowOf(v *store.Visit) row {
	return row{v.CountVisits, v.ID, v.SiteID, v.Visitor, v.ConfigID, v.UserID, v.LastActionTime}
}

func (r row) visit() *store.Visit {
	return &store.Visit{
		CountVisits: r.Place, ID: r.ID, SiteID: r.Site,
		Visitor: r.Visitor, ConfigID: r.Config, UserID: r.User, LastActionTime: r.LastAction,
	}
}

// table is a plain log_visit: the rows by their places, which begin with 1.
type table []row

func (t *table) put(r row) {
	if n := r.Place - int64(len(*t)); n > 0 {
		*t = append(*t, make(table, n)...)
	}
	(*t)[r.Place-1] = r
}

// withoutIDs are the rows as they are compared.
func (t table) withoutIDs() table {
	rows := slices.Clone(t)
	for i := range rows {
		rows[i].ID = 0
	}
	return rows
}

// find is what specification §3.2 says: the newest visit of the visitor, else of the fingerprint. The zero row is none.
func (t table) find(q *store.VisitQuery, descending bool) (found row, byVisitor bool) {
	newest := func(lowestFirst bool, matches func(r *row) bool) (best row) {
		for _, r := range t {
			if r.Place == 0 || r.Site != q.SiteID || r.LastAction > q.To || !matches(&r) {
				continue
			}
			if best.Place == 0 || r.LastAction > best.LastAction || r.LastAction == best.LastAction && !lowestFirst {
				best = r
			}
		}
		return best
	}
	if q.ByVisitor {
		found = newest(descending, func(r *row) bool { return r.Visitor == q.Visitor })
	}
	if found.Place != 0 || !q.ByConfig {
		return found, found.Place != 0
	}
	return newest(false, func(r *row) bool {
		return r.Config == q.ConfigID && r.LastAction >= q.From &&
			(!q.UserID.Valid || !r.User.Valid || collated(r.User.V) == collated(q.UserID.V))
	}), false
}

// collated is a text as a collation compares it.
func collated(text string) string {
	return strings.TrimRight(strings.ReplaceAll(strings.ToLower(text), "é", "e"), " ")
}

// view is a table as a transaction sees it, or whoever asks outside of one.
type view struct {
	table
	descending bool
}

func (v view) FindVisits(_ context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	found := make([]store.Found, len(queries))
	visits := make(map[int64]*store.Visit) // the same row is the same *Visit
	for i := range queries {
		r, byVisitor := v.find(&queries[i], v.descending)
		if r.Place == 0 {
			continue
		}
		if visits[r.Place] == nil {
			visits[r.Place] = r.visit()
		}
		found[i] = store.Found{Visit: visits[r.Place], ByVisitor: byVisitor}
	}
	return found, nil
}

// request looks for a visit, and goes on with it or begins one.
type request struct {
	query  store.VisitQuery
	at     int64
	begins bool // a visit, whatever is found
	takes  struct{ visitor, config, user bool }
}

const length = 1800 // seconds that a visit goes on without an action

// play is the row after the request, and whether it is that of a new visit.
func (r *request) play(found row) (after row, isNew bool) {
	if isNew = found.Place == 0 || r.begins || found.LastAction < r.at-length; isNew {
		q := &r.query
		return row{Site: q.SiteID, Visitor: q.Visitor, Config: q.ConfigID, User: q.UserID, LastAction: r.at}, true
	}
	found.LastAction = max(found.LastAction, r.at)
	if r.takes.visitor {
		found.Visitor = r.query.Visitor
	}
	if r.takes.config {
		found.Config = r.query.ConfigID
	}
	if r.takes.user {
		found.User = r.query.UserID
	}
	return found, false
}

// world is a queue of batches on their way to a database.
type world struct {
	descending bool
	inFlight   *lookahead.InFlight[int64]
	truth      table // every change is made at once
	server     table // what is committed
	lastID     int64 // idvisit
	lastNumber int64 // of batches
	now        int64
	steps      []int64  // seconds from request to request
	waiting    []*batch // not played yet
	flying     []*attempt
	front      *batch // the last one that was written
}

func newWorld(t *rapid.T, descending bool) *world {
	return &world{
		steps:      paces.Draw(t, "pace"),
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
	paces   = rapid.SampledFrom([][]int64{{0, 1, 10}, {0, 1, 10, 60}, {0, 0, 1, 10, 300, length, length + 1}})
	late    = rapid.SampledFrom([]int64{0, 0, 0, 0, 1, 600, length, length + 1})
	kinds   = rapid.SampledFrom([]struct{ visitor, config bool }{{true, true}, {true, true}, {true, false}, {false, true}})
	moments = rapid.SampledFrom([]string{"", "", "", "commit", "commit, noted later"})
	seven   = rapid.SampledFrom([]bool{true, false, false, false, false, false, false})
)

func (w *world) draw(t *rapid.T) request {
	w.now += rapid.SampledFrom(w.steps).Draw(t, "step")
	r := request{at: w.now - late.Draw(t, "late"), begins: seven.Draw(t, "begins")}
	by := kinds.Draw(t, "kind")
	r.query = store.VisitQuery{SiteID: 1, ByVisitor: by.visitor, ByConfig: by.config, To: r.at + length}
	if seven.Draw(t, "other site") {
		r.query.SiteID = 2
	}
	if by.visitor {
		r.query.Visitor = ids.Draw(t, "visitor")
	}
	if by.config {
		r.query.ConfigID, r.query.From = ids.Draw(t, "config"), r.at-length
		r.query.UserID = users.Draw(t, "user")
	}
	r.takes.visitor = by.visitor && rapid.Bool().Draw(t, "takes visitor")
	r.takes.config = by.config && seven.Draw(t, "takes config")
	r.takes.user = rapid.Bool().Draw(t, "takes user")
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
	for range min(len(w.flying), rapid.IntRange(0, 4).Draw(t, "committed")) {
		w.inFlight.Commit(w.take().written)
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
	if database.commit != nil {
		database.commit()
	}
}

// changing is the database from outside, of which a batch is committed before it answers.
type changing struct {
	*world
	moment string
	commit func() // to be noted later
}

func (c *changing) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	if c.moment != "" && len(c.flying) > 0 {
		a := c.take()
		if c.commit = func() { c.inFlight.Commit(a.written) }; c.moment == "commit" {
			c.commit()
			c.commit = nil
		}
	}
	return view{c.server, c.descending}.FindVisits(ctx, queries)
}

// attempt is a batch that is played, and written in a transaction.
type attempt struct {
	*world
	*batch
	t       *rapid.T
	visits  *lookahead.Visits
	before  table // the truth before it
	began   bool
	view    table // what its transaction sees, once it has begun: all in front of it, and what it has written itself
	writes  []row
	unsent  []unsent
	written *lookahead.Written[int64]
}

// unsent is a row on its way to the database, which will give it this number.
type unsent struct {
	row *store.Visit
	id  int64
}

// start plays the next batch.
func (w *world) start(t *rapid.T) *attempt {
	if len(w.waiting) == 0 {
		w.prepare(t)
	}
	b := w.waiting[0]
	a := &attempt{world: w, batch: b, t: t, before: slices.Clone(w.truth)}
	recalled := false
	if b.ahead {
		b.ahead = false
		a.visits, recalled = w.inFlight.Recall(b.reading, b.lookUps())
	}
	if !recalled {
		a.begin()
		var err error
		if a.visits, err = w.inFlight.Read(context.Background(), view{a.view, w.descending}, b.lookUps()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range b.requests {
		a.request(&b.requests[i])
	}
	return a
}

// begin begins the transaction, in which all in front of the batch is visible.
func (a *attempt) begin() {
	if !a.began {
		a.land()
		a.view, a.began = slices.Clone(a.server), true
	}
}

// request plays one of the requests, in memory and on the plain list.
func (a *attempt) request(r *request) {
	want, _ := a.truth.find(&r.query, a.descending)
	found, err := a.visits.Find(context.Background(), &r.query, a)
	if err != nil {
		a.t.Fatal(err)
	}
	var got row
	if found != nil {
		got = rowOf(found.Row)
	}
	got.ID = 0
	if got != want {
		a.t.Fatalf("batch %d finds for %+v\n     %+v\nwant %+v", a.number, r.query, got, want)
	}
	after, isNew := r.play(got)
	if isNew {
		after.Place = int64(len(a.truth)) + 1
		a.visits.Begin(after.visit())
	} else {
		a.visits.Keep(found, after.visit())
	}
	a.truth.put(after)
}

// FindVisits is what memory asks when it is not sure.
func (a *attempt) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	a.begin()
	a.flush(false)
	a.visits.Settle()
	return view{a.view, a.descending}.FindVisits(ctx, queries)
}

// flush writes what has changed. New rows get their numbers at once, or later.
func (a *attempt) flush(later bool) {
	a.visits.Number()
	for i, v := range a.visits.Touched() {
		switch {
		case v.Stored == nil:
			a.lastID++
			v.Row.ID = a.lastID
		case v.Row.ID <= 0:
			a.t.Fatalf("visit %+v is to be changed, but has no number", rowOf(v.Row))
		}
		r := rowOf(v.Row)
		if a.writes = append(a.writes, r); a.began {
			a.view.put(r)
		}
		if v.Stored == nil && later {
			a.unsent = append(a.unsent, unsent{v.Row, r.ID})
			v.Row.ID = -1<<32 - int64(i)
		}
	}
}

// arrive gives the rows their numbers.
func (a *attempt) arrive() {
	for _, u := range a.unsent {
		u.row.ID = u.id
	}
	a.unsent = nil
}

func (w *world) play(t *rapid.T) {
	a := w.start(t)
	if n := len(w.flying); n > 0 {
		w.flying[n-1].arrive()
	}
	a.flush(rapid.Bool().Draw(t, "numbers later"))
	a.written = w.inFlight.Add(a.number, a.visits, a.number)
	w.flying = append(w.flying, a)
	w.front, w.waiting = a.batch, w.waiting[1:]
}

// playInVain plays a batch without writing it: the attempt failed.
func (w *world) playInVain(t *rapid.T) {
	a := w.start(t)
	w.truth = a.before
}

// take commits the oldest batch on the server.
func (w *world) take() *attempt {
	a := w.flying[0]
	a.arrive()
	for _, r := range a.writes {
		w.server.put(r)
	}
	w.flying = w.flying[1:]
	return a
}

// land commits all that flies.
func (w *world) land() {
	for len(w.flying) > 0 {
		w.inFlight.Commit(w.take().written)
	}
}

// rollBack rolls a batch back, and those behind it, which are played again.
func (w *world) rollBack(t *rapid.T) {
	if len(w.flying) == 0 {
		t.Skip("nothing flies")
	}
	w.undo(t, rapid.IntRange(0, len(w.flying)-1).Draw(t, "from"))
}

// undo rolls back what flies from a place on.
func (w *world) undo(t *rapid.T, from int) {
	undone := slices.Clone(w.flying[from:])
	if w.flying = w.flying[:from]; len(undone) == 0 {
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
	if len(w.flying) == 0 {
		t.Skip("nothing flies")
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
