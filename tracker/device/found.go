package device

import (
	"io/fs"
	"slices"
)

// Found is what Load found in an installation's device-detector, for people to look at; see Warnings.
type Found struct {
	Version string // VERSION of DeviceDetector.php, "" when it cannot be read
	Rules   string // the release whose rules are used, the last that changed any; "after 6.5.1" for all that is newer
	Newer   bool   // Version is newer than every release that is known: rules may have changed since
	Older   bool   // Version is older than every release that is known

	// BuiltInTables is the release whose built-in tables stand in for what could not be read, "" when all tables are
	// the installation's own. Problems says what that is and why: a missing file, or a value that is no plain text
	// (file, line and name).
	BuiltInTables string
	Problems      []string
}

// Warnings are sentences on what may make devices differ from those that Matomo writes, none if all is known.
func (f Found) Warnings() []string {
	var list []string
	rules := "devices are told by the rules of " + f.Rules
	switch {
	case f.Version == "":
		list = append(list, "device-detector's version cannot be read: "+rules)
	case f.Newer:
		list = append(list, "device-detector "+f.Version+" is newer than all that are known: "+rules)
	case f.Older:
		list = append(list, "device-detector "+f.Version+" is older than all that are known: "+rules)
	}
	if f.BuiltInTables != "" {
		list = append(list,
			"device-detector's tables of "+f.BuiltInTables+", which are built in, stand in for what cannot be read: "+
				"newer names have no code; install Matomo's folder vendor as a whole")
	}
	for _, problem := range f.Problems {
		list = append(list, "device-detector: "+problem)
	}
	return list
}

// code is what an installation keeps in PHP: its tables and the rules of its release.
type code struct {
	facts  *facts
	tables *tables
	found  Found
}

func loadCode(folder fs.FS) (*code, error) {
	php := newPHPFolder(folder)
	c := &code{found: Found{Version: php.version()}}
	raw, release, err := builtinTables(c.found.Version)
	if err != nil {
		return nil, err
	}
	byVersion, _, _ := choose(c.found.Version, nil)
	php.readTables(raw, factsOf(byVersion))
	if len(php.failed) > 0 {
		c.found.BuiltInTables = release
	}
	c.found.Problems = slices.Clone(php.problems)
	c.tables = newTables(raw)
	own := c.tables
	if php.failed["operatingSystems"] || php.failed["availableBrowsers"] || php.failed["deviceBrands"] {
		own = nil
	}
	n, newer, older := choose(c.found.Version, own)
	c.facts, c.found.Rules, c.found.Newer, c.found.Older = factsOf(n), releases[n].version, newer, older
	return c, nil
}
