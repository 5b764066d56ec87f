// Package build knows which build of this program runs: version, commit and date, wherever the source came from.
//
//   - an archive: "git archive" puts them into archive.txt, which is embedded (export-subst in .gitattributes);
//   - a git checkout: Go's linker notes commit, date and the version that follows from the tags;
//   - "go install …@latest": Go notes the version of the module and its checksum. The commit and its date are part of
//     the version, unless it is a tagged one: then the module proxy does not tell them.
//
// Nothing has to be given to the linker, so a release is built like everything else.
package build

import (
	"cmp"
	_ "embed" // archive.txt
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Development is the version of a build that nothing is known of.
const Development = "development"

// Info says which build it is. What is not known is empty.
type Info struct {
	// Version is that of the tag, 0.1.0, or for commits without one what Go makes of the tag before, the time and the
	// commit: 0.1.1-0.20261130173935-2381b49383d2. It ends with +dirty where the commit does not have all changes.
	Version string `json:"version"`
	// Commit is its hash, at least the first twelve digits.
	Commit string `json:"commit,omitempty"`
	// Date is when the commit was made, in UTC.
	Date time.Time `json:"date,omitzero"`
	// Modified tells of changes that are not committed.
	Modified bool `json:"modified,omitempty"`
	// Module is the checksum of the module that "go install" took.
	Module string `json:"module,omitempty"`
	// Go is the version of Go that built it.
	Go string `json:"go"`
	// Platform is system and architecture: linux/amd64.
	Platform string `json:"platform"`
}

//go:embed archive.txt
var archive string

// Current is the build that runs.
func Current() Info {
	noted, ok := debug.ReadBuildInfo()
	if !ok {
		noted = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	info := Of(noted)
	info.Platform = runtime.GOOS + "/" + runtime.GOARCH
	return info
}

// Of is the build that Go's notes are in. Where they know no commit it is that of the archive that the caller itself
// was built from, if it was one.
func Of(noted *debug.BuildInfo) Info { return of(noted, archive) }

func of(noted *debug.BuildInfo, archive string) Info {
	settings := make(map[string]string)
	for _, s := range noted.Settings {
		settings[s.Key] = s.Value
	}
	info := Info{Go: noted.GoVersion, Platform: settings["GOOS"] + "/" + settings["GOARCH"]}
	module := strings.TrimPrefix(noted.Main.Version, "v")
	if module == "(devel)" {
		module = ""
	}
	switch fields := parseArchive(archive); {
	case fields != nil:
		info.Commit, info.Date = fields["commit"], parseTime(fields["date"])
		info.Version = versionOf(fields["describe"], info.Commit, info.Date)
	case settings["vcs.revision"] != "":
		info.Commit, info.Date = settings["vcs.revision"], parseTime(settings["vcs.time"])
		info.Modified = settings["vcs.modified"] == "true"
		info.Version = cmp.Or(module, versionOf("", info.Commit, info.Date))
	case module != "":
		info.Version, info.Module = module, noted.Main.Sum
		info.Commit, info.Date = ofPseudoVersion(module)
	default:
		info.Version = Development
	}
	return info
}

// parseArchive reads archive.txt, nil when "git archive" has not written it.
func parseArchive(text string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(value, "%(") { // a git older than 2.32, which leaves it alone
			fields[name] = value
		}
	}
	if !commitHash.MatchString(fields["commit"]) {
		return nil
	}
	return fields
}

var (
	commitHash    = regexp.MustCompile(`^[0-9a-f]{40,64}$`)
	commitsAfter  = regexp.MustCompile(`-\d+-g[0-9a-f]+$`)
	tagged        = regexp.MustCompile(`^v(\d+\.\d+)\.(\d+)(-.+)?$`)
	pseudoVersion = regexp.MustCompile(`[-.](\d{14})-([0-9a-f]{12})(?:\+.*)?$`)
)

// pseudoTime is the form of a time in pseudo-versions.
const pseudoTime = "20060102150405"

// versionOf is the version of a commit that "git describe" has described, as Go would name it.
func versionOf(description, commit string, date time.Time) string {
	stamp := date.UTC().Format(pseudoTime) + "-" + commit[:12]
	name := commitsAfter.ReplaceAllString(description, "")
	tag := tagged.FindStringSubmatch(name)
	switch {
	case tag == nil:
		return "0.0.0-" + stamp
	case name == description:
		return strings.TrimPrefix(name, "v")
	case tag[3] != "":
		return strings.TrimPrefix(name, "v") + ".0." + stamp
	}
	patch, _ := strconv.Atoi(tag[2]) // digits
	return tag[1] + "." + strconv.Itoa(patch+1) + "-0." + stamp
}

// ofPseudoVersion is the commit in a version that has one.
func ofPseudoVersion(version string) (commit string, date time.Time) {
	match := pseudoVersion.FindStringSubmatch(version)
	if match == nil {
		return "", time.Time{}
	}
	date, err := time.Parse(pseudoTime, match[1])
	if err != nil {
		return "", time.Time{}
	}
	return match[2], date
}

// parseTime is the time of a commit, zero when it is none.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
