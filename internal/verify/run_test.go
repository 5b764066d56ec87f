package verify

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestEqualTrackersAreEqual(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.db.MustExec("DELETE FROM matomo_option WHERE option_name LIKE 'fingerprint_salt%' OR option_name = 'useridsalt'")
	entries := s.entries(t, 300)
	before := dump(t, s.db)
	b := s.bench(t, Options{Limit: 250})
	r := b.compare(t, entries)
	if r.Requests != 250 || r.Equal != 250 || r.Different != 0 || r.Moved != 0 || r.Left != 0 {
		t.Errorf("%+v, want 250 equal", r)
	}
	if r.Ended != EndedLimit {
		t.Errorf("ended %q, want %q", r.Ended, EndedLimit)
	}
	for _, table := range []string{"log_visit", "log_link_visit_action", "log_action", "log_conversion"} {
		if got := r.Tables[table]; got.Rows == 0 || got.Columns < 5 {
			t.Errorf("%+v compared of %s, want rows and columns", got, table)
		}
	}
	s.unchanged(t, before)
}

func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bench(t, Options{})
	b.second.change = func(url string, params *php.Array) {
		switch {
		case strings.HasSuffix(url, "/3"):
			params.Set("action_name", php.String("another page"))
		case strings.HasSuffix(url, "/9"):
			params.Set("res", php.String("800x600"))
		case strings.HasSuffix(url, "/11"):
			params.Set("idsite", php.String("0"))
		}
	}
	var entries []Entry
	for i := range 14 {
		more := []string{}
		if i == 3 {
			more = []string{"token_auth", "0123456789abcdef0123456789abcdef"}
		}
		entries = append(entries, entriesOf(t, page(i/2, string(rune('0'+i%10))+"/"+itoa(i), more...))...)
		entries[i].Position = int64(i)
	}
	before := dump(t, s.db)
	r := b.compare(t, entries)
	if r.Requests != 14 || r.Equal != 11 || r.Different != 3 || len(r.Findings) != 3 {
		t.Fatalf("%+v, want 11 of 14 equal", r)
	}
	for i, want := range []struct {
		position                   int64
		table, column, matomo, own string
	}{
		{3, "log_link_visit_action", "idaction_name", "another page", "Page 3/3"},
		{9, "log_visit", "config_resolution", "800x600", "unknown"},
		{11, "", "", "refused", "not refused"},
	} {
		f := r.Findings[i]
		found := false
		for _, c := range f.Cells {
			found = found || c.Table == want.table && c.Column == want.column && strings.Contains(c.Matomo, want.matomo) &&
				strings.Contains(c.Own, want.own)
		}
		if f.Position != want.position || !found {
			t.Errorf("finding %d: %+v, want %+v", i, f, want)
		}
		if strings.Contains(string(f.Request), "0123456789abcdef0123456789abcdef") {
			t.Errorf("a token is shown: %s", f.Request)
		}
	}
	s.unchanged(t, before)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestFirstDifferenceEndsTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bench(t, Options{FailFast: true})
	b.second.change = func(_ string, params *php.Array) { params.Set("action_name", php.String("another page")) }
	r := b.compare(t, entriesOf(t, page(1, "a"), page(2, "b"), page(3, "c")))
	if r.Different != 1 || r.Equal != 0 || r.Ended != EndedFailure {
		t.Errorf("%+v, want one difference", r)
	}
}

// What is different once only was different because somebody else wrote.
func TestDifferenceThatIsNotSeenAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bench(t, Options{})
	b.second.change = func(_ string, params *php.Array) {
		if b.second.seen == 1 {
			params.Set("action_name", php.String("another page"))
		}
	}
	r := b.compare(t, entriesOf(t, page(1, "a"), page(2, "b")))
	if r.Equal != 2 || r.Moved != 1 || r.Different != 0 {
		t.Errorf("%+v, want 2 equal, 1 moved", r)
	}
}

func TestTableThatOnlyTheOtherWrites(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.db.MustExec("CREATE TABLE matomo_plugin_log (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, idvisit bigint, what text)")
	s.db.MustExec("CREATE TABLE matomo_plugin_count (name varchar(40) NOT NULL PRIMARY KEY, n int)")
	s.db.MustExec("INSERT INTO matomo_plugin_count VALUES ('visits', 4)")
	before := dump(t, s.db)
	b := s.bench(t, Options{})
	b.second.after = func(ctx context.Context, other *second, _ int) error {
		_, err := other.pool.ExecContext(ctx, "INSERT INTO matomo_plugin_log (idvisit, what) VALUES (?, ?)", 17, "x")
		if err == nil {
			_, err = other.pool.ExecContext(ctx, "UPDATE `matomo_plugin_count` SET n = n + 1 WHERE name = ?", "visits")
		}
		return err
	}
	r := b.compare(t, entriesOf(t, page(1, "a")))
	if r.Different != 1 || len(r.Findings) != 1 {
		t.Fatalf("%+v, want 1 difference", r)
	}
	seen := make(map[string]bool)
	for _, c := range r.Findings[0].Cells {
		if !c.Unknown {
			t.Errorf("%+v is not told as of an unknown table", c)
		}
		seen[c.Table+" "+c.Column+" "+c.Matomo+" "+c.Own] = true
	}
	if !seen["plugin_log  1 0"] || !seen["plugin_count n number 5 number 4"] || len(seen) != 2 {
		t.Errorf("differences %v", seen)
	}
	s.unchanged(t, before)
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.bench(t, Options{TimeLimit: time.Nanosecond})
	if r := b.compare(t, entriesOf(t, page(1, "a"))); r.Requests != 0 || r.Ended != EndedTime {
		t.Errorf("%+v, want none compared", r)
	}
}

func TestSignalEndsAfterTheComparison(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	stop := make(chan struct{})
	b := s.bench(t, Options{Stop: stop, OnBatch: func(int) { close(stop) }})
	r := b.compare(t, entriesOf(t, page(1, "a"), page(2, "b")))
	if r.Requests != 1 || r.Equal != 1 || r.Ended != EndedSignal {
		t.Errorf("%+v, want the first entry compared", r)
	}
}

// Somebody has a visit locked that both want to change.
func TestLocksOfOthersAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.visit(t)
	held := s.db.MustBegin()
	if _, err := held.Exec("UPDATE matomo_log_visit SET visit_total_time = 7"); err != nil {
		t.Fatal(err)
	}
	waits := 0
	b := s.bench(t, Options{Sleep: func(time.Duration) {
		if waits++; waits == 1 {
			if err := held.Rollback(); err != nil {
				t.Error(err)
			}
		}
	}})
	r := b.compare(t, entriesOf(t, page(1, "later")))
	if r.Equal != 1 || r.Waits != 1 || waits != 1 {
		t.Errorf("%+v after %d pauses, want 1 equal after 1", r, waits)
	}
}

// visit lets a visitor come for real.
func (s *site) visit(t *testing.T) {
	t.Helper()
	n, err := newNative(t.Context(), s.options)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	if err := n.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := n.track(t.Context(), whole(entriesOf(t, page(1, "first")))); err != nil {
		t.Fatal(err)
	}
	if err := n.single.own(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
}

func TestLocksThatStay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.visit(t)
	held := s.db.MustBegin()
	if _, err := held.Exec("UPDATE matomo_log_visit SET visit_total_time = 7 WHERE idvisit = 1"); err != nil {
		t.Fatal(err)
	}
	b := s.bench(t, Options{Sleep: func(time.Duration) {}})
	const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	r := b.compare(t, entriesOf(t, page(1, "later"), page(2, "other", "ua", browser, "cid", "00000000000000aa")))
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if r.Equal != 1 || r.Left != 1 || r.Requests != 1 {
		t.Errorf("%+v, want 1 left and 1 equal", r)
	}
}

func TestOthersWhoWaitMakeComparisonsSmaller(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var sizes []int
	var pauses []time.Duration
	waiting := int64(0)
	b := s.bench(t, Options{
		Batch: 8, Sleep: func(d time.Duration) { pauses = append(pauses, d) },
		Waits: func(context.Context) (int64, error) { return waiting, nil },
		OnBatch: func(n int) {
			sizes = append(sizes, n)
			waiting = 0
			if len(sizes) == 3 || len(sizes) == 4 {
				waiting = 2
			}
		},
	})
	var entries []Entry
	for i := range 20 {
		entries = append(entries, entriesOf(t, page(i, itoa(i)))...)
	}
	r := b.compare(t, entries)
	if got, want := sizes[:6], []int{1, 2, 4, 8, 4, 1}; !equalInts(got[:5], want[:5]) || r.Waits != 2 || len(pauses) != 2 ||
		pauses[1] <= pauses[0] {
		t.Errorf("sizes %v, %d waits, pauses %v; want %v and 2 growing pauses", sizes, r.Waits, pauses, want)
	}
}

func equalInts(a, b []int) bool {
	for i := range b {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
