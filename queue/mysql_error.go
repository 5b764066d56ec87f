package queue

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
)

// Numbers of errors of MySQL and MariaDB.
const (
	errDuplicate    = 1062
	errMissingTable = 1146
)

func hasNumber(err error, numbers ...uint16) bool {
	reply, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	for _, n := range numbers {
		if reply.Number == n {
			return true
		}
	}
	return false
}

func isMissingTable(err error) bool { return hasNumber(err, errMissingTable) }

func isDuplicate(err error) bool { return hasNumber(err, errDuplicate) }

// wrap words the error of a statement.
func (m *MySQL) wrap(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", m.server, context.Cause(ctx))
	}
	if worded, ok := errors.AsType[*backendError](err); ok {
		return worded
	}
	text, kind := describeMySQL(err)
	return &backendError{m.server, what + ": " + text, kind, err}
}

// describeMySQL words an error and tells its kind.
func describeMySQL(err error) (text string, kind error) {
	reply, answered := errors.AsType[*mysql.MySQLError](err)
	if !answered {
		if errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) {
			return "connection lost", ErrUnavailable
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return "no answer in time", ErrUnavailable
		}
		if _, ok := errors.AsType[net.Error](err); ok {
			return describeNetwork(err)
		}
		return err.Error(), nil
	}
	switch reply.Number {
	case 1044, 1045, 1142, 1143, 1227, 1698: // database, password, table, column, privilege, authentication plugin
		return "not allowed: " + reply.Message, ErrDenied
	case 1040, 1047, 1053, 1180, 1205, 1213, 1290, 1836, 1927, 3032:
		// connections, a node without a majority, shutdown, COMMIT of unknown outcome, lock wait, deadlock, read-only, killed
		return reply.Message, ErrUnavailable
	}
	return reply.Message, nil
}
