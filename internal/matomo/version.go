package matomo

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// Version is the version of Matomo or of a plugin: three numbers. A beta counts as the version that it leads to:
// 6.0.0-b1 is 6.0.0. The zero Version is an unknown one, older than all others.
type Version struct{ Major, Minor, Patch int }

var versionText = regexp.MustCompile(`^([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:$|[^0-9])`)

// ParseVersion reads a version such as 5.2.0 or 6.0.0-b1; ok is false for what does not begin with two numbers.
func ParseVersion(text string) (v Version, ok bool) {
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return Version{}, false
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // "" is 0
	return Version{number(m[1]), number(m[2]), number(m[3])}, true
}

// String is the version as Matomo writes it.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Since reports whether v is first, given as text, or newer.
func (v Version) Since(first string) bool {
	f, ok := ParseVersion(first)
	if !ok {
		panic("version " + first)
	}
	return cmp.Or(cmp.Compare(v.Major, f.Major), cmp.Compare(v.Minor, f.Minor), cmp.Compare(v.Patch, f.Patch)) >= 0
}

// The versions of Matomo whose rows are known: from the first one on, and before the other.
const (
	firstKnown = "5.0.0"
	afterFive  = "5.15.0"
	afterSix   = "6.1.0"
)

// KnownVersions are the same in words.
const KnownVersions = "5.0 to 5.14 and 6.0"

// CheckVersion tells whether the rows of a Matomo of that version are known here. Those of others are refused; force
// turns the refusal into a warning, and rows are then those of the nearest version that is known.
func CheckVersion(version string, force bool) (warning string, err error) {
	v, ok := ParseVersion(version)
	if ok && v.Since(firstKnown) && (!v.Since(afterFive) || v.Major == 6 && !v.Since(afterSix)) {
		return "", nil
	}
	problem := fmt.Sprintf("Matomo %s is not supported: the rows of %s are known", version, KnownVersions)
	if version == "" {
		problem = "the version of Matomo is unknown (no option version_core)"
	}
	if force {
		return problem + "; going on because of --force-version", nil
	}
	return "", fmt.Errorf("%s; --force-version processes all the same, as the nearest version would", problem)
}

var constVersion = regexp.MustCompile(`const\s+VERSION\s*=\s*['"]([^'"]+)['"]`)

// fileVersion is the version of Matomo that core/Version.php of the directory names, "" when it does not.
func fileVersion(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "core", "Version.php"))
	if err != nil {
		return ""
	}
	if m := constVersion.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// versionOfFiles is fileVersion as a Version.
func versionOfFiles(dir string) Version {
	v, _ := ParseVersion(fileVersion(dir))
	return v
}
