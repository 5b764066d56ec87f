package exclude

import (
	"github.com/queuedtracking/queuedtracking/tracker/exclude/needles"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// isSpam looks for the entries of the spam list in the referrer (spec §2.7).
func (c *Checker) isSpam(r *request.Request) bool {
	list := c.spammers
	if general := r.General(); general.SpamReferrers != nil {
		list = c.listed.get(general, func() *needles.Needles { return needles.New(general.SpamReferrers) })
	}
	return list.In(r.Text("urlref"))
}
