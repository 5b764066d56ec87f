package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jmoiron/sqlx"
)

// dialect is what MySQL and MariaDB (mysql.go) say or do in one way, SQLite (sqlite.go) in another.
type dialect struct {
	// oneWriter tells that only one transaction at a time can write: whatever is written is a part of it.
	oneWriter bool

	begin        string // starts a transaction that writes
	insertIgnore string // begins an INSERT that leaves out rows whose key exists
	keepRow      string // ends an INSERT that leaves rows alone whose key exists, and refuses wrong values
	forUpdate    string // ends a SELECT whose rows stay locked
	increment    string // the distance between ids at this moment: a cluster may change it at any time
	moment       string // precedes the text of a moment that is compared with others
	join         string // joins two tables, the left one first
	sameTime     string // orders rows of equal times, in the direction that follows; "": as the index does

	// onDuplicate ends an INSERT that changes these columns of a row whose key exists.
	onDuplicate func(key string, columns ...string) string
	// forceIndex follows a table that is to be read by this index (a quoted name).
	forceIndex func(index string) string
	// head is an expression for the first bytes of a column that holds ASCII, compared byte by byte.
	head func(column string, bytes int) string
	// firstID is the number of the first of n rows that a statement has inserted, by what LastInsertId says.
	firstID func(n int, id int64) int64

	// readServer asks for the settings that change what is stored and how much fits into a statement.
	readServer func(ctx context.Context, db *sqlx.DB) (serverInfo, error)
	// readColumns returns the columns of a table in their order, none when there is no such table.
	readColumns func(ctx context.Context, db *sqlx.DB, table string) ([]foundColumn, error)
	// readIndexes returns the parts of a table's indexes, those of each in their order.
	readIndexes func(ctx context.Context, db *sqlx.DB, table string) ([]foundIndex, error)
	// readUserText finds out how user_id of table log_visit compares: a function that makes an expression comparable
	// with it, whatever the connection's collation.
	readUserText func(ctx context.Context, db *sqlx.DB, table string) (comparable func(string) string, err error)
	// lockWaits is how many transactions wait for the lock of a row at the moment.
	lockWaits func(ctx context.Context, db *sqlx.DB) (int64, error)
}

// foundColumn is a column as the database describes it.
type foundColumn struct {
	name string
	typ  columnType
}

// foundIndex is a part of an index: a column.
type foundIndex struct {
	Name      string         `db:"name"`
	Direction sql.NullString `db:"direction"` // A: ascending, D: descending
}

// dialectOf goes by the driver's name.
func dialectOf(db *sqlx.DB) *dialect {
	if strings.HasPrefix(db.DriverName(), "sqlite") {
		return &sqliteDialect
	}
	return &mysqlDialect
}

func asIs(expression string) string { return expression }
