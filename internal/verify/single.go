package verify

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// single is a database all of whose connections are one and the same, in a transaction that is never committed.
// Whatever the native engine writes, names in log_action and salts that are otherwise committed on their own among it,
// is in that transaction and goes with it: no statement has another way to the server. What begins or rolls back a
// transaction is done to a savepoint within.
type single struct {
	mu      sync.Mutex
	conn    *sql.Conn
	written footprint
}

// errCommit keeps a transaction from being committed.
var errCommit = errors.New("verify: a comparison must not commit")

const savepoint = "qt_verify"

// newSingle takes a connection of db for good, and opens a transaction. Lock waits are bounded.
func newSingle(ctx context.Context, db *sqlx.DB, lockWait time.Duration) (*single, error) {
	conn, err := db.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &single{conn: conn, written: make(footprint)}
	for _, statement := range session(lockWait) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", statement, err), conn.Close())
		}
	}
	if _, err := conn.ExecContext(ctx, "START TRANSACTION"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return s, nil
}

// session is what both sides set for their connections: what is read stays the same for as long as a transaction lasts,
// and none waits for long.
func session(lockWait time.Duration) []string {
	return []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d", max(1, int(lockWait/time.Second))),
	}
}

// database is the single connection as a pool.
func (s *single) database(driverName string) *sqlx.DB {
	return sqlx.NewDb(sql.OpenDB(singleConnector{s}), driverName)
}

// begin opens the transaction: what it reads is as of now.
func (s *single) begin(ctx context.Context) error {
	return s.own(ctx, "ROLLBACK", "START TRANSACTION WITH CONSISTENT SNAPSHOT")
}

// ready ends the transaction in which everything was opened, with connections as the store wants them. From now on
// whatever is asked between two comparisons is in a transaction as well, also after one that the server has ended.
func (s *single) ready(ctx context.Context) error {
	return s.own(ctx, "ROLLBACK", "SET SESSION autocommit = 0")
}

// rollback takes everything back.
func (s *single) rollback(ctx context.Context) error { return s.own(ctx, "ROLLBACK") }

// own executes statements of the comparison itself.
func (s *single) own(ctx context.Context, statements ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, statement := range statements {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}

// insert is own for a statement with values.
func (s *single) insert(ctx context.Context, statement string, values ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.ExecContext(ctx, statement, values...)
	return err
}

// ask is an asker.
func (s *single) ask(ctx context.Context, query string) ([][]*string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var found [][]*string
	for rows.Next() {
		cells := make([]*string, len(columns))
		targets := make([]any, len(columns))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		found = append(found, cells)
	}
	return found, rows.Err()
}

// wrote is what was written since it was asked last.
func (s *single) wrote() footprint {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := s.written
	s.written = make(footprint)
	return written
}

// close ends the connection: the server rolls back what is open.
func (s *single) close() {
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close()
}

// singleConnector makes handles of a single.
type singleConnector struct{ s *single }

func (c singleConnector) Connect(context.Context) (driver.Conn, error) { return &handle{c.s}, nil }
func (c singleConnector) Driver() driver.Driver                        { return nil }

// handle is a connection of the pool.
type handle struct{ s *single }

var (
	_ driver.ExecerContext     = (*handle)(nil)
	_ driver.QueryerContext    = (*handle)(nil)
	_ driver.NamedValueChecker = (*handle)(nil)
)

func (h *handle) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("verify: statements are not prepared")
}
func (h *handle) Close() error { return nil }

func (h *handle) Begin() (driver.Tx, error) {
	return nil, errors.New("verify: a transaction within the one that is compared")
}

// CheckNamedValue is the driver's.
func (h *handle) CheckNamedValue(value *driver.NamedValue) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.conn.Raw(func(conn any) error {
		if checker, ok := conn.(driver.NamedValueChecker); ok {
			return checker.CheckNamedValue(value)
		}
		return driver.ErrSkip
	})
}

// rewritten turns what begins and ends transactions into what does so with a savepoint.
func rewritten(query string) (string, error) {
	if rest, ok := strings.CutPrefix(query, "START TRANSACTION"); ok {
		return "SAVEPOINT " + savepoint + rest, nil
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(strings.TrimRight(verb, ";")) {
	case "ROLLBACK":
		return "ROLLBACK TO SAVEPOINT " + savepoint, nil
	case "COMMIT", "BEGIN", "START", "CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "LOCK", "ANALYZE", "OPTIMIZE":
		return "", fmt.Errorf("%w: %s", errCommit, verb)
	}
	return query, nil
}

// ExecContext implements driver.ExecerContext.
func (h *handle) ExecContext(
	ctx context.Context, query string, args []driver.NamedValue,
) (result driver.Result, err error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	query, err = h.s.admit(query, args)
	if err != nil {
		return nil, err
	}
	err = h.s.conn.Raw(func(conn any) (err error) {
		result, err = conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

// QueryContext implements driver.QueryerContext. The rows are read at once: another statement may follow.
func (h *handle) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	query, err := h.s.admit(query, args)
	if err != nil {
		return nil, err
	}
	kept := new(keptRows)
	err = h.s.conn.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, args)
		if err != nil {
			return err
		}
		return errors.Join(kept.read(rows), rows.Close())
	})
	return kept, err
}

// admit notes what a statement writes, and refuses one that must not be.
func (s *single) admit(query string, args []driver.NamedValue) (string, error) {
	query, err := rewritten(query)
	if err != nil {
		return "", err
	}
	values := make([]string, len(args))
	for i, arg := range args {
		switch v := arg.Value.(type) {
		case []byte:
			values[i] = string(v)
		default:
			values[i] = fmt.Sprint(v)
		}
	}
	s.written.note(query, values)
	return query, nil
}

// keptRows are rows in memory.
type keptRows struct {
	columns []string
	rows    [][]driver.Value
}

func (k *keptRows) read(from driver.Rows) error {
	k.columns = from.Columns()
	for {
		row := make([]driver.Value, len(k.columns))
		switch err := from.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for i := range row {
			if raw, ok := row[i].([]byte); ok {
				row[i] = append([]byte{}, raw...)
			}
		}
		k.rows = append(k.rows, row)
	}
}

func (k *keptRows) Columns() []string { return k.columns }
func (k *keptRows) Close() error      { return nil }

func (k *keptRows) Next(row []driver.Value) error {
	if len(k.rows) == 0 {
		return io.EOF
	}
	copy(row, k.rows[0])
	k.rows = k.rows[1:]
	return nil
}
