package phpengine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const (
	settleTimeout   = time.Minute
	settlePause     = 5 * time.Millisecond
	errNoSuchThread = 1094
)

// settle waits until the connections that dead children have left are gone: then their transactions are committed or
// rolled back, and the checkpoint tells which. A COMMIT that is still on its way can do nothing any more.
func (e *Engine) settle(ctx context.Context) error {
	for len(e.lost) > 0 {
		if err := e.endConnection(ctx, e.lost[0]); err != nil {
			return fmt.Errorf("end PHP's connection %d: %w", e.lost[0], err)
		}
		e.lost = e.lost[1:]
	}
	return nil
}

func (e *Engine) endConnection(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		_, err := e.options.DB.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
		if refusal, ok := errors.AsType[*mysql.MySQLError](err); ok && !store.IsRetryable(err) {
			if refusal.Number != errNoSuchThread { // its locks keep the next transaction waiting all the same
				e.options.Log.Warn("PHP's connection could not be ended", "connection", id, "error", err)
			}
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(settlePause):
		}
	}
}
