package faults

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// openNode opens a database on a node, as the program does.
func openNode(t *testing.T, n *testserver.GaleraNode, name string) *sqlx.DB {
	t.Helper()
	db, err := matomo.Database{Socket: n.Socket, Username: "root", Name: name, Charset: "utf8mb4"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// A node that has not yet got what another one has committed shows what was. The program's connections wait instead:
// the first one, which has to find out that there is a cluster, and those after it.
func readBehind(t *testing.T, c *testserver.GaleraCluster) {
	name := c.Nodes[0].CreateDatabase(t)
	up := openNode(t, c.Nodes[0], name)
	up.MustExec("CREATE TABLE t (n INT PRIMARY KEY)")
	up.MustExec("INSERT INTO t VALUES (1)")
	asked := openNode(t, c.Nodes[1], name)
	for range 2 { // connections
		conn, err := asked.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hurried := sqlx.MustConnect("mysql", c.Nodes[1].DSN(name))
		defer hurried.Close()
		count := func(q sqlx.QueryerContext) (n int) {
			if err := sqlx.GetContext(t.Context(), q, &n, "SELECT COUNT(*) FROM t"); err != nil {
				t.Error(err)
			}
			return n
		}
		before := count(conn)
		stop, err := hurried.Connx(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stop.ExecContext(t.Context(), "FLUSH TABLES WITH READ LOCK"); err != nil {
			t.Fatal(err)
		}
		up.MustExec("INSERT INTO t SELECT MAX(n) + 1 FROM t")
		if got := count(hurried); got != before {
			t.Errorf("the node is not behind: it has %d rows, want %d", got, before)
		}
		answer := make(chan int)
		go func() { answer <- count(conn) }()
		select {
		case got := <-answer:
			t.Fatalf("%d rows, from a node that is behind", got)
		case <-time.After(100 * time.Millisecond): // what would be wrong comes at once
		}
		if _, err := stop.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Fatal(err)
		}
		if got := <-answer; got != before+1 {
			t.Errorf("%d rows, want %d", got, before+1)
		}
		_ = stop.Close()
	}
}
