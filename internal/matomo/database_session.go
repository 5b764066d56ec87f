package matomo

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// needed is what the program relies on and a server may begin its sessions with otherwise, by its options, SET GLOBAL
// or init_connect. None of it changes what a column can hold: sql_mode, isolation and time zone stay the server's, as
// for Matomo.
var needed = []string{
	"autocommit = 1",                          // what is written outside a transaction counts at once
	"completion_type = 0",                     // no transaction after COMMIT, but the connection
	"sql_safe_updates = 0",                    // UPDATE and DELETE choose rows by any column
	"sql_select_limit = 18446744073709551615", // every row comes back
	"sql_big_selects = 1",                     // whatever max_join_size says
}

// session is the statement that every new connection begins with. Matomo's tracker sends the SET NAMES (spec §B.1),
// where a charset is set.
func (d Database) session() (string, error) {
	for _, name := range []struct{ setting, value string }{{"charset", d.Charset}, {"collation", d.Collation}} {
		if !isName.MatchString(name.value) {
			return "", fmt.Errorf("%s %q of section [database] is not the name of one", name.setting, name.value)
		}
	}
	if isUnsafe(d.Charset) || isUnsafe(d.Collation) {
		return "", unsafeError(d.Charset)
	}
	names := "NAMES DEFAULT"
	if d.Charset != "" {
		names = "NAMES '" + d.Charset + "'"
		if d.Collation != "" {
			names += " COLLATE '" + d.Collation + "'"
		}
	}
	assignments := append([]string{names}, needed...)
	if d.LockWaitTimeout > 0 {
		assignments = append(assignments, "innodb_lock_wait_timeout = "+strconv.Itoa(d.LockWaitTimeout))
	}
	return "SET " + strings.Join(assignments, ", "), nil
}

var isName = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

// isUnsafe reports whether a charset, or that of a collation, has characters with a backslash as their last byte.
// Parameters are written into statements, where it would escape what follows.
func isUnsafe(name string) bool {
	charset, _, _ := strings.Cut(strings.ToLower(name), "_")
	return slices.Contains([]string{"big5", "cp932", "gb18030", "gbk", "sjis"}, charset)
}

func unsafeError(charset string) error {
	return fmt.Errorf(`charset %q is not safe to write with: set charset = "utf8mb4" in section [database] of `+
		"config/config.ini.php", charset)
}

// connector prepares every new connection with one statement.
type connector struct {
	driver.Connector
	session            string
	charset, collation string // "": the server's
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func (c *connector) prepare(ctx context.Context, conn driver.Conn) error {
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, c.session, nil); err != nil {
		return c.refused(err)
	}
	if c.charset != "" {
		return nil
	}
	charset, err := askText(ctx, conn, "SELECT @@character_set_client")
	if err == nil && isUnsafe(charset) {
		err = unsafeError(charset)
	}
	return err
}

// SessionError is the server's refusal of charset or collation.
type SessionError struct {
	Charset, Collation string
	Reply              *mysql.MySQLError
}

func (e *SessionError) Error() string {
	return fmt.Sprintf("charset %q, collation %q: %s", e.Charset, e.Collation, e.Reply.Message)
}

func (e *SessionError) Unwrap() error { return e.Reply }

// refused tells a refusal of charset or collation from other errors.
func (c *connector) refused(err error) error {
	const unknownCharset, wrongValue, notOfCharset, unknownCollation = 1115, 1231, 1253, 1273
	var reply *mysql.MySQLError
	if errors.As(err, &reply) {
		switch reply.Number {
		case unknownCharset, wrongValue, notOfCharset, unknownCollation:
			return &SessionError{c.charset, c.collation, reply}
		}
	}
	return err
}

// askText asks for one text.
func askText(ctx context.Context, conn driver.Conn, query string) (string, error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil && err != io.EOF {
		return "", errors.Join(err, rows.Close())
	}
	text, _ := row[0].([]byte)
	return string(text), rows.Close()
}
