package device

import "io/fs"

// RawTables are the tables as they are read.
type RawTables = rawTables

// Family is a name with the codes of its members.
type Family = family

// Marks are the codes by which releases are told.
type Marks struct{ Version, System, Browser, Brand string }

// TablesOf reads the tables from PHP files, and says what could not be read.
func TablesOf(folder fs.FS) (*RawTables, []string) {
	php, raw := newPHPFolder(folder), &rawTables{}
	php.readTables(raw, factsOf(len(releases)-1))
	return raw, php.problems
}

// BuiltIn are the built-in tables for a version.
func BuiltIn(version string) (*RawTables, error) {
	raw, _, err := builtinTables(version)
	return raw, err
}

// AllMarks are the marks of all releases.
func AllMarks() []Marks {
	var all []Marks
	for _, r := range releases {
		all = append(all, Marks{r.version, r.marks.system, r.marks.browser, r.marks.brand})
	}
	return all
}
