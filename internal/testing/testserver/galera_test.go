package testserver

import (
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
)

// A node that was killed comes back with what it has missed; one that is cut off refuses statements until it is not.
func TestGaleraNodesLeaveAndComeBack(t *testing.T) {
	t.Parallel()
	c := Galera(t)
	first, second, third := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	name := first.CreateDatabase(t)
	db := first.open(t, name)
	db.MustExec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)")
	third.Kill(t)
	Eventually(t, "the others go on", func() bool {
		_, err := db.Exec("INSERT INTO t VALUES ()")
		return err == nil
	})
	third.Start(t)
	rows := func(n *GaleraNode) (count int) {
		if err := n.open(t, name).Get(&count, "SELECT COUNT(*) FROM t"); err != nil {
			t.Error(err)
		}
		return count
	}
	if got := rows(third); got != 1 {
		t.Errorf("%d rows on the node that came back, want 1", got)
	}
	second.Isolate(t)
	Eventually(t, "the node refuses statements", func() bool {
		_, err := second.open(t, name).Exec("INSERT INTO t VALUES ()")
		var refused *mysql.MySQLError
		return errors.As(err, &refused) && refused.Number == 1047
	})
	second.Join(t)
	c.WaitUntilWhole(t)
}

func (n *GaleraNode) open(t *testing.T, name string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("mysql", n.DSN(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
