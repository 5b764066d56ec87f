package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

const (
	pluginList = "matomo_queuedtracking_list_trackingQueueV1_3"
	pluginKeys = "matomo_queuedtracking_queue"
)

func newMySQL(t *testing.T) (*MySQL, *sqlx.DB) {
	t.Helper()
	db := testserver.MariaDB(t).NewDatabase(t)
	m, err := NewMySQL(db, "matomo_", "database")
	must(t, err)
	return m, db
}

func execute(t *testing.T, db sqlx.Execer, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// The statements are those that reach the server from the plugin.
func TestMySQLTablesAreThePlugins(t *testing.T) {
	m, db := newMySQL(t)
	entry := readFile(t, "testdata/page-view.zlib")
	must(t, m.Append(t.Context(), testList, entry, entry))
	execute(t, db, "INSERT INTO "+pluginList+" (`list_value`) VALUES (?)", entry)
	var values [][]byte
	must(t, db.Select(&values,
		"SELECT SQL_NO_CACHE list_value FROM "+pluginList+" ORDER BY idqueuelist ASC LIMIT 25 OFFSET 0"))
	if diff := cmp.Diff([][]byte{entry, entry, entry}, values); diff != "" {
		t.Errorf("the plugin reads (-want +got):\n%s", diff)
	}
	execute(t, db, "DELETE FROM "+pluginList+" ORDER BY idqueuelist ASC LIMIT 2")
	expectList(t, m, testList, entry)
	var table, definition string
	must(t, db.QueryRow("SHOW CREATE TABLE "+pluginList).Scan(&table, &definition))
	for _, part := range []string{"`idqueuelist` bigint(20) unsigned NOT NULL AUTO_INCREMENT", "`list_value` longblob NOT NULL", "ENGINE=InnoDB"} {
		if !strings.Contains(definition, part) {
			t.Errorf("no %s in %s", part, definition)
		}
	}
}

func TestMySQLLocksAreThePlugins(t *testing.T) {
	m, db := newMySQL(t)
	expect(t, true)(m.SetIfNotExists(t.Context(), testKey, "ours", time.Minute))
	var value string
	must(t, db.Get(&value,
		"SELECT SQL_NO_CACHE queue_value FROM "+pluginKeys+" WHERE queue_key = ? AND UNIX_TIMESTAMP() <= expiry_time LIMIT "+
			"1", testKey))
	var left int
	must(t, db.Get(&left, "SELECT expiry_time - UNIX_TIMESTAMP() FROM "+pluginKeys+" WHERE queue_key = ?", testKey))
	if value != "ours" || left < 58 || left > 60 {
		t.Errorf("the plugin reads %q, %d s left", value, left)
	}
	execute(t, db, "DELETE FROM "+pluginKeys+" WHERE queue_key = ? and queue_value = ?", testKey, "ours")
	execute(t, db,
		"INSERT INTO "+pluginKeys+" (`queue_key`, `queue_value`, `expiry_time`) VALUES (?,?,(UNIX_TIMESTAMP() + ?))", testKey,
		"theirs", 60)
	expect(t, false)(m.SetIfNotExists(t.Context(), testKey, "ours", time.Minute))
	execute(t, db, "UPDATE "+pluginKeys+" SET expiry_time = UNIX_TIMESTAMP() - 1")
	expect(t, false)(m.ExpireIfValue(t.Context(), testKey, "theirs", time.Minute))
	expect(t, true)(m.SetIfNotExists(t.Context(), testKey, "ours", time.Minute))
}

func TestMySQLKeysWithoutEnd(t *testing.T) {
	m, db := newMySQL(t)
	must(t, m.createKeys(t.Context()))
	execute(t, db, "INSERT INTO "+pluginKeys+" (queue_key, queue_value) VALUES ('stays', 'v')")
	execute(t, db,
		"INSERT INTO "+pluginKeys+" VALUES ('null', 'v', NULL), ('now', 'v', UNIX_TIMESTAMP() + 100), ('past', 'v', 1)")
	got, err := m.TTLs(t.Context(), "stays", "null", "past", "none")
	if diff := cmp.Diff([]time.Duration{NoExpiry, NoExpiry, 0, 0}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got := timeUntil(7, 7); got != time.Millisecond {
		t.Errorf("in its last second: %v", got)
	}
	expect(t, false)(m.SetIfNotExists(t.Context(), "null", "w", time.Minute))
}

func TestMySQLReadersMakeNoTables(t *testing.T) {
	m, db := newMySQL(t)
	ctx := t.Context()
	_, err := m.Lens(ctx, Keys(0, 10)...)
	must(t, err)
	_, err = m.Range(ctx, testList, 0, 1)
	must(t, err)
	_, err = m.Head(ctx, testList, 1)
	must(t, err)
	var tables []string
	must(t, db.Select(&tables, "SHOW TABLES LIKE '%list%'"))
	if len(tables) > 0 {
		t.Errorf("tables %q", tables)
	}
}

// Writers take their numbers when they insert and show their rows when they commit.
func TestMySQLRowThatCommitsLateIsNeitherLostNorTakenTwice(t *testing.T) {
	m, db := newMySQL(t)
	ctx := t.Context()
	must(t, m.Append(ctx, testList, []byte("first")))
	late, err := db.Beginx()
	must(t, err)
	execute(t, late, "INSERT INTO "+pluginList+" (list_value) VALUES ('late')")
	must(t, m.Append(ctx, testList, []byte("second")))
	head, err := m.Head(ctx, testList, 10)
	if diff := cmp.Diff(Batch{Elements: [][]byte{[]byte("first"), []byte("second")}, Len: 2}, head, ignoreRows); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	must(t, late.Commit())
	expect(t, true)(m.RemoveFirst(ctx, testList, head))
	expectList(t, m, testList, []byte("late"))
}

// Somebody has emptied the table of keys between reading and removing: nothing is removed, and the next batch counts
// from the beginning.
func TestMySQLCounterThatVanishesIsMadeAnew(t *testing.T) {
	m, db := newMySQL(t)
	ctx := t.Context()
	must(t, m.Append(ctx, testList, numbered(0, 6)...))
	head, err := m.Head(ctx, testList, 2)
	must(t, err)
	expect(t, true)(m.RemoveFirst(ctx, testList, head))
	head, err = m.Head(ctx, testList, 2)
	must(t, err)
	execute(t, db, "DELETE FROM "+pluginKeys)
	expect(t, false)(m.RemoveFirst(ctx, testList, head))
	head, err = m.Head(ctx, testList, 2)
	if diff := cmp.Diff(Batch{Elements: numbered(2, 4), Offset: 0, Len: 4}, head, ignoreRows); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	expect(t, true)(m.RemoveFirst(ctx, testList, head))
	expectList(t, m, testList, numbered(4, 6)...)
}

// A slow writer holds up neither the reader nor the removal of what was read, be it the whole list.
func TestMySQLWriterThatHasNotCommittedBlocksNobody(t *testing.T) {
	m, db := newMySQL(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // waiting for a lock takes 50
	defer cancel()
	must(t, m.Append(ctx, testList, numbered(0, 3)...))
	slow, err := db.Beginx()
	must(t, err)
	defer slow.Rollback()
	execute(t, slow, "INSERT INTO "+pluginList+" (list_value) VALUES ('slow')")
	must(t, m.Append(ctx, testList, numbered(3, 4)...))
	head, err := m.Head(ctx, testList, 10)
	if err != nil || len(head.Elements) != 4 {
		t.Fatalf("%d elements, %v", len(head.Elements), err)
	}
	tx, err := db.Beginx()
	must(t, err)
	defer tx.Rollback()
	expect(t, true)(m.RemoveFirstTx(ctx, tx, testList, head))
	must(t, tx.Commit())
	must(t, slow.Commit())
	expectList(t, m, testList, []byte("slow"))
}

func TestMySQLBatchLeavesTheQueueWithTheTransaction(t *testing.T) {
	m, db := newMySQL(t)
	ctx := t.Context()
	must(t, m.Append(ctx, testList, numbered(0, 4)...))
	head, err := m.Head(ctx, testList, 3)
	must(t, err)
	joint, ok := InTransaction(m, db)
	if !ok {
		t.Fatal("takes no part in transactions")
	}
	failed := FailedKey(testList)
	rolledBack, err := db.Beginx()
	must(t, err)
	// from here on it sees the database as it is now: without a table for dead letters
	execute(t, rolledBack, "SELECT 1 FROM "+pluginList)
	must(t, joint.AppendTx(ctx, rolledBack, failed, []byte("not put aside")))
	expect(t, true)(joint.RemoveFirstTx(ctx, rolledBack, testList, head))
	expectList(t, m, failed)
	must(t, rolledBack.Rollback())
	expectList(t, m, testList, numbered(0, 4)...)
	expectList(t, m, failed)

	tx, err := db.Beginx()
	must(t, err)
	must(t, joint.AppendTx(ctx, tx, failed, numbered(0, 2)...))
	expect(t, true)(joint.RemoveFirstTx(ctx, tx, testList, Batch{}))
	expect(t, true)(joint.RemoveFirstTx(ctx, tx, testList, head))
	must(t, tx.Commit())
	expectList(t, m, testList, numbered(3, 4)...)
	expectList(t, m, failed, numbered(0, 2)...)

	again, err := db.Beginx()
	must(t, err)
	defer again.Rollback()
	expect(t, false)(joint.RemoveFirstTx(ctx, again, testList, head))
}

func TestOnlyQueuesOfTheSameDatabaseTakePartInItsTransactions(t *testing.T) {
	m, _ := newMySQL(t)
	_, other := newMySQL(t)
	if _, ok := InTransaction(m, other); ok {
		t.Error("queues in another database")
	}
	if _, ok := InTransaction(openRedis(t).Backend, other); ok {
		t.Error("queues in Redis")
	}
}

func TestMySQLBatchOfWhichThePluginTookSomeIsNotRemoved(t *testing.T) {
	m, db := newMySQL(t)
	ctx := t.Context()
	must(t, m.Append(ctx, testList, numbered(0, 4)...))
	head, err := m.Head(ctx, testList, 3)
	must(t, err)
	execute(t, db, "DELETE FROM "+pluginList+" ORDER BY idqueuelist ASC LIMIT 1")
	expect(t, false)(m.RemoveFirst(ctx, testList, head))
	expectList(t, m, testList, numbered(1, 4)...)
	expect(t, false)(m.RemoveFirst(ctx, testList, Batch{Elements: numbered(1, 2)})) // read from another backend
}

func TestMySQLTransactionBlocksNobodyElse(t *testing.T) {
	for name, index := range map[string]string{
		"as the plugin makes its table now":       "PRIMARY KEY (queue_key)",
		"as older versions of the plugin made it": "UNIQUE unique_queue_key (queue_key)",
	} {
		t.Run(name, func(t *testing.T) {
			m, db := newMySQL(t)
			execute(t, db, `CREATE TABLE `+pluginKeys+` (queue_key VARCHAR(70) NOT NULL, queue_value VARCHAR(255) NULL DEFAULT NULL,
				expiry_time BIGINT UNSIGNED DEFAULT 9999999999, `+index+`) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`)
			transactionBlocksNobodyElse(t, m, db)
		})
	}
}

func transactionBlocksNobodyElse(t *testing.T, m *MySQL, db *sqlx.DB) {
	ctx := t.Context()
	for id := range 3 {
		must(t, m.Append(ctx, Key(id), numbered(0, 4)...))
		expect(t, true)(m.SetIfNotExists(ctx, fmt.Sprintf("QueuedTrackingLock%d", id), "v", time.Minute))
	}
	head, err := m.Head(ctx, Key(1), 100) // the whole list, which a server is tempted to scan
	must(t, err)
	tx, err := db.Beginx()
	must(t, err)
	defer tx.Rollback()
	expect(t, true)(m.RemoveFirstTx(ctx, tx, Key(1), head))

	others, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	must(t, m.Append(others, Key(1), []byte("new")))
	expectLen := func(id int, want int64) {
		t.Helper()
		if n, err := m.Len(others, Key(id)); n != want || err != nil {
			t.Errorf("queue %d: %d, %v", id, n, err)
		}
	}
	expectLen(1, 5)
	for id := range 5 {
		key := fmt.Sprintf("QueuedTrackingLock%d", id)
		_, err := m.SetIfNotExists(others, key, "v", time.Minute)
		must(t, err)
		expect(t, true)(m.ExpireIfValue(others, key, "v", time.Minute))
		expect(t, true)(m.DeleteIfValue(others, key, "v"))
	}
	second, err := m.Head(others, Key(2), 2)
	must(t, err)
	expect(t, true)(m.RemoveFirst(others, Key(2), second))
	must(t, tx.Commit())
	expectLen(1, 1)
	expectLen(2, 2)
}

func TestMySQLLengthIsThatOfTheRowsThereAre(t *testing.T) {
	m, db := newMySQL(t)
	must(t, m.Append(t.Context(), testList, numbered(0, 10)...))
	execute(t, db, "DELETE FROM "+pluginList+" WHERE idqueuelist IN (4, 5, 6)")
	head, err := m.Head(t.Context(), testList, 2)
	if err != nil || head.Len != 7 {
		t.Errorf("head of %d, %v", head.Len, err)
	}
	expectList(t, m, testList, append(numbered(0, 3), numbered(6, 10)...)...)
	execute(t, db, "UPDATE "+pluginList+" SET idqueuelist = 1000000 WHERE idqueuelist = 10")
	if head, err = m.Head(t.Context(), testList, 2); err != nil || head.Len < 7 {
		t.Errorf("head of %d, %v", head.Len, err)
	}
	if n, err := m.Lens(t.Context(), testList, Key(9)); err != nil || !slices.Equal(n, []int64{7, 0}) {
		t.Errorf("lengths %d, %v", n, err)
	}
}

func TestMySQLTableNames(t *testing.T) {
	m, _ := newMySQL(t)
	ctx := t.Context()
	longest := FailedKey(Key(MaxQueues - 1))
	must(t, m.Append(ctx, longest, []byte("x")))
	expectList(t, m, longest, []byte("x"))
	expect(t, true)(m.Delete(ctx, longest))
	long := strings.Repeat("x", 50)
	must(t, m.Append(ctx, long+"1", []byte("1")))
	must(t, m.Append(ctx, long+"2", []byte("2")))
	expectList(t, m, long+"1", []byte("1"))
	if lens, err := m.Lens(ctx, long+"1", long+"2", long+"3"); err != nil || !slices.Equal(lens, []int64{1, 1, 0}) {
		t.Errorf("lengths %d, %v", lens, err)
	}
	head, err := m.Head(ctx, long+"1", 5)
	must(t, err)
	expect(t, true)(m.RemoveFirst(ctx, long+"1", head))
	if n, err := m.Offset(ctx, long+"1"); n != 1 || err != nil {
		t.Errorf("offset %d, %v", n, err)
	}
	if ttls, err := m.TTLs(ctx, OffsetKey(long+"1")); err != nil || ttls[0] != NoExpiry {
		t.Errorf("%v, %v", ttls, err)
	}
	expect(t, true)(m.Delete(ctx, OffsetKey(long+"1")))
	expect(t, true)(m.Delete(ctx, long+"2"))
	expect(t, false)(m.Delete(ctx, long+"3"))
	if _, err := NewMySQL(m.db, "a`b", ""); err == nil {
		t.Error("strange prefix accepted")
	}
	if _, err := NewMySQL(nil, "", ""); err == nil {
		t.Error("no database accepted")
	}
}

func TestMySQLLargeEntriesGoInSeveralStatements(t *testing.T) {
	m, _ := newMySQL(t)
	var elements [][]byte
	for i := range 5 {
		elements = append(elements, slices.Repeat([]byte{byte(i)}, maxStatement/2))
	}
	must(t, m.Append(t.Context(), testList, elements...))
	expectList(t, m, testList, elements...)
}

func TestElementsOfAStatementAreBounded(t *testing.T) {
	half := make([]byte, maxStatement/2)
	lengths := func(elements ...[]byte) (lengths []int) {
		for _, chunk := range chunksOf(elements) {
			lengths = append(lengths, len(chunk))
		}
		return lengths
	}
	tests := []struct {
		elements [][]byte
		want     []int
	}{
		{nil, nil},
		{[][]byte{half, half}, []int{2}},
		{[][]byte{half, half, {1}}, []int{2, 1}},
		{[][]byte{append(half, half...), {1}, append(half, half...)}, []int{1, 1, 1}},
		{[][]byte{append(half, 1, 2), half, half}, []int{1, 2}},
		{make([][]byte, maxPipeline+1), []int{maxPipeline, 1}},
	}
	for _, tt := range tests {
		if got := lengths(tt.elements...); !slices.Equal(got, tt.want) {
			t.Errorf("%d elements: got statements of %v, want %v", len(tt.elements), got, tt.want)
		}
	}
}

func TestMySQLTimes(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 1, 1: 1, time.Second: 1, time.Second + 1: 2, time.Minute: 60,
	} {
		if got := seconds(d); got != want {
			t.Errorf("time to live %v: got %d s, want %d", d, got, want)
		}
	}
	for expiry, want := range map[int64]time.Duration{
		0: NoExpiry, staysFrom: NoExpiry, 6: 0, 7: time.Millisecond, 8: time.Second,
	} {
		if got := timeUntil(expiry, 7); got != want {
			t.Errorf("at 7, expiry %d: got %v, want %v", expiry, got, want)
		}
	}
}

func TestMySQLCounterThatIsNone(t *testing.T) {
	m, db := newMySQL(t)
	must(t, m.Append(t.Context(), testList, []byte("x")))
	must(t, m.createKeys(t.Context()))
	execute(t, db, "INSERT INTO "+pluginKeys+" (queue_key, queue_value) VALUES (?, 'x')", OffsetKey(testList))
	if _, err := m.Offset(t.Context(), testList); err == nil || !strings.Contains(err.Error(), "is no counter") {
		t.Errorf("error %v", err)
	}
	if _, err := m.Head(t.Context(), testList, 1); err == nil || !strings.Contains(err.Error(), "is no counter") {
		t.Errorf("error %v", err)
	}
}

func TestMySQLErrors(t *testing.T) {
	server := testserver.MariaDB(t, testserver.Private())
	db := server.NewDatabase(t)
	var name string
	must(t, db.Get(&name, "SELECT DATABASE()"))
	execute(t, db, "CREATE USER reader@'%' IDENTIFIED BY 'secret'")
	execute(t, db, "GRANT SELECT ON "+name+".* TO reader@'%'")
	config := server.Config(name)
	config.User, config.Passwd, config.Logger = "reader", "secret", &mysql.NopLogger{}
	reader, err := sqlx.Open("mysql", config.FormatDSN())
	must(t, err)
	defer reader.Close()
	m, err := NewMySQL(reader, "matomo_", "database matomo")
	must(t, err)
	if err := m.Append(t.Context(), testList, []byte("x")); !errors.Is(err, ErrDenied) ||
		!strings.HasPrefix(err.Error(), "database matomo: insert: not allowed: ") {
		t.Errorf("missing right: %v", err)
	}
	if info, err := m.Info(t.Context()); err != nil || info.Server != "mariadb" || info.Version == "" ||
		info.Role != "master" {
		t.Errorf("%+v, %v", info, err)
	}
	server.Stop(t)
	for range 2 {
		_, err = m.Len(t.Context(), testList)
		if !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("server away: %v", err)
		}
	}
}

func TestMySQLErrorsAreSorted(t *testing.T) {
	m := &MySQL{server: "db"}
	tests := []struct {
		err  error
		kind error
	}{
		{&mysql.MySQLError{Number: 1040, Message: "Too many connections"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1047, Message: "WSREP has not yet prepared node for application use"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1053, Message: "Server shutdown in progress"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1180, Message: "Got error 5 during COMMIT"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1205, Message: "Lock wait timeout exceeded"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1213, Message: "Deadlock"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1290, Message: "Server runs with --read-only"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1836, Message: "Running in read-only mode"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 1927, Message: "Connection was killed"}, ErrUnavailable},
		{&mysql.MySQLError{Number: 3032, Message: "Server is in offline mode"}, ErrUnavailable},
		{mysql.ErrInvalidConn, ErrUnavailable},
		{context.DeadlineExceeded, ErrUnavailable},
		{&mysql.MySQLError{Number: 1044, Message: "Access denied"}, ErrDenied},
		{&mysql.MySQLError{Number: 1045, Message: "Access denied"}, ErrDenied},
		{&mysql.MySQLError{Number: 1142, Message: "Access denied"}, ErrDenied},
		{&mysql.MySQLError{Number: 1143, Message: "Access denied"}, ErrDenied},
		{&mysql.MySQLError{Number: 1227, Message: "Access denied"}, ErrDenied},
		{&mysql.MySQLError{Number: 1698, Message: "Access denied"}, ErrDenied},
	}
	for _, tt := range tests {
		got := m.wrap(t.Context(), "insert", tt.err)
		if !errors.Is(got, tt.kind) || !errors.Is(got, tt.err) {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
