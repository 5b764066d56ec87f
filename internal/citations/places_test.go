package citations

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const howItWorks = "docs/how-it-works.md"

var (
	// place is `queue/ids.go: Key, OffsetKey` or `tracker/read.go`.
	place = regexp.MustCompile("`([a-z0-9_/]+\\.go)(?:: ([A-Za-z, ]+))?`")
	point = regexp.MustCompile(`(?m)^\s+(\w+)\s+Point = "`)
	tests = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
)

func TestHowItWorksNamesWhatIsThere(t *testing.T) {
	text := read(t, howItWorks)
	for _, m := range place.FindAllStringSubmatch(text, -1) {
		code, err := os.ReadFile(filepath.Join(root, m[1]))
		if err != nil {
			t.Errorf("%s: there is no %s", howItWorks, m[1])
			continue
		}
		for name := range strings.SplitSeq(m[2], ", ") {
			if !declares(string(code), name) {
				t.Errorf("%s: %s has no %s", howItWorks, m[1], name)
			}
		}
	}
	all := make(map[string]bool)
	walk(t, "_test.go", func(_, text string) {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(text, -1) {
			all[m[1]] = true
		}
	})
	for _, m := range tests.FindAllStringSubmatch(text, -1) {
		if !all[m[1]] {
			t.Errorf("%s: there is no test %s", howItWorks, m[1])
		}
	}
}

func TestHowItWorksShowsEveryPointOfABatch(t *testing.T) {
	text := read(t, howItWorks)
	points := point.FindAllStringSubmatch(read(t, "replay/fault.go"), -1)
	if len(points) == 0 {
		t.Fatal("replay/fault.go has no points")
	}
	for _, m := range points {
		if !strings.Contains(text, "* "+m[1]) {
			t.Errorf("%s: the figure does not show %s", howItWorks, m[1])
		}
	}
}

// declares reports whether a Go file declares a function, a method, a type or a variable of this name; any has "".
func declares(code, name string) bool {
	if name == "" {
		return true
	}
	found, err := regexp.MatchString(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const )`+name+`\b`, code)
	return err == nil && found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
