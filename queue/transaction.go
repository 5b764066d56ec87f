package queue

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Transactional is a Backend whose queues may be in the database that requests are tracked into. Entries then leave the
// queue, and dead letters are put aside, with the commit of the rows: nothing can come in between.
//
// Errors of statements of a transaction are returned with their cause as it is, to be judged like those of its other
// statements.
type Transactional interface {
	// SharesDatabase reports whether the queues are reached through db.
	SharesDatabase(db *sqlx.DB) bool
	// RemoveFirstTx is Backend.RemoveFirst as a part of tx. When it reports false, or fails, tx must be rolled back: the
	// batch is not in the queue any more.
	RemoveFirstTx(ctx context.Context, tx Executor, list string, batch Batch) (bool, error)
	// AppendTx is Backend.Append as a part of tx.
	AppendTx(ctx context.Context, tx Executor, list string, elements ...[]byte) error
}

var _ Transactional = (*MySQL)(nil)

// InTransaction gives the backend as one that takes part in the transactions of db, if it does.
func InTransaction(b Backend, db *sqlx.DB) (Transactional, bool) {
	t, ok := b.(Transactional)
	return t, ok && t.SharesDatabase(db)
}

// SharesDatabase implements Transactional.
func (m *MySQL) SharesDatabase(db *sqlx.DB) bool { return m.db == db }

// RemoveFirstTx implements Transactional. It locks the rows of the batch and the list's counter until tx ends; writers,
// and workers of other queues, do not wait for it.
func (m *MySQL) RemoveFirstTx(ctx context.Context, tx Executor, list string, batch Batch) (bool, error) {
	if len(batch.Elements) == 0 {
		return true, nil
	}
	if err := m.ensureCounter(ctx, list, batch); err != nil {
		return false, err
	}
	removed, err := m.removeRows(ctx, tx, list, batch)
	if err != nil {
		return false, fmt.Errorf("remove batch from %s: %w", list, err)
	}
	return removed, nil
}

// AppendTx implements Transactional. A table that is missing is made over another connection: to make one ends a
// transaction.
func (m *MySQL) AppendTx(ctx context.Context, tx Executor, list string, elements ...[]byte) error {
	err := m.insertAll(ctx, tx, list, elements)
	if isMissingTable(err) {
		if err := m.call(ctx, "create", nil, m.createList(list)); err != nil {
			return err
		}
		err = m.insertAll(ctx, tx, list, elements)
	}
	if err != nil {
		return fmt.Errorf("append to %s: %w", list, err)
	}
	return nil
}
