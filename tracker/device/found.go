package device

import (
	"io/fs"
	"slices"
)

// Found is what Load found in an installation's device-detector, for people to look at.
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
	n, newer, older := choose(c.found.Version, nil)
	php.readTables(raw, factsOf(n))
	if len(php.failed) > 0 {
		c.found.BuiltInTables = release
	}
	c.found.Problems = slices.Clone(php.problems)
	c.tables = newTables(raw)
	own := c.tables
	if php.failed["operatingSystems"] || php.failed["availableBrowsers"] || php.failed["deviceBrands"] {
		own = nil
	}
	n, newer, older = choose(c.found.Version, own)
	c.facts, c.found.Rules, c.found.Newer, c.found.Older = factsOf(n), releases[n].version, newer, older
	return c, nil
}
