package lookahead

import (
	"context"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// rows is a database that has one visit for each query, or none, and counts how often it is asked.
type rows struct {
	answers map[store.VisitQuery]store.Found
	asked   int
}

func (r *rows) FindVisits(_ context.Context, queries []store.VisitQuery) (found []store.Found, err error) {
	for _, q := range queries {
		r.asked++
		found = append(found, r.answers[q])
	}
	return found, nil
}

// TestWhenMemoryIsSure has the cases of the package's comment: a batch has read visit 1, changes something, and asks
// again.
func TestWhenMemoryIsSure(t *testing.T) {
	anna, bert, cafe := store.Text("anna"), store.Text("bert"), store.Text("é")
	q := store.VisitQuery{
		SiteID: 1, From: 100, To: 200,
		ByVisitor: true, Visitor: store.BinaryID{1},
		ByConfig: true, ConfigID: store.BinaryID{2}, UserID: anna,
	}
	row := store.Visit{ID: 1, SiteID: 1, Visitor: q.Visitor, ConfigID: q.ConfigID, LastActionTime: 150}
	type change = func(v *store.Visit)
	with := func(change change) *store.Visit {
		v := row
		change(&v)
		return &v
	}
	other := func(v *store.Visit) { v.Visitor = store.BinaryID{9} }
	last := func(at int64) change { return func(v *store.Visit) { v.LastActionTime = at } }
	user := func(id store.NullText) change { return func(v *store.Visit) { v.UserID = id } }
	both := func(a, b change) change { return func(v *store.Visit) { a(v); b(v) } }
	for _, tt := range []struct {
		about     string
		byVisitor bool         // visit 1 was found so
		begun     *store.Visit // by the batch
		change    change       // of visit 1
		later     bool         // the query looks further than it was asked
		sure      bool
		want      int64 // CountVisits: 0 visit 1, 5 the one that was begun
	}{
		{about: "nothing has changed", byVisitor: true, sure: true},
		{about: "nothing has changed, by fingerprint", sure: true},
		{about: "it was not asked", byVisitor: true, later: true},
		{"it still matches", true, nil, last(200), false, true, 0},
		{"it still matches by fingerprint", false, nil, user(anna), false, true, 0},
		{"it was later than the query looks", true, nil, last(201), false, false, 0},
		{"it has another visitor id", true, nil, other, false, false, 0},
		{"it has another fingerprint", false, nil, func(v *store.Visit) { v.ConfigID = store.BinaryID{9} }, false, false, 0},
		{"it has another user id", false, nil, user(bert), false, false, 0},
		{"nobody knows whether it has another user id", false, nil, user(cafe), false, false, 0},
		{"a newer one has begun", true, with(last(151)), nil, false, true, 5},
		{"one has begun in the same second", true, with(last(150)), nil, false, true, 5},
		{"an older one has begun", true, with(last(149)), nil, false, true, 0},
		{"the visitor's own has begun, if long ago", false, with(last(5)), nil, false, true, 5},
		{"one that does not match has begun", true, with(other), nil, false, true, 0},
		{"nobody knows whether the one that has begun matches", false, with(both(other, user(cafe))), nil, false, false, 0},
	} {
		stored := row
		database := &rows{answers: map[store.VisitQuery]store.Found{q: {Visit: &stored, ByVisitor: tt.byVisitor}}}
		if !tt.byVisitor {
			stored.Visitor = store.BinaryID{7}
		}
		var f InFlight[string]
		v, err := f.Read(t.Context(), database, LookUps{1, []store.VisitQuery{q, q}})
		if err != nil || database.asked != 1 {
			t.Fatalf("%s: asked %d times, %v", tt.about, database.asked, err)
		}
		if tt.begun != nil {
			tt.begun.ID, tt.begun.CountVisits = 0, 5
			v.Begin(tt.begun)
		}
		if tt.change != nil {
			found, err := v.Find(t.Context(), &q, database)
			if err != nil || found == nil {
				t.Fatalf("%s: %v", tt.about, err)
			}
			changed := *found.Row
			tt.change(&changed)
			v.Keep(found, &changed)
		}
		ask := q
		if tt.later {
			ask.To++
			database.answers[ask] = database.answers[q]
		}
		database.asked = 0
		found, err := v.Find(t.Context(), &ask, database)
		if sure := database.asked == 0; err != nil || found == nil || sure != tt.sure || found.Row.CountVisits != tt.want {
			t.Errorf("%s: visit %+v, sure %v (%v), want %d, %v", tt.about, found, sure, err, tt.want, tt.sure)
		}
	}
}

// Nothing of a preview is written: what the database answers is not all.
func TestPreviewFindsWhatTheDatabaseCannotKnow(t *testing.T) {
	q := store.VisitQuery{SiteID: 1, ByVisitor: true, Visitor: store.BinaryID{1}, To: 200}
	var f InFlight[string]
	database := new(rows)
	v, err := f.Read(t.Context(), database, LookUps{1, nil})
	if err != nil {
		t.Fatal(err)
	}
	v.Preview = true
	begun := v.Begin(&store.Visit{SiteID: 1, Visitor: q.Visitor, LastActionTime: 100})
	if found, err := v.Find(t.Context(), &q, database); err != nil || found != begun || database.asked != 1 {
		t.Errorf("found %+v, asked %d times, %v", found, database.asked, err)
	}
}

// Visits of batches in front that have no numbers yet get them, changed since or not.
func TestVisitsOfBatchesInFrontGetTheirNumbers(t *testing.T) {
	ctx := t.Context()
	var f InFlight[string]
	query := func(visitor byte) store.VisitQuery {
		return store.VisitQuery{SiteID: 1, ByVisitor: true, Visitor: store.BinaryID{visitor}, To: 200}
	}
	database := new(rows)
	front, err := f.Read(ctx, database, LookUps{1, nil})
	if err != nil {
		t.Fatal(err)
	}
	behind := LookUps{2, []store.VisitQuery{query(1), query(2)}}
	reading, err := f.Ask(ctx, database, 1, nil, behind)
	if err != nil {
		t.Fatal(err)
	}
	var begun [2]*store.Visit
	for i := range begun {
		begun[i] = &store.Visit{ID: -7 - int64(i), SiteID: 1, Visitor: store.BinaryID{byte(i + 1)}, LastActionTime: 100}
		visit := front.Begin(begun[i])
		view := &store.PageViewTime{Link: store.LinkOf(&store.LinkAction{ID: 5})}
		visit.Views.Add(&PageView{PageViewTime: view})
	}
	f.Add(1, front, "")
	v, ok := f.Recall(reading, behind)
	if !ok {
		t.Fatal("what was read ahead is of no use")
	}
	var found [2]*Visit
	for i := range found {
		q := query(byte(i + 1))
		if found[i], err = v.Find(ctx, &q, nil); err != nil || found[i] == nil {
			t.Fatalf("found %+v, %v", found[i], err)
		}
		if found[i].Begun() || found[i].Stored != begun[i] {
			t.Errorf("%+v does not go on as if it had been read", found[i])
		}
		if view := found[i].Views.Of(5); view == nil || view.Link.Row != nil {
			t.Errorf("page view %+v holds an action that has its number", view)
		}
	}
	changed := *found[0].Row
	v.Keep(found[0], &changed)
	begun[0].ID, begun[1].ID = 70, 80
	v.Number()
	if found[0].Row.ID != 70 || found[1].Row.ID != 80 {
		t.Errorf("numbers %d and %d, want 70 and 80", found[0].Row.ID, found[1].Row.ID)
	}
	database.answers = map[store.VisitQuery]store.Found{query(9): {Visit: &store.Visit{ID: 80}, ByVisitor: true}}
	q := query(9)
	if got, err := v.Find(ctx, &q, database); err != nil || got != found[1] {
		t.Errorf("the database's visit 80 is %+v, want the one that is known (%v)", got, err)
	}
	if got := v.Touched(); len(got) != 1 || got[0] != found[0] {
		t.Errorf("%d visits have changed, want the first", len(got))
	}
}

// What was read for a batch is of use only behind the batch in front of which it was read.
func TestReadingIsOfItsBatches(t *testing.T) {
	ctx := t.Context()
	var f InFlight[string]
	reading, err := f.Ask(ctx, new(rows), 1, nil, LookUps{2, nil}, LookUps{3, nil})
	if err != nil {
		t.Fatal(err)
	}
	recalled := func(number int64) bool {
		_, ok := f.Recall(reading, LookUps{number, nil})
		return ok
	}
	if recalled(2) {
		t.Error("the batch in front was not written")
	}
	add(&f, 1)
	for number, want := range map[int64]bool{1: false, 2: true, 3: false, 4: false} {
		if recalled(number) != want {
			t.Errorf("batch 1 is in front, batch %d goes on: %v, want %v", number, !want, want)
		}
	}
	add(&f, 2)
	if recalled(2) || !recalled(3) {
		t.Error("batch 2 is in front: batch 3 alone goes on")
	}
}

// steady are the look-ups of batch n of a visitor who comes once a minute.
func steady(n int64) LookUps {
	const begin, seconds = 10_000, 60
	at := begin + n*seconds
	return LookUps{n, []store.VisitQuery{{SiteID: 1, ByVisitor: true, ByConfig: true, From: at - 1800, To: at + 1800}}}
}

// TestSteadyTrafficIsNotAskedTwice: a visitor's requests are spread over batches, each of which is read ahead once the
// one in front is written, be it committed or not. Every batch goes on from memory, and the database is asked once in a
// horizon.
func TestSteadyTrafficIsNotAskedTwice(t *testing.T) {
	ctx := t.Context()
	const batches = 60
	for _, late := range []int{0, 1, 3} { // batches that are not committed yet
		var f InFlight[string]
		database := new(answering)
		visits, err := f.Read(ctx, database, steady(1))
		if err != nil {
			t.Fatal(err)
		}
		visit := visits.Begin(&store.Visit{SiteID: 1, LastActionTime: 1})
		inFlight := []*Written[string]{f.Add(1, visits, "")}
		visit.Row.ID = 1
		rows := []store.Visit{*visit.Row}
		var reading *Reading
		asked := 0
		for n := int64(2); n <= batches; n++ {
			for len(inFlight) > late {
				f.Commit(inFlight[0])
				database.Found = store.Found{Visit: &rows[0], ByVisitor: true}
				inFlight, rows = inFlight[1:], rows[1:]
			}
			database.asked = nil
			if reading, err = f.Ask(ctx, database, n-1, reading, steady(n)); err != nil {
				t.Fatal(err)
			}
			asked += len(database.asked)
			recalled, ok := f.Recall(reading, steady(n))
			if !ok {
				t.Fatalf("%d late: batch %d has to read for itself", late, n)
			}
			found, err := recalled.Find(ctx, &steady(n).Queries[0], nil)
			if err != nil || found == nil || found.Row.ID != 1 || found.Row.LastActionTime != n-1 {
				t.Fatalf("%d late: batch %d finds %+v, %v", late, n, found, err)
			}
			row := *found.Row
			row.LastActionTime = n
			recalled.Keep(found, &row)
			inFlight, rows = append(inFlight, f.Add(n, recalled, "")), append(rows, row)
		}
		if most := 2 * (batches*60/horizon + 1); asked > most {
			t.Errorf("%d late: %d queries, want %d at most", late, asked, most)
		}
	}
}

// Of batches that are read at once the last one passes on what the others know.
func TestAnswersArePassedOnByBatchesThatDoNotNeedThem(t *testing.T) {
	ctx := t.Context()
	var f InFlight[string]
	database := new(answering)
	visits, err := f.Read(ctx, database, LookUps{})
	if err != nil {
		t.Fatal(err)
	}
	add := func(n int64) { f.Commit(f.Add(n, visits, "")) }
	add(0)
	var reading *Reading
	for n := int64(1); n < 9; n += 2 {
		database.asked = nil
		if reading, err = f.Ask(ctx, database, n-1, reading, steady(n), LookUps{Batch: n + 1}); err != nil {
			t.Fatal(err)
		}
		if want := 2; n == 1 && len(database.asked) != want || n > 1 && len(database.asked) != 0 {
			t.Errorf("batch %d: asked %+v", n, database.asked)
		}
		for _, lookUps := range []LookUps{steady(n), {Batch: n + 1}} {
			var ok bool
			if visits, ok = f.Recall(reading, lookUps); !ok {
				t.Fatalf("batch %d has to read for itself", lookUps.Batch)
			}
			add(lookUps.Batch)
		}
	}
}
