package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// DataError is a value that the database refuses in strict mode (spec §B.3).
type DataError struct {
	Table, Column string
	Reason        string // "out of range", "too long" …: never the value
}

func (e *DataError) Error() string { return fmt.Sprintf("%s.%s: %s", e.Table, e.Column, e.Reason) }

// ErrPageViewThere says that log_page_view_time has a row for an action that was only now inserted: its tables were
// emptied by halves.
var ErrPageViewThere = errors.New("log_page_view_time knows a new action already")

// Numbers of the server's errors that are treated each in its way.
const (
	errChanged            = 1020 // MariaDB with innodb_snapshot_isolation
	errTooManyConnections = 1040
	errNotReady           = 1047 // a node of a cluster that is not, or no longer, one of the majority
	errServerShutdown     = 1053
	errDuplicate          = 1062
	errPacketTooLarge     = 1153
	errUserConnections    = 1203 // max_user_connections of the server
	errDuringCommit       = 1180 // the outcome is unknown: a node has lost the majority meanwhile, or a disk is full
	errLockWait           = 1205
	errDeadlock           = 1213
	errUserLimit          = 1226 // max_user_connections of the account, or another of its limits
	errOutOfRange         = 1264
	errTruncated          = 1265
	errReadOnly           = 1290
	errBadTime            = 1292
	errBadText            = 1300
	errInterrupted        = 1317
	errBadValue           = 1366
	errTooLong            = 1406
	errWrongValue         = 1525 // a time beyond the year 9999 that a row is compared with
	errSignal             = 1644 // a trigger's SIGNAL, with any SQLSTATE
	errDataOutOfRange     = 1690
	errReadOnlySession    = 1792 // transaction_read_only
	errReadOnlyMode       = 1836
	errConnectionKilled   = 1927
	errOffline            = 3032
	errInactive           = 4031 // MySQL has closed the connection
)

// IsRetryable reports whether the same work may succeed when it is done again in a new transaction: a deadlock, a lock
// that was waited for too long, a busy SQLite file, a database that went away, a COMMIT whose outcome the server does
// not know, ErrPageViewThere, or ErrDistanceMoved.
func IsRetryable(err error) bool {
	if errors.Is(err, ErrPageViewThere) || errors.Is(err, ErrDistanceMoved) {
		return true
	}
	switch serverError(err) {
	case errLockWait, errDeadlock, errChanged, errDuringCommit:
		return true
	}
	if sqlState(err) == "40" { // rolled back
		return true
	}
	return isBusySQLite(err) || IsConnectionLost(err)
}

// IsConnectionLost reports whether the database cannot be reached, went away, has no connection left or does not accept
// writes for now. After a lost answer to Commit it is not known whether the transaction took place; the checkpoint
// tells.
func IsConnectionLost(err error) bool {
	switch serverError(err) {
	case errPacketTooLarge: // in class 08
		return false
	case errNotReady, errServerShutdown, errReadOnly, errInterrupted,
		errReadOnlySession, errReadOnlyMode, errConnectionKilled, errOffline, errInactive:
		return true
	}
	if HasNoConnectionLeft(err) {
		return true
	}
	if number := serverError(err); number >= 9000 && number <= 9999 { // ProxySQL and TiDB: what is behind them is away
		return true
	}
	var network net.Error
	return sqlState(err) == "08" || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &network)
}

// HasNoConnectionLeft reports whether the server, or the user's account, has as many connections as it may have.
func HasNoConnectionLeft(err error) bool {
	switch serverError(err) {
	case errTooManyConnections, errUserConnections, errUserLimit:
		return true
	}
	return false
}

// IsValueError reports whether a value was refused, by Conform or by the server: the column cannot hold it. One row of
// the statement is to blame, whatever becomes of the others.
func IsValueError(err error) bool {
	var data *DataError
	if errors.As(err, &data) || errors.Is(err, mysql.ErrPktTooLarge) {
		return true
	}
	switch serverError(err) {
	case errOutOfRange, errTruncated, errBadTime, errBadText, errBadValue, errTooLong, errWrongValue, errDataOutOfRange:
		return true
	}
	return sqlState(err) == "22"
}

// IsDataError reports whether a row may be to blame: its value was refused, or it breaks a rule of a table (a key, a
// CHECK, a trigger, a partition that is missing …). The caller finds the row by writing less at once. There are
// more rules than a list could name, so it is every error of the server that is not about its own state, the
// connection, rights, settings or the schema (surroundings.go). A rule that is broken itself refuses all rows alike,
// which only other rows can show.
func IsDataError(err error) bool {
	if IsValueError(err) || isConstraintSQLite(err) {
		return true
	}
	return serverError(err) != 0 && !IsRetryable(err) && !isOfSurroundings(err)
}

// isDuplicate reports whether a unique key refused a row.
func isDuplicate(err error) bool {
	return serverError(err) == errDuplicate || isConstraintSQLite(err)
}

// serverError is the number of a MySQL or MariaDB error, 0 for any other error.
func serverError(err error) uint16 {
	var m *mysql.MySQLError
	if errors.As(err, &m) {
		return m.Number
	}
	return 0
}

// sqlState is the class of a MySQL or MariaDB error, the first two characters of its SQLSTATE. That of a trigger's
// SIGNAL is the trigger's choice and says nothing.
func sqlState(err error) string {
	var m *mysql.MySQLError
	if errors.As(err, &m) && m.Number != errSignal && m.SQLState[0] != 0 {
		return string(m.SQLState[:2])
	}
	return ""
}
