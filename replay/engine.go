package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Engine tracks: it turns requests into rows of Matomo's log tables. The pipeline decides what is tracked and when; it
// keeps the checkpoint, the dead letters and the queue in step with the engine's transactions. Each worker has an
// engine of its own, and calls it from one goroutine at a time.
//
// NewNative is the engine in this program. Its batches overlap (inflight.go); those of any other engine are processed
// one after the other.
type Engine interface {
	// Prepare takes the entries of a batch. What needs no transaction is done here.
	Prepare(ctx context.Context, entries []Entry) (Task, error)
	// Begin opens the transaction of an attempt. What became of earlier transactions of this engine must be settled
	// before the new one's Checkpoint answers: after a COMMIT without an answer that decides what is done next.
	Begin(ctx context.Context) (Transaction, error)
	// Close ends the engine. No transaction is open.
	Close() error
}

// Entry is an entry of a queue that could be decoded.
type Entry struct {
	Position int    // in the batch
	Element  []byte // as it is in the queue
	Set      queue.RequestSet
}

// Task is what an engine has made of the entries of a batch. It lives until the batch is committed or discarded, over
// all attempts. Its requests are numbered over all entries.
type Task interface {
	// Len is the number of requests.
	Len() int
	// Prefix is the task of the first n requests, Only that of request i alone. They share what Fail does.
	Prefix(n int) Task
	Only(i int) Task
	// Fail takes request i out of all attempts to come: there it counts as failed with this error. It reports false
	// when the request would not have been written anyway.
	Fail(i int, err error) bool
	// Discard gives the task up: it will not be committed. Of several tasks the last that was prepared comes first.
	Discard()
}

// Transaction is one attempt. Its errors are those of the database, so that store.IsRetryable and its like can judge
// them, a *GuiltyError or a *BreakdownError.
type Transaction interface {
	// Checkpoint reads and locks the checkpoint of a list.
	Checkpoint(ctx context.Context, list string) (store.Checkpoint, error)
	// Track tracks the requests of a task. The refusals of the result number the entries as Prepare got them.
	Track(ctx context.Context, task Task) (*tracker.Result, error)
	// Preview finds out what Track would give. The transaction is rolled back afterwards.
	Preview(ctx context.Context, task Task) (*tracker.Result, error)
	// SQL is for statements that belong to the transaction: everything that was tracked is written before.
	SQL(ctx context.Context) (queue.Executor, error)
	// SaveCheckpoint moves the checkpoint of a list.
	SaveCheckpoint(ctx context.Context, list string, c store.Checkpoint) error
	// Flush sends what is not yet at the server. Only the commit is left then.
	Flush(ctx context.Context) error
	// Commit commits. After an error the outcome may be unknown: the checkpoint of the next attempt tells it.
	Commit(ctx context.Context) error
	// Rollback takes everything back; after a commit it does nothing.
	Rollback() error
	// AfterWrites lets f be called after each message that writes rows, for tests.
	AfterWrites(f func())
}

// GuiltyError is an error of Track for which one request is to blame beyond doubt, as one that ends the engine's
// process.
type GuiltyError struct {
	Request int // of the task
	Err     error
}

func (e *GuiltyError) Error() string { return fmt.Sprintf("request %d: %v", e.Request, e.Err) }

// Unwrap gives the error itself.
func (e *GuiltyError) Unwrap() error { return e.Err }

// BreakdownError is an error of Track after which the engine had to be started again. Some request may be to blame.
type BreakdownError struct{ Err error }

func (e *BreakdownError) Error() string { return "the engine broke down: " + e.Err.Error() }

// Unwrap gives the error itself.
func (e *BreakdownError) Unwrap() error { return e.Err }

// ErrEngineEnded is in the errors of an engine whose process has ended. The batch is tried again with a new one.
var ErrEngineEnded = errors.New("the engine's process has ended")

// blamesData reports whether an error may be about some request of the batch. Everything else, such as a table that is
// missing, would hit the next batch as well: then nothing must be put aside.
func blamesData(err error) bool {
	_, broke := errors.AsType[*BreakdownError](err)
	return store.IsDataError(err) || broke || isSure(err)
}

// isSure reports whether an error is a request's own fault, whatever becomes of the others.
func isSure(err error) bool {
	_, guilty := errors.AsType[*GuiltyError](err)
	return store.IsValueError(err) || guilty || isBug(err)
}

func isBug(err error) bool {
	_, bug := errors.AsType[*tracker.PanicError](err)
	return bug
}
