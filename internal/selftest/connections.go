package selftest

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Connections compares what a worker may use at once with what the server and the user's account allow. With least
// connections it works, but waits for itself.
func (r *Report) Connections(ctx context.Context, db *sqlx.DB, most, least int) {
	const name = "connections"
	var limit struct {
		Server int `db:"server"`
		User   int `db:"user"`
	}
	const query = "SELECT @@max_connections AS server, @@max_user_connections AS user"
	if err := db.GetContext(ctx, &limit, query); err != nil {
		r.Notice(name, err.Error(), "")
		return
	}
	allowed, setting := limit.Server, "max_connections"
	if limit.User > 0 && limit.User < limit.Server {
		allowed, setting = limit.User, "max_user_connections"
	}
	detail := fmt.Sprintf("%d at once (%s), a worker of process uses up to %d", allowed, setting, most)
	switch {
	case allowed < least:
		r.Fail(name, fmt.Errorf("%s; it needs %d", detail, least), "raise "+setting)
	case allowed < most:
		r.Notice(name, detail+"; it waits when there is none left", "raise "+setting)
	default:
		r.OK(name, detail)
	}
}
