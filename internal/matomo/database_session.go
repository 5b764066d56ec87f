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
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
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
	// A host that is gone without a word has locked a checkpoint until the server gives its connection up, by default
	// after eight hours.
	"wait_timeout = LEAST(@@wait_timeout, 180)",
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

// causal lets a node of a Galera cluster answer with everything that any node had committed before it was asked. A node
// may be behind the one that this program has written to a moment ago: without it a visit might not be found, and begun
// a second time.
const causal = "wsrep_sync_wait = @@wsrep_sync_wait | 1"

// IsGaleraNode reports whether the server belongs to a Galera cluster.
func IsGaleraNode(ctx context.Context, db *sqlx.DB) (bool, error) {
	var is bool
	conn, err := db.Connx(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) (err error) {
		is, err = isGaleraNode(ctx, c.(driver.Conn))
		return err
	})
	return is, err
}

// isGaleraNode asks in a way that is no error where nothing is known of Galera.
func isGaleraNode(ctx context.Context, conn driver.Conn) (bool, error) {
	answer, err := askText(ctx, conn, "SHOW VARIABLES LIKE 'wsrep_on'")
	return answer == "ON", err
}

// connector prepares every new connection with one statement.
type connector struct {
	driver.Connector
	session            string
	charset, collation string      // "": the server's
	cluster            atomic.Bool // the server is a node of a Galera cluster
	asked              atomic.Bool // it is known whether it is
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
	exec := conn.(driver.ExecerContext).ExecContext
	session := c.session
	if c.cluster.Load() {
		session += ", " + causal
	}
	if _, err := exec(ctx, session, nil); err != nil {
		return c.refused(err)
	}
	if !c.asked.Load() {
		isNode, err := isGaleraNode(ctx, conn)
		if err == nil && isNode {
			_, err = exec(ctx, "SET "+causal, nil)
		}
		if err != nil {
			return err
		}
		c.cluster.Store(isNode)
		c.asked.Store(true)
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

// askText asks for one text, the last column of a row; "" when there is no row.
func askText(ctx context.Context, conn driver.Conn, query string) (string, error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
	if err != nil {
		return "", err
	}
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil && err != io.EOF {
		return "", errors.Join(err, rows.Close())
	}
	text, _ := row[len(row)-1].([]byte)
	return string(text), rows.Close()
}
