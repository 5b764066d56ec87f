package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// mysqlDialect is that of MySQL and MariaDB.
var mysqlDialect = dialect{
	begin:        begin,
	insertIgnore: "INSERT IGNORE INTO",
	keepRow:      " ON DUPLICATE KEY UPDATE `idsite` = VALUES(`idsite`)",
	forUpdate:    " FOR UPDATE",
	increment:    "@@auto_increment_increment",
	moment:       "TIMESTAMP",
	join:         " STRAIGHT_JOIN ",

	onDuplicate: func(_ string, columns ...string) string {
		q := new(statement).add(" ON DUPLICATE KEY UPDATE ")
		for i, column := range columns {
			q.add(separator(i), column, " = VALUES(", column, ")")
		}
		return string(q.sql)
	},
	forceIndex: func(index string) string { return " FORCE INDEX (" + index + ")" },
	head: func(column string, bytes int) string {
		return fmt.Sprintf("CAST(LEFT(%s, %d) AS BINARY)", column, bytes)
	},
	firstID: func(_ int, id int64) int64 { return id },

	readServer:   readServer,
	readColumns:  readColumns,
	readIndexes:  readIndexes,
	readUserText: readUserText,
	lockWaits: func(ctx context.Context, db *sqlx.DB) (waiting int64, err error) {
		var name string
		err = db.QueryRowxContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").Scan(&name, &waiting)
		return waiting, err
	},
}

// begin is what every sql_mode understands: BEGIN starts a block in that of Oracle.
const begin = "START TRANSACTION"

func readServer(ctx context.Context, db *sqlx.DB) (serverInfo, error) {
	var row struct {
		Mode      string `db:"mode"`
		Version   string `db:"version"`
		Charset   string `db:"charset"`
		Increment int64  `db:"increment"`
		MaxPacket int    `db:"packet"`
	}
	const query = "SELECT @@sql_mode AS mode, VERSION() AS version, @@character_set_connection AS charset, " +
		"@@auto_increment_increment AS increment, @@max_allowed_packet AS packet"
	if err := db.GetContext(ctx, &row, query); err != nil {
		return serverInfo{}, err
	}
	cluster, err := matomo.IsGaleraNode(ctx, db)
	if err != nil {
		return serverInfo{}, err
	}
	if err := matomo.CheckSession(ctx, db, cluster); err != nil {
		return serverInfo{}, err
	}
	scripts, err := takesScripts(ctx, db)
	if err != nil {
		return serverInfo{}, err
	}
	return serverInfo{
		strict:     strings.Contains(row.Mode, "STRICT_TRANS_TABLES") || strings.Contains(row.Mode, "STRICT_ALL_TABLES"),
		mariadb:    strings.Contains(row.Version, "MariaDB"),
		basicPlane: row.Charset == "utf8mb3" || row.Charset == "utf8",
		increment:  max(row.Increment, 1),
		// Statements of some MB are no faster than one MB, but hold more memory.
		maxStatement:  min(row.MaxPacket-1024, 1<<20),
		maxParameters: 60_000,
		// When a node takes a transaction back, because another node was quicker with the same row, between two statements
		// of one message, MariaDB goes on with those that follow, each of them committed by itself, and says nothing.
		scripts: scripts && !cluster,
		cluster: cluster,
	}, nil
}

// takesScripts reports whether the connections, and what may stand between them and the server, take several
// statements at once.
func takesScripts(ctx context.Context, db *sqlx.DB) (bool, error) {
	_, err := db.ExecContext(ctx, "DO 0; DO 0")
	if IsConnectionLost(err) {
		return false, err
	}
	return err == nil, nil
}

func readColumns(ctx context.Context, db *sqlx.DB, table string) ([]foundColumn, error) {
	var rows []struct {
		Name     string         `db:"name"`
		Type     string         `db:"type"`
		Charset  sql.NullString `db:"charset"`
		Nullable string         `db:"nullable"`
		Default  sql.NullString `db:"preset"`
	}
	const query = "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, CHARACTER_SET_NAME AS charset, " +
		"IS_NULLABLE AS nullable, COLUMN_DEFAULT AS preset FROM information_schema.COLUMNS " +
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION"
	if err := db.SelectContext(ctx, &rows, query, table); err != nil {
		return nil, err
	}
	columns := make([]foundColumn, len(rows))
	for i, row := range rows {
		typ := parseType(row.Type, row.Charset.String)
		typ.nullable = row.Nullable == "YES"
		typ.setPreset(row.Default)
		columns[i] = foundColumn{row.Name, typ}
	}
	return columns, nil
}

func readIndexes(ctx context.Context, db *sqlx.DB, table string) (parts []foundIndex, err error) {
	const query = "SELECT INDEX_NAME AS name, COLLATION AS direction FROM information_schema.STATISTICS " +
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY SEQ_IN_INDEX"
	err = db.SelectContext(ctx, &parts, query, table)
	return parts, err
}

func readUserText(
	ctx context.Context, db *sqlx.DB, table string,
) (comparable func(expression string) string, err error) {
	var column struct {
		Charset   string `db:"charset"`
		Collation string `db:"collation"`
	}
	const query = "SELECT COALESCE(MAX(CHARACTER_SET_NAME), '') AS charset, " +
		"COALESCE(MAX(COLLATION_NAME), '') AS collation FROM information_schema.COLUMNS " +
		"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND COLUMN_NAME = 'user_id'"
	if err := db.GetContext(ctx, &column, query, table); err != nil {
		return nil, err
	}
	if !validPrefix.MatchString(column.Charset + column.Collation) {
		return nil, fmt.Errorf("character set %q, collation %q of column user_id", column.Charset, column.Collation)
	}
	if column.Collation == "" { // a binary column
		return asIs, nil
	}
	return func(expression string) string {
		return "CONVERT(" + expression + " USING " + column.Charset + ") COLLATE " + column.Collation
	}, nil
}
