package phpchild

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// ErrDisabled says that Matomo does not record: its worker leaves queues as they are, too.
var ErrDisabled = errors.New("tracking is off: record_statistics = 0 in section [Tracker] of Matomo's config, " +
	"or Matomo is not installed")

// RolledBackError says that somebody else has rolled the child's transaction back, as when a plugin keeps the error of
// a deadlock to itself. What is written afterwards, until the request at work has ended, is committed at once.
type RolledBackError struct {
	Request *At // that was at work, nil where that is not known
	Tracked int // requests of the batch that were tracked before
}

func (e *RolledBackError) Error() string {
	return "a plugin, or the database behind its back, has rolled the transaction back"
}

// DeathError is the end of a child that was not told to end.
type DeathError struct {
	How     string // in words
	Request *At    // that was at work, nil for none
	Tracked int    // requests of the batch that were tracked before
}

// At is the place of a request: the set of the call, the request of the set (-1: the set is being opened).
type At struct{ Set, Request int }

func (e *DeathError) Error() string { return "PHP ended: " + e.How }

// PHPError is an error of PHP or Matomo that is none of the database.
type PHPError struct{ Class, Text, Where string }

func (e *PHPError) Error() string {
	text := strings.TrimSpace(e.Text)
	if e.Class != "" && e.Class != "Exception" {
		text = e.Class + ": " + text
	}
	if e.Where != "" {
		text += " (" + e.Where + ")"
	}
	return text
}

// Numbers of MySQL's errors.
const (
	clientErrors, afterClientErrors = 2000, 2100 // of the client: the server cannot be reached, or is gone
	errUnknown                      = 65535      // none of the server's: Matomo keeps the number to itself
)

// err is the error in words: that of the database, as package store judges it, or a *PHPError.
func (w *words) err() error {
	switch {
	case w.Errno == 0:
		return &PHPError{w.Class, w.Text, w.Where}
	case w.Errno >= clientErrors && w.Errno < afterClientErrors:
		return fmt.Errorf("%s: %w", w.Text, mysql.ErrInvalidConn)
	}
	e := &mysql.MySQLError{Number: errUnknown, Message: w.Text}
	if w.Errno > 0 {
		e.Number = uint16(w.Errno)
	}
	if len(w.State) == len(e.SQLState) && w.State != "HY000" {
		copy(e.SQLState[:], w.State)
	}
	return e
}
