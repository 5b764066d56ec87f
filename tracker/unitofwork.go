package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/tracker/lookahead"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// unitOfWork is what a batch has to write, and the transaction in which it does. It exists for one attempt to write the
// batch.
type unitOfWork struct {
	t     *Tracker
	batch *Prepared
	begin func(ctx context.Context) (*store.Tx, error)
	tx    *store.Tx // nil: not needed yet
	dry   bool      // nothing is written

	visits  *lookahead.Visits
	pending pending
	result  *Result // rows are counted when they are written

	// For the caches, when the batch is committed.
	newMarks   []markKey
	movedSites []int64
}

// database is the transaction of the batch.
func (w *unitOfWork) database(ctx context.Context) (*store.Tx, error) {
	if w.tx == nil {
		tx, err := w.begin(ctx)
		if err != nil {
			return nil, err
		}
		w.tx = tx
		if w.visits != nil {
			w.visits.Number()
		}
	}
	return w.tx, nil
}

// FindVisits asks the database with all changes of the batch in it: there visits are looked up when memory is not sure.
func (w *unitOfWork) FindVisits(ctx context.Context, queries []store.VisitQuery) ([]store.Found, error) {
	if err := w.flush(ctx); err != nil {
		return nil, err
	}
	tx, err := w.database(ctx)
	if err != nil {
		return nil, err
	}
	return tx.FindVisits(ctx, queries)
}

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
	banned      *spam.List            // the option with the bans as it is to be, nil when it stays as it is
	created     map[int64]int64       // idsite -> unix second to which site.ts_created moves
	views       []*lookahead.PageView // new rows of log_page_view_time
	grown       []grownView           // rows of earlier ones
	visitors    []*visitorChange
}

// flush writes what the batch has done so far. Afterwards the database and the batch's memory agree.
func (w *unitOfWork) flush(ctx context.Context) error {
	if w.dry {
		return nil
	}
	tx, err := w.database(ctx)
	if err != nil {
		return err
	}
	if err := w.write(ctx); err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("rows of the batch: %w", err)
	}
	w.visits.Settle()
	return nil
}

// write hands what the batch has done so far to the transaction, which may collect it.
//
// New entries of the dictionary are committed at once, in a transaction of their own: they are harmless when the batch
// rolls back, and no other worker has to wait for them. Rows that exist are changed last: they stay locked until
// COMMIT, and the next batch may want them.
func (w *unitOfWork) write(ctx context.Context) error {
	w.visits.Number()
	if err := w.tx.CreateActions(ctx, w.pending.entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	changes, err := w.insertVisits(ctx)
	if err != nil {
		return err
	}
	if len(w.pending.visitors) == 0 {
		w.tx.Cut() // the next batch waits for the numbers of visits and actions
	}
	if err := w.tx.InsertConversions(ctx, w.pending.conversions, func(n int) { w.result.Conversions += n }); err != nil {
		return fmt.Errorf("log_conversion: %w", err)
	}
	if err := w.writeVisitorIDs(ctx); err != nil {
		return err
	}
	if err := w.insertPageViewTimes(ctx); err != nil {
		return err
	}
	if err := w.tx.InsertFailures(ctx, w.pending.failures); err != nil {
		return fmt.Errorf("tracking_failure: %w", err)
	}
	if err := w.tx.InsertBotRequests(ctx, w.pending.bots); err != nil {
		return fmt.Errorf("log_bot_request: %w", err)
	}
	if err := w.writeMarks(ctx); err != nil {
		return err
	}
	if err := w.writeNonces(ctx); err != nil {
		return err
	}
	if err := w.writeBans(ctx); err != nil {
		return err
	}
	if err := w.tx.UpdateLinkActions(ctx, w.pending.changes); err != nil {
		return fmt.Errorf("log_link_visit_action: %w", err)
	}
	if err := w.updatePageViewTimes(ctx); err != nil {
		return err
	}
	if err := w.tx.UpdateVisits(ctx, changes); err != nil {
		return fmt.Errorf("log_visit: %w", err)
	}
	for site, created := range w.pending.created {
		if err := w.tx.MoveSiteCreated(ctx, site, created); err != nil {
			return fmt.Errorf("site: %w", err)
		}
	}
	w.pending = pending{}
	return nil
}

// insertVisits writes new visits, then the actions that refer to them. It returns what has changed on visits, which
// may refer to the actions.
func (w *unitOfWork) insertVisits(ctx context.Context) (changes []store.VisitChange, err error) {
	var begun []*store.Visit
	for _, v := range w.visits.Touched() {
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
	if err := w.tx.InsertVisits(ctx, begun); err != nil {
		return nil, fmt.Errorf("log_visit: %w", err)
	}
	if err := w.tx.InsertLinkActions(ctx, w.pending.links); err != nil {
		return nil, fmt.Errorf("log_link_visit_action: %w", err)
	}
	for i, row := range begun {
		if links[i].Valid {
			before := *row
			row.LastLinkAction = links[i]
			changes = append(changes, store.VisitChange{Before: &before, After: row})
		}
	}
	w.result.Visits += len(begun)
	w.result.Actions += len(w.pending.links)
	return changes, nil
}

// change is the pending change of an action that is in the database, or on its way there.
func (p *pending) change(link store.LinkID) *store.LinkChange {
	for i := range p.changes {
		if p.changes[i].Link.Number() == link.Number() {
			return &p.changes[i]
		}
	}
	p.changes = append(p.changes, store.LinkChange{Link: link})
	return &p.changes[len(p.changes)-1]
}

// committed tells the caches what the committed batch has changed.
func (w *unitOfWork) committed() {
	w.t.marked.add(w.newMarks)
	for _, site := range w.movedSites {
		w.t.installation.Forget(site)
	}
}
