package tracker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/queuedtracking/queuedtracking/tracker/exclude"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// nonce is the token of a request with which Matomo checks whether its JavaScript works on a site: the request is not
// tracked, the success is noted in an option (spec §2.2).
type nonce struct {
	site  int64
	token string
}

func (w *unitOfWork) writeNonces(ctx context.Context) error {
	for _, n := range w.pending.nonces {
		name := "JsTrackerInstallCheck_" + strconv.FormatInt(n.site, 10)
		value, _, err := w.tx.Option(ctx, name)
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
		updated, ok := exclude.MarkNonce(value, n.token, w.batch.now)
		if !ok {
			continue
		}
		if err := w.tx.SetOptions(ctx, []store.Option{{Name: name, Value: updated}}); err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
	}
	return nil
}
