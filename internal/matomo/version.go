package matomo

import (
	"fmt"
	"strconv"
	"strings"
)

// equalSeries is the series of Matomo versions whose rows this program writes.
const equalSeries = "5.1"

// differences names what other versions of Matomo 5 are known to track differently, by the minor versions from…to.
var differences = []struct {
	from, to int
	what     string
}{
	{0, 0, "before 5.1 parameter lang is taken as it comes, here it is cleaned like the header"},
	{2, 99, "since 5.2 query parameters can be excluded by a list that Matomo maintains, which is not read here"},
	{5, 99, "since 5.5 AI assistants are referrer type 8, here they stay websites or search engines"},
	{7, 99, "since 5.7 plugin BotTracking can record AI bots, here bots are excluded"},
}

// CheckVersion tells whether this program may write for a Matomo of that version: 5.1.x without further ado, other 5.x with a warning
// that names what is known to differ, others not at all. force turns a refusal into a warning.
func CheckVersion(version string, force bool) (warning string, err error) {
	major, minor, ok := parseVersion(version)
	switch {
	case ok && fmt.Sprintf("%d.%d", major, minor) == equalSeries:
		return "", nil
	case ok && major == 5:
		return fmt.Sprintf("Matomo %s is not %s.x, whose rows are reproduced: %s", version, equalSeries, knownDifferences(minor)), nil
	}
	problem := fmt.Sprintf("Matomo %s is not supported, only version 5 is", version)
	if version == "" {
		problem = "the version of Matomo is unknown (no option version_core)"
	}
	if force {
		return problem + ": going on because of --force-version", nil
	}
	return "", fmt.Errorf("%s: --force-version goes on all the same", problem)
}

func knownDifferences(minor int) string {
	var all []string
	for _, d := range differences {
		if d.from <= minor && minor <= d.to {
			all = append(all, d.what)
		}
	}
	return strings.Join(all, "; ")
}

// parseVersion reads the first two numbers of a version such as 5.2.0-b1.
func parseVersion(version string) (major, minor int, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return 0, 0, false
	}
	major, errMajor := strconv.Atoi(parts[0])
	minor, errMinor := strconv.Atoi(parts[1])
	return major, minor, errMajor == nil && errMinor == nil
}
