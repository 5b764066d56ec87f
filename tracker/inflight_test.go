package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// air is a tracker of Matomo 6.0 on MariaDB whose batches are written while those in front of them are not committed
// yet.
type air struct {
	*pipeline
	bench *bench.Bench
	front *tracker.Prepared
	up    []*flight
}

// flight is a transaction whose rows are on their way. Their second half goes after that of the one in front.
type flight struct {
	*store.Tx
	front          *flight
	numbered, sent chan struct{}
	err            error
}

// send lets the rows go, and gives those their numbers that the batch behind waits for.
func (f *flight) send() {
	go func() {
		defer close(f.sent)
		f.err = f.Send(context.Background(), func() {
			close(f.numbered)
			if f.front != nil {
				<-f.front.sent
			}
		})
	}()
	<-f.numbered
	f.Number()
}

func newAir(t *testing.T) *air {
	t.Helper()
	data := bench.OwnSix(root)
	b := bench.New(t, bench.MariaDB, data, data.Devices(t))
	a := b.Assemble(t, &golden.Case{Now: journey.Now}, data.Home(t, false))
	return &air{pipeline: &pipeline{a, a.NewTracker()}, bench: b}
}

func (a *air) begin(t *testing.T) *store.Tx {
	t.Helper()
	tx, err := a.assembly.Store().Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// ground writes a batch and commits it.
func (a *air) ground(t *testing.T, batch *tracker.Prepared) {
	t.Helper()
	tx := a.begin(t)
	if _, err := a.tracker.Write(context.Background(), tx, batch); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	a.front = batch
}

// errAsked says that a batch that was read ahead asks the database all the same.
var errAsked = errors.New("the database was asked")

// fly plays the batch on what the one in front has left in memory, and hands its rows to the server.
func (a *air) fly(t *testing.T, batch *tracker.Prepared) {
	t.Helper()
	ctx := context.Background()
	play, err := a.tracker.Play(ctx, batch, func(context.Context) (*store.Tx, error) { return nil, errAsked })
	if err != nil {
		t.Fatal(err)
	}
	if err := play.Name(ctx); err != nil {
		t.Fatal(err)
	}
	f := &flight{numbered: make(chan struct{}), sent: make(chan struct{})}
	if n := len(a.up); n > 0 {
		f.front = a.up[n-1]
		f.front.send()
	}
	f.Tx = a.begin(t)
	if err := play.Write(ctx, f.Tx); err != nil {
		t.Fatal(err)
	}
	a.up, a.front = append(a.up, f), batch
}

// land commits all that flies.
func (a *air) land(t *testing.T) {
	t.Helper()
	a.up[len(a.up)-1].send()
	for _, f := range a.up {
		if <-f.sent; f.err != nil {
			t.Fatal(f.err)
		}
		if err := f.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		f.Settle()
	}
	a.up = nil
}

func (a *air) prefetch(t *testing.T, front *tracker.Prepared, batches ...*tracker.Prepared) {
	t.Helper()
	if err := a.tracker.Prefetch(context.Background(), batches, front); err != nil {
		t.Fatal(err)
	}
}

// views are the page view times in their order: id and seconds.
func (a *air) views(t *testing.T) (rows []string) {
	t.Helper()
	var found []struct {
		ID    string `db:"idpageview"`
		Spent int    `db:"time_spent"`
	}
	if err := a.bench.DB().Select(&found, "SELECT COALESCE(idpageview, '') AS idpageview, time_spent FROM matomo_log_page_view_time ORDER BY idpageviewtime"); err != nil {
		t.Fatal(err)
	}
	for _, row := range found {
		rows = append(rows, fmt.Sprintf("%s %d", row.ID, row.Spent))
	}
	return rows
}

func viewed(path, id string) string { return page(path) + "&pv_id=" + id }

const event = "e_c=c&e_a=a&url=http://site1.example.org/" + visitor

// What the batches in front know of page views that have no numbers yet is good for those behind.
func TestPageViewTimesGoOnAcrossBatchesInTheAir(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entry(0, viewed("/a", "aaaaaa"))))
	b, c, d := a.prepare(t, entry(10, viewed("/b", "bbbbbb"))),
		a.prepare(t, entry(20, event+"&pv_id=bbbbbb"), entry(25, "ping=1&pv_id=aaaaaa"+visitor), entry(27, event)),
		a.prepare(t, entry(30, viewed("/c", "cccccc")), entry(30, viewed("/d", "dddddd")), entry(31, event),
			entry(32, "ping=1&pv_id=bbbbbb"+visitor))
	a.prefetch(t, a.front, b, c)
	a.fly(t, b)
	a.prefetch(t, c, d)
	a.fly(t, c)
	a.fly(t, d)
	a.land(t)
	e := a.prepare(t, entry(40, viewed("/e", "eeeeee")), entry(45, "ping=1&pv_id=cccccc"+visitor))
	a.prefetch(t, a.front, e)
	a.fly(t, e)
	a.land(t)
	want := []string{"aaaaaa 25", "bbbbbb 22", "cccccc 15", "dddddd 10", "eeeeee 0"}
	if diff := cmp.Diff(want, a.views(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A visit that begins in the air: neither it nor its page view has a number when the next batch is played.
func TestPageViewTimesOfVisitsThatBeginInTheAir(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entryFrom("198.51.100.9", 0, "url=http://site1.example.org/&_id=ffffffffffffffff")))
	b, c := a.prepare(t, entry(10, viewed("/a", "aaaaaa"))), a.prepare(t, entry(15, viewed("/b", "bbbbbb")),
		entry(18, "ping=1&pv_id=aaaaaa"+visitor))
	a.prefetch(t, a.front, b, c)
	a.fly(t, b)
	a.fly(t, c)
	a.land(t)
	want := []string{"aaaaaa 8", "bbbbbb 0"}
	if diff := cmp.Diff(want, a.views(t)[1:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A batch is rolled back after the one behind was played on it: both are read and played again.
func TestPageViewTimesAfterARollback(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entry(0, viewed("/a", "aaaaaa"))))
	b, c := a.prepare(t, entry(10, viewed("/b", "bbbbbb"))), a.prepare(t, entry(20, event),
		entry(21, "ping=1&pv_id=aaaaaa"+visitor))
	a.prefetch(t, a.front, b, c)
	a.fly(t, b)
	a.fly(t, c)
	<-a.up[0].sent // the other one has not begun
	for _, f := range a.up {
		if err := f.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	a.ground(t, b)
	a.ground(t, c)
	want := []string{"aaaaaa 21", "bbbbbb 10"}
	if diff := cmp.Diff(want, a.views(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Rows of the visit that nobody has read are asked for when a request needs them: a late one, and one that names a
// page view of long ago.
func TestOlderPageViewsAreAskedFor(t *testing.T) {
	everywhereOn(t, "6.0", []journey.Entry{
		entry(0, viewed("/a", "aaaaaa")), entry(10, viewed("/b", "bbbbbb")), entry(20, viewed("/c", "cccccc")),
		entry(30, viewed("/d", "dddddd")), entry(40, viewed("/e", "eeeeee")), entry(50, viewed("/f", "ffffff")),
		entry(60, viewed("/late", "llllll")+"&cdo=57"), entry(61, "ping=1&pv_id=bbbbbb"+visitor), entry(62,
			"ping=1&pv_id=zzzzzz"+visitor),
	}, func(t *testing.T, o outcome) {
		wantCells(t, o, "log_page_view_time", "idpageview", "aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee", "ffffff",
			"llllll")
		wantCells(t, o, "log_page_view_time", "time_spent", "10", "51", "10", "10", "10", "0", "0")
	})
}

// everywhereOn is everywhere on an installation of this version.
func everywhereOn(t *testing.T, version string, entries []journey.Entry, check func(t *testing.T, o outcome)) {
	t.Helper()
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database+" "+version, func(t *testing.T) {
			s := newStageOf(t, database, version)
			want := s.playInBatches(t, entries, 1)
			check(t, want)
			for _, batch := range []int{2, 500} {
				for _, line := range differences(want, s.playInBatches(t, entries, batch), sentIDs(entries)) {
					t.Errorf("batches of %d: %s", batch, line)
				}
			}
		})
	}
}

// Matomo 6.0 keeps page view times, 5.14 has no table for them.
func TestPageViewTimesAreKeptSince6(t *testing.T) {
	entries := []journey.Entry{entry(0, viewed("/a", "aaaaaa")), entry(10, viewed("/b", "bbbbbb")), entry(15, event)}
	for version, want := range map[string][]string{"5.14": nil, "6.0": {"10", "5"}} {
		everywhereOn(t, version, entries, func(t *testing.T, o outcome) {
			wantCells(t, o, "log_page_view_time", "time_spent", want...)
			wantCells(t, o, "log_link_visit_action", "idpageview", "aaaaaa", "bbbbbb", "")
		})
	}
}

// Nothing of batches that were rolled back counts as visible to those that are read ahead afterwards.
func TestRolledBackBatchIsReadAfterItIsRepeated(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entryFrom("198.51.100.9", 0, "url=http://site1.example.org/&_id=ffffffffffffffff")))
	b, c := a.prepare(t, entry(10, page("/a"))), a.prepare(t, entry(20, page("/b")))
	a.prefetch(t, a.front, b, c)
	a.fly(t, b)
	a.fly(t, c)
	<-a.up[0].sent // the other one has not begun
	for _, f := range a.up {
		if err := f.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	a.up = nil
	tx := a.begin(t)
	if _, err := a.tracker.Write(t.Context(), tx, b); err != nil {
		t.Fatal(err)
	}
	a.prefetch(t, b, c) // sees nothing of b yet
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.fly(t, c)
	a.land(t)
	var got []int
	if err := a.bench.DB().Select(&got, "SELECT visit_total_actions FROM matomo_log_visit ORDER BY idvisit"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2}, got); diff != "" {
		t.Errorf("actions of visits (-want +got):\n%s", diff)
	}
}

// A day is marked once, also by batches that follow each other before the first of them is committed.
func TestDayIsMarkedOnceByBatchesInTheAir(t *testing.T) {
	a := newAir(t)
	// The marks are read.
	a.ground(t, a.prepare(t, entry(0, page("/")), entry(1, "idsite=3&url=http://site3.example.net/"+past)))
	b, c := a.prepare(t, entry(10, page("/b")+past)), a.prepare(t, entry(20, page("/c")+past))
	a.prefetch(t, a.front, b, c)
	a.fly(t, b)
	a.fly(t, c)
	a.land(t)
	var got []string
	if err := a.bench.DB().Select(&got, "SELECT SUBSTRING(option_name, 5, 34) FROM matomo_option WHERE option_name LIKE "+
		"'%report_to_invalidate%' ORDER BY 1"); err != nil {
		t.Fatal(err)
	}
	want := []string{"_report_to_invalidate_1_2026-11-22", "_report_to_invalidate_3_2026-11-22"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Rows of a visit may have had other ids before its visitor id was spread: each id that the batch has gone through is
// looked for.
func TestVisitorIDsOfABatchAreAllLookedFor(t *testing.T) {
	a := newAir(t)
	id := func(n int) string { return fmt.Sprintf("&_id=%016x", n) }
	page := func(path string, n int) string { return "url=http://site1.example.org" + path + id(n) }
	a.ground(t, a.prepare(t, entry(0, page("/a", 1)), entry(1, page("/b", 1))))
	if _, err := a.bench.DB().Exec("UPDATE matomo_log_link_visit_action SET idvisitor = UNHEX('0000000000000002') " +
		"ORDER BY idlink_va LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	a.ground(t, a.prepare(t, entry(10, page("/c", 2)), entry(20, page("/d", 3))))
	var got []string
	if err := a.bench.DB().Select(&got, "SELECT LOWER(HEX(idvisitor)) FROM matomo_log_link_visit_action "+
		"ORDER BY idlink_va"); err != nil {
		t.Fatal(err)
	}
	three := fmt.Sprintf("%016x", 3)
	if diff := cmp.Diff([]string{three, three, three, three}, got); diff != "" {
		t.Errorf("visitor ids of actions (-want +got):\n%s", diff)
	}
}

// A visitor id that changes reaches what the visit has done before, since Matomo 5.4.
func TestChangedVisitorIDsAreSpreadSince5_4(t *testing.T) {
	const anna = "2bc1ecb410e142bc" // sha1("anna")
	entries := []journey.Entry{
		entry(0, page("/a")), entry(5, "idgoal=10"+visitor), entry(10, page("/b")+"&uid=anna"), entry(20,
			page("/c")+"&uid=anna"),
	}
	const cookie = "0123456789abcdef"
	for version, want := range map[string]string{"5.3": cookie, "5.4": anna} {
		everywhereOn(t, version, entries, func(t *testing.T, o outcome) {
			wantCells(t, o, "log_visit", "idvisitor", anna)
			wantCells(t, o, "log_link_visit_action", "idvisitor", want, anna, anna)
			wantCells(t, o, "log_conversion", "idvisitor", want)
		})
	}
}

// Ids that come and go: rows of the batch, rows of earlier ones, an order in between, and other visits of the same
// visitor.
func TestVisitorIDsThatChangeAgainAndAgain(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf("&_id=%016x", n) }
	page := func(path string, n int) string { return "url=http://site1.example.org" + path + id(n) }
	everywhereOn(t, "6.0", []journey.Entry{
		entry(0, page("/a", 1)), entry(1, page("/b", 2)), entry(2, "idgoal=0&ec_id=T1&revenue=5"+id(2)), entry(3,
			page("/c", 1)),
		entry(4, "idgoal=10"+id(3)), entry(5, page("/d", 2)), entry(6, "ping=1"+id(4)), entryFrom("198.51.100.9", 7,
			page("/e", 4)),
		entryFrom("198.51.100.9", 8, page("/f", 5)),
	}, func(t *testing.T, o outcome) {
		four, five := fmt.Sprintf("%016x", 4), fmt.Sprintf("%016x", 5)
		visits := cells(o.rows["log_visit"], "idvisitor")
		if len(visits) == 1 { // found by its id from the other address
			wantCells(t, o, "log_link_visit_action", "idvisitor", four, four, four, four, four, five)
			return
		}
		wantCells(t, o, "log_visit", "idvisitor", four, five)
	})
}

// Every attempt at a batch is repeated: nothing of the first one may be left in memory.
func TestRetriedBatchesOfMatomo6(t *testing.T) {
	for _, database := range []string{bench.SQLite, bench.MariaDB} {
		t.Run(database, func(t *testing.T) {
			s := newStageOf(t, database, "6.0")
			for i := range uint64(3) {
				entries := journey.Make(journey.Options{Seed: *seed + i, Entries: 60, People: 4, Six: true})
				want := s.play(t, entries, 1, bench.Options{Batch: 7, Random: constant{}})
				got := s.play(t, entries, 1, bench.Options{Batch: 7, Random: constant{}, Wrap: withDeadlocks})
				if got.summary.Retries == 0 {
					t.Error("no attempt was repeated")
				}
				for _, line := range differences(want, got, sentIDs(entries)) {
					t.Errorf("seed %d: %s", *seed+i, line)
				}
			}
		})
	}
}

func TestPreviewOfMatomo6WritesNothing(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entry(0, viewed("/a", "aaaaaa"))))
	batch := a.prepare(t, entry(10, viewed("/b", "bbbbbb")+"&uid=anna"), entry(20, event+"&pv_id=zzzzzz"))
	tx := a.begin(t)
	tx.AfterWrites(func() { t.Error("a preview writes") })
	result, err := a.tracker.Preview(context.Background(), tx, batch)
	if err != nil || result.Tracked != 2 {
		t.Errorf("%+v, error %v; want 2 tracked, none", result, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := a.views(t); len(got) != 1 {
		t.Errorf("page views %v, want 1", got)
	}
}

// Whatever the number of requests is, their page view times are read at once and written at once.
func TestPageViewTimesCostNoRoundTripPerRequest(t *testing.T) {
	a := newAir(t)
	requests := func(after int64) (entries []journey.Entry) {
		for n := range int64(20) {
			who := fmt.Sprintf("&_id=%016x", n+1)
			entries = append(entries,
				entry(after+n, "url=http://site1.example.org/a&pv_id=aaaaaa"+who), entry(after+n+1,
					"e_c=c&e_a=a&url=http://site1.example.org/"+who),
				entry(after+n+2, "url=http://site1.example.org/b&pv_id=bbbbbb"+who), entry(after+n+3, "ping=1&pv_id=aaaaaa"+who))
		}
		return entries
	}
	a.ground(t, a.prepare(t, requests(0)...))
	tx := a.begin(t)
	if _, err := a.tracker.Write(t.Context(), tx, a.prepare(t, requests(100)...)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Visits, page view times and names are read, rows are sent in two messages, COMMIT.
	const most = 6
	if trips := tx.Stats().RoundTrips; trips > most {
		t.Errorf("%d round trips, want %d at most", trips, most)
	}
	if n := len(a.views(t)); n != 80 {
		t.Errorf("%d page views, want 80", n)
	}
}

// What was read ahead is good for one attempt: when it was rolled back, another worker may have written since.
func TestRepeatedBatchIsReadAnew(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entryFrom("198.51.100.9", 0, "url=http://site1.example.org/&_id=ffffffffffffffff")))
	b := a.prepare(t, entry(10, page("/b")))
	a.prefetch(t, a.front, b)
	tx := a.begin(t)
	if _, err := a.tracker.Write(t.Context(), tx, b); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	other := &air{pipeline: &pipeline{a.assembly, a.assembly.NewTracker()}, bench: a.bench}
	other.ground(t, other.prepare(t, entry(5, page("/a"))))
	a.ground(t, b)
	var got []int
	if err := a.bench.DB().Select(&got, "SELECT visit_total_actions FROM matomo_log_visit ORDER BY idvisit"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2}, got); diff != "" {
		t.Errorf("actions of visits (-want +got):\n%s", diff)
	}
}

// Where log_page_view_time has rows of visits that are yet to come, nothing that was read ahead of it is of use.
func TestPageViewTimesOfVisitsToCome(t *testing.T) {
	a := newAir(t)
	for id := range 3 {
		if _, err := a.bench.DB().Exec("INSERT INTO matomo_log_page_view_time (idsite, idvisit, idlink_va, idpageview, "+
			"server_time, time_spent) VALUES (1, ?, ?, 'old', '2026-11-22 09:00:00', 5)", id+1, id+1); err != nil {
			t.Fatal(err)
		}
	}
	a.ground(t, a.prepare(t, entryFrom("198.51.100.9", 0, "url=http://site1.example.org/&_id=ffffffffffffffff")))
	b := a.prepare(t, entry(10, viewed("/b", "bbbbbb")))
	a.prefetch(t, a.front, b)
	a.ground(t, b) // and not only the attempt after this one
	if diff := cmp.Diff([]string{"old 5", "old 5", "old 5"}, a.views(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A page view of an earlier batch comes before those of this one, and those of this one in their order: also where the
// database, to which names are newer than its transaction, sees a later one only.
func TestTimingsBelongToTheFirstPageView(t *testing.T) {
	a := newAir(t)
	a.ground(t, a.prepare(t, entry(0, viewed("/a", "aaaaaa"))))
	order := func(id string) string { return "idgoal=0&revenue=5&ec_id=" + id + visitor }
	a.ground(t, a.prepare(t,
		entry(10, viewed("/b", "bbbbbb")), entry(11, viewed("/a", "bbbbbb")), // a name that is new, one that is not
		entry(12, viewed("/a", "aaaaaa")), entry(13, order("T1")), // which writes them
		entry(14, "ping=1&pf_net=2&pv_id=bbbbbb"+visitor), entry(15, "ping=1&pf_net=1&pv_id=aaaaaa"+visitor),
	))
	a.ground(t, a.prepare(t, entry(20, viewed("/c", "aaaaaa")), entry(21, "ping=1&pf_srv=3&pv_id=aaaaaa"+visitor)))
	var got []string
	if err := a.bench.DB().Select(&got, "SELECT CONCAT_WS(' ', idpageview, COALESCE(time_network, '-'), "+
		"COALESCE(time_server, '-')) FROM matomo_log_link_visit_action ORDER BY idlink_va"); err != nil {
		t.Fatal(err)
	}
	want := []string{"aaaaaa 1 3", "bbbbbb 2 -", "bbbbbb - -", "aaaaaa - -", "aaaaaa - -"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timings (-want +got):\n%s", diff)
	}
}

// A site that now begins earlier is read again, with all that has changed since: only then its next batch need not
// move it once more.
func TestMovedSiteIsReadAgain(t *testing.T) {
	a := newAir(t)
	exec := func(statement string) {
		t.Helper()
		if _, err := a.bench.DB().Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE matomo_site SET ts_created = '2026-11-23 00:00:00' WHERE idsite = 1")
	a.ground(t, a.prepare(t, entry(0, page("/a")), entry(1, "idsite=2&url=https://shop.example.com/"+visitor)))
	exec("UPDATE matomo_site SET excluded_ips = '198.18.7.7' WHERE idsite IN (1, 2)")
	r := a.write(t, a.prepare(t, entry(10, page("/b")), entry(11, "idsite=2&url=https://shop.example.com/b"+visitor)))
	if got := r.Excluded[exclude.IPAddress]; got != 1 || r.Tracked != 1 {
		t.Errorf("%d excluded, %d tracked; want 1 of the site that was moved, 1 of the other one", got, r.Tracked)
	}
}
