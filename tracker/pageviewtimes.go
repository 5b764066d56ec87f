package tracker

import (
	"crypto/md5" // Matomo's format
	"encoding/hex"
	"slices"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// pageViewID is pv_id as log_page_view_time has it: up to six visible ASCII characters stay as they are, everything
// else is hashed.
func pageViewID(param string) string {
	const chars = 6
	if len(param) <= chars && !slices.ContainsFunc([]byte(param), func(c byte) bool { return c < '!' || c > '~' }) {
		return param
	}
	sum := md5.Sum([]byte(param))
	return hex.EncodeToString(sum[:])[:chars]
}

// timeSpent is time_spent of a page view that was looked at until a moment: it never shrinks, but is cut to the length
// of a visit.
func timeSpent(view *store.PageViewTime, until, longest int64) int64 {
	return min(longest, max(view.TimeSpent, until-view.ServerTime))
}
