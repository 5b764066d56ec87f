package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// DataError is a value that the database refuses in strict mode (specification §B.3).
type DataError struct {
	Table, Column string
	Reason        string // "out of range", "too long" …: never the value
}

func (e *DataError) Error() string { return fmt.Sprintf("%s.%s: %s", e.Table, e.Column, e.Reason) }

// ErrPageViewThere says that log_page_view_time has a row for an action that was only now inserted: its tables were
// emptied by halves.
var ErrPageViewThere = errors.New("log_page_view_time knows a new action already")

// Numbers of the server's errors.
const (
	errChanged            = 1020 // MariaDB with innodb_snapshot_isolation
	errTooManyConnections = 1040
	errNotReady           = 1047 // a node of a cluster that has not joined yet
	errBadNull            = 1048
	errServerShutdown     = 1053
	errDuplicate          = 1062
	errLockWait           = 1205
	errDeadlock           = 1213
	errOutOfRange         = 1264
	errTruncated          = 1265
	errReadOnly           = 1290
	errBadTime            = 1292
	errBadText            = 1300
	errInterrupted        = 1317
	errNoDefault          = 1364
	errBadValue           = 1366
	errTooLong            = 1406
	errWrongValue         = 1525 // a time beyond the year 9999 that a row is compared with
	errDataOutOfRange     = 1690
	errReadOnlyMode       = 1836
	errConnectionKilled   = 1927
)

// IsRetryable reports whether the same work may succeed when it is done again in a new transaction: a deadlock, a lock
// that was waited for too long, a busy SQLite file, a database that went away, or ErrPageViewThere.
func IsRetryable(err error) bool {
	if errors.Is(err, ErrPageViewThere) {
		return true
	}
	switch serverError(err) {
	case errLockWait, errDeadlock, errChanged:
		return true
	}
	if code := sqliteError(err); code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED {
		return true
	}
	return IsConnectionLost(err)
}

// IsConnectionLost reports whether the database cannot be reached, went away or does not accept writes for now. After
// a lost answer to Commit it is not known whether the transaction took place; the checkpoint tells.
func IsConnectionLost(err error) bool {
	switch serverError(err) {
	case errTooManyConnections, errNotReady, errServerShutdown, errReadOnly, errInterrupted, errReadOnlyMode, errConnectionKilled:
		return true
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.As(err, &network)
}

// IsDataError reports whether a value was refused, by Conform or by the server. In the latter case one row of the
// statement is to blame: the caller finds it by writing less at once.
func IsDataError(err error) bool {
	var data *DataError
	if errors.As(err, &data) || errors.Is(err, mysql.ErrPktTooLarge) {
		return true
	}
	switch serverError(err) {
	case errBadNull, errDuplicate, errOutOfRange, errTruncated, errBadTime, errNoDefault, errBadText, errBadValue, errTooLong, errWrongValue, errDataOutOfRange:
		return true
	}
	return sqliteError(err) == sqlite3.SQLITE_CONSTRAINT
}

// isDuplicate reports whether a unique key refused a row.
func isDuplicate(err error) bool {
	return serverError(err) == errDuplicate || sqliteError(err) == sqlite3.SQLITE_CONSTRAINT
}

// serverError is the number of a MySQL or MariaDB error, 0 for any other error.
func serverError(err error) uint16 {
	var m *mysql.MySQLError
	if errors.As(err, &m) {
		return m.Number
	}
	return 0
}

// sqliteError is SQLite's primary result code, 0 for any other error.
func sqliteError(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
