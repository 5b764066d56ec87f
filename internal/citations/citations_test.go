// Package citations keeps what comments and documents say of the specification in docs/spec true: every section that
// is cited is there, and all are cited in one way, "spec §5.2", so that a reader and grep can follow.
package citations

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

const section = `[0-9A-Z][0-9A-Za-z]*(?:\.[0-9]+[a-z]?)*`

var (
	// definition is where a section begins: a heading, or an item of the lists of corrections.
	definition = regexp.MustCompile(`(?m)^(?:#+ |\* \*\*)§(` + section + `)(?: |\*\*)`)
	citation   = regexp.MustCompile(`§(` + section + `)?`)
	// inForm is a list of citations: spec §8.3, §8.5 and §B.2, or spec §6.1–§6.5.
	inForm = regexp.MustCompile(`\bspec §` + section + `(?:(?:,\s(?:and\s)?|\s(?:and|or|to)\s|–)§` + section + `)*`)
	// otherForm is how sections were cited when the specification was not yet part of the project.
	otherForm = regexp.MustCompile(`tracker-spec|\b[Ss]pecification\s+§|\b[Ee]rrat(?:a|um) \d|\b[Pp]art\s+\d,?\s+§|\bdesign(?:\.md)? §`)
)

func TestCitationsOfTheSpecificationLeadToASection(t *testing.T) {
	known := sections(t)
	walk(t, ".go", func(path, text string) {
		for _, comment := range comments(t, path, text) {
			for _, fault := range faults(comment.text, known) {
				t.Errorf("%s:%d: %s", path, comment.line, fault)
			}
		}
	})
	walk(t, ".md", func(path, text string) {
		if path == "CHANGELOG.md" {
			return
		}
		find := faults
		if strings.HasPrefix(path, "docs/spec/") {
			find = deadEnds // the number alone is enough there
		}
		for i, line := range strings.Split(text, "\n") {
			for _, fault := range find(line, known) {
				t.Errorf("%s:%d: %s", path, i+1, fault)
			}
		}
	})
}

func TestFaultsOfCitationsAreFound(t *testing.T) {
	known := map[string]bool{"5": true, "5.2": true, "7.6a": true, "A.4": true, "V3.1.2": true}
	for text, want := range map[string]int{
		// right
		"":                                 0,
		"as spec §5.2 says":                0,
		"(spec §5.2, §A.4 and §V3.1.2)":    0,
		"(spec §5.2,\n§A.4), spec §7.6a.":  0,
		"spec §5–§5.2, spec §5 step 7, 8":  0,
		"spec §5.2 queryToMap":             0,
		"the specification, whole, part 1": 0,
		// sections that are not there
		"spec §5.3":           1,
		"spec §99":            1,
		"spec §5.2, §A.5":     1,
		"spec §V3.1.3 and §5": 1,
		"spec §7.6b":          1,
		// other forms
		"(§5.2)":                        1,
		"specification §5.2":            2,
		"(tracker-spec §5.2)":           1,
		"(tracker-spec-6, part 3 §A.4)": 2,
		"part 2 §5.2":                   2,
		"as errata 8 says":              1,
		"design.md §5":                  2,
		"spec\n§5.2":                    1,
		"spec §":                        1,
		"spec §5.2; §A.4":               1,
	} {
		if got := faults(text, known); len(got) != want {
			t.Errorf("%q: %d faults, want %d: %q", text, len(got), want, got)
		}
	}
}

// faults are what is wrong with the citations of a text.
func faults(text string, known map[string]bool) []string {
	found := deadEnds(text, known)
	if other := otherForm.FindString(text); other != "" {
		found = append(found, "cites the specification as "+other+"; write \"spec §5.2\"")
	}
	if rest := inForm.ReplaceAllString(text, ""); strings.Contains(rest, "§") {
		found = append(found, "has a § that is not in the form \"spec §5.2\": "+strings.TrimSpace(text))
	}
	return found
}

// deadEnds are the citations of sections that the specification does not have.
func deadEnds(text string, known map[string]bool) []string {
	var found []string
	for _, m := range citation.FindAllStringSubmatch(text, -1) {
		if m[1] != "" && !known[m[1]] {
			found = append(found, "docs/spec has no §"+m[1])
		}
	}
	return found
}

// sections are those of docs/spec; each has its number for itself.
func sections(t *testing.T) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	walk(t, ".md", func(path, text string) {
		if !strings.HasPrefix(path, "docs/spec/") {
			return
		}
		for _, m := range definition.FindAllStringSubmatch(text, -1) {
			if known[m[1]] {
				t.Errorf("%s: §%s is there twice", path, m[1])
			}
			known[m[1]] = true
		}
	})
	if len(known) == 0 {
		t.Fatal("docs/spec has no sections")
	}
	return known
}

// walk reads the files of the project whose names end with suffix; paths are those below its root, with slashes.
func walk(t *testing.T, suffix string, visit func(path, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(name), string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type comment struct {
	line int
	text string
}

// comments are the blocks of comments of a Go file, without their slashes.
func comments(t *testing.T, path, text string) []comment {
	t.Helper()
	if !strings.Contains(text, "§") && !otherForm.MatchString(text) {
		return nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return nil
	}
	var found []comment
	for _, group := range file.Comments {
		var lines []string
		for _, c := range group.List {
			lines = append(lines, strings.TrimSpace(strings.Trim(c.Text, "/*")))
		}
		found = append(found, comment{files.Position(group.Pos()).Line, strings.Join(lines, "\n")})
	}
	return found
}
