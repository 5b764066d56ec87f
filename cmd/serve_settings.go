package cmd

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// options are those rows of table option that receiving looks at; they are read again from time to time.
type options struct {
	installation *matomo.Installation // nil: without database
	current      atomic.Pointer[matomo.General]
}

func newOptions(ctx context.Context, installation *matomo.Installation) (*options, error) {
	o := &options{installation: installation}
	o.current.Store(&matomo.General{})
	if installation == nil {
		return o, nil
	}
	return o, o.read(ctx)
}

func (o *options) get() *matomo.General { return o.current.Load() }

func (o *options) read(ctx context.Context) error {
	general, err := o.installation.General(ctx)
	if err != nil {
		return err
	}
	o.current.Store(general)
	return nil
}

// maxRememberedSites bounds the sites whose settings are kept: requests may name any number.
const maxRememberedSites = 10_000

// siteSettings gives the settings of a site, with those of section [Tracker_<idsite>].
func siteSettings(config *matomo.Config) func(siteID int64) *matomo.TrackerSettings {
	var mu sync.RWMutex
	known := make(map[int64]*matomo.TrackerSettings)
	return func(siteID int64) *matomo.TrackerSettings {
		mu.RLock()
		s, ok := known[siteID]
		mu.RUnlock()
		if ok {
			return s
		}
		s = config.Tracker(siteID)
		mu.Lock()
		defer mu.Unlock()
		if len(known) >= maxRememberedSites {
			clear(known)
		}
		known[siteID] = s
		return s
	}
}
