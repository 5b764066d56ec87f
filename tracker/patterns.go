package tracker

import (
	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/conversion"
	"github.com/queuedtracking/queuedtracking/tracker/dimension"
	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
)

// UnsupportedPatterns names the regular expressions of a site that PHP understands and this tracker does not (php.ErrUnsupported). In its rows
// they match nothing.
func UnsupportedPatterns(site *matomo.Site) (found []string) {
	for _, in := range []func(*matomo.Site) []string{
		conversion.UnsupportedPatterns, dimension.UnsupportedPatterns, pageurl.UnsupportedPatterns, exclude.UnsupportedPatterns,
	} {
		found = append(found, in(site)...)
	}
	return found
}
