package matomo

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of behaviours into docs/versions.md")

const versionsFile = "../../docs/versions.md"

// TestVersionsDocumentHasTheTable keeps docs/versions.md and the table of behaviours equal. The table is the end of
// the document.
func TestVersionsDocumentHasTheTable(t *testing.T) {
	text, err := os.ReadFile(versionsFile)
	if err != nil {
		t.Fatal(err)
	}
	const heading = "## What each version changed\n\n"
	intro, table, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatalf("%s has no %q", versionsFile, heading)
	}
	want := BehavioursTable()
	if table == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: go test ./internal/matomo -run TestVersionsDocument -update\n%s", versionsFile,
			cmp.Diff(want, table))
	}
	if err := os.WriteFile(versionsFile, []byte(intro+heading+want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBehavioursNameTheirTests looks for the tests that show both sides of each behaviour's border.
func TestBehavioursNameTheirTests(t *testing.T) {
	tests := testNames(t, "../..")
	for _, row := range behaviours {
		if row.test == "" {
			t.Errorf("%s names no test", row.field)
			continue
		}
		for name := range strings.SplitSeq(row.test, ", ") {
			if !tests[name] {
				t.Errorf("%s: there is no %s", row.field, name)
			}
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)

// testNames are the names of all tests below root, with and without that of their folder: matomo.TestVersion.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(text, -1) {
			name := string(m[1])
			names[name], names[filepath.Base(filepath.Dir(path))+"."+name] = true, true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
