package golden_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
)

var selecting = flag.Bool("golden.select", false,
	"choose anew which recordings of 6.0 are copied into testdata/golden-6: those that hold with what is there")

// Sizes of the files that are taken: cases that the older recordings have, too, are taken only as a sample.
const (
	largestNew = 100 << 10
	largestOld = 12 << 10
)

// TestOwnCasesAreRecordings compares the cases of testdata/golden-6 with the recordings that they were copied from.
// With -golden.select it first chooses them anew: all that need no database of places and whose rows are the same with
// the small vendor data of testdata, on MariaDB at all batch sizes and on SQLite. Cases in areas that testdata/golden
// has are taken only if they stand there, too, and are small.
func TestOwnCasesAreRecordings(t *testing.T) {
	recorded, ours := bench.FindSix(root), bench.OwnSix(root)
	if !recorded.Shared {
		t.Skip("the recordings are not here")
	}
	if *selecting {
		selectCases(t, recorded, ours)
	}
	files, err := filepath.Glob(filepath.Join(ours.Cases, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, err := filepath.Rel(ours.Cases, file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, file), read(t, filepath.Join(recorded.Cases, name))) {
			t.Errorf("%s is not what was recorded: go test ./internal/testing/golden -run TestOwnCases -golden.select", name)
		}
	}
}

func selectCases(t *testing.T, recorded, ours bench.Data) {
	t.Helper()
	cases, err := golden.LoadAll(recorded.Cases)
	if err != nil {
		t.Fatal(err)
	}
	home, devices := ours.Home(t, false), ours.Devices(t)
	var benches []*bench.Bench
	for _, database := range []string{bench.MariaDB, bench.SQLite} {
		benches = append(benches, bench.New(t, database, ours, devices))
	}
	taken := 0
	for _, c := range cases {
		file := filepath.Join(c.Area, c.Name+".json")
		text := read(t, filepath.Join(recorded.Cases, file))
		target := filepath.Join(ours.Cases, file)
		if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if c.Geo != "" || ownDatabase[c.Area] || !wanted(file, len(text)) || !holds(t, benches, c, home) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o644); err != nil {
			t.Fatal(err)
		}
		taken++
	}
	t.Logf("%d of %d cases hold with the data in testdata and were copied", taken, len(cases))
}

// wanted reports whether a case of that file and size is to be taken if it holds.
func wanted(file string, size int) bool {
	older := filepath.Join(bench.Own(root).Cases, file)
	if _, err := os.Stat(filepath.Dir(older)); err != nil {
		return size <= largestNew
	}
	_, err := os.Stat(older)
	return err == nil && size <= largestOld
}

// holds reports whether the case has the recorded rows on all databases at all batch sizes.
func holds(t *testing.T, benches []*bench.Bench, c *golden.Case, home string) bool {
	t.Helper()
	for i, b := range benches {
		if i > 0 && notOnSQLite[c.Area+"/"+c.Name] {
			continue
		}
		for _, batch := range batchSizes {
			if differences := play(t, b, c, bench.Options{Batch: batch, Home: home}); len(differences) > 0 {
				return false
			}
		}
	}
	return true
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
