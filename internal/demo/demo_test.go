package demo

import (
	"context"
	"os"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

var (
	files = os.DirFS("../../testdata")
	until = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
)

func generate(t *testing.T, seed uint64, n int) []queue.RequestSet {
	t.Helper()
	g, err := NewGenerator(files, seed, until)
	if err != nil {
		t.Fatal(err)
	}
	return g.Sets(n)
}

func encoded(t *testing.T, sets []queue.RequestSet) (elements []string) {
	t.Helper()
	for _, set := range sets {
		element, err := queue.Encode(set)
		if err != nil {
			t.Fatal(err)
		}
		elements = append(elements, string(element))
	}
	return elements
}

func TestSameSeedMakesSameRequests(t *testing.T) {
	first := encoded(t, generate(t, 3, 400))
	if diff := cmp.Diff(first, encoded(t, generate(t, 3, 400))); diff != "" {
		t.Error(diff)
	}
	if slices.Equal(first, encoded(t, generate(t, 4, 400))) {
		t.Error("another seed makes the same requests")
	}
}

func TestRequestsAreAsManyAsAskedForAndInOrder(t *testing.T) {
	sets := generate(t, 1, 3000)
	if n := Count(sets); n != 3000 {
		t.Errorf("%d requests", n)
	}
	if !slices.IsSortedFunc(sets, func(a, b queue.RequestSet) int { return int(a.Time - b.Time) }) {
		t.Error("not in the order of time")
	}
	first, last := Span(sets)
	if first.Before(until.AddDate(0, 0, -days)) || last.After(until.Add(time.Hour)) {
		t.Errorf("from %s to %s", first, last)
	}
	bulk := 0
	for _, set := range sets {
		if len(set.Requests) > 1 {
			bulk++
		}
	}
	if bulk == 0 {
		t.Error("no bulk request")
	}
}

func TestRequestsAreOfAllKinds(t *testing.T) {
	sets := generate(t, 1, 5000)
	found := map[string]int{}
	for _, set := range sets {
		for _, p := range set.Requests {
			for name := range p.All() {
				found[name]++
			}
			found["site "+php.ToString(p.Value("idsite"))]++
		}
		if set.Env.Server.Value("HTTP_SIGNATURE_AGENT").Kind() == php.KindString {
			found["signed"]++
		}
		if set.Env.Server.Value("HTTP_X_PURPOSE").Kind() == php.KindString {
			found["prefetch"]++
		}
	}
	for _, kind := range []string{
		"action_name", "urlref", "download", "link", "e_c", "e_n", "e_v", "search", "c_n", "ping", "idgoal", "ec_items",
		"ec_id", "_pks", "uid", "cip",
		"pf_srv", "recMode", "http_status", "signed", "site 1", "site 2", "site 3", "site 99", "prefetch",
	} {
		if found[kind] == 0 {
			t.Errorf("no request with %s", kind)
		}
	}
}

func TestInstallMakesAnInstallationThatCanBeReported(t *testing.T) {
	ctx := context.Background()
	config, db, err := Install(ctx, files, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := config.Vendor().Check(); err != nil {
		t.Error(err)
	}
	tables, err := Report(ctx, db, config.Database().Prefix)
	if err != nil || len(tables) != len(reports) {
		t.Errorf("%d tables: %v", len(tables), err)
	}
	if _, err := Report(ctx, db, "other_"); err == nil {
		t.Error("no error for other tables")
	}
}

func TestInstallSaysWhatIsMissing(t *testing.T) {
	if _, _, err := Install(context.Background(), fstest.MapFS{}, t.TempDir()); err == nil {
		t.Error("no error without files")
	}
	if _, err := NewGenerator(fstest.MapFS{}, 1, until); err == nil {
		t.Error("no error without catalog")
	}
	broken := fstest.MapFS{"demo/catalog.json": {Data: []byte("{")}}
	if _, err := NewGenerator(broken, 1, until); err == nil {
		t.Error("no error for a broken catalog")
	}
}

func TestValuesBecomeText(t *testing.T) {
	_, db, err := Install(context.Background(), files, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := readTexts(context.Background(), db, "SELECT NULL, 1, 'a', CAST('b' AS BLOB), 2.5")
	if diff := cmp.Diff([][]string{{"", "1", "a", "b", "2.5"}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
