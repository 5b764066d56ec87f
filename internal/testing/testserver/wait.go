package testserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
)

// Patience is how long a test waits for what has to happen. It bounds a test that hangs, no more: a machine that is
// busy with other things for minutes must not fail a test.
const Patience = 5 * time.Minute

// Eventually waits until a condition holds, and ends the test when it does not in all of Patience.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	eventually(t, what, 2*time.Millisecond, condition)
}

// EventuallyWriting waits until n transactions of a server have changed rows, as Eventually does. It asks seldom:
// InnoDB looks at its transactions anew only when nobody has asked for a tenth of a second.
func EventuallyWriting(t testing.TB, db *sqlx.DB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d transactions write", n), 150*time.Millisecond, func() bool {
		var writing int
		err := db.Get(&writing, "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0")
		return err == nil && writing >= n
	})
}

func eventually(t testing.TB, what string, pause time.Duration, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
