package citations

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notID   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Links between documents lead to files that are there, and to headings that they have.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	found := 0
	walk(t, ".md", func(path, text string) {
		if strings.HasPrefix(path, "testdata/") {
			return
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, id, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") { // elsewhere on the internet
				continue
			}
			found++
			file := filepath.Join(root, filepath.Dir(path), target)
			if target == "" {
				file = filepath.Join(root, path)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
				continue
			}
			if id != "" && !headings(t, file)[id] {
				t.Errorf("%s links to %s: there is no such heading", path, m[1])
			}
		}
	})
	if found < 50 {
		t.Errorf("%d links found", found)
	}
}

// headings are the ids of a file's headings, as they are linked to.
func headings(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		ids[strings.ReplaceAll(notID.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return ids
}

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	// varies is what stands in a message for a value, or is one.
	varies = regexp.MustCompile(`…|\b\d+\b`)
	joined = regexp.MustCompile(`" \+\s+"`)
)

// What docs/troubleshooting.md says that the program says, it says: in tables that begin with "it says" or "reason".
func TestTroubleshootingQuotesTheProgram(t *testing.T) {
	var program strings.Builder
	walk(t, ".go", func(path, text string) {
		if !strings.HasSuffix(path, "_test.go") {
			program.WriteString(strings.ReplaceAll(joined.ReplaceAllString(text, ""), `\"`, `"`))
		}
	})
	said, found, quoting := program.String(), 0, false
	for line := range strings.Lines(read(t, "docs/troubleshooting.md")) {
		cells := strings.Split(line, "|")
		switch {
		case len(cells) < 3:
			quoting = false
		case strings.Contains(cells[1], "it says") || strings.TrimSpace(cells[1]) == "reason":
			quoting = true
		case quoting:
			for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
				found++
				for _, part := range varies.Split(m[1], -1) {
					if part = strings.TrimSpace(part); !strings.Contains(said, part) {
						t.Errorf("docs/troubleshooting.md: the program does not say %q (of %q)", part, m[1])
					}
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("%d messages found", found)
	}
}
