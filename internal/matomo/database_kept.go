package matomo

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// forgotten is an expression for the names of what the session was told (needed) and does not know.
const forgotten = "CONCAT_WS(', ', IF(@@autocommit = 1, NULL, 'autocommit'), " +
	"IF(@@completion_type = 'NO_CHAIN', NULL, 'completion_type'), " +
	"IF(@@sql_safe_updates = 0, NULL, 'sql_safe_updates'), " +
	"IF(@@sql_select_limit = 18446744073709551615, NULL, 'sql_select_limit'), " +
	"IF(@@sql_big_selects = 1, NULL, 'sql_big_selects')"

// CheckSession finds out whether a connection of Open still is what it was told to be, several statements later. A
// proxy that passes them on to ever other connections of its own may lose it. isNode: the server belongs to a Galera
// cluster.
func CheckSession(ctx context.Context, db *sqlx.DB, isNode bool) error {
	names := forgotten
	if isNode {
		names += ", IF(@@wsrep_sync_wait & 1, NULL, 'wsrep_sync_wait')"
	}
	conn, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range 2 { // statements
		err := conn.Raw(func(c any) error {
			lost, err := askText(ctx, c.(driver.Conn), "SELECT "+names+")")
			if err == nil && lost != "" {
				err = fmt.Errorf("the session does not keep its settings (%s): a proxy in front of the server seems to give "+
					"each statement another connection; let it keep the variables of sessions, or connect to the server itself", lost)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
