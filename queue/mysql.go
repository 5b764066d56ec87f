package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// MySQL is the backend in tables of Matomo's database on MySQL or MariaDB, with the plugin's names, columns and rules
// (spec §0.1):
//
//   - list trackingQueueV1_3 is the table <prefix>queuedtracking_list_trackingQueueV1_3, made by whoever writes to it first;
//   - keys are rows of <prefix>queuedtracking_queue; whether one has run out is decided by the server's clock, in whole seconds;
//   - the offset counter of a list is such a row, too (OffsetKey). It is not derived from idqueuelist, which has gaps.
//
// Writers that run at the same time commit their rows in another order than that of idqueuelist. A batch therefore
// knows the rows that it was read from, and exactly these are removed: the plugin, which removes as many of the oldest
// rows as it has read, may remove one that it has not seen.
//
// Every call is one attempt, and a statement or transaction of its own; Transactional has the exceptions.
type MySQL struct {
	db     *sqlx.DB
	prefix string
	server string
}

var _ Backend = (*MySQL)(nil)

// mysqlTimeout bounds every call.
const mysqlTimeout = 30 * time.Second

// NewMySQL makes the backend in the database of db, which remains the caller's to close. prefix is that of all of
// Matomo's tables; name is how errors call the server, e.g. "database matomo at 127.0.0.1:3306".
func NewMySQL(db *sqlx.DB, prefix, name string) (*MySQL, error) {
	if db == nil {
		return nil, errors.New("queue in MySQL: no database")
	}
	if strings.ContainsAny(prefix, "`.\x00") {
		return nil, fmt.Errorf("queue in MySQL: prefix %q of tables", prefix)
	}
	return &MySQL{db, prefix, name}, nil
}

// Close implements Backend. The database stays open.
func (m *MySQL) Close() error { return nil }

// call runs f within the time limit and words its error. A table that is missing is made and f run once more when
// create is set; otherwise missing tables are as good as empty ones: call reports no error and f has left its result at
// zero.
func (m *MySQL) call(
	ctx context.Context, what string, create func(context.Context) error, f func(context.Context) error,
) error {
	limited, cancel := context.WithTimeout(ctx, mysqlTimeout)
	defer cancel()
	err := f(limited)
	if isMissingTable(err) {
		if create == nil {
			return nil
		}
		if err = create(limited); err == nil {
			err = f(limited)
		}
	}
	if err != nil {
		return m.wrap(ctx, what, err)
	}
	return nil
}

// inTx is call with f in a transaction.
func (m *MySQL) inTx(ctx context.Context, what string, create func(context.Context) error, f func(context.Context, *sqlx.Tx) error,
) error {
	return m.call(ctx, what, create, func(ctx context.Context) error {
		tx, err := m.db.BeginTxx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit there is nothing to roll back
		if err := f(ctx, tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}
