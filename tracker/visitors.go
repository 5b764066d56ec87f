package tracker

import (
	"context"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Visitors tells who made a request, by the settings of the installation: which queue a request belongs to depends on
// it (spec §0.1). A request that names its visitor wrongly counts as one without a visitor id, as it does when Matomo
// queues it.
func (t *Tracker) Visitors(ctx context.Context) queue.VisitorFunc {
	return func(set queue.RequestSet, i int) (visitorID []byte, ip string) {
		r := request.New(set.Requests[i], &request.Origin{
			Env:       request.Env{Server: set.Env.Server, Cookie: set.Env.Cookie},
			TokenAuth: set.TokenAuth,
			QueuedAt:  set.Time,
		})
		general, err := t.installation.General(ctx)
		if err != nil {
			return queue.VisitorID(set.Requests[i]), ""
		}
		c := &request.Context{
			General: general, Settings: t.global, Features: t.features, Behaviours: t.behaviours, Auth: t.auth.during(ctx),
			Now: t.clock().Unix(),
		}
		if site, err := t.installation.Site(ctx, r.SiteID()); err == nil {
			c.Site, c.Settings = site, site.Tracker
		}
		r.Bind(c)
		if id, ok, err := r.VisitorID(); err == nil && ok {
			visitorID = id[:]
		}
		if ip, _, err = r.IP(); err != nil {
			ip = r.HeaderIP()
		}
		return visitorID, ip
	}
}
