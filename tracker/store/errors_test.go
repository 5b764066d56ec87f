package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// What a real server says, and whose fault it is: a value's, a row's, or that of something else.
func TestServersErrorsAreOfValuesRowsOrSurroundings(t *testing.T) {
	db := mariaDB(t)
	for _, statement := range []string{
		"CREATE TABLE parent (id INT PRIMARY KEY)",
		`CREATE TABLE t (id INT PRIMARY KEY, small TINYINT, short VARCHAR(3), day DATE, parent INT NULL,
			must INT NOT NULL, CHECK (small < 100), FOREIGN KEY (parent) REFERENCES parent (id))`,
		`CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW
			IF NEW.id = 66 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF`,
		"CREATE TRIGGER strange BEFORE UPDATE ON t FOR EACH ROW SIGNAL SQLSTATE '08000'",
		"CREATE TABLE parts (id INT) PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (10))",
		"CREATE TABLE broken (id INT)",
		"CREATE TRIGGER broken BEFORE INSERT ON broken FOR EACH ROW INSERT INTO missing VALUES (1)",
		"INSERT INTO t (id, must) VALUES (1, 1)",
	} {
		db.MustExec(statement)
	}
	const value, row, surroundings = "value", "row", "surroundings"
	for statement, want := range map[string]string{
		"INSERT INTO t (id, must, small) VALUES (2, 1, 1000)":                             value,
		"INSERT INTO t (id, must, short) VALUES (2, 1, 'long')":                           value,
		"INSERT INTO t (id, must) VALUES (2, 'x')":                                        value,
		"INSERT INTO t (id, must, day) VALUES (2, 1, '2026-99-99')":                       value,
		"INSERT INTO t (id, must) VALUES (1, 1)":                                          row,
		"INSERT INTO t (id, must) VALUES (2, NULL)":                                       row,
		"INSERT INTO t (id) VALUES (2)":                                                   row,
		"INSERT INTO t (id, must, small) VALUES (2, 1, 120)":                              row,
		"INSERT INTO t (id, must, parent) VALUES (2, 1, 5)":                               row,
		"INSERT INTO t (id, must) VALUES (66, 1)":                                         row,
		"UPDATE t SET small = 1":                                                          row,
		"INSERT INTO parts VALUES (11)":                                                   row,
		"INSERT INTO broken VALUES (1)":                                                   surroundings,
		"INSERT INTO t (id, must, none) VALUES (2, 1, 1)":                                 surroundings,
		"INSERT INTO t VALUES (2)":                                                        surroundings,
		"INSERT INTO none VALUES (1)":                                                     surroundings,
		"INSERT INTO none.none VALUES (1)":                                                surroundings,
		"INSERT INTO":                                                                     surroundings,
		"SELECT * FROM t FORCE INDEX (none)":                                              surroundings,
		"SELECT none(1)":                                                                  surroundings,
		"SET none = 1":                                                                    surroundings,
		"SET NAMES none":                                                                  surroundings,
		"SET sql_safe_updates = 'perhaps'":                                                surroundings,
		"SET STATEMENT sql_safe_updates = 1 FOR DELETE FROM t":                            surroundings,
		"SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(1) FROM t, t AS u":      surroundings,
		"SELECT _utf8mb4'a' COLLATE utf8mb4_bin = _utf8mb4'a' COLLATE utf8mb4_general_ci": surroundings,
		"SELECT id FROM t, parent":                                                        surroundings,
	} {
		_, err := db.ExecContext(context.Background(), statement)
		got := surroundings
		switch {
		case IsValueError(err):
			got = value
		case IsDataError(err):
			got = row
		}
		if err == nil || got != want || IsRetryable(err) && !strings.Contains(statement, "SLEEP") {
			t.Errorf("%s: %v: %s, want %s", statement, err, got, want)
		}
	}
}

// What a node of a Galera cluster says that has lost the majority, before and at COMMIT.
func TestErrorsOfANodeWithoutMajorityAreRetried(t *testing.T) {
	for number, lost := range map[uint16]bool{1047: true, 1180: false, 1213: false} {
		err := fmt.Errorf("commit: %w", &mysql.MySQLError{Number: number})
		if !IsRetryable(err) || IsConnectionLost(err) != lost || IsDataError(err) {
			t.Errorf("%d: retryable %v, connection lost %v (want %v), data %v", number, IsRetryable(err),
				IsConnectionLost(err), lost, IsDataError(err))
		}
	}
}
