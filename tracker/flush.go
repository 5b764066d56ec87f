package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// pending is what the batch has to write beside visits.
type pending struct {
	entries     []*store.ActionEntry
	links       []*store.LinkAction
	changes     []store.LinkChange
	conversions []*store.Conversion
	failures    []*store.Failure
	bots        []*store.BotRequest
	marks       []markKey
	nonces      []nonce
	banned      bool                  // addresses, see applier.bans
	created     map[int64]int64       // idsite -> unix second to which site.ts_created moves
	views       []*lookahead.PageView // new rows of log_page_view_time
	grown       []grownView           // rows of earlier ones
	visitors    []*visitorChange
}

// flush writes what the batch has done so far. Afterwards the database and the batch's memory agree.
func (a *applier) flush(ctx context.Context) error {
	if a.dry {
		return nil
	}
	tx, err := a.database(ctx)
	if err != nil {
		return err
	}
	if err := a.write(ctx); err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("rows of the batch: %w", err)
	}
	a.visits.Settle()
	return nil
}

// write hands what the batch has done so far to the transaction, which may collect it.
//
// New entries of the dictionary are committed at once, in a transaction of their own: they are harmless when the batch
// rolls back, and no other worker has to wait for them. Rows that exist are changed last: they stay locked until
// COMMIT, and the next batch may want them.
func (a *applier) write(ctx context.Context) error {
	a.visits.Number()
	if err := a.tx.CreateActions(ctx, a.pending.entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	changes, err := a.insertVisits(ctx)
	if err != nil {
		return err
	}
	if len(a.pending.visitors) == 0 {
		a.tx.Cut() // the next batch waits for the numbers of visits and actions
	}
	if err := a.tx.InsertConversions(ctx, a.pending.conversions, func(n int) { a.result.Conversions += n }); err != nil {
		return fmt.Errorf("log_conversion: %w", err)
	}
	if err := a.writeVisitorIDs(ctx); err != nil {
		return err
	}
	if err := a.insertPageViewTimes(ctx); err != nil {
		return err
	}
	if err := a.tx.InsertFailures(ctx, a.pending.failures); err != nil {
		return fmt.Errorf("tracking_failure: %w", err)
	}
	if err := a.tx.InsertBotRequests(ctx, a.pending.bots); err != nil {
		return fmt.Errorf("log_bot_request: %w", err)
	}
	if err := a.writeMarks(ctx); err != nil {
		return err
	}
	if err := a.writeNonces(ctx); err != nil {
		return err
	}
	if err := a.writeBans(ctx); err != nil {
		return err
	}
	if err := a.tx.UpdateLinkActions(ctx, a.pending.changes); err != nil {
		return fmt.Errorf("log_link_visit_action: %w", err)
	}
	if err := a.updatePageViewTimes(ctx); err != nil {
		return err
	}
	if err := a.tx.UpdateVisits(ctx, changes); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	for site, created := range a.pending.created {
		if err := a.tx.MoveSiteCreated(ctx, site, created); err != nil {
			return fmt.Errorf("site: %w", err)
		}
	}
	a.pending = pending{}
	return nil
}

// insertVisits writes new visits, then the actions that refer to them. It returns what has changed on visits, which
// may refer to the actions.
func (a *applier) insertVisits(ctx context.Context) (changes []store.VisitChange, err error) {
	var begun []*store.Visit
	for _, v := range a.visits.Touched() {
		if v.Stored != nil {
			changes = append(changes, store.VisitChange{Before: v.Stored, After: v.Row})
			continue
		}
		begun = append(begun, v.Row)
	}
	links := make([]store.LinkID, len(begun))
	for i, row := range begun {
		links[i], row.LastLinkAction = row.LastLinkAction, store.LinkID{}
	}
	if err := a.tx.InsertVisits(ctx, begun); err != nil {
		return nil, fmt.Errorf("log_visit: %w", err)
	}
	if err := a.tx.InsertLinkActions(ctx, a.pending.links); err != nil {
		return nil, fmt.Errorf("log_link_visit_action: %w", err)
	}
	for i, row := range begun {
		if links[i].Valid {
			before := *row
			row.LastLinkAction = links[i]
			changes = append(changes, store.VisitChange{Before: &before, After: row})
		}
	}
	a.result.Visits += len(begun)
	a.result.Actions += len(a.pending.links)
	return changes, nil
}
